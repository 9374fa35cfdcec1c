/** Failed units of systemd, asked for over a real message bus. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { Collected, configOf, hostBelow, openInput, readOnce } from '../contract/inputs-harness.ts';
import { type BusManager, startBusManager } from '../support/bus-manager.ts';
import { run } from '../support/processes.ts';
import { System } from '../support/system.ts';

const kind = inputKinds.get('systemd')!;
const at = { monotonicMs: 1000, utcMs: 1_795_435_200_000 };
let system: System;
let bus: BusManager | null = null;

beforeEach(() => {
  system = new System();
});
afterEach(async () => {
  bus?.close();
  await system.close();
});

test('units that fail are told by name, and when they are well again', async () => {
  bus = await startBusManager(system);
  const host = hostBelow(bus.root);
  expect(kind.automatic(host)).toBe(true);
  // Another's word on what the stand-in says: systemd's own tool reads it.
  const path = [
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
    'ListUnitsFiltered',
    'as',
    '1',
    'failed',
  ];
  bus.failed = ['a.service', 'longer-name.mount'];
  const address = `--address=unix:path=${join(bus.root, 'run/dbus/system_bus_socket')}`;
  const said = await run('busctl', ['busctl', address, 'call', 'org.freedesktop.systemd1', ...path]);
  expect(said.stdout).toMatch(/^a\(ssssssouso\) 2 "a.service" .* "longer-name.mount" /);

  const into = new Collected();
  const opened = await openInput(kind, configOf(kind, { exclude: ['fwupd*'] }), host, into);
  bus.failed = [];
  await readOnce(opened, at);
  expect(into.values.get('systemd.units.failed')).toBe(0);
  expect(into.states.size).toBe(0);

  bus.failed = ['nginx.service', 'fwupd-refresh.service', 'mnt-über.mount'];
  await readOnce(opened, { ...at, monotonicMs: 2000 });
  expect(into.values.get('systemd.units.failed')).toBe(2);
  expect(Object.fromEntries(into.states)).toEqual({
    'systemd.unit.state{systemd.unit.name="nginx.service"}': 'failed',
    'systemd.unit.state{systemd.unit.name="mnt-über.mount"}': 'failed',
  });

  bus.failed = ['mnt-über.mount'];
  await readOnce(opened, { ...at, monotonicMs: 3000 });
  expect(into.states.get('systemd.unit.state{systemd.unit.name="nginx.service"}')).toBe('ok');
  expect(into.values.get('systemd.units.failed')).toBe(1);

  // Many thousands in one answer: counted, and the first hundred told by name.
  bus.failed = Array.from({ length: 3000 }, (_, i) => `worker@${i}.service`);
  await readOnce(opened, { ...at, monotonicMs: 4000 });
  expect(into.values.get('systemd.units.failed')).toBe(3000);
  expect([...into.states.values()].filter((state) => state === 'failed')).toHaveLength(100);

  bus.failed = Array.from({ length: 9000 }, (_, i) => `worker@${i}.service`);
  await expect(readOnce(opened, { ...at, monotonicMs: 5000 })).rejects.toThrow(/1048576 are allowed/);
});

test('a bus without a manager, and none at all, are said', async () => {
  bus = await startBusManager(system);
  const into = new Collected();
  const opened = await openInput(kind, configOf(kind), hostBelow(bus.root), into);
  bus.close();
  await expect(readOnce(opened, at)).rejects.toMatchObject({ code: 'input.failed' });
  const empty = system.path('empty');
  mkdirSync(join(empty, 'run/systemd/system'), { recursive: true });
  expect(kind.automatic(hostBelow(empty))).toBe(false);
  const nowhere = await openInput(kind, configOf(kind), hostBelow(empty), into);
  await expect(readOnce(nowhere, at)).rejects.toMatchObject({ code: 'input.failed' });
});

test('an answer that never comes ends with the abort', async () => {
  bus = await startBusManager(system);
  const into = new Collected();
  const opened = await openInput(kind, configOf(kind), hostBelow(bus.root), into);
  const abort = new AbortController();
  // The manager hears the call and is made silent by it.
  Object.defineProperty(bus, 'failed', {
    get: () => {
      abort.abort();
      return [];
    },
  });
  await expect(readOnce(opened, at, abort.signal)).rejects.toMatchObject({ code: 'input.failed' });
  expect(into.puts).toEqual([]);
});
