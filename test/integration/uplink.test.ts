/** A budget of the uplink on the real thing: what is given up is said at the central, and what the line took. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentState } from '../../central/api.ts';
import { until } from '../support/processes.ts';
import { System } from '../support/system.ts';

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

test('a tight budget is said, with what it costs, and survives a restart', async () => {
  const central = await system.central();
  const agent = system.agent('agent', 'uplink: 1MB/month\noutbox: {commitInterval: 1s}\n');
  const { agent: id } = await agent.enrolAt(central);
  await agent.start();
  const state = async (): Promise<AgentState> => central.get(`/agents/${id}`);
  await until('the central knows what is given up', async () => {
    const { reported } = await state();
    return reported?.warnings.some((text) => /^uplink: given up .*detail: .*sketches: .*rate: /.test(text)) ?? false;
  });
  const used = async (): Promise<number> => (await state()).reported?.health['picket.uplink.used'] ?? 0;
  expect((await state()).reported?.health['picket.uplink.limit']).toBe(1_000_000);
  await agent.stop();
  await agent.start();
  // A connection takes some kilobytes, and what was counted before is there again.
  await until('what the line took is told', async () => (await used()) > 3_000);
});
