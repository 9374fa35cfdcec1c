/**
 * One identity and more than one disk, under load: a copied one that runs beside its original, each throwing the other
 * off the broker; then one that was wiped.
 */
import type { AgentState } from '../../central/api.ts';
import { until } from '../../test/support/processes.ts';
import { drained } from '../../test/support/system.ts';
import { type Accounts, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { LoadedAgent } from './loaded.ts';
import type { Scenario } from './scenario.ts';

const FLOW = 60;
const FLAGGED_MS = 5 * 60_000;
const DRAIN_MS = 180_000;

export const twins: Scenario = {
  name: 'twins',
  doc: 'a copied disk that runs beside its original, and a wiped one, under one identity',
  goal: 'no collision; flagged within 5 minutes',
  times: 5,
  async run(context) {
    const { system, times } = context;
    const central = await system.central();
    const originals: LoadedAgent[] = [];
    let slowestMs = 0;
    const flagged = async (agent: LoadedAgent, kind: AgentState['flags'][number]['kind']): Promise<void> => {
      const sinceMs = Date.now();
      await until(
        `${agent.id} is flagged as ${kind}`,
        async () => (await central.state(agent.id)).flags.some((flag) => flag.kind === kind),
        FLAGGED_MS,
      );
      slowestMs = Math.max(slowestMs, Date.now() - sinceMs);
    };
    for (let round = 1; round <= times; round++) {
      context.progress(`round ${round} of ${times}`);
      const enrolment = await central.enrol(`twin-${round}`);
      const original = new LoadedAgent(system, enrolment);
      // It says what was durable into the same file: both are held against the central together.
      const copy = new LoadedAgent(system, enrolment, `${original.outbox}-copy`);
      originals.push(original);
      await original.start();
      await original.connected();
      await original.makes(FLOW);
      await original.kill();
      copy.copy(original);
      await original.start();
      await copy.start();
      context.inject('a copied disk beside its original');
      await original.makes(FLOW);
      await flagged(original, 'clone');
      await Promise.all([original.kill(), copy.kill()]);
      for (const one of [original, copy]) await emptied(one);
      await drained(central, original.id, 3, DRAIN_MS);

      original.wipe();
      context.inject('a wiped disk');
      await original.start();
      await original.makes(FLOW);
      await flagged(original, 'replaced');
      await original.kill();
      await emptied(original);
      await drained(central, original.id, 4, DRAIN_MS);
    }
    await context.ledger('the last one', central, originals.at(-1)!.id);
    for (const agent of originals) await expectLedgerAddsUp(context, central, agent.id);
    context.expectWithin('flagged within 5 minutes', FLAGGED_MS, slowestMs);
    let durable = 0;
    for (const agent of originals) {
      const accounts: Accounts = await reckon(central, agent);
      expectNothingLost(context, accounts);
      durable += accounts.durable;
    }
    return { slowest_flag_ms: slowestMs, durable_records: durable };
  },
};

/** Sends what it holds, alone, and ends. */
async function emptied(agent: LoadedAgent): Promise<void> {
  await agent.start({ recordsPerS: 0 });
  await agent.program.said(/^drained$/m, DRAIN_MS);
  await agent.kill();
}
