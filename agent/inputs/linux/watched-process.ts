/**
 * Processes that somebody wants to be running: how many of them there are, since when the oldest runs, how often one
 * began anew, and what they use. The ones that were found are looked at each time, which costs one small file each; all
 * others are looked through only when one of them is gone, and now and then.
 *
 * `process.watched.count` ({process}), `process.watched.uptime` (s), `process.watched.restarts` ({restart}), with
 * `process.watched.name`; the state `process.watched.pid` changes with each new process.
 *
 * What they use has OpenTelemetry's names (semantic conventions, process metrics) and the same attribute, summed where
 * several processes fit; without a value while none runs. `process.cpu.utilization` (1) is processor time since the
 * reading before, divided by the time that passed and the number of processors: 1 is all of them, without `cpu.mode`.
 * What a process had used before it was first seen is not counted. `process.memory.usage` (By) is what lies in memory,
 * as /proc/PID/stat tells it; pages that several processes share are counted for each. `process.thread.count` ({thread}).
 * When all that ran has ended, and others run, memory and threads begin a new history: they lie at another level, which
 * says nothing. The time since the start is told and judged by nobody: it grows with the clock.
 * Open files are not counted: the kernel makes a whole directory of them for it.
 */
import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { duration, listOf, object, optional, string } from '../../../shared/config/types.ts';
import type { SeriesDefinition, SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { ProcessStat } from './process-stat.ts';
import { readError } from './reader.ts';
import { namePattern } from './rows.ts';
import { timingOf } from './settings.ts';
import { bytesPerPage } from './top.ts';

const ZOMBIE = 'Z'.charCodeAt(0);
const DEAD = 'X'.charCodeAt(0);
const maxWatched = 64;
const maxProcesses = 16_384;
const processesPerTurn = 32;
/** All processes are looked through at least as often: there may be more of them. */
const wholeLookMs = 30_000;
/** Ticks of `startTicks` (USER_HZ, the same on all architectures that we run on). */
const ticksPerSecond = 100;
/** Over more intervals than this no use of processors is told: the mean of a gap is the value of no second. */
const gapIntervals = 5;
/** What has run for less when the agent sees it first is not what an agent before saw: the machine was started anew. */
const youngS = 300;
/** Of a command line, which any user may make as long as they like. */
const commandLineBytes = 4096;
/** Of the list of processors: one range on almost all machines. */
const listBytes = 1024;

const absolute = { pattern: /^\//, values: 'an absolute path' };

const watched = object({
  doc: 'A process that should run. What is said must fit, all of it; only `name`: the process is called so.',
  keys: {
    name: string({
      doc: 'What it is called here, and, when nothing else is said, its own name.',
      maxLength: 64,
      example: 'nginx',
    }),
    process: optional(
      string({
        doc: 'Its name as the kernel has it (15 characters); `*` stands for any text.',
        maxLength: 64,
        example: 'nginx',
      }),
    ),
    exe: optional(string({ doc: 'The program that it runs.', ...absolute, example: '/usr/sbin/nginx' })),
    command: optional(
      string({
        doc: 'Its whole command line; `*` stands for any text.',
        maxLength: 1024,
        example: '*python3*worker.py*',
      }),
    ),
    pidfile: optional(string({ doc: 'The file that has its number.', ...absolute, example: '/run/nginx.pid' })),
  },
});
type Watched = ValueOf<typeof watched>;

const config = object({
  doc: 'Processes that should run.',
  keys: {
    interval: duration({ doc: 'How often it is read.', default: '2s', min: '200ms', max: '1h' }),
    watch: listOf({ doc: 'Which ones.', of: watched, max: maxWatched, default: [], unique: ({ name }) => name }),
  },
});
type Config = ValueOf<typeof config>;

class Found {
  readonly pid: number;
  readonly startTicks: number;
  /** Processor time of the reading that was put before; NaN where it is new. */
  ticksBefore = Number.NaN;
  ticks = 0;
  threads = 0;
  residentPages = 0;

  constructor(pid: number, stat: ProcessStat) {
    this.pid = pid;
    this.startTicks = stat.startTicks;
    this.take(stat);
  }

  take({ ticks, threads, residentPages }: ProcessStat): void {
    this.ticks = ticks;
    this.threads = threads;
    this.residentPages = residentPages;
  }

  is(pid: number, startTicks: number): boolean {
    return this.pid === pid && this.startTicks === startTicks;
  }
}

class Watch {
  readonly settings: Watched;
  readonly isNamed: (name: string) => boolean;
  readonly isCommand: (line: string) => boolean;
  readonly pidKey: SeriesKey;
  /** Processes of the last look. */
  found: Found[] = [];
  /** The oldest of them, while it lasts. */
  first: Found | null = null;
  /** Of the last one that was seen. */
  pid: number | null = null;
  restarts = 0;
  /** None of those that ran before does any more: what runs now has a memory of its own. */
  isReplaced = false;
  series: Int32Array | null = null;

  constructor(settings: Watched) {
    const { name, process, exe, command, pidfile } = settings;
    this.settings = settings;
    const plain = exe === undefined && command === undefined && pidfile === undefined;
    const named = process ?? (plain ? name.slice(0, 15) : '*');
    this.isNamed = namePattern([named]);
    this.isCommand = namePattern([command ?? '*']);
    this.pidKey = { name: 'process.watched.pid', unit: '', attributes: { 'process.watched.name': name } };
  }
}

class ProcessInput implements Input {
  readonly #host: Host;
  readonly #watches: readonly Watch[];
  readonly #stat = new ProcessStat();
  readonly #pageBytes: number;
  readonly #gapMs: number;
  #processors = 1;
  #wholeLookMs = Number.NEGATIVE_INFINITY;
  /** When values were put last. */
  #beforeMs = Number.NaN;

  constructor(host: Host, settings: Config) {
    this.#host = host;
    this.#watches = settings.watch.map((one) => new Watch(one));
    this.#pageBytes = bytesPerPage(host.procRoot);
    this.#gapMs = gapIntervals * settings.interval;
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    let lost = false;
    for (const watch of this.#watches) if (!this.#readAgain(watch)) lost = true;
    if (lost || now.monotonicMs - this.#wholeLookMs >= wholeLookMs) {
      if (!(await this.#lookThroughAll(signal))) return;
      this.#processors = processorsOnline(this.#host.sysRoot);
      this.#wholeLookMs = now.monotonicMs;
    }
    const sinceMs = now.monotonicMs - this.#beforeMs;
    for (const watch of this.#watches) this.#put(watch, now, sinceMs, sink);
    this.#beforeMs = now.monotonicMs;
  }

  async close(): Promise<void> {}

  /** What the ones that were found last use now; false where one of them is gone. */
  #readAgain({ found, first }: Watch): boolean {
    let all = first !== null;
    for (let i = 0; i < found.length; i++) {
      const one = found[i]!;
      if (this.#runs(one.pid) && this.#stat.startTicks === one.startTicks) one.take(this.#stat);
      else all = false;
    }
    return all;
  }

  /** A defunct one has ended, and waits for its parent to hear of it. */
  #runs(pid: number): boolean {
    const stat = this.#stat;
    return stat.read(this.#host.procRoot, pid) && stat.state !== ZOMBIE && stat.state !== DEAD;
  }

  async #lookThroughAll(signal: AbortSignal): Promise<boolean> {
    const pids = this.#pids();
    const found = this.#watches.map((): Found[] => []);
    const fromFiles = this.#watches.map(({ settings }) => this.#pidIn(settings.pidfile));
    for (const [i, pid] of pids.entries()) {
      if (i % processesPerTurn === processesPerTurn - 1) await turn();
      if (signal.aborted) return false;
      if (!this.#runs(pid)) continue;
      const { startTicks } = this.#stat;
      const name = this.#stat.name();
      for (const [index, watch] of this.#watches.entries()) {
        const wanted = fromFiles[index];
        if (wanted !== undefined && wanted !== pid) continue;
        if (!this.#fits(watch, pid, name)) continue;
        // One that is known has been read at the beginning of this reading, when all times are taken.
        found[index]!.push(watch.found.find((one) => one.is(pid, startTicks)) ?? new Found(pid, this.#stat));
      }
    }
    for (const [index, watch] of this.#watches.entries()) this.#note(watch, found[index]!);
    return true;
  }

  #fits({ settings, isNamed, isCommand }: Watch, pid: number, name: string): boolean {
    if (!isNamed(name)) return false;
    const folder = `${this.#host.procRoot}/${pid}`;
    if (settings.exe !== undefined && programOf(folder) !== settings.exe) return false;
    return settings.command === undefined || isCommand(commandLineOf(folder));
  }

  /** The number in a file; -1 where it has none. Not asked for: undefined. */
  #pidIn(file: string | undefined): number | undefined {
    if (file === undefined) return undefined;
    const text = readStart(`${this.#host.root.replace(/\/$/, '')}${file}`, 64);
    return /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : -1;
  }

  #note(watch: Watch, found: Found[]): void {
    found.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
    const before = watch.first;
    const oldest = found[0] ?? null;
    const lasts = before !== null && found.some((one) => one.is(before.pid, before.startTicks));
    if (oldest !== null && !lasts && watch.pid !== null) watch.restarts++;
    if (oldest !== null && watch.pid !== null && !found.some((one) => watch.found.includes(one)))
      watch.isReplaced = true;
    watch.found = found;
    watch.first = lasts ? before : oldest;
  }

  #put(watch: Watch, now: Instant, sinceMs: number, sink: SampleSink): void {
    watch.series ??= Int32Array.from(definitions(watch.settings.name), (definition) => sink.series(definition));
    const { found, first, series } = watch;
    const uptimeS = first === null ? Number.NaN : now.monotonicMs / 1000 - first.startTicks / ticksPerSecond;
    const isNew = watch.pid === null && uptimeS < youngS;
    if (isNew || watch.isReplaced) for (const at of grown) sink.replaced(series[at]!);
    watch.isReplaced = false;
    sink.put(series[0]!, found.length);
    sink.put(series[1]!, Math.max(0, uptimeS));
    sink.put(series[2]!, watch.restarts);
    this.#putUse(found, series, sinceMs, sink);
    if (first !== null) watch.pid = first.pid;
    sink.state(watch.pidKey, first === null ? 'none' : String(first.pid), now);
  }

  #putUse(found: readonly Found[], series: Int32Array, sinceMs: number, sink: SampleSink): void {
    let ticks = Number.NaN;
    let pages = Number.NaN;
    let threads = Number.NaN;
    for (let i = 0; i < found.length; i++) {
      const one = found[i]!;
      if (!Number.isNaN(one.ticksBefore)) ticks = orZero(ticks) + Math.max(0, one.ticks - one.ticksBefore);
      one.ticksBefore = one.ticks;
      pages = orZero(pages) + one.residentPages;
      threads = orZero(threads) + one.threads;
    }
    const measured = sinceMs > 0 && sinceMs <= this.#gapMs;
    const seconds = measured ? sinceMs / 1000 : Number.NaN;
    sink.put(series[3]!, Math.fround(ticks / ticksPerSecond / seconds / this.#processors));
    sink.put(series[4]!, pages * this.#pageBytes);
    sink.put(series[5]!, threads);
  }

  #pids(): readonly number[] {
    try {
      const names = fs.readdirSync(this.#host.procRoot).filter((name) => /^\d+$/.test(name));
      return names.slice(0, maxProcesses).map(Number);
    } catch (error) {
      throw readError(this.#host.procRoot, error);
    }
  }
}

/** Places in `definitions` of what a process gathers while it runs; how busy it is, it may be from the beginning. */
const grown: readonly number[] = [4, 5];

function orZero(sum: number): number {
  return Number.isNaN(sum) ? 0 : sum;
}

function definitions(name: string): readonly SeriesDefinition[] {
  const common = { attributes: { 'process.watched.name': name }, kind: 'gauge', min: 0, steady: true } as const;
  return [
    { ...common, name: 'process.watched.count', unit: '{process}' },
    { ...common, name: 'process.watched.uptime', unit: 's', derived: true },
    { ...common, name: 'process.watched.restarts', unit: '{restart}' },
    { ...common, name: 'process.cpu.utilization', unit: '1' },
    { ...common, name: 'process.memory.usage', unit: 'By' },
    { ...common, name: 'process.thread.count', unit: '{thread}' },
  ];
}

/** How many processors there are now, from a list such as `0-3,8`; where there is none, as many as this program may use. */
function processorsOnline(sysRoot: string): number {
  let count = 0;
  for (const part of readStart(`${sysRoot}/devices/system/cpu/online`, listBytes).trim().split(',')) {
    const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part) ?? [];
    if (first !== undefined) count += Math.max(0, Number(last) - Number(first) + 1);
  }
  return count > 0 ? count : availableParallelism();
}

/** The program of a process; of another user's only with rights. */
function programOf(folder: string): string {
  try {
    // A program that was replaced while it runs is still the one that was meant.
    return fs.readlinkSync(`${folder}/exe`).replace(/ \(deleted\)$/, '');
  } catch {
    return '';
  }
}

function commandLineOf(folder: string): string {
  return readStart(`${folder}/cmdline`, commandLineBytes).replaceAll('\0', ' ').trim();
}

/** The beginning of a small file; the empty text where it cannot be read. */
function readStart(path: string, bytes: number): string {
  try {
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(bytes);
      return buffer.toString('utf8', 0, fs.readSync(descriptor, buffer, 0, bytes, null));
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return '';
  }
}

export const watchedProcess: InputKind<Config> = {
  doc: 'Processes that should run: how many there are, since when, how often they began anew, and what they use.',
  config,
  automatic: () => false,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new ProcessInput(host, settings),
};
