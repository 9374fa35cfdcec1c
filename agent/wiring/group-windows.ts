/** What becomes of a group's window features: hours of co-moments for the central, and the model that it made of them. */
import type { Clock, Instant } from '../../shared/clock.ts';
import type { Finding } from '../../shared/findings.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import type { SeriesNumber } from '../../shared/series.ts';
import { encodeCoMoments, type GroupCoMoments } from '../../shared/wire/codec.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { GroupMoments } from '../groups/moments.ts';
import type { GroupStage } from '../groups.ts';
import { GroupModelStage } from '../models/group-models.ts';
import type { Recorder } from '../recorder.ts';
import type { SeriesRegistry } from '../series.ts';
import type { UplinkBudget } from '../uplink/budget.ts';
import type { ClosedWindow } from '../windows.ts';

/** Until then series are still on their way: a device may take its time to be found. */
const KNOWN_MS = 10 * MINUTE_MS;

export interface GroupWindowsOptions {
  readonly limit: number;
  readonly windowMs: number;
  readonly groups: GroupStage;
  readonly registry: SeriesRegistry;
  readonly recorder: Recorder;
  readonly budget: UplinkBudget | null;
  readonly clock: Clock;
  readonly now: () => Instant;
  readonly onFinding: (finding: Finding, at: Instant) => void;
  readonly onBroken: (slot: string, reason: string) => void;
}

export class GroupWindows {
  readonly models: GroupModelStage;
  readonly #moments: GroupMoments;
  readonly #options: GroupWindowsOptions;

  constructor(options: GroupWindowsOptions) {
    const { limit, windowMs, groups, registry, clock, now, onFinding, onBroken } = options;
    this.#options = options;
    const startedMs = clock.monotonicMs();
    this.#moments = new GroupMoments({
      limit,
      windowMs,
      groups: () => groups.watched(),
      utcOf: (monotonicMs) => {
        const at = now();
        return at.utcMs - (at.monotonicMs - monotonicMs);
      },
      onSet: (set) => this.#record(set),
    });
    this.models = new GroupModelStage({
      windowMs,
      series: registry,
      allKnown: () => clock.monotonicMs() - startedMs > KNOWN_MS,
      onFinding,
      onBroken,
      clockMs: () => clock.monotonicMs(),
    });
  }

  /** A window ended: column i is series `numbers[i]`. */
  closed(numbers: readonly SeriesNumber[], columns: WindowColumns, window: ClosedWindow): void {
    this.#moments.closed(numbers, columns, window);
    this.models.score(numbers, columns, window);
  }

  /** At a clean stop. */
  finish(): void {
    this.#moments.finish();
  }

  /** An hour of a group, as far as the uplink's plan has room for it. */
  #record(set: GroupCoMoments): void {
    const { recorder, budget } = this.#options;
    const body = encodeCoMoments(set);
    if (budget?.takesCoMoments(set.group, body.length) === false) return;
    const toWallMs = set.endWallMs;
    void recorder.append('co_moments', body, 'detail', { fromWallMs: toWallMs - set.lengthMs, toWallMs });
  }
}
