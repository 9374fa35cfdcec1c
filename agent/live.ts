/**
 * Full-rate values for somebody who looks now: `watch` streams the chosen series each tick until it expires, `fetch`
 * returns a held range. Both come as signed, expiring commands, go out at QoS 0, and are outside the ledger.
 */
import type { Instant } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { SeriesId, SeriesNumber } from '../shared/series.ts';
import { packPayload } from '../shared/transport/compress.ts';
import { encodeLive, type Live, type LiveBlock, RAW_STAYS } from '../shared/wire/live.ts';

/** A central that wants more renews its watch. */
const LONGEST_WATCH_MS = 120_000;
/** Answers to one fetch after the other; what is asked for beyond these is refused. */
const FETCHES_WAITING = 4;
/** Values in one answer to a fetch: a block's times and values are at most 18 bytes each. */
const VALUES_PER_MESSAGE = 3_000;

export interface HeldRange {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

export interface LiveOptions {
  readonly log: Log;
  /** Number of a series, or -1. */
  readonly numberOf: (id: SeriesId) => SeriesNumber;
  /** Latest clean value of a series; NaN where it has none now. */
  readonly latest: (series: SeriesNumber) => number;
  /** What is held of a series, in UTC. */
  readonly held: (series: SeriesNumber, fromMs: number, toMs: number) => HeldRange;
  readonly send: (payload: Uint8Array) => Promise<void>;
  /** When the operator lets full-rate values leave the machine: when they are asked for under `demand` alone. */
  readonly raw: 'never' | 'incident' | 'demand';
  /** What a budget of the uplink leaves for it. Not said: no bound. */
  readonly share?: LiveShare;
}

export interface LiveShare {
  /** No two values of a watch follow each other faster. */
  readonly everyMs: number;
  /** Why nothing more may go; null while it may. */
  refusal(): string | null;
  spend(sizeBytes: number): void;
}

interface Watch {
  readonly request: string;
  readonly ids: readonly SeriesId[];
  readonly values: number[];
  readonly untilMonotonicMs: number;
  sentMs: number;
  readonly fromUtcMs: number;
  sentBytes: number;
}

export class LiveStage {
  readonly #options: LiveOptions;
  #watch: Watch | null = null;
  #fetching: Promise<void> = Promise.resolve();
  #fetchesWaiting = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get watching(): boolean {
    return this.#watch !== null;
  }

  /** Streams these series for so long, instead of those before; an empty list ends it. */
  watch(request: string, ids: readonly SeriesId[], forMs: number, now: Instant): void {
    this.#endWatch(now);
    if (ids.length === 0) return;
    const refusal = this.#refusal();
    if (refusal !== null) {
      this.#refuse(request, now, refusal);
      return;
    }
    const watched = ids.slice(0, limits.watchedSeries);
    this.#watch = {
      request,
      ids: watched,
      values: watched.map(() => Number.NaN),
      untilMonotonicMs: now.monotonicMs + Math.min(forMs, LONGEST_WATCH_MS),
      sentMs: Number.NEGATIVE_INFINITY,
      fromUtcMs: now.utcMs,
      sentBytes: 0,
    };
  }

  /** What left the machine is in its log, under the request by which the central's audit names who asked. */
  #endWatch(now: Instant): void {
    const watch = this.#watch;
    this.#watch = null;
    if (watch === null || watch.sentBytes === 0) return;
    const { request, ids, fromUtcMs, sentBytes } = watch;
    this.#left('watch', request, ids, { fromMs: fromUtcMs, toMs: now.utcMs }, sentBytes);
  }

  #left(
    how: 'watch' | 'fetch',
    request: string,
    series: readonly SeriesId[],
    range: { readonly fromMs: number; readonly toMs: number },
    sizeBytes: number,
  ): void {
    const [from, to] = [range.fromMs, range.toMs].map((ms) => new Date(ms).toISOString());
    this.#options.log.info({ how, request, series, from, to, sizeBytes }, 'full-rate values left this machine');
  }

  /** Once a tick, after all values are in. */
  tick(now: Instant): void {
    const watch = this.#watch;
    if (watch === null) return;
    if (now.monotonicMs > watch.untilMonotonicMs) {
      this.#endWatch(now);
      return;
    }
    const { share } = this.#options;
    if (share !== undefined) {
      // Ticks are not exact: half of one early is in time.
      if (now.monotonicMs - watch.sentMs < share.everyMs - 500) return;
      watch.sentMs = now.monotonicMs;
      const refusal = share.refusal();
      if (refusal !== null) {
        this.#endWatch(now);
        this.#refuse(watch.request, now, refusal);
        return;
      }
    }
    // Looked up each time: the number of a series that is gone is given to another.
    for (let i = 0; i < watch.ids.length; i++) {
      const number = this.#options.numberOf(watch.ids[i]!);
      watch.values[i] = number < 0 ? Number.NaN : this.#options.latest(number);
    }
    watch.sentBytes += this.#answer(watch.request, now, { series: watch.ids, values: watch.values });
  }

  /**
   * Sends what is held of these series, in as many messages as it takes, one after the other: an hour of hundreds of
   * series is more than this process may have in memory. Resolves when it is sent, or could not be.
   */
  fetch(request: string, ids: readonly SeriesId[], fromMs: number, toMs: number, now: Instant): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) {
      this.#refuse(request, now, refusal);
      return Promise.resolve();
    }
    if (this.#fetchesWaiting >= FETCHES_WAITING) {
      this.#refuse(request, now, 'too much is fetched at once');
      return Promise.resolve();
    }
    this.#fetchesWaiting++;
    this.#fetching = this.#fetching
      .then(() => this.#sendHeld(request, ids, fromMs, toMs, now))
      .catch((problem: unknown) => this.#options.log.debug({ problem: messageOf(problem) }, 'fetch ended early'))
      .finally(() => {
        this.#fetchesWaiting--;
      });
    return this.#fetching;
  }

  async #sendHeld(
    request: string,
    ids: readonly SeriesId[],
    fromMs: number,
    toMs: number,
    now: Instant,
  ): Promise<void> {
    let blocks: LiveBlock[] = [];
    let size = 0;
    let sentBytes = 0;
    const flush = (last: boolean): Promise<void> => {
      const refusal = this.#options.share?.refusal() ?? null;
      if (refusal !== null) {
        this.#refuse(request, now, refusal);
        return Promise.reject(new Error(refusal));
      }
      const message = this.#message(request, now, { blocks, last });
      if (blocks.length > 0) sentBytes += message.length;
      blocks = [];
      size = 0;
      return this.#options.send(message);
    };
    try {
      for (const series of ids.slice(0, limits.watchedSeries)) {
        const number = this.#options.numberOf(series);
        if (number < 0) continue;
        const { timesMs, values } = this.#options.held(number, fromMs, toMs);
        for (let from = 0; from < timesMs.length; ) {
          const to = Math.min(timesMs.length, from + VALUES_PER_MESSAGE - size);
          blocks.push({
            series,
            timesMs: Array.from(timesMs.subarray(from, to), Math.round),
            values: Array.from(values.subarray(from, to)),
          });
          size += to - from;
          from = to;
          if (size >= VALUES_PER_MESSAGE) await flush(false);
        }
      }
      await flush(true);
    } finally {
      // What was sent before it failed has left, too.
      if (sentBytes > 0) this.#left('fetch', request, ids.slice(0, limits.watchedSeries), { fromMs, toMs }, sentBytes);
    }
  }

  #refusal(): string | null {
    const { raw, share } = this.#options;
    return raw === 'demand' ? (share?.refusal() ?? null) : `${RAW_STAYS} (its configuration says raw: ${raw})`;
  }

  #refuse(request: string, now: Instant, error: string): void {
    this.#options.log.info({ request, error }, 'full-rate values were asked for and refused');
    this.#answer(request, now, { last: true, error });
  }

  #answer(request: string, now: Instant, part: Partial<Live>): number {
    const message = this.#message(request, now, part);
    this.#options.send(message).catch((problem: unknown) => {
      this.#options.log.debug({ problem: messageOf(problem) }, 'live value could not be sent');
    });
    return message.length;
  }

  #message(request: string, now: Instant, part: Partial<Live>): Uint8Array {
    const message = {
      request,
      wallMs: Math.round(now.utcMs),
      series: [],
      values: [],
      blocks: [],
      last: false,
      error: '',
    };
    const payload = packPayload(encodeLive({ ...message, ...part }));
    this.#options.share?.spend(payload.length);
    return payload;
  }
}
