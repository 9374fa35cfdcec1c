import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatSeries, type SeriesDefinition, type SeriesKey } from '../../../shared/series.ts';
import type { SampleSink } from '../input.ts';
import { watchedProcess } from './watched-process.ts';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'picket-watched-'));
  fs.mkdirSync(path.join(root, 'proc'));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** A process of /proc, begun at this tick after the boot. */
function begin(
  pid: number,
  name: string,
  startTicks: number,
  more: { state?: string; command?: string; exe?: string } = {},
) {
  const folder = path.join(root, 'proc', String(pid));
  fs.mkdirSync(folder, { recursive: true });
  const fields = [
    '0',
    '0',
    '0',
    '-1',
    '0',
    '0',
    '0',
    '0',
    '0',
    '5',
    '2',
    '0',
    '0',
    '20',
    '0',
    '1',
    '0',
    startTicks,
    '1',
    '500',
  ];
  fs.writeFileSync(path.join(folder, 'stat'), `${pid} (${name}) ${more.state ?? 'S'} 1 ${fields.join(' ')} 0\n`);
  fs.writeFileSync(path.join(folder, 'cmdline'), (more.command ?? name).replaceAll(' ', '\0'));
  if (more.exe !== undefined) {
    fs.rmSync(path.join(folder, 'exe'), { force: true });
    fs.symlinkSync(more.exe, path.join(folder, 'exe'));
  }
}

function end(pid: number): void {
  fs.rmSync(path.join(root, 'proc', String(pid)), { recursive: true });
}

class Values implements SampleSink {
  readonly values = new Map<string, number>();
  readonly states: string[] = [];
  readonly #names: string[] = [];
  series(definition: SeriesDefinition): number {
    return (
      this.#names.push(
        `${formatSeries(definition)
          .replace('process.watched.', '')
          .replace(/\{.*="(.*)"\}/, ' $1')}`,
      ) - 1
    );
  }
  put(series: number, value: number): void {
    this.values.set(this.#names[series]!, value);
  }
  state(_key: SeriesKey, value: string): void {
    if (this.states.at(-1) !== value) this.states.push(value);
  }
  forget(): void {}
  document(): void {}
}

async function open(watch: readonly object[]) {
  const config = watchedProcess.config.parse({ watch }, [], [])!;
  const silent = (): void => undefined;
  const input = await watchedProcess.open(config, {
    procRoot: path.join(root, 'proc'),
    sysRoot: path.join(root, 'sys'),
    root,
    platform: 'linux',
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  const sink = new Values();
  let seconds = 100;
  const read = async (afterS = 2): Promise<Record<string, number>> => {
    seconds += afterS;
    await input.read({ monotonicMs: seconds * 1000, utcMs: seconds * 1000 }, sink, new AbortController().signal);
    return Object.fromEntries(sink.values);
  };
  return { sink, read };
}

test('one that ends is missed at the next look, and one that begins anew is counted', async () => {
  begin(7, 'boiler', 1000);
  const { sink, read } = await open([{ name: 'boiler' }]);
  expect(await read()).toEqual({ 'count boiler': 1, 'uptime boiler': 92, 'restarts boiler': 0 });
  end(7);
  expect(await read()).toMatchObject({ 'count boiler': 0, 'uptime boiler': Number.NaN, 'restarts boiler': 0 });
  begin(9, 'boiler', 10_500);
  expect(await read()).toMatchObject({ 'count boiler': 1, 'uptime boiler': 1, 'restarts boiler': 1 });
  // The same number, another process.
  begin(9, 'boiler', 10_700);
  expect(await read()).toMatchObject({ 'count boiler': 1, 'restarts boiler': 2 });
  expect(sink.states).toEqual(['7', 'none', '9']);
});

test('of several one may end and another begin: it is no restart while the oldest lasts', async () => {
  for (const pid of [20, 21, 22]) begin(pid, 'worker', 1000 + pid);
  const { read } = await open([{ name: 'worker' }]);
  expect(await read()).toMatchObject({ 'count worker': 3 });
  end(22);
  expect(await read()).toMatchObject({ 'count worker': 2, 'restarts worker': 0 });
  begin(30, 'worker', 5000);
  // Whether there are more is looked after now and then.
  expect(await read(30)).toMatchObject({ 'count worker': 3, 'restarts worker': 0 });
});

test('is found by program, command line, number in a file; a defunct one does not run', async () => {
  begin(40, 'python3', 1000, { command: 'python3 /opt/worker.py --fast', exe: '/usr/bin/python3' });
  begin(41, 'python3', 1000, { command: 'python3 /opt/other.py', exe: '/usr/bin/python3' });
  begin(42, 'db', 1000, { state: 'Z' });
  fs.mkdirSync(path.join(root, 'run'));
  fs.writeFileSync(path.join(root, 'run/other.pid'), '41\n');
  fs.writeFileSync(path.join(root, 'run/stale.pid'), '999\n');
  fs.writeFileSync(path.join(root, 'run/odd.pid'), 'x'.repeat(500));
  const { read } = await open([
    { name: 'all', exe: '/usr/bin/python3' },
    { name: 'fast', command: '*worker.py*' },
    { name: 'other', pidfile: '/run/other.pid' },
    { name: 'stale', pidfile: '/run/stale.pid' },
    { name: 'odd', pidfile: '/run/odd.pid' },
    { name: 'none', pidfile: '/run/none.pid' },
    { name: 'both', process: 'py*', command: '*other.py' },
    { name: 'db' },
  ]);
  const values = await read();
  const counts = Object.entries(values).flatMap(([name, value]) =>
    name.startsWith('count ') ? [[name.slice(6), value]] : [],
  );
  expect(Object.fromEntries(counts)).toEqual({ all: 2, fast: 1, other: 1, stale: 0, odd: 0, none: 0, both: 1, db: 0 });
});
