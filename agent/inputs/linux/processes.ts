/**
 * /proc/PID: how many processes are in which state, and once a minute who used most processor, memory and disk, as one
 * bounded document (not as series: processes come and go).
 *
 * OpenTelemetry: `system.process.count` by `process.status`. Reading a process costs about 10 µs, so there is a slow
 * rhythm, and after each handful of processes other work has its turn.
 */
import fs from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { integer, object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { missingProcessRights } from './process-rights.ts';
import { ProcessStat } from './process-stat.ts';
import { readError } from './reader.ts';
import { interval, onLinux, timingOf } from './settings.ts';
import { bytesPerPage, type Known, processIoBytes, topDocument } from './top.ts';

const maxProcesses = 16_384;
const processesPerTurn = 32;
const documentEveryMs = 60_000;

const config = object({
  doc: 'Processes: counts by state, and the largest users of processor, memory and disks.',
  keys: {
    interval: interval('10s'),
    top: integer({ doc: 'How many of the largest users of each resource are sent.', default: 5, min: 0, max: 20 }),
  },
});
type Config = ValueOf<typeof config>;

const statuses = ['running', 'sleeping', 'blocked', 'stopped', 'defunct', 'idle'] as const;
/** Place in `statuses` by the letter of proc(5). */
const statusOfLetter = new Map<number, number>(
  Object.entries({ R: 0, S: 1, D: 2, T: 3, t: 3, Z: 4, X: 4, I: 5, K: 5, W: 5, P: 5 }).map(([letter, status]) => [
    letter.charCodeAt(0),
    status,
  ]),
);

class ProcessesInput implements Input {
  readonly #procRoot: string;
  readonly #top: number;
  readonly #pageBytes: number;
  readonly #stat = new ProcessStat();
  readonly #counts = new Float64Array(statuses.length);
  #known = new Map<number, Known>();
  #series: Int32Array | null = null;
  #threadSeries = -1;
  #documentMs = Number.NaN;

  constructor(procRoot: string, settings: Config) {
    this.#procRoot = procRoot;
    this.#top = settings.top;
    this.#pageBytes = bytesPerPage(procRoot);
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const withDocument = this.#top > 0 && !(now.monotonicMs - this.#documentMs < documentEveryMs);
    const pids = this.#pids();
    const seen = new Map<number, Known>();
    this.#counts.fill(0);
    let threads = 0;
    for (let i = 0; i < pids.length; i++) {
      if (i % processesPerTurn === processesPerTurn - 1) await turn();
      if (signal.aborted) return;
      const pid = pids[i]!;
      if (!this.#stat.read(this.#procRoot, pid)) continue;
      this.#counts[statusOfLetter.get(this.#stat.state) ?? statuses.length - 1]!++;
      threads += this.#stat.threads;
      if (withDocument) seen.set(pid, this.#note(pid));
    }
    this.#put(threads, sink);
    if (!withDocument) return;
    // The first time there is nothing to measure against yet.
    if (!Number.isNaN(this.#documentMs)) {
      const spanMs = now.monotonicMs - this.#documentMs;
      sink.document(
        'top',
        topDocument(seen.values(), { atMs: now.utcMs, bootMs: now.monotonicMs, spanMs, count: this.#top }),
      );
    }
    this.#known = seen;
    this.#documentMs = now.monotonicMs;
  }

  async close(): Promise<void> {}

  #put(threads: number, sink: SampleSink): void {
    if (this.#series === null) {
      this.#series = Int32Array.from(statuses, (status) =>
        sink.series(gauge('system.process.count', '{process}', { 'process.status': status })),
      );
      this.#threadSeries = sink.series(gauge('system.linux.thread.count', '{thread}', {}));
    }
    for (let i = 0; i < statuses.length; i++) sink.put(this.#series[i]!, this.#counts[i]!);
    sink.put(this.#threadSeries, threads);
  }

  /** What a process has used, and how much of it since the document before. */
  #note(pid: number): Known {
    const stat = this.#stat;
    const before = this.#known.get(pid);
    const same = before !== undefined && before.startTicks === stat.startTicks;
    const name = same ? before.name : stat.name();
    const { ticks, startTicks } = stat;
    const memoryBytes = stat.residentPages * this.#pageBytes;
    // A process of another user may be asked once: it stays as closed as it is.
    const ioBytes = same && before.ioBytes < 0 ? -1 : processIoBytes(this.#procRoot, pid);
    return {
      pid,
      name,
      startTicks,
      ticks,
      memoryBytes,
      ioBytes,
      ticksSince: ticks - (same ? before.ticks : 0),
      ioBytesSince: same && ioBytes >= 0 ? Math.max(0, ioBytes - before.ioBytes) : Math.max(0, ioBytes),
    };
  }

  #pids(): readonly number[] {
    let names: string[];
    try {
      names = fs.readdirSync(this.#procRoot);
    } catch (error) {
      throw readError(this.#procRoot, error);
    }
    const pids: number[] = [];
    for (const name of names) {
      const first = name.charCodeAt(0);
      if (first >= 48 && first <= 57 && pids.length < maxProcesses) pids.push(Number(name));
    }
    return pids;
  }
}

function gauge(name: string, unit: string, attributes: Readonly<Record<string, string>>): SeriesDefinition {
  // A quiet machine has the same processes for days.
  return { name, unit, attributes, kind: 'gauge', min: 0, steady: true };
}

export const processes: InputKind<Config> = {
  doc: 'Processes by state, threads, and the largest users of processor, memory and disks.',
  config,
  automatic: onLinux,
  timing: timingOf,
  missingRights: (settings: Config, host: Host) => missingProcessRights(host.procRoot, settings.top > 0),
  open: async (settings: Config, host: Host) => new ProcessesInput(host.procRoot, settings),
};
