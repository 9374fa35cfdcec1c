/**
 * Series that vanish for good, against those that come and go by nature. An input says that a series is gone (a disk was
 * pulled, a process ended); whether that is usual follows from how often series of the metric went before, for as long
 * as they were watched in all (rule of succession), and from whether this one has come back before.
 *
 * Bounds: so many metrics are counted, so many that are gone are waited for, so many told at once.
 */
import type { Instant } from '../../shared/clock.ts';
import type { SeriesDefinition, SeriesId } from '../../shared/series.ts';
import type { Teller } from './teller.ts';
import { goneWords } from './words.ts';

/** It may come back for as long. */
const WAIT_MS = 60_000;
/** Told for as long. */
const TOLD_MS = 600_000;
/** What was here for less is no loss. */
const LEAST_HERE_MS = 3_600_000;
/** Once in about six days of one series. */
const BAR_BITS = 13;
/** Having come back so often, it comes and goes by nature. */
const USUAL_RETURNS = 2;
const MOST_METRICS = 512;
const MOST_GONE = 64;
const MOST_RETURNS = 256;
const MOST_TOLD = 8;

/** How long series of a metric were watched, in minutes of one of them, and how many went. */
export interface Watched {
  minutes: number;
  went: number;
}

interface Gone {
  readonly id: SeriesId;
  readonly definition: SeriesDefinition;
  readonly atMs: number;
  readonly hereMs: number;
  bits: number;
  judged: boolean;
}

export class GoneWatch {
  readonly #teller: Teller;
  readonly #watched = new Map<string, Watched>();
  readonly #gone = new Map<SeriesId, Gone>();
  readonly #returns = new Map<SeriesId, number>();
  #told = 0;

  constructor(teller: Teller) {
    this.#teller = teller;
  }

  /** So many series of the metric were here for a minute. */
  here(metric: string): void {
    let watched = this.#watched.get(metric);
    if (watched === undefined) {
      if (this.#watched.size >= MOST_METRICS) return;
      watched = { minutes: 0, went: 0 };
      this.#watched.set(metric, watched);
    }
    watched.minutes++;
  }

  /** The series is here, for the first time or again. */
  came(id: SeriesId, at: Instant): void {
    const gone = this.#gone.get(id);
    if (gone === undefined) return;
    this.#gone.delete(id);
    this.#end(gone, at);
    if (!gone.judged) return;
    const returns = (this.#returns.get(id) ?? 0) + 1;
    this.#returns.delete(id);
    if (this.#returns.size >= MOST_RETURNS) this.#returns.delete(this.#returns.keys().next().value!);
    this.#returns.set(id, returns);
  }

  /** Its input says that it is gone; it was here for as long. */
  went(id: SeriesId, definition: SeriesDefinition, hereMs: number, at: Instant): void {
    if (this.#gone.size >= MOST_GONE) return;
    this.#gone.set(id, { id, definition, atMs: at.monotonicMs, hereMs, bits: 0, judged: false });
  }

  /** Now and then. */
  look(at: Instant): void {
    for (const [id, gone] of this.#gone) {
      const sinceMs = at.monotonicMs - gone.atMs;
      if (sinceMs < WAIT_MS) continue;
      if (!gone.judged) this.#judge(gone);
      if (sinceMs >= TOLD_MS) {
        this.#end(gone, at);
        // Whether it comes back is worth knowing for as long as there is room.
        if (this.#gone.size > MOST_GONE / 2) this.#gone.delete(id);
      } else if (gone.bits >= BAR_BITS) {
        this.#tell(gone, at);
      }
    }
  }

  /** What was counted, for the next start. */
  *counts(): Iterable<readonly [metric: string, watched: Watched]> {
    yield* this.#watched;
  }

  /** What was counted before this start. */
  resume(metric: string, watched: Watched): void {
    if (this.#watched.size < MOST_METRICS) this.#watched.set(metric, watched);
  }

  #judge(gone: Gone): void {
    gone.judged = true;
    const watched = this.#watched.get(gone.definition.name);
    const usual = gone.hereMs < LEAST_HERE_MS || (this.#returns.get(gone.id) ?? 0) >= USUAL_RETURNS;
    if (watched === undefined) return;
    if (!usual) gone.bits = Math.log2((watched.minutes + 2) / (watched.went + 1));
    watched.went++;
  }

  #tell(gone: Gone, at: Instant): void {
    const id = idOf(gone);
    if (!this.#teller.tells(id)) {
      if (this.#told >= MOST_TOLD) return;
      this.#told++;
    }
    const { definition, atMs, hereMs, bits } = gone;
    this.#teller.say(id, at, () => ({
      detector: 'missing',
      series: gone.id,
      key: { name: definition.name, unit: definition.unit, attributes: definition.attributes },
      seen: null,
      expectedLow: null,
      expectedHigh: null,
      bits,
      intervalMs: 60_000,
      sinceMs: atMs,
      wrong: goneWords(definition, hereMs),
      advice: 'see whether a device was unplugged or has failed',
    }));
  }

  #end(gone: Gone, at: Instant): void {
    const id = idOf(gone);
    if (!this.#teller.tells(id)) return;
    this.#told--;
    this.#teller.end(id, at);
  }
}

function idOf(gone: Gone): string {
  return `gone/${gone.id}`;
}
