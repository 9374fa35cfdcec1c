/**
 * `kill -9` of agent, broker and central in turn, while events are made several times a second: nothing is lost, and
 * the ledger says so. The events carry proof of their own: each names the state that it follows.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LedgerCheck } from '../../central/store/store.ts';
import type { StateEvent } from '../../shared/findings.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { until } from '../support/processes.ts';
import { type Agent, type Central, drained, System } from '../support/system.ts';

const STATUS = 'sys/class/power_supply/BAT0/status';
/** Records that must arrive between two kills. */
const FLOW = 8;
/** Faster than the agent looks. */
const CHANGE_MS = 50;

let system: System;
let changing: NodeJS.Timeout | undefined;
let changes = 0;
beforeEach(() => {
  system = new System();
});
afterEach(async () => {
  clearInterval(changing);
  await system.close();
});

/** A machine whose battery changes its state all the time. */
async function restlessAgent(central: Central): Promise<Agent> {
  const machine = new GoldenMachine(system, 'vm');
  changes = 0;
  const status = (): string => `state-${String(changes++).padStart(6, '0')}\n`;
  machine.add('sys/class/power_supply/BAT0/type', 'Battery\n');
  machine.add(STATUS, status());
  changing = setInterval(() => machine.write(STATUS, status()), CHANGE_MS);
  const settings = 'inputs: {linux.battery: {interval: 200ms}}\noutbox: {commitInterval: 1s}\n';
  const agent = system.agent('agent', machine.config + settings);
  await agent.enrolAt(central);
  return agent;
}

/** Resolves when this many records more have been committed of an epoch that is the last of so many. */
async function flows(central: Central, agent: Agent, starts: number): Promise<void> {
  const { agent: id } = agent.enrolment();
  const committed = async (): Promise<number | null> => {
    const answer = await central.ledger(id).catch(() => null);
    return answer === null || answer.rows.length < starts ? null : answer.rows.at(-1)!.committed;
  };
  const before = await until(`start ${starts} of the agent is known`, committed, 30_000);
  await until(
    `${FLOW} records more than ${before}`,
    async () => ((await committed()) ?? 0) >= before + FLOW,
    30_000,
    () => agent.program.stderr.slice(-3000) + central.program.stderr.slice(-3000),
  );
}

async function nothingWasLost(central: Central, agent: Agent, starts: number): Promise<void> {
  const { agent: id } = agent.enrolment();
  clearInterval(changing);
  const { rows, totals } = await drained(central, id, starts);
  expect(rows.length).toBe(starts);
  for (const [i, row] of rows.entries()) {
    expect(row.committed + row.quarantined + row.pending + row.lost, `epoch ${i}`).toBe(row.made);
    expect(row).toMatchObject({ start: i + 1, volatile: false, quarantined: 0, pending: 0, lost: 0 });
    expect(row.parent).toBe(i === 0 ? null : rows[i - 1]!.epoch);
  }
  expect(totals.lost).toBe(0);
  const check = await central.get<LedgerCheck>(`/agents/${id}/ledger/check`);
  expect(check).toMatchObject({ epochs: starts, thinned: 0, problems: [] });
  // The agent goes on, and may have made more since.
  expect(check.records).toBeGreaterThanOrEqual(totals.made);
  expect((await central.state(id)).flags).toEqual([]);

  const { events } = await central.get<{ events: readonly StateEvent[] }>(`/agents/${id}/events?limit=5000`);
  const states = events
    .filter(({ key }) => key.name === 'hw.battery.state')
    .sort((a, b) => a.to.localeCompare(b.to))
    .map(({ from, to }) => ({ from, to }));
  const firsts = states.filter(({ from }) => from === null);
  expect(firsts.length).toBe(starts);
  for (const [i, { from }] of states.entries()) if (from !== null) expect(from).toBe(states[i - 1]!.to);
  expect(states.length).toBeGreaterThan(starts * FLOW);
}

test('agent and central with the embedded broker', async () => {
  const central = await system.central();
  const agent = await restlessAgent(central);
  await agent.start();
  await flows(central, agent, 1);
  for (const starts of [2, 3]) {
    await agent.program.end('SIGKILL');
    await agent.start();
    await flows(central, agent, starts);
    await central.program.end('SIGKILL');
    await central.start();
    await flows(central, agent, starts);
  }
  await nothingWasLost(central, agent, 3);
});

test('agent, mosquitto and central, one after the other and all at once', async () => {
  const mosquitto = await Mosquitto.prepare(system);
  const central = await system.central({ config: mosquitto.config });
  const agent = await restlessAgent(central);
  await mosquitto.start();
  await agent.start();
  await flows(central, agent, 1);

  await mosquitto.program.end('SIGKILL');
  await mosquitto.start();
  await flows(central, agent, 1);
  // The broker goes on acknowledging what nobody is there to receive.
  await central.program.end('SIGKILL');
  const before = changes;
  await until('the agent has made more', () => changes > before + 3_000 / CHANGE_MS);
  await central.start();
  await flows(central, agent, 1);
  await agent.program.end('SIGKILL');
  await agent.start();
  await flows(central, agent, 2);

  await Promise.all([mosquitto, central, agent].map(({ program }) => program.end('SIGKILL')));
  await Promise.all([mosquitto.start(), central.start(), agent.start()]);
  await flows(central, agent, 3);
  await nothingWasLost(central, agent, 3);
});
