/**
 * One identity, more than one disk: a copied card, a wiped one. Each is flagged, nothing is mixed, and the ledger
 * counts to the record, by the command line while the central runs and when it does not.
 */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AuditEntry } from '../../central/api.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { until } from '../support/processes.ts';
import { type Agent, type Central, drained, System } from '../support/system.ts';

const FLAGGED_MS = 60_000;

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

async function flagged(central: Central, id: string, kind: string): Promise<string> {
  return until(
    `${id} is flagged as ${kind}`,
    async () => (await central.state(id)).flags.find((flag) => flag.kind === kind)?.id ?? null,
    FLAGGED_MS,
    () => central.program.stderr.slice(-3000),
  );
}

async function verified(central: Central, id: string): Promise<void> {
  const { code, stdout, stderr } = await central.command(['ledger', id, '--verify']);
  expect(`${stdout}${stderr}`).toContain('as the ledger says');
  expect(code).toBe(0);
}

test('a copied disk and a wiped one are flagged, and the ledger stays right', { timeout: 180_000 }, async () => {
  const central = await system.central();
  const machine = new GoldenMachine(system, 'vm');
  const config = `${machine.config}outbox: {commitInterval: 1s}\n`;
  const first = system.agent('agent', config);
  const { agent: id } = await first.enrolAt(central);
  await first.start();
  await drained(central, id, 1);
  await first.stop();

  const copy = system.agent('copy', config);
  cpSync(first.data, copy.data, { recursive: true });
  await first.start();
  await drained(central, id, 2);
  expect((await central.state(id)).flags).toEqual([]);
  await copy.start();
  const clone = await flagged(central, id, 'clone');
  const { rows } = await drained(central, id, 3);
  const parent = rows.find(({ start }) => start === 1)!;
  const branches = rows.filter((row) => row.parent === parent.epoch);
  expect(branches).toHaveLength(2);
  expect(new Set(branches.map(({ epoch }) => epoch)).size).toBe(2);
  const stop = async (agent: Agent): Promise<void> => void (await agent.program.end('SIGTERM'));
  await stop(copy);
  await central.post(`/agents/${id}/flags/${clone}/dismiss`, {});
  expect((await central.state(id)).flags).toEqual([]);
  await verified(central, id);

  // Everything but the credentials is gone, as where a data directory lies in memory.
  await stop(first);
  for (const name of readdirSync(first.data)) {
    if (name !== 'enrolment.json') rmSync(join(first.data, name), { recursive: true });
  }
  await first.start();
  await flagged(central, id, 'replaced');
  await stop(first);
  const { entries } = await central.get<{ entries: readonly AuditEntry[] }>('/audit');
  const actions = entries.filter(({ target }) => target === id).map(({ action }) => action);
  expect(actions).toEqual(expect.arrayContaining(['identity.clone', 'agent.dismiss', 'identity.replaced']));
  await verified(central, id);
  await central.program.end('SIGKILL');
  await verified(central, id);
});
