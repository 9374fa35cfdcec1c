/** Every golden folder: `input` is the root of a machine, `expected.json` what its files tell, worked out by hand. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inventoryOfFiles } from '../../../agent/inputs/inventory/files.ts';
import type { Inventory } from '../../../agent/inputs/inventory/parts.ts';
import { hostBelow } from '../../contract/inputs-harness.ts';

interface Expected extends Inventory {
  /** What is added to `resource` when the operator asks for identifiers. */
  readonly identifiers: Inventory['resource'];
}

const folder = import.meta.dirname;
const machines = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, 'expected.json')));

test('there are machines', () => {
  expect(machines).toEqual(['container', 'raspberry-pi', 'server']);
});

describe.each(machines)('%s', (machine) => {
  const { identifiers, ...expected } = JSON.parse(
    fs.readFileSync(path.join(folder, machine, 'expected.json'), 'utf8'),
  ) as Expected;
  const host = hostBelow(path.join(folder, machine, 'input'));
  const here = { 'os.type': 'linux', 'host.arch': os.arch() === 'x64' ? 'amd64' : os.arch() };

  test('its files tell what it is, and nothing that names the single machine', async () => {
    expect(await inventoryOfFiles(host, false)).toEqual({ ...expected, resource: { ...expected.resource, ...here } });
  });

  test('with identifiers, these too', async () => {
    const { resource } = await inventoryOfFiles(host, true);
    expect(resource).toEqual({ ...expected.resource, ...here, ...identifiers });
  });
});
