/**
 * One sample of /proc, from the golden folder to the answer over HTTP, exact to what the codec states
 * (shared/wire/columns.ts): through the embedded broker, and through a real mosquitto.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seriesId } from '../../shared/trust/hash.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { until } from '../support/processes.ts';
import { type Agent, type Central, drained, System } from '../support/system.ts';

interface Columns {
  readonly id: string;
  readonly timesMs: readonly number[];
  readonly count: readonly number[];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly last: readonly number[];
}

/** Steps of mean and deviation on the wire. */
const STEPS = 65_535;
/** Of numbers of this size in float64. */
const ROUNDING = 1e-12;

const load1 = seriesId({ name: 'system.cpu.load_average.1m', unit: '{thread}', attributes: {} });
const load15 = seriesId({ name: 'system.cpu.load_average.15m', unit: '{thread}', attributes: {} });
/** What /proc/loadavg of the folder `vm` says, and what it is made to say later. */
const before = { text: '0.00 0.03 0.10 1/94 8539', load1: 0, load15: 0.1 };
const after = { text: '6.25 0.03 0.10 1/94 8539', load1: 6.25 };

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

test('through the embedded broker', async () => {
  const central = await system.central();
  const { agent, machine } = await machineOf(central);
  await agent.start();
  await follow(central, agent, machine);
});

test('through mosquitto', async () => {
  const mosquitto = await Mosquitto.prepare(system);
  const central = await system.central({ config: mosquitto.config });
  await mosquitto.start();
  const { agent, machine } = await machineOf(central);
  expect(agent.enrolment().broker).toBe(`mqtt://127.0.0.1:${mosquitto.port}`);
  mosquitto.reload();
  await agent.start();
  await follow(central, agent, machine);
});

async function machineOf(central: Central): Promise<{ agent: Agent; machine: GoldenMachine }> {
  const machine = new GoldenMachine(system, 'vm');
  expect(machine.read('proc/loadavg').trim()).toBe(before.text);
  const agent = system.agent('agent', `${machine.config}outbox: {commitInterval: 1s}\n`);
  await agent.enrolAt(central);
  return { agent, machine };
}

async function follow(central: Central, agent: Agent, machine: GoldenMachine): Promise<void> {
  const { agent: id } = agent.enrolment();
  await agent.connected();
  // The live values say when a sample was taken; what is stored is looked at apart from them.
  await liveValue(central, id, before.load1);
  machine.write('proc/loadavg', after.text);
  await liveValue(central, id, after.load1);
  await agent.stop();
  // A clean stop ends the open window, and the next start sends what was left.
  await agent.start();

  const stored = await until('the windows of both series', async () => {
    const now = Date.now();
    const { series } = await central.get<{ series: readonly Columns[] }>(
      `/agents/${id}/summaries?series=${load1},${load15}&from=${now - 600_000}&to=${now + 60_000}&resolution=minute`,
    );
    return series.some(({ max }) => max.includes(after.load1)) ? series : null;
  });
  const varying = stored.find((series) => series.id === load1)!;
  expect(Math.min(...varying.min)).toBe(before.load1);
  expect(varying.max.at(-1)).toBe(after.load1);
  expect(varying.last.at(-1)).toBe(after.load1);
  for (let i = 0; i < varying.timesMs.length; i++) {
    const [min, max, count] = [varying.min[i]!, varying.max[i]!, varying.count[i]!];
    expect([before.load1, after.load1]).toContain(min);
    expect([before.load1, after.load1]).toContain(max);
    // Of the samples some whole number had the later value; mean and deviation follow from how many.
    const range = max - min;
    const later = range === 0 ? 0 : Math.round(((varying.mean[i]! - min) / range) * count);
    const share = later / count;
    expect(count).toBeGreaterThan(0);
    expect(later > 0 && later < count).toBe(range > 0);
    expect(Math.abs(varying.mean[i]! - (min + share * range))).toBeLessThanOrEqual(range / STEPS / 2 + ROUNDING);
    const deviation = Math.sqrt(share * (1 - share)) * range;
    expect(Math.abs(varying.deviation[i]! - deviation)).toBeLessThanOrEqual(range / 2 / STEPS / 2 + ROUNDING);
  }
  const constant = stored.find((series) => series.id === load15)!;
  for (const column of ['mean', 'min', 'max', 'last'] as const) {
    expect(new Set(constant[column]), column).toEqual(new Set([before.load15]));
  }
  expect(new Set(constant.deviation)).toEqual(new Set([0]));
  expect(constant.count).toEqual(varying.count);

  const { rows, totals } = await drained(central, id, 2);
  expect(totals).toMatchObject({ committed: totals.made, pending: 0, lost: 0, quarantined: 0 });
  expect(rows.length).toBe(2);
}

/** Resolves when the agent streams this value of the one-minute load. */
async function liveValue(central: Central, agent: string, wanted: number): Promise<void> {
  const ending = new AbortController();
  const answer = await central.fetch(`/agents/${agent}/live?series=${load1}`, { signal: ending.signal });
  const deadline = setTimeout(() => ending.abort(new Error(`no live value ${wanted}`)), 20_000);
  let text = '';
  try {
    for await (const part of answer.body!) {
      text += Buffer.from(part).toString('utf8');
      for (const [, json] of text.matchAll(/^data: (\{.*\})$/gm)) {
        const { values } = JSON.parse(json!) as { values?: readonly number[] };
        if (values?.[0] === wanted) return;
      }
    }
    throw new Error(`the stream ended: ${text}`);
  } finally {
    clearTimeout(deadline);
    ending.abort();
  }
}
