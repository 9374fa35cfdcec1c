/**
 * Full-rate values of the series that somebody sees right now: one stream a machine, for all charts on the screen.
 * Kept for as long as the shortest range shows, so that a chart that is scrolled back into view has them.
 */
import { cell } from '../cell.ts';
import { openStream } from '../stream.ts';

/** `limits.watchedSeries` of the API. */
const MOST_SERIES = 256;
const KEPT_MS = 20 * 60_000;
/** Charts come into view together; the stream is opened once for them. */
const SETTLE_MS = 250;
/** After so long without a tick it is not live. */
const STALE_MS = 5_000;

interface LiveTick {
  readonly timeMs: number;
  readonly series: readonly string[];
  readonly values: readonly (number | null)[];
}

export interface LiveValues {
  readonly timesMs: number[];
  readonly values: (number | null)[];
}

export class LiveFeed {
  /** Whether values come in. */
  readonly flowing = cell(false);
  /** Why not, when the central says so. */
  readonly trouble = cell('');
  /** Time of the latest tick, Unix ms. */
  latestMs = 0;
  readonly #agent: string;
  readonly #wanted = new Map<string, number>();
  readonly #kept = new Map<string, LiveValues>();
  readonly #listeners = new Set<() => void>();
  #open = new Set<string>();
  #close: (() => void) | null = null;
  #settling = 0;
  #staleTimer = 0;

  constructor(agent: string) {
    this.#agent = agent;
  }

  /** Streams these series until the returned function is called. */
  want(ids: readonly string[]): () => void {
    for (const id of ids) this.#wanted.set(id, (this.#wanted.get(id) ?? 0) + 1);
    this.#settle();
    return () => {
      for (const id of ids) {
        const left = (this.#wanted.get(id) ?? 1) - 1;
        if (left > 0) this.#wanted.set(id, left);
        else this.#wanted.delete(id);
      }
      this.#settle();
    };
  }

  values(id: string): LiveValues | undefined {
    return this.#kept.get(id);
  }

  onTick(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  end(): void {
    clearTimeout(this.#settling);
    clearTimeout(this.#staleTimer);
    this.#close?.();
    this.#close = null;
    this.#wanted.clear();
    this.#listeners.clear();
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => this.#reopen(), SETTLE_MS);
  }

  #reopen(): void {
    const ids = [...this.#wanted.keys()].slice(0, MOST_SERIES);
    if (ids.length === this.#open.size && ids.every((id) => this.#open.has(id))) return;
    this.#close?.();
    this.#close = null;
    this.#open = new Set(ids);
    if (ids.length === 0) return;
    this.#close = openStream(`/agents/${this.#agent}/live?series=${ids.join(',')}`, {
      on: {
        tick: (data) => this.#take(data as LiveTick),
        problem: (data) => this.trouble.set((data as { detail?: string }).detail ?? 'The machine does not stream.'),
      },
      onLost: () => this.flowing.set(false),
    });
  }

  #take(tick: LiveTick): void {
    tick.series.forEach((id, i) => {
      const kept = this.#kept.get(id) ?? { timesMs: [], values: [] };
      this.#kept.set(id, kept);
      const before = kept.timesMs.at(-1);
      if (before !== undefined && tick.timeMs <= before) return;
      kept.timesMs.push(tick.timeMs);
      kept.values.push(tick.values[i] ?? null);
      if (kept.timesMs.length % 64 === 0) forget(kept, tick.timeMs - KEPT_MS);
    });
    this.latestMs = Math.max(this.latestMs, tick.timeMs);
    this.trouble.set('');
    this.flowing.set(true);
    clearTimeout(this.#staleTimer);
    this.#staleTimer = window.setTimeout(() => this.flowing.set(false), STALE_MS);
    for (const listener of this.#listeners) listener();
  }
}

function forget(kept: LiveValues, beforeMs: number): void {
  const first = kept.timesMs.findIndex((ms) => ms >= beforeMs);
  if (first <= 0) return;
  kept.timesMs.splice(0, first);
  kept.values.splice(0, first);
}
