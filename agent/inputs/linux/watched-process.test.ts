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
  fs.mkdirSync(path.join(root, 'sys/devices/system/cpu'), { recursive: true });
  fs.writeFileSync(path.join(root, 'sys/devices/system/cpu/online'), '0-1,4,6-7\n');
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** A process of /proc, begun at this tick after the boot. */
function begin(
  pid: number,
  name: string,
  startTicks: number,
  more: {
    state?: string;
    command?: string;
    exe?: string;
    ticks?: readonly [user: number, system: number];
    threads?: number;
    pages?: number;
  } = {},
) {
  const folder = path.join(root, 'proc', String(pid));
  fs.mkdirSync(folder, { recursive: true });
  const { state = 'S', ticks = [5, 2], threads = 1, pages = 500 } = more;
  const use = `${ticks.join(' ')} 0 0 20 0 ${threads} 0 ${startTicks} 1 ${pages}`;
  fs.writeFileSync(path.join(folder, 'stat'), `${pid} (${name}) ${state} 1 0 0 0 -1 0 0 0 0 0 ${use} 0\n`);
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
          .replace(/^process\.(watched\.)?/, '')
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
  readonly replacements: string[] = [];
  replaced(series: number): void {
    this.replacements.push(this.#names[series]!);
  }
  document(): void {}
}

async function open(watch: readonly object[], bootedS = 100) {
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
  let seconds = bootedS;
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
  expect(await read()).toMatchObject({ 'count boiler': 1, 'uptime boiler': 92, 'restarts boiler': 0 });
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

/** What a watch uses; the share of one processor of the five that are online. */
function used(values: Record<string, number>, name: string) {
  const pages = values[`memory.usage ${name}`]! / 4096;
  return { cpu: values[`cpu.utilization ${name}`]! * 5, pages, threads: values[`thread.count ${name}`]! };
}
const nothing = { cpu: Number.NaN, pages: Number.NaN, threads: Number.NaN };

test('what one uses is told since the reading before, and of a new one nothing of before', async () => {
  begin(7, 'boiler', 1000, { ticks: [90_000, 10_000], threads: 3, pages: 250 });
  const { read } = await open([{ name: 'boiler' }]);
  // In whole ticks, and rounded to single precision.
  const cpu = (share: number) => expect.closeTo(share, 6);
  expect(used(await read(), 'boiler')).toEqual({ cpu: Number.NaN, pages: 250, threads: 3 });
  begin(7, 'boiler', 1000, { ticks: [90_040, 10_010], threads: 4, pages: 300 });
  expect(used(await read(), 'boiler')).toEqual({ cpu: cpu(0.25), pages: 300, threads: 4 });
  expect(used(await read(), 'boiler')).toMatchObject({ cpu: 0 });
  end(7);
  expect(used(await read(), 'boiler')).toEqual(nothing);
  begin(9, 'boiler', 10_500, { ticks: [70_000, 0] });
  expect(used(await read(), 'boiler')).toEqual({ cpu: Number.NaN, pages: 500, threads: 1 });
  begin(9, 'boiler', 10_500, { ticks: [70_100, 0] });
  expect(used(await read(), 'boiler')).toMatchObject({ cpu: cpu(0.5) });
  // The same number, another process, which has used less.
  begin(9, 'boiler', 11_000, { ticks: [500, 0] });
  expect(used(await read(), 'boiler')).toMatchObject({ cpu: Number.NaN });
});

test('what several use is summed, whichever of them end and begin', async () => {
  const cpu = (share: number) => expect.closeTo(share, 6);
  for (const pid of [20, 21]) begin(pid, 'worker', 1000 + pid, { ticks: [1000, 0] });
  begin(40, 'single', 900, { ticks: [1000, 0] });
  const { read } = await open([{ name: 'gone' }, { name: 'worker' }, { name: 'single' }]);
  await read();
  for (const pid of [20, 21]) begin(pid, 'worker', 1000 + pid, { ticks: [1050, 0], pages: 400, threads: 2 });
  begin(22, 'worker', 9000, { ticks: [9000, 0], pages: 100 });
  begin(40, 'single', 900, { ticks: [1010, 0] });
  const values = await read();
  expect(used(values, 'worker')).toEqual({ cpu: cpu(0.5), pages: 900, threads: 5 });
  expect(used(values, 'single')).toMatchObject({ cpu: cpu(0.05) });
  expect(used(values, 'gone')).toEqual(nothing);
  end(20);
  begin(21, 'worker', 1021, { ticks: [1100, 0], pages: 400 });
  begin(22, 'worker', 9000, { ticks: [9002, 0], pages: 100 });
  expect(used(await read(), 'worker')).toEqual({ cpu: cpu(0.26), pages: 500, threads: 2 });
});

test('over a gap no use of processors is told', async () => {
  begin(7, 'boiler', 1000, { ticks: [0, 0] });
  const { read } = await open([{ name: 'boiler' }]);
  await read();
  begin(7, 'boiler', 1000, { ticks: [1000, 0] });
  expect(used(await read(10), 'boiler')).toMatchObject({ cpu: expect.closeTo(1, 6) });
  begin(7, 'boiler', 1000, { ticks: [2100, 0] });
  expect(used(await read(11), 'boiler')).toEqual({ cpu: Number.NaN, pages: 500, threads: 1 });
});

test('one that was started anew has a memory of its own; as long as any of several lasts, it is theirs', async () => {
  begin(7, 'boiler', 1000);
  const { sink, read } = await open([{ name: 'boiler' }], 1000);
  await read();
  await read();
  expect(sink.replacements).toEqual([]);
  end(7);
  await read();
  begin(9, 'boiler', 10_500);
  begin(10, 'boiler', 10_600);
  await read();
  expect(sink.replacements).toEqual(['memory.usage boiler', 'thread.count boiler']);
  end(9);
  await read();
  begin(11, 'boiler', 10_700);
  await read(30);
  expect(sink.replacements).toHaveLength(2);
  // The same numbers, other processes, between two readings.
  begin(10, 'boiler', 99_000);
  begin(11, 'boiler', 99_000);
  await read();
  expect(sink.replacements).toHaveLength(4);
});

test('one that began with the machine is not the one that an agent watched before', async () => {
  begin(7, 'boiler', 1000);
  const { sink, read } = await open([{ name: 'boiler' }]);
  await read();
  expect(sink.replacements).toEqual(['memory.usage boiler', 'thread.count boiler']);
  await read();
  expect(sink.replacements).toHaveLength(2);
});
