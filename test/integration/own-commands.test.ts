/** The commands that the agent starts by itself, as it starts them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Inventory } from '../../agent/inputs/inventory/parts.ts';
import { repairInChild } from '../../agent/outbox/repair.ts';

const main = path.join(import.meta.dirname, '../../agent/main.ts');
const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, [main, ...args]);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'picket-own-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('inventory-child writes what the machine is, and nothing that names it', async () => {
  const { stdout } = await run('inventory-child');
  const detail = JSON.parse(stdout) as Inventory;
  expect(detail.resource).toMatchObject({ 'os.name': expect.any(String) });
  expect(detail.memory?.sizeBytes).toBeGreaterThan(1e8);
  expect(detail.missing).toBeUndefined();
  expect(stdout).not.toMatch(/"(mac|ip4|serial)"/);
});

test('repair-outbox makes a database that opens of one that does not', async () => {
  const database = path.join(folder, 'outbox');
  const before = new ClassicLevel(database);
  await before.put('key', 'value');
  await before.close();
  writeFileSync(path.join(database, 'CURRENT'), 'rubbish');
  const broken = new ClassicLevel(database);
  await expect(broken.open()).rejects.toThrow();
  expect(await repairInChild([process.execPath, main, 'repair-outbox'])(database)).toBe(true);
  const after = new ClassicLevel(database);
  expect(await after.get('key')).toBe('value');
  await after.close();
});

test('repair-outbox says by its exit code that it could not', async () => {
  const file = path.join(folder, 'a-file');
  writeFileSync(file, '');
  expect(await repairInChild([process.execPath, main, 'repair-outbox'])(file)).toBe(false);
  await expect(run('repair-outbox', file)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(file) });
  await expect(run('repair-outbox')).rejects.toMatchObject({ code: 64 });
});

test('they are not in the help', async () => {
  const { stdout } = await run('--help');
  expect(stdout).toContain('picket-agent run');
  expect(stdout).not.toMatch(/inventory-child|repair-outbox/);
});
