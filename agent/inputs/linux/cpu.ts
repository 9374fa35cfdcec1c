/**
 * /proc/stat: where the processors spend their time, in total and for each core, and what the scheduler does.
 *
 * `system.cpu.utilization` and its attributes are OpenTelemetry's (semantic conventions, system metrics); the total has
 * no `cpu.logical_number`. proc(5): the columns are user, nice, system, idle, iowait, irq, softirq, steal, in ticks of
 * USER_HZ, which is 100 on every architecture that Node runs on. `user` and `nice` contain the time of guests.
 * idle and iowait may step back a little (proc(5) says so of iowait: a waiting task may move to another core); such a
 * step is no reset, the counter then stands still until it is passed again.
 */

import type { ValueOf } from '../../../shared/config/schema.ts';
import { integer, object } from '../../../shared/config/types.ts';
import { PicketError } from '../../../shared/errors.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { FixedFields, keyValueLines } from './fields.ts';
import { KeptFile, scanner } from './reader.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const ticksPerSecond = 100;
/** More cores than the kernel's own limit on x86-64 (NR_CPUS) are not believed. */
const maxLogicalCpus = 8192;
const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'steal'] as const;
const firstUnsteadyMode = 3;
const lastUnsteadyMode = 4;
/** Larger steps back are resets (a core that was offline). */
const largestStepBackTicks = 10 * ticksPerSecond;
const cpuLabel = Buffer.from('cpu');

const config = object({
  doc: 'Processor time by state, context switches, interrupts, tasks.',
  keys: {
    interval: interval('1s'),
    maxCores: integer({
      doc: 'On a machine with more cores than this only the total is kept.',
      default: 16,
      min: 0,
      max: 1024,
    }),
  },
});
type Config = ValueOf<typeof config>;

// OpenTelemetry has no metrics of a whole system for these four but `system.process.created`.
const kernelMappings: readonly [string, SeriesDefinition][] = [
  ['intr', { name: 'system.linux.interrupts', unit: '{interrupt}/s', attributes: {}, kind: 'counter', min: 0 }],
  ['ctxt', { name: 'system.linux.context_switches', unit: '{switch}/s', attributes: {}, kind: 'counter', min: 0 }],
  ['processes', { name: 'system.process.created', unit: '{process}/s', attributes: {}, kind: 'counter', min: 0 }],
  [
    'procs_running',
    { name: 'system.linux.tasks', unit: '{task}', attributes: { state: 'running' }, kind: 'gauge', steady: true },
  ],
  [
    'procs_blocked',
    { name: 'system.linux.tasks', unit: '{task}', attributes: { state: 'blocked' }, kind: 'gauge', steady: true },
  ],
];

class CpuInput implements Input {
  readonly #file: KeptFile;
  readonly #maxCores: number;
  readonly #kernel = new FixedFields(
    kernelMappings.map(([key]) => key),
    keyValueLines,
  );
  readonly #kernelSeries = new Int32Array(kernelMappings.length);
  #total: Line | null = null;
  /** By the number of the core; holes where a core was never online. */
  readonly #cores: (Line | undefined)[] = [];
  #countSeries = -1;
  #onlineBefore = 0;

  constructor(path: string, maxCores: number) {
    this.#file = new KeptFile(path);
    this.#maxCores = maxCores;
  }

  read(_now: unknown, sink: SampleSink): void {
    this.#file.loadRequired();
    const online = countCores();
    if (online === 0) throw new PicketError('input.failed', `${this.#file.path} has no line of a core.`);
    if (online !== this.#onlineBefore) this.#begin(online, sink);
    scanner.position = 0;
    scanner.skipFields(1);
    this.#total!.put(sink);
    scanner.skipLine();
    for (let i = 0; i < online; i++) {
      if (online <= this.#maxCores) {
        scanner.position += cpuLabel.length;
        this.#core(scanner.number(), sink).put(sink);
      }
      scanner.skipLine();
    }
    sink.put(this.#countSeries, online);
    this.#putKernel(sink);
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  #putKernel(sink: SampleSink): void {
    scanner.position = 0;
    this.#kernel.parse(scanner);
    const { values } = this.#kernel;
    for (let i = 0; i < values.length; i++) {
      if (!Number.isNaN(values[i]!)) sink.put(this.#kernelSeries[i]!, values[i]!);
    }
  }

  /** At the start and after a core came or went: the total's scale is one over the cores that are online. */
  #begin(online: number, sink: SampleSink): void {
    this.#onlineBefore = online;
    for (const line of [this.#total, ...this.#cores]) for (const series of line?.series ?? []) sink.forget(series);
    this.#cores.length = 0;
    this.#total = new Line(sink, {}, online);
    this.#countSeries = sink.series({
      name: 'system.cpu.logical.count',
      unit: '{cpu}',
      attributes: {},
      kind: 'gauge',
      steady: true,
    });
    for (const [i, [, definition]] of kernelMappings.entries()) this.#kernelSeries[i] = sink.series(definition);
  }

  #core(number: number, sink: SampleSink): Line {
    const known = this.#cores[number];
    if (known !== undefined) return known;
    if (!(number >= 0 && number < maxLogicalCpus)) {
      throw new PicketError('input.failed', `${this.#file.path} has a core of number ${number}.`);
    }
    const line = new Line(sink, { 'cpu.logical_number': String(number) }, 1);
    this.#cores[number] = line;
    return line;
  }
}

/** Lines `cpu0`, `cpu1` … after the line `cpu`. */
function countCores(): number {
  let online = -1;
  while (!scanner.atEnd() && scanner.startsWith(cpuLabel)) {
    online++;
    scanner.skipLine();
  }
  return Math.max(0, online);
}

function internModes(sink: SampleSink, attributes: Readonly<Record<string, string>>, cores: number): Int32Array {
  return Int32Array.from(modes, (mode) =>
    sink.series({
      name: 'system.cpu.utilization',
      unit: '1',
      attributes: { 'cpu.mode': mode, ...attributes },
      kind: 'counter',
      scale: 1 / ticksPerSecond / cores,
      min: 0,
      // A share is at most 1; ticks are counted in whole hundredths and the second is measured elsewhere.
      max: 1.5,
      steady: mode !== 'user' && mode !== 'system' && mode !== 'idle',
      // One core in full use is nothing; all of them are.
      ...(mode === 'idle' && Object.keys(attributes).length === 0 ? { full: 0 as const } : {}),
    }),
  );
}

/** The seven states of one line: the total or a core. */
class Line {
  readonly series: Int32Array;
  /** Highest readings of the states that may step back. */
  readonly #highest = new Float64Array(modes.length);

  constructor(sink: SampleSink, attributes: Readonly<Record<string, string>>, cores: number) {
    this.series = internModes(sink, attributes, cores);
  }

  /** Puts the numbers at the cursor. */
  put(sink: SampleSink): void {
    const { series } = this;
    for (let mode = 0; mode < firstUnsteadyMode; mode++) sink.put(series[mode]!, scanner.number());
    for (let mode = firstUnsteadyMode; mode <= lastUnsteadyMode; mode++) {
      const ticks = scanner.number();
      const stepBack = this.#highest[mode]! - ticks;
      if (!(stepBack > 0 && stepBack < largestStepBackTicks)) this.#highest[mode] = ticks;
      sink.put(series[mode]!, this.#highest[mode]!);
    }
    const hardware = scanner.number();
    sink.put(series[5]!, hardware + scanner.number());
    sink.put(series[6]!, scanner.number());
  }
}

export const cpu: InputKind<Config> = {
  doc: 'Processor time by state (total and each core), context switches, interrupts, running and blocked tasks.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new CpuInput(`${host.procRoot}/stat`, settings.maxCores),
};
