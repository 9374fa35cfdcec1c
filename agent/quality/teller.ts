/**
 * What is wrong with data is said when it is found, again every half minute while it lasts, and once more when it is
 * over. Bounded: beyond so many troubles at once further ones wait until one is over.
 */
import type { Instant } from '../../shared/clock.ts';
import type { Finding, Member, Severity } from '../../shared/findings.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { SeriesId, SeriesKey } from '../../shared/series.ts';

const REPEAT_MS = 30_000;
const MOST_TROUBLES = 128;
/** Return periods are told up to a thousand years, far beyond what is ever said. */
const LONGEST_RETURN_MS = 1000 * 365 * DAY_MS;

/** One thing that is wrong with the data of a series. */
export interface Trouble {
  readonly detector: string;
  readonly series: SeriesId;
  readonly key: SeriesKey;
  readonly seen: number | null;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  readonly bits: number;
  /** How often it is looked at. */
  readonly intervalMs: number;
  /** Monotonic. */
  readonly sinceMs: number;
  /** In words, the series named. */
  readonly wrong: string;
  readonly advice?: string;
  readonly severity?: Severity;
  readonly members?: readonly Member[];
}

export class Teller {
  readonly #onFinding: (finding: Finding, at: Instant) => void;
  readonly #active = new Map<string, { trouble: Trouble; saidMs: number; lastMs: number }>();

  constructor(onFinding: (finding: Finding, at: Instant) => void) {
    this.#onFinding = onFinding;
  }

  /** Whether it is being told. */
  tells(id: string): boolean {
    return this.#active.has(id);
  }

  /** It is so now. `make` is asked only when it is to be said; `id` tells it apart from all else. */
  say(id: string, at: Instant, make: () => Trouble): void {
    const known = this.#active.get(id);
    if (known === undefined && this.#active.size >= MOST_TROUBLES) return;
    if (known !== undefined) known.lastMs = at.monotonicMs;
    if (known !== undefined && at.monotonicMs - known.saidMs < REPEAT_MS) return;
    const made = make();
    const sinceMs = Math.min(made.sinceMs, known?.trouble.sinceMs ?? made.sinceMs);
    const trouble = { ...made, sinceMs };
    this.#active.set(id, { trouble, saidMs: at.monotonicMs, lastMs: at.monotonicMs });
    this.#onFinding(findingOf(trouble, at.monotonicMs, at), at);
  }

  /** It is so no longer, if it was. */
  end(id: string, at: Instant): void {
    const known = this.#active.get(id);
    if (known === undefined) return;
    this.#active.delete(id);
    this.#onFinding({ ...findingOf(known.trouble, known.lastMs, at), ended: true }, at);
  }
}

function findingOf(trouble: Trouble, lastMs: number, at: Instant): Finding {
  const offsetMs = at.utcMs - at.monotonicMs;
  const { sinceMs, bits, intervalMs } = trouble;
  return {
    ...trouble,
    tier: 'full',
    sinceMs: sinceMs + offsetMs,
    lastMs: lastMs + offsetMs,
    returnPeriodMs: Math.min(LONGEST_RETURN_MS, intervalMs * 2 ** bits),
  };
}
