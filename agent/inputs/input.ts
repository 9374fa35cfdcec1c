/**
 * The contract of every input. An input reads one source (a set of `/proc` files, a device) and puts what it finds
 * into a sink. It starts no child process on the sampling path, waits for no disk, and allocates nothing per sample.
 *
 * The runner (`runner.ts`) calls `read` at the input's interval, never twice at once, aborts it at its deadline,
 * retries a failing one with growing pauses, and measures duration and failures. An input throws a `PicketError` with
 * `input.failed` or `input.permission`; it logs nothing itself.
 */
import type { Clock, Instant } from '../../shared/clock.ts';
import type { Schema } from '../../shared/config/schema.ts';
import type { Log } from '../../shared/log.ts';
import type { Quality, SeriesDefinition, SeriesKey, SeriesNumber } from '../../shared/series.ts';

export type { Log };

/** Where an input puts what it reads. */
export interface SampleSink {
  /**
   * Interns a series and returns its number, the same for the same identity. Not for the hot path: an input asks once
   * and keeps the number. Returns -1 when the agent's cap on series is reached; `put` of -1 is ignored.
   */
  series(definition: SeriesDefinition): SeriesNumber;
  /** A raw reading. NaN says that the source answered without a value. */
  put(series: SeriesNumber, value: number, quality?: Quality): void;
  /** The current state of a boolean, a state or a text; a change becomes an event with this time. */
  state(key: SeriesKey, value: string, at: Instant, quality?: Quality): void;
  /** The series is gone (a disk was pulled, a process ended); it is neither missing nor stuck from now on. */
  forget(series: SeriesNumber): void;
  /** What the series tells of was replaced by a new one (a process was started anew): its usual values are learned anew. */
  replaced(series: SeriesNumber): void;
  /** A small JSON document about the machine that replaces the last of its name (`inventory`, `top`). */
  document(name: 'inventory' | 'top', content: unknown): void;
}

/** What of the machine an input may use. Every outside path is under one of these roots, so that tests can supply them. */
export interface Host {
  /** `/proc` */
  readonly procRoot: string;
  /** `/sys` */
  readonly sysRoot: string;
  /** `/`: for mount points, `/run`, `/etc` */
  readonly root: string;
  readonly platform: NodeJS.Platform;
  /** PEM of the CA that the agent has pinned; null before it is enrolled, and without TLS. */
  readonly pinnedCa?: () => Promise<string | null>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Input {
  read(now: Instant, sink: SampleSink, signal: AbortSignal): void | Promise<void>;
  close(): Promise<void>;
}

/** Settings that every input has; the runner obeys them. */
export interface InputTiming {
  readonly intervalMs: number;
  /** After this long a read is given up; default the interval, at most 30 s. */
  readonly deadlineMs: number;
}

export interface InputKind<C> {
  /** One line for `picket-agent inputs` and the documentation. */
  readonly doc: string;
  readonly config: Schema<C>;
  /** Whether it runs without being configured, on this host. */
  readonly automatic: (host: Host) => boolean;
  readonly timing: (config: C) => InputTiming;
  /** Rights that are missing here, each with the group or capability that gives it; empty when all is well. */
  readonly missingRights?: (config: C, host: Host) => readonly string[];
  open(config: C, host: Host): Promise<Input>;
}
