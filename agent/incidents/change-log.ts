/** What the agent hears of changes, put into words and kept for a while: the feed of `RecentChanges`. */
import type { Change, ChangeKind } from '../../shared/findings.ts';
import type { SeriesKey } from '../../shared/series.ts';
import { seriesChange, stateChange, type TopProcesses, youngProcesses } from './change-words.ts';
import { RecentChanges } from './changes.ts';

/** At the agent's own start all its series come; that is no change of the machine. */
const SETTLE_MS = 60_000;
/** A boot this long ago may have to do with what is unusual now. */
const BOOT_MS = 15 * 60_000;

export class ChangeLog {
  readonly #recent = new RecentChanges();
  readonly #settledAtMs: number;

  /** @param startedMs monotonic, which counts from the boot */
  constructor(startedMs: number) {
    this.#settledAtMs = startedMs + SETTLE_MS;
    if (startedMs <= BOOT_MS) this.#recent.add('boot', 'the machine started', 0);
    this.#recent.add('agent', 'the Picket agent started', startedMs);
  }

  /** The agent applied something of its own: a model, a configuration. */
  applied(kind: ChangeKind, text: string, monotonicMs: number): void {
    this.#recent.add(kind, text, monotonicMs);
  }

  state(key: SeriesKey, from: string | null, to: string, monotonicMs: number): void {
    const change = stateChange(key, from, to);
    if (change !== null) this.#recent.add(change.kind, change.text, monotonicMs);
  }

  series(key: SeriesKey, came: boolean, monotonicMs: number): void {
    if (monotonicMs < this.#settledAtMs) return;
    const change = seriesChange(key, came);
    if (change !== null) this.#recent.add(change.kind, change.text, monotonicMs);
  }

  /** The processes that use most: those that began lately. */
  top(top: TopProcesses, monotonicMs: number): void {
    for (const { kind, text, ageS } of youngProcesses(top)) this.#recent.add(kind, text, monotonicMs - ageS * 1000);
  }

  /** The idea of UTC moved. */
  clock(byMs: number, monotonicMs: number): void {
    const seconds = Math.round(byMs / 1000);
    this.#recent.add('clock', `the time was corrected by ${seconds} s`, monotonicMs);
  }

  /** See `RecentChanges.before`. */
  before(monotonicMs: number, offsetMs: number): Change[] {
    return this.#recent.before(monotonicMs, offsetMs);
  }
}
