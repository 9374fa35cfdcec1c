import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PicketError } from '../../../shared/errors.ts';
import type { SampleSink } from '../input.ts';
import { FixedFields, headedLines, keyValueLines, labelledPairs } from './fields.ts';
import { KeptFile, scanner } from './reader.ts';
import { namePattern, RememberedRows } from './rows.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'picket-reader-'));
  file = path.join(folder, 'file');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Makes this text what the scanner has loaded. */
function load(text: string): void {
  fs.writeFileSync(file, text);
  const kept = new KeptFile(file);
  expect(kept.load()).toBe(true);
  kept.close();
}

describe('numbers', () => {
  test.each([
    ['  42 x', 42],
    ['-7', -7],
    ['0.25 1', 0.25],
    ['1.36', 1.36],
    ['9007199254740991', 9_007_199_254_740_991],
    ['kB', Number.NaN],
    ['\n5', Number.NaN],
    ['-', Number.NaN],
    ['', Number.NaN],
  ])('%j', (text, expected) => {
    load(text);
    expect(scanner.number()).toBe(expected);
  });

  test('of any integers on a line are read back', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (numbers) => {
        load(`${numbers.join(' ')}\n1`);
        expect(numbers.map(() => scanner.number())).toEqual(numbers.map((number) => number + 0));
        expect(scanner.number()).toBeNaN();
      }),
      { numRuns: 50 },
    );
  });
});

test('lines, long ones too, are skipped one at a time', () => {
  load(`first\n${'x '.repeat(5000)}\nthird 3`);
  scanner.skipLine();
  scanner.skipLine();
  expect(scanner.text(5)).toBe('third');
  scanner.skipFields(1);
  expect(scanner.number()).toBe(3);
  scanner.skipLine();
  expect(scanner.atEnd()).toBe(true);
  scanner.skipLine();
  expect(scanner.atEnd()).toBe(true);
});

describe('a kept file', () => {
  test('that is larger than the buffer is read whole', () => {
    const text = `${'abcdefg\n'.repeat(20_000)}end`;
    load(text);
    expect(scanner.allText()).toBe(text);
  });

  test('is bounded', () => {
    load('x'.repeat(3 * 1024 * 1024));
    expect(scanner.end).toBe(1024 * 1024);
  });

  test('shows what changed without being opened again', () => {
    fs.writeFileSync(file, '1');
    const kept = new KeptFile(file);
    kept.load();
    fs.writeFileSync(file, '22');
    kept.load();
    expect(scanner.number()).toBe(22);
    kept.close();
  });

  test('that is not there is looked for ever more rarely, and found', () => {
    const kept = new KeptFile(file);
    expect(kept.load()).toBe(false);
    fs.writeFileSync(file, '1');
    expect(kept.load()).toBe(false);
    expect(kept.load()).toBe(true);
    kept.close();
  });

  test('that is required and not there is a clear error', () => {
    const kept = new KeptFile(file);
    expect(() => kept.loadRequired()).toThrow(PicketError);
    expect(() => kept.loadRequired()).toThrow(`${file} is not there.`);
  });

  test('that is a folder is an error that names it', () => {
    fs.mkdirSync(file);
    expect(() => new KeptFile(file).load()).toThrow(`${file} cannot be read (EISDIR).`);
  });
});

describe('fixed fields', () => {
  test('follow a line that came in between', () => {
    const fields = new FixedFields(['Tcp.Out', 'Udp.In', 'Tcp.None'], headedLines);
    load('Icmp: A\nIcmp: 9\nTcp: In Out\nTcp: 1 2\nUdp: In Out\nUdp: 3 4\n');
    fields.parse(scanner);
    expect([...fields.values]).toEqual([2, 3, Number.NaN]);
    load('Icmp: A\nIcmp: 9\nIcmpMsg: B\nIcmpMsg: 8\nTcp: In Out\nTcp: 5 6\nUdp: In Out\nUdp: 7 8\n');
    fields.parse(scanner);
    expect([...fields.values]).toEqual([6, 7, Number.NaN]);
  });

  test('have no value once their line is gone', () => {
    const fields = new FixedFields(['a', 'b'], keyValueLines);
    load('a: 1 kB\nb: 2 kB\n');
    fields.parse(scanner);
    expect([...fields.values]).toEqual([1, 2]);
    load('a: 3 kB\n');
    fields.parse(scanner);
    expect([...fields.values]).toEqual([3, Number.NaN]);
  });

  test('read several values of one line', () => {
    const fields = new FixedFields(['TCP.tw', 'TCP.inuse', 'sockets.used'], labelledPairs);
    load('sockets: used 17\nTCP: inuse 1 orphan 0 tw 5 alloc 1 mem 480\n');
    fields.parse(scanner);
    expect([...fields.values]).toEqual([5, 1, 17]);
  });
});

test('remembered rows tell what came and went', () => {
  const events: string[] = [];
  const rows = new RememberedRows<string>({
    appear: (name) => {
      events.push(`+${name}`);
      return name.startsWith('veth') ? null : name;
    },
    vanish: (row) => events.push(`-${row}`),
  });
  const sink = {} as SampleSink;
  const read = (names: readonly string[]): (string | null)[] => {
    load(names.map((name) => `${name} 1\n`).join(''));
    rows.begin();
    const seen: (string | null)[] = [];
    while (!scanner.atEnd()) {
      seen.push(rows.row(scanner, scanner.fieldLength(), sink));
      scanner.skipLine();
    }
    rows.end(sink);
    return seen;
  };
  expect(read(['eth0', 'veth1', 'eth1'])).toEqual(['eth0', null, 'eth1']);
  expect(read(['eth0', 'veth1', 'eth1'])).toEqual(['eth0', null, 'eth1']);
  expect(read(['veth1', 'eth1', 'eth10'])).toEqual([null, 'eth1', 'eth10']);
  expect(read(['eth1'])).toEqual(['eth1']);
  expect(read(['eth1', 'eth0'])).toEqual(['eth1', 'eth0']);
  expect(events).toEqual(['+eth0', '+veth1', '+eth1', '+eth10', '-eth0', '-eth10', '+eth0']);
});

test('name patterns match whole names', () => {
  const matches = namePattern(['lo', 'veth*', 'br-*', 'a.b']);
  expect(['lo', 'veth12', 'br-', 'a.b'].map(matches)).toEqual([true, true, true, true]);
  expect(['lo0', 'xveth', 'br', 'axb', ''].map(matches)).toEqual([false, false, false, false, false]);
});
