/** What every registered input holds, whatever it reads. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { textProblem } from '../../agent/series.ts';
import { PicketError } from '../../shared/errors.ts';
import type { SeriesKey } from '../../shared/series.ts';
import { Collected, configOf, hostBelow, openInput, readOnce } from './inputs-harness.ts';

const started = vi.hoisted(() => ({ processes: 0 }));
vi.mock('node:child_process', async (original) => {
  const real = await original<Record<string, unknown>>();
  const counted = Object.entries(real).map(([name, value]) => [
    name,
    typeof value === 'function' && /^(spawn|exec|fork)/.test(name)
      ? (...parts: unknown[]): unknown => {
          started.processes++;
          return (value as (...all: unknown[]) => unknown)(...parts);
        }
      : value,
  ]);
  return Object.fromEntries(counted) as Record<string, unknown>;
});

/** OpenTelemetry: lower-case words with dots between them; attributes likewise. */
const metricName = /^[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)+$/;
const attributeName = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/;
/** The units of UCUM that we use, annotations in braces, and OpenTelemetry's own `rpm`. */
const unit = /^(1|s|By|Hz|V|W|Cel|rpm|\{[a-z_]+\})(\/s)?$/;

/** Machines whose files all inputs together find something in. */
const machines = ['vm', 'arm-board', 'container', 'cores-64', 'gateway', 'troubled', 'wrapped-32bit'];
const golden = path.join(import.meta.dirname, '..', 'golden', 'inputs');

let base = '';
/** The machine as it is at its second reading; only a test that takes a copy of its own may write there. */
const rootOf = (machine: string): string => path.join(base, machine);

beforeAll(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'picket-contract-'));
  for (const machine of machines) {
    for (const tick of ['1', '2']) {
      const from = path.join(golden, machine, 'input', tick);
      if (fs.existsSync(from)) fs.cpSync(from, rootOf(machine), { recursive: true });
    }
    // The only input without captured files asks the mounts of the test's own folder.
    fs.mkdirSync(path.join(rootOf(machine), 'proc/self'), { recursive: true });
    fs.writeFileSync(
      path.join(rootOf(machine), 'proc/self/mounts'),
      'proc /proc proc rw 0 0\n/dev/vda / ext4 rw,relatime 0 0\n',
    );
    fs.writeFileSync(
      path.join(rootOf(machine), 'proc/self/mountinfo'),
      '22 27 0:20 / /sys rw shared:7 - sysfs sysfs rw\n27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n',
    );
  }
});
afterAll(() => fs.rmSync(base, { recursive: true }));

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

const linuxKinds = [...inputKinds].filter(([name]) => name.startsWith('linux.'));

describe.each(linuxKinds)('%s', (name, kind) => {
  const at = (step: number): { monotonicMs: number; utcMs: number } => ({
    monotonicMs: 1000 + step * 1000,
    utcMs: 1_795_435_200_000 + step * 1000,
  });

  test('has a line of documentation, bounded timing and settings with defaults', () => {
    expect(kind.doc).toMatch(/^[A-Z].*\.$/);
    const timing = kind.timing(configOf(kind));
    expect(timing.intervalMs).toBeGreaterThanOrEqual(200);
    expect(timing.deadlineMs).toBeLessThanOrEqual(30_000);
    expect(kind.config.toJsonSchema()).toHaveProperty('properties.interval');
  });

  test('puts finite numbers or NaN into series with proper names and units', async () => {
    let puts = 0;
    for (const machine of machines) {
      const root = rootOf(machine);
      const into = new Collected();
      const opened = await openInput(kind, configOf(kind), hostBelow(root), into);
      const read = async (step: number): Promise<void> => {
        try {
          await readOnce(opened, at(step));
        } catch (error) {
          // Not every machine has every file: then it says which.
          expect(error).toBeInstanceOf(PicketError);
          expect((error as PicketError).message).toContain(root);
        }
      };
      await read(0);
      await read(1);
      await opened.input.close();
      for (const put of into.puts) {
        expect(Number.isFinite(put.raw) || Number.isNaN(put.raw), `${put.definition.name} is ${put.raw}`).toBe(true);
        expect(put.definition.unit).toMatch(unit);
      }
      const keys: SeriesKey[] = [...into.puts.map((put) => put.definition), ...into.stateKeys];
      for (const key of keys) {
        expect(key.name).toMatch(metricName);
        for (const attribute of Object.keys(key.attributes)) expect(attribute).toMatch(attributeName);
        expect(textProblem(key)).toBeNull();
      }
      puts += into.puts.length + into.stateKeys.length;
    }
    expect(puts).toBeGreaterThan(0);
  });

  test('asks for a series once, not at each reading', async () => {
    for (const machine of machines) {
      const root = rootOf(machine);
      const into = new Collected();
      const asked = vi.spyOn(into, 'series');
      const opened = await openInput(kind, configOf(kind), hostBelow(root), into);
      await readOnce(opened, at(0)).catch(() => undefined);
      await readOnce(opened, at(1)).catch(() => undefined);
      const before = asked.mock.calls.length;
      await readOnce(opened, at(2)).catch(() => undefined);
      await readOnce(opened, at(3)).catch(() => undefined);
      expect(asked.mock.calls.length).toBe(before);
      await opened.input.close();
    }
  });

  test('closes every descriptor, also when it is closed twice', async () => {
    const into = new Collected();
    const before = openDescriptors();
    const host = { ...hostBelow(rootOf('vm')), sysRoot: path.join(rootOf('arm-board'), 'sys') };
    const opened = await openInput(kind, configOf(kind), host, into);
    for (let step = 0; step < 3; step++) await readOnce(opened, at(step));
    await opened.input.close();
    await opened.input.close();
    expect(openDescriptors()).toBe(before);
  });

  test('starts no process', async () => {
    const into = new Collected();
    const opened = await openInput(kind, configOf(kind), hostBelow(rootOf('vm')), into);
    await readOnce(opened, at(0));
    await opened.input.close();
    expect(started.processes).toBe(0);
  });

  test('puts nothing once it is aborted and shut, and ends', async () => {
    const into = new Collected();
    const opened = await openInput(kind, configOf(kind), hostBelow(rootOf('vm')), into);
    const abort = new AbortController();
    opened.sink.begin(at(0));
    const reading = opened.input.read(at(0), opened.sink, abort.signal);
    const putAtOnce = into.puts.length;
    abort.abort();
    opened.sink.shut();
    await reading;
    expect(into.puts.length).toBe(putAtOnce);
    await opened.input.close();
  });

  test('says clearly that there is nothing to read, or says nothing', async () => {
    const root = path.join(base, `empty-${name}`);
    fs.mkdirSync(path.join(root, 'proc'), { recursive: true });
    const into = new Collected();
    const before = openDescriptors();
    const opened = await openInput(kind, configOf(kind), hostBelow(root), into);
    for (let step = 0; step < 2; step++) {
      try {
        await readOnce(opened, at(step));
      } catch (error) {
        expect(error).toBeInstanceOf(PicketError);
        expect((error as PicketError).code).toBe('input.failed');
        expect((error as PicketError).message).toContain(path.join(root, 'proc'));
      }
    }
    expect(into.puts.filter((put) => !Number.isNaN(put.raw) && put.raw !== 0)).toEqual([]);
    await opened.input.close();
    expect(openDescriptors()).toBe(before);
  });

  test('outlives files full of rubbish', async () => {
    const root = path.join(base, `rubbish-${name}`);
    fs.cpSync(rootOf('vm'), root, { recursive: true });
    const rubbish = ['\0\u00ff(((: : :', 'x '.repeat(5000), '99999999999999999999999999 -1 NaN\n', 'cpu cpu0\ncpu -7'];
    const spoil = (folder: string): void => {
      for (const [i, entry] of fs.readdirSync(folder, { withFileTypes: true }).entries()) {
        const target = path.join(folder, entry.name);
        if (entry.isDirectory()) spoil(target);
        else fs.writeFileSync(target, rubbish[i % rubbish.length]!);
      }
    };
    const into = new Collected();
    const opened = await openInput(kind, configOf(kind), hostBelow(root), into);
    await readOnce(opened, at(0));
    for (let round = 0; round < rubbish.length; round++) {
      spoil(root);
      rubbish.push(rubbish.shift()!);
      try {
        await readOnce(opened, at(1 + round));
      } catch (error) {
        expect(error).toBeInstanceOf(PicketError);
      }
    }
    for (const put of into.puts) expect(Number.isFinite(put.clean) || Number.isNaN(put.clean)).toBe(true);
    await opened.input.close();
  });
});
