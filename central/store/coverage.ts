/**
 * The coverage of time, pure: for each day of an agent the minutes that windows cover, those that may still come, and
 * those that are missing. It counts from the first minute that the agent ever covered to now.
 */
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import { compareLedgers, type EpochLedger, pendingOf } from './ledger.ts';
import type { CoverageDay, EpochId, TimeRange } from './store.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * @param covers whether the minute (since 1970) is covered
 * @param pending spans in which records lie that are made and not here
 * @param firstMs when the agent's first covered minute began; null while there is none
 * @param nowMs later minutes are not there yet
 */
export function coverageOf(
  range: TimeRange,
  covers: (minute: number) => boolean,
  pending: readonly Span[],
  firstMs: number | null,
  nowMs: number,
): CoverageDay[] {
  if (firstMs === null) return [];
  const from = Math.floor(Math.max(range.fromMs, firstMs) / MINUTE_MS);
  const to = Math.floor(Math.min(range.toMs, nowMs) / MINUTE_MS);
  const days: CoverageDay[] = [];
  const perDay = DAY_MS / MINUTE_MS;
  for (let start = from; start < to; ) {
    const day = Math.floor(start / perDay);
    const end = Math.min(to, (day + 1) * perDay);
    let covered = 0;
    let open = 0;
    for (let minute = start; minute < end; minute++) {
      if (covers(minute)) covered++;
      else if (pending.some(({ fromMs, toMs }) => minute * MINUTE_MS < toMs && (minute + 1) * MINUTE_MS > fromMs))
        open++;
    }
    days.push({ dayMs: day * DAY_MS, covered, pending: open, missing: end - start - covered - open });
    start = end;
  }
  return days;
}

/** Ranges of pending seqs that are looked at; beyond them an epoch's whole time counts as pending. */
const MOST_RANGES = 256;

/**
 * Where pending records lie in time: between the settled neighbours of their seqs; before the first to the epoch
 * before, after the last to the next epoch. And after the last that was heard of the agent: what it made since may be
 * on its way.
 */
export async function pendingSpans(
  ledgers: readonly EpochLedger[],
  nowMs: number,
  neighbours: {
    before(epoch: EpochId, seq: number): Promise<number | null>;
    after(epoch: EpochId, seq: number): Promise<number | null>;
  },
): Promise<Span[]> {
  const inOrder = [...ledgers].sort(compareLedgers);
  const lastMs = Math.max(0, ...ledgers.map((ledger) => ledger.lastMs));
  const spans: Span[] = [{ fromMs: lastMs, toMs: Math.max(lastMs, nowMs) }];
  for (const [i, ledger] of inOrder.entries()) {
    const pending = pendingOf(ledger);
    if (pending.length === 0) continue;
    const earliest = Math.max(0, ...inOrder.slice(0, i).map((before) => before.lastMs));
    const next = inOrder.slice(i + 1).find((after) => after.firstMs > 0)?.firstMs ?? Math.max(nowMs, ledger.lastMs);
    const ranges = pending.length <= MOST_RANGES ? pending : ([[1, ledger.made]] as const);
    for (const [from, to] of ranges) {
      const fromMs = (await neighbours.before(ledger.epoch, from)) ?? earliest;
      const toMs = (await neighbours.after(ledger.epoch, to)) ?? next;
      if (toMs > fromMs) spans.push({ fromMs, toMs });
    }
  }
  return spans;
}
