/**
 * A line that is silently cut, loses packets, or takes two seconds either way. When it heals the agent must be back soon, and what is
 * made from then on must not wait behind what piled up.
 */
import { contains } from '../../shared/wire/ranges.ts';
import { until } from '../../test/support/processes.ts';
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { LoadedAgent } from './loaded.ts';
import type { Scenario } from './scenario.ts';
import { SlowRelay, Wire } from './wire.ts';

/** One after the other, as many as are wanted; the fourth is an hour. */
const CUTS_S = [30, 120, 600, 3600];
const BAD_LINE_S = 60;
const LOSS_PERCENT = 10;
const DELAY_MS = 2_000;
/** After the first acknowledgement of something that was made after the healing. */
const WATCHED_S = 20;
const BACK_MS = 30_000;
const LATE_MS = 5_000;
const LOOK_MS = 100;
/** Enough for a backlog, and no more than a small machine makes. */
const LOAD = { recordsPerS: 50, backlogBytesPerS: 64_000 };

export const partition: Scenario = {
  name: 'partition',
  doc: 'a line that is silently cut (30 s, 2 min, 10 min; with --times 4 an hour), loses 10 % of its packets, is 2 s late',
  goal: 'back within 30 s of healing, live data at most 5 s late from then on, backlog drained',
  times: 3,
  async run(context) {
    const { system, times } = context;
    const wire = new Wire(context);
    const central = await system.central({ httpHost: wire.host });
    const enrolment = await central.enrol('loaded');
    const broker = new URL(enrolment.broker.replace(/^mqtts?:/, 'http:'));
    const { relay, port } = await SlowRelay.start(context, wire.host, Number(broker.port));
    const agent = new LoadedAgent(system, {
      ...enrolment,
      broker: enrolment.broker.replace(`:${broker.port}`, `:${port}`),
    });
    agent.through = wire.through;
    await agent.start(LOAD);
    await agent.connected();
    await agent.makes(100);

    let [slowestBackMs, latestMs] = [0, 0];
    const after = async (healedMs: number): Promise<void> => {
      const backMs = (await answered(agent, healedMs)) - healedMs;
      slowestBackMs = Math.max(slowestBackMs, backMs);
      latestMs = Math.max(latestMs, await latest(agent, healedMs + backMs));
    };
    const wait = async (what: string, seconds: number): Promise<void> => {
      context.inject(what);
      for (let left = seconds; left > 0; left--) {
        context.progress(`${what}: ${left} s to go`);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    };
    for (const seconds of CUTS_S.slice(0, times)) {
      wire.cut();
      await wait(`line cut for ${seconds} s`, seconds);
      wire.heal();
      await after(Date.now());
    }
    wire.lose(LOSS_PERCENT);
    await wait(`${LOSS_PERCENT} % of the packets lost for ${BAD_LINE_S} s`, BAD_LINE_S);
    wire.heal();
    await after(Date.now());
    relay.delayMs = DELAY_MS;
    await wait(`${DELAY_MS / 1000} s of delay for ${BAD_LINE_S} s`, BAD_LINE_S);
    relay.delayMs = 0;
    await after(Date.now());

    context.expectWithin('back within 30 s of healing', BACK_MS, slowestBackMs);
    context.expectWithin('live data at most 5 s late from then on', LATE_MS, latestMs);
    await drain(central, agent);
    await context.ledger('agent', central, agent.id);
    await expectLedgerAddsUp(context, central, agent.id);
    const accounts = await reckon(central, agent);
    expectNothingLost(context, accounts);
    return { slowest_back_ms: slowestBackMs, latest_live_ms: latestMs, durable_records: accounts.durable };
  },
};

/** Records of an agent that were made at or after a moment and are not acknowledged yet: the time of the oldest. */
function oldestOpen(agent: LoadedAgent, sinceMs: number): { madeMs: number | null; answered: number } {
  agent.said.read();
  let madeMs: number | null = null;
  let answered = 0;
  for (const [epoch, records] of agent.said.durable) {
    const settled = [...agent.said.acknowledged.values()].flatMap((epochs) => epochs.get(epoch) ?? []);
    for (const [seq, { appendedMs }] of records) {
      if (appendedMs < sinceMs) continue;
      if (contains(settled, seq)) answered++;
      else madeMs = Math.min(madeMs ?? appendedMs, appendedMs);
    }
  }
  return { madeMs, answered };
}

/** Resolves with the time when something was acknowledged that was made after a moment. */
async function answered(agent: LoadedAgent, sinceMs: number): Promise<number> {
  await until('what is made after the healing is acknowledged', () => oldestOpen(agent, sinceMs).answered > 0, 180_000);
  return Date.now();
}

/** The longest that anything made since then waited for its acknowledgement, while it is watched. */
async function latest(agent: LoadedAgent, sinceMs: number): Promise<number> {
  let latestMs = 0;
  for (const endMs = Date.now() + WATCHED_S * 1000; Date.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const { madeMs } = oldestOpen(agent, sinceMs);
    if (madeMs !== null) latestMs = Math.max(latestMs, Date.now() - madeMs);
  }
  return latestMs;
}
