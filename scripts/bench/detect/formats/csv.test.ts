import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { csvField, readCsv } from './csv.ts';

const dir = mkdtempSync(join(tmpdir(), 'picket-csv-'));
afterAll(() => rmSync(dir, { recursive: true }));

function file(...lines: readonly string[]): string {
  const path = join(dir, 'data.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

test('a named column with its times, whatever stands between the fields', () => {
  const path = file('when;"a;b";value', '2024-01-01 00:00:00;"x;y";1.5', '2024-01-01T00:00:10Z;z;');
  const { stamps, timesMs, values } = readCsv(path, 'value', 'when');
  expect(stamps).toEqual(['2024-01-01 00:00:00', '2024-01-01T00:00:10Z']);
  expect([...timesMs]).toEqual([Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 1, 0, 0, 10)]);
  expect([...values]).toEqual([1.5, Number.NaN]);
});

test('Unix times in seconds and in milliseconds, zones, and rows without a time', () => {
  const path = file('t,v', '1700000000,1', '1700000000000,2', '2024-01-01T02:00:00+02:00,3');
  const at = [1_700_000_000_000, 1_700_000_000_000, Date.UTC(2024, 0, 1)];
  expect([...readCsv(path, 'v', 't').timesMs]).toEqual(at);
  expect([...readCsv(path, 'v').timesMs]).toEqual([0, 1000, 2000]);
});

test('what is wrong is said with the file and what is there', () => {
  expect(() => readCsv(file('t,v', '1,2'), 'w')).toThrow(/data\.csv has no column w; it has t, v/);
  expect(() => readCsv(file('t,v', 'soon,2'), 'v', 't')).toThrow(/line 2: "soon" in column t is no time/);
  expect(() => readCsv(file('t,v', '1,x'), 'v')).toThrow(/holds no number/);
  expect(() => readCsv(join(dir, 'nothing.csv'), 'v')).toThrow(/nothing\.csv cannot be read: ENOENT/);
});

test('a field is quoted where it must be', () => {
  expect(['plain', 'a, "b"'].map(csvField)).toEqual(['plain', '"a, ""b"""']);
});
