/** Full-rate values of a real agent, kept or given: who asks is told, and each time is written down at the central. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AuditEntry } from '../../central/api.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { until } from '../support/processes.ts';
import { type Agent, type Central, System } from '../support/system.ts';

const load = seriesId({ name: 'system.cpu.load_average.1m', unit: '{thread}', attributes: {} });

let system: System;
let central: Central;
beforeEach(async () => {
  system = new System();
  central = await system.central();
});
afterEach(() => system.close());

async function machine(raw: 'never' | 'demand'): Promise<{ readonly agent: Agent; readonly id: string }> {
  const agent = system.agent('agent', `${new GoldenMachine(system, 'vm').config}raw: ${raw}\n`);
  const { agent: id } = await agent.enrolAt(central);
  await agent.start();
  await until('it is online', async () => (await central.state(id)).presence === 'online');
  return { agent, id };
}

const past = (id: string): Promise<Response> =>
  central.fetch(`/agents/${id}/values?series=${load}&from=${Date.now() - MINUTE_MS}&to=${Date.now()}`);

/** The first event of a live chart of the load, by name, with what it says. */
async function firstEvent(id: string): Promise<{ readonly name: string; readonly data: string }> {
  const answer = await central.fetch(`/agents/${id}/live?series=${load}`);
  let text = '';
  for await (const part of answer.body!) {
    text += Buffer.from(part).toString();
    const [, name, data] = /^event: (.+)\ndata: (.+)$/m.exec(text) ?? [];
    if (name === undefined) continue;
    return { name, data: data! };
  }
  throw new Error(`the stream ended after ${text}`);
}

/** What the audit log says of the agent once it has these actions. */
const audited = (id: string, ...actions: readonly string[]): Promise<readonly AuditEntry[]> =>
  until(`${actions.join(', ')} in the audit log`, async () => {
    const { entries } = await central.get<{ entries: readonly AuditEntry[] }>('/audit');
    const own = entries.filter(({ target }) => target === id);
    const left = own.map(({ action }) => action);
    return actions.every((action) => left.includes(action) && left.splice(left.indexOf(action), 1)) ? own : null;
  });

test('a machine that keeps its values says so to who asks and to who watches, in the audit log as well', async () => {
  const { agent, id } = await machine('never');
  const answer = await past(id);
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain('its configuration says raw: never');
  const { name, data } = await firstEvent(id);
  expect(name).toBe('problem');
  expect(data).toContain('raw values stay on this machine');
  const entries = await audited(id, 'live.fetch', 'live.watch', 'raw.refused', 'raw.refused');
  expect(entries.filter(({ action }) => action === 'raw.refused').length).toBe(2);
  expect(entries.map(({ action }) => action)).not.toContain('raw.fetched');
  await agent.program.said(/full-rate values were asked for and refused/);
});

test('one that gives them is asked, and how many bytes came is written down', async () => {
  const { id } = await machine('demand');
  const values = await until('a value of the past', async () => {
    const answer = await past(id);
    expect(answer.status).toBe(200);
    const { series } = (await answer.json()) as { series: readonly { values: readonly number[] }[] };
    return series[0]?.values.length ? series[0].values : null;
  });
  expect(values[0]).toBeGreaterThanOrEqual(0);
  expect(await firstEvent(id)).toMatchObject({ name: 'tick' });
  const entries = await audited(id, 'raw.fetched', 'raw.watched');
  expect(entries.find(({ action }) => action === 'raw.fetched')?.detail).toMatch(/\d+ bytes/);
});
