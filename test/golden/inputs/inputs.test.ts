/**
 * Every golden folder: `case.json` says which inputs are read, `input/1` is the machine at the first reading, `input/2`
 * the files that had changed at the second, `expected.json` what must come of it, worked out by hand.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inputKinds } from '../../../agent/inputs/registry.ts';
import { causes } from '../../../agent/preprocess.ts';
import type { Instant } from '../../../shared/clock.ts';
import { Collected, configOf, hostBelow, openInput, readOnce } from '../../contract/inputs-harness.ts';

interface Case {
  readonly doc: string;
  readonly stepMs: number;
  readonly inputs: Readonly<Record<string, object>>;
}

interface Expected {
  readonly values: Readonly<Record<string, number | null>>;
  readonly states: Readonly<Record<string, string>>;
  /** Dropped values by cause; "there is no value" (`empty`) is no fault and not among them. */
  readonly bad: Readonly<Record<string, number>>;
}

/** Rates are rounded to single precision (IEEE 754, 24 bits); the rest is what the sums of the test itself leave. */
const singlePrecision = 2 ** -24 + 1e-12;
const folder = import.meta.dirname;
const cases = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, 'case.json')));

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'picket-golden-'));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** Writes files in place, as the kernel's files change: their inodes stay, open descriptors see what is new. */
function overlay(from: string, to: string): void {
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) {
      fs.mkdirSync(target, { recursive: true });
      overlay(path.join(from, entry.name), target);
    } else fs.writeFileSync(target, fs.readFileSync(path.join(from, entry.name)));
  }
}

function json<T>(...parts: string[]): T {
  return JSON.parse(fs.readFileSync(path.join(folder, ...parts), 'utf8')) as T;
}

describe.each(cases)('%s', (name) => {
  const golden = json<Case>(name, 'case.json');
  const expected = json<Expected>(name, 'expected.json');

  test(golden.doc, async () => {
    overlay(path.join(folder, name, 'input', '1'), root);
    const into = new Collected();
    const host = hostBelow(root);
    const opened = [];
    for (const [kindName, settings] of Object.entries(golden.inputs)) {
      const kind = inputKinds.get(kindName);
      if (kind === undefined) throw new Error(`${name}/case.json names the input ${kindName}, which there is not`);
      opened.push(await openInput(kind, configOf(kind, settings), host, into));
    }
    const first: Instant = { monotonicMs: 1_000_000, utcMs: 1_795_435_200_000 };
    const second: Instant = { monotonicMs: 1_000_000 + golden.stepMs, utcMs: first.utcMs + golden.stepMs };
    for (const each of opened) await readOnce(each, first);
    overlay(path.join(folder, name, 'input', '2'), root);
    for (const each of opened) await readOnce(each, second);
    for (const each of opened) await each.input.close();

    const values = Object.fromEntries(into.values);
    expect(Object.keys(values).sort()).toEqual(Object.keys(expected.values).sort());
    for (const [series, value] of Object.entries(expected.values)) {
      if (value === null) expect(values[series], series).toBeNull();
      else expect(Math.abs(values[series]! - value), series).toBeLessThanOrEqual(Math.abs(value) * singlePrecision);
    }
    expect(Object.fromEntries(into.states)).toEqual(expected.states);
    const bad = causes
      .map((cause) => [cause, into.preprocess.total(cause)] as const)
      .filter(([cause, count]) => cause !== 'empty' && count > 0);
    expect(Object.fromEntries(bad)).toEqual(expected.bad);
  });
});

test('there are cases', () => {
  expect(cases).toEqual(
    expect.arrayContaining(['arm-board', 'container', 'cores-64', 'troubled', 'vm', 'wrapped-32bit']),
  );
});
