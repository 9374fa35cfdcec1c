/**
 * What a tick of all host inputs costs on this machine, beside the floor: the same files read without being parsed.
 * Ticks follow one another, so caches are warm; at one a second they cost two to three times as much.
 */
import fs from 'node:fs';
import type { Host, Input } from '../../agent/inputs/input.ts';
import { InputSink, type Intake } from '../../agent/inputs/input-sink.ts';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { Preprocess } from '../../agent/preprocess.ts';
import { SeriesRegistry } from '../../agent/series.ts';
import type { Clock, Instant } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import type { Quality, SeriesDefinition } from '../../shared/series.ts';

const warmupTicks = 3000;
const ticksPerRound = 200;
const rounds = 15;
/** Few enough that no garbage collection falls between two looks at the heap, most of the time. */
const ticksPerLook = 5;
const looks = 101;
const processSweeps = 15;

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const host: Host = { procRoot: '/proc', sysRoot: '/sys', root: '/', platform: process.platform, clock, log };

/** What an agent does with a value before it is detected. */
class Sink implements Intake {
  readonly registry = new SeriesRegistry({ limit: limits.seriesPerAgent, log });
  readonly preprocess = new Preprocess(limits.seriesPerAgent);
  readonly values = new Float64Array(limits.seriesPerAgent);
  puts = 0;

  series(definition: SeriesDefinition): number {
    const series = this.registry.intern(definition);
    this.preprocess.define(series, definition);
    return series;
  }

  put(series: number, value: number, quality: Quality, at: Instant): void {
    this.puts++;
    this.values[series] = this.preprocess.accept(series, value, quality, at.monotonicMs);
  }

  state(): void {}
  document(): void {}
  forget(series: number): void {
    this.registry.forget(series);
  }
  replaced(): void {}
}

interface Opened {
  readonly name: string;
  readonly input: Input;
  readonly sink: InputSink;
}

/** The files of the inputs that are read each second, as far as this machine has them. */
function filesOfATick(): readonly number[] {
  const names = [
    ...['stat', 'loadavg', 'meminfo', 'vmstat', 'diskstats', 'net/dev', 'net/snmp', 'net/netstat', 'net/sockstat'],
    ...['pressure/cpu', 'pressure/memory', 'pressure/io', 'sys/fs/file-nr'],
    ...['sys/net/netfilter/nf_conntrack_count', 'sys/net/netfilter/nf_conntrack_max'],
  ];
  return names.flatMap((name) => {
    try {
      return [fs.openSync(`/proc/${name}`, 'r')];
    } catch {
      return [];
    }
  });
}

async function openInputs(into: Sink, wanted: (intervalMs: number, name: string) => boolean): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (const [name, kind] of inputKinds) {
    if (!name.startsWith('linux.') || !kind.automatic(host)) continue;
    const config = kind.config.parse({}, [], []);
    const { intervalMs } = kind.timing(config);
    if (!wanted(intervalMs, name)) continue;
    opened.push({ name, input: await kind.open(config, host), sink: new InputSink(into, intervalMs) });
  }
  return opened;
}

const neverAborted = new AbortController().signal;
let monotonicMs = 0;

function tick(opened: readonly Opened[]): void {
  monotonicMs += 1000;
  const now: Instant = { monotonicMs, utcMs: monotonicMs };
  for (const { input, sink } of opened) {
    sink.begin(now);
    void input.read(now, sink, neverAborted);
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Median over rounds of the microseconds of one call. */
function microsecondsOf(work: () => void): number {
  const perCall: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let i = 0; i < ticksPerRound; i++) work();
    perCall.push(((performance.now() - start) * 1000) / ticksPerRound);
  }
  return median(perCall);
}

/** Median of the bytes that one call allocates on the heap. */
function bytesOf(work: () => void): number {
  const perCall: number[] = [];
  for (let i = 0; i < looks; i++) {
    const before = process.memoryUsage().heapUsed;
    for (let j = 0; j < ticksPerLook; j++) work();
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) perCall.push(grown / ticksPerLook);
  }
  // What looking allocates itself.
  const idle: number[] = [];
  for (let i = 0; i < looks; i++) {
    const before = process.memoryUsage().heapUsed;
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) idle.push(grown / ticksPerLook);
  }
  return median(perCall) - median(idle);
}

/** Figures by name; times in microseconds, sizes in bytes. */
export async function run(): Promise<Record<string, number>> {
  const into = new Sink();
  const opened = await openInputs(into, (intervalMs) => intervalMs === 1000);
  const descriptors = filesOfATick();
  const buffer = Buffer.alloc(64 * 1024);
  const floor = (): void => {
    for (const descriptor of descriptors) fs.readSync(descriptor, buffer, 0, buffer.length, 0);
  };
  for (let i = 0; i < warmupTicks; i++) {
    tick(opened);
    floor();
  }
  const before = into.puts;
  tick(opened);
  const figures: Record<string, number> = {
    values_per_tick: into.puts - before,
    tick_us: microsecondsOf(() => tick(opened)),
    floor_us: microsecondsOf(floor),
    tick_alloc_bytes: bytesOf(() => tick(opened)),
    floor_alloc_bytes: bytesOf(floor),
  };
  for (const one of opened) {
    figures[`${one.name.replace('linux.', '')}_us`] = microsecondsOf(() => tick([one]));
  }
  for (const { input } of opened) await input.close();
  for (const descriptor of descriptors) fs.closeSync(descriptor);
  figures.processes_sweep_us = await processSweep(into);
  return figures;
}

/** CPU time of one sweep over all processes, which is done each ten seconds. */
async function processSweep(into: Sink): Promise<number> {
  const [processes] = await openInputs(into, (_, name) => name === 'linux.processes');
  if (processes === undefined) return Number.NaN;
  const sweeps: number[] = [];
  for (let i = 0; i < processSweeps; i++) {
    monotonicMs += 10_000;
    const start = process.cpuUsage();
    await processes.input.read({ monotonicMs, utcMs: monotonicMs }, processes.sink, neverAborted);
    const used = process.cpuUsage(start);
    sweeps.push(used.user + used.system);
  }
  await processes.input.close();
  return median(sweeps);
}
