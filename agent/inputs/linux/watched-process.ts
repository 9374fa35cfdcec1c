/**
 * Processes that somebody wants to be running: how many of them there are, since when the oldest runs, and how often one
 * began anew. The one that was found is looked at each time, which costs one small file; all others are looked through
 * only when it is gone, and now and then.
 *
 * `process.watched.count` ({process}), `process.watched.uptime` (s), `process.watched.restarts` ({restart}), with
 * `process.watched.name`; the state `process.watched.pid` changes with each new process.
 */
import fs from 'node:fs';
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

const ZOMBIE = 'Z'.charCodeAt(0);
const DEAD = 'X'.charCodeAt(0);
const maxWatched = 64;
const maxProcesses = 16_384;
const processesPerTurn = 32;
/** All processes are looked through at least as often: there may be more of them. */
const wholeLookMs = 30_000;
/** Ticks of `startTicks` (USER_HZ, the same on all architectures that we run on). */
const ticksPerSecond = 100;
/** Of a command line, which any user may make as long as they like. */
const commandLineBytes = 4096;

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

interface Found {
  pid: number;
  startTicks: number;
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
  #wholeLookMs = Number.NEGATIVE_INFINITY;

  constructor(host: Host, settings: Config) {
    this.#host = host;
    this.#watches = settings.watch.map((one) => new Watch(one));
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const lost = this.#watches.some((watch) => !this.#stillRuns(watch));
    if (lost || now.monotonicMs - this.#wholeLookMs >= wholeLookMs) {
      if (!(await this.#lookThroughAll(signal))) return;
      this.#wholeLookMs = now.monotonicMs;
    }
    for (const watch of this.#watches) this.#put(watch, now, sink);
  }

  async close(): Promise<void> {}

  /** Whether all that were found last are there; those that are not are left out. */
  #stillRuns({ found, first }: Watch): boolean {
    if (first === null) return false;
    for (let i = found.length - 1; i >= 0; i--) {
      const { pid, startTicks } = found[i]!;
      if (!this.#runs(pid) || this.#stat.startTicks !== startTicks) return false;
    }
    return true;
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
        if (this.#fits(watch, pid, name)) found[index]!.push({ pid, startTicks });
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
    const lasts =
      before !== null && found.some((one) => one.pid === before.pid && one.startTicks === before.startTicks);
    if (oldest !== null && !lasts && watch.pid !== null) watch.restarts++;
    watch.found = found;
    watch.first = lasts ? before : oldest;
  }

  #put(watch: Watch, now: Instant, sink: SampleSink): void {
    watch.series ??= Int32Array.from(definitions(watch.settings.name), (definition) => sink.series(definition));
    const { found, first, series } = watch;
    sink.put(series[0]!, found.length);
    const uptimeS = first === null ? Number.NaN : now.monotonicMs / 1000 - first.startTicks / ticksPerSecond;
    sink.put(series[1]!, Math.max(0, uptimeS));
    sink.put(series[2]!, watch.restarts);
    if (first !== null) watch.pid = first.pid;
    sink.state(watch.pidKey, first === null ? 'none' : String(first.pid), now);
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

function definitions(name: string): readonly SeriesDefinition[] {
  const common = { attributes: { 'process.watched.name': name }, kind: 'gauge', min: 0, steady: true } as const;
  return [
    { ...common, name: 'process.watched.count', unit: '{process}' },
    { ...common, name: 'process.watched.uptime', unit: 's' },
    { ...common, name: 'process.watched.restarts', unit: '{restart}' },
  ];
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
  doc: 'Processes that should run: how many there are, since when, and how often they began anew.',
  config,
  automatic: () => false,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new ProcessInput(host, settings),
};
