/**
 * The coverage of time, pure: for each day of an agent the minutes that windows cover, those that may still come, and
 * those that are missing, with the cause. It counts from the first minute that the agent ever covered to now.
 *
 * What is known is painted over a row of minutes, the weakest first, so that the cost is that of the minutes and of the
 * epochs, never of their product: starts without a word < gap records < what is pending < what is covered.
 */
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { SeqRanges } from '../../shared/wire/ranges.ts';
import { compareLedgers, type EpochLedger, gapCauseOf, lostWithMemory, pendingOf, VOLATILE_CAUSE } from './ledger.ts';
import type { CoverageDay, CoverageSpan, EpochId, MissingCause, TimeRange } from './store.ts';
import { missingCauses } from './store.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A span in which minutes that are not covered are missing for a known reason. */
export interface CausedSpan extends Span {
  readonly cause: MissingCause;
}

/** A gap record as it is stored. */
export interface StoredGap extends Span {
  readonly epoch: EpochId;
  readonly ranges: readonly (readonly [number, number])[];
  readonly cause: string;
}

export interface CoverageFacts {
  /** Spans of epochs that are placed between others: what they cover is covered at a guessed time. */
  readonly uncertain: readonly Span[];
  /** Spans in which records lie that are made and not here. */
  readonly pending: readonly Span[];
  readonly missing: readonly CausedSpan[];
}

const COVERED = 255;
const PENDING = 254;
const UNCERTAIN = 253;
const UNKNOWN: MissingCause = 'unknown';
/** Spans that a day is told in; its counts are exact all the same. */
const SPANS_PER_DAY = 288;
const MINUTES_PER_DAY = DAY_MS / MINUTE_MS;

/**
 * @param covers whether the minute (since 1970) is covered
 * @param firstMs when the agent's first covered minute began; null while there is none
 * @param nowMs later minutes are not there yet
 */
export function coverageOf(
  range: TimeRange,
  covers: (minute: number) => boolean,
  facts: CoverageFacts,
  firstMs: number | null,
  nowMs: number,
): CoverageDay[] {
  if (firstMs === null) return [];
  const from = Math.floor(Math.max(range.fromMs, firstMs) / MINUTE_MS);
  const to = Math.floor(Math.min(range.toMs, nowMs) / MINUTE_MS);
  if (to <= from) return [];
  const minutes = new Uint8Array(to - from);
  const paint = (spans: readonly Span[], code: number): void => {
    for (const { fromMs, toMs } of merged(spans)) {
      const first = Math.max(0, Math.floor(fromMs / MINUTE_MS) - from);
      const end = Math.min(minutes.length, Math.ceil(toMs / MINUTE_MS) - from);
      if (end > first) minutes.fill(code, first, end);
    }
  };
  missingCauses.forEach((cause, i) => {
    paint(
      facts.missing.filter((span) => span.cause === cause),
      i + 1,
    );
  });
  paint(facts.pending, PENDING);
  paintCovered(minutes, from, covers, facts.uncertain);

  const days: CoverageDay[] = [];
  for (let start = from; start < to; ) {
    const day = Math.floor(start / MINUTES_PER_DAY);
    const end = Math.min(to, (day + 1) * MINUTES_PER_DAY);
    days.push(dayOf(day * DAY_MS, start, minutes.subarray(start - from, end - from)));
    start = end;
  }
  return days;
}

function paintCovered(
  minutes: Uint8Array,
  from: number,
  covers: (minute: number) => boolean,
  uncertain: readonly Span[],
): void {
  const spans = merged(uncertain);
  let next = 0;
  for (let i = 0; i < minutes.length; i++) {
    const startMs = (from + i) * MINUTE_MS;
    while (next < spans.length && spans[next]!.toMs <= startMs) next++;
    const unsure = next < spans.length && spans[next]!.fromMs < startMs + MINUTE_MS;
    if (covers(from + i)) minutes[i] = unsure ? UNCERTAIN : COVERED;
  }
}

function dayOf(dayMs: number, firstMinute: number, minutes: Uint8Array): CoverageDay {
  const count = { covered: 0, pending: 0, missing: 0 };
  const missingByCause: Partial<Record<MissingCause, number>> = {};
  const spans: CoverageSpan[] = [];
  let uncertain = 0;
  for (let i = 0; i < minutes.length; ) {
    const code = minutes[i]!;
    let end = i + 1;
    while (end < minutes.length && minutes[end] === code) end++;
    const unsure = code === UNCERTAIN;
    if (unsure) uncertain += end - i;
    const state = code === COVERED || unsure ? 'covered' : code === PENDING ? 'pending' : 'missing';
    const cause = state === 'missing' ? (missingCauses[code - 1] ?? UNKNOWN) : null;
    count[state] += end - i;
    if (cause !== null) missingByCause[cause] = (missingByCause[cause] ?? 0) + end - i;
    const at = { fromMs: (firstMinute + i) * MINUTE_MS, toMs: (firstMinute + end) * MINUTE_MS };
    const span: CoverageSpan = unsure ? { ...at, state, cause, uncertain: true } : { ...at, state, cause };
    if (spans.length < SPANS_PER_DAY) spans.push(span);
    i = end;
  }
  return { dayMs, ...count, ...(uncertain > 0 && { uncertain }), missingByCause, spans };
}

/** Spans in order, those that touch joined. */
function merged(spans: readonly Span[]): Span[] {
  const out: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = out.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else if (toMs > fromMs) out.push({ fromMs, toMs });
  }
  return out;
}

/** Ranges of seqs that are looked at, of one epoch and of all; beyond them an epoch's whole time is pending. */
const MOST_RANGES = 256;
const MOST_RANGES_IN_ALL = 4096;
/** Gap records without a time of their own that are looked up by their neighbours. */
const MOST_TIMELESS_GAPS = 1024;

/** Times of the nearest settled seqs. */
export interface Neighbours {
  before(epoch: EpochId, seq: number): Promise<number | null>;
  after(epoch: EpochId, seq: number): Promise<number | null>;
}

/** All that is known of the minutes that no window covers. */
export async function factsOf(
  ledgers: readonly EpochLedger[],
  gaps: readonly StoredGap[],
  nowMs: number,
  neighbours: Neighbours,
): Promise<CoverageFacts> {
  const inOrder = [...ledgers].sort(compareLedgers);
  return {
    uncertain: ledgers
      .filter(({ undated }) => undated > 0)
      .map(({ firstMs, lastMs }) => ({ fromMs: firstMs, toMs: lastMs })),
    pending: [...(await seqSpans(inOrder, pendingOf, nowMs, neighbours)), sinceHeard(ledgers, nowMs)],
    missing: [
      ...restarts(inOrder),
      ...(await seqSpans(inOrder, lostWithMemory, nowMs, neighbours)).map((span) => ({
        ...span,
        cause: VOLATILE_CAUSE,
      })),
      ...(await gapSpans(gaps, earliestOf(ledgers), neighbours)),
    ],
  };
}

/** After the last that was heard of the agent: what it made since may be on its way. */
function sinceHeard(ledgers: readonly EpochLedger[], nowMs: number): Span {
  const fromMs = ledgers.reduce((latest, { lastMs }) => Math.max(latest, lastMs), 0);
  return { fromMs, toMs: Math.max(fromMs, nowMs) };
}

/**
 * Where records lie in time that are not here: between the settled neighbours of their seqs; before the first to the
 * epoch before, after the last to the next epoch.
 */
async function seqSpans(
  inOrder: readonly EpochLedger[],
  seqsOf: (ledger: EpochLedger) => SeqRanges,
  nowMs: number,
  neighbours: Neighbours,
): Promise<Span[]> {
  const nextFirst: number[] = new Array(inOrder.length);
  let next = nowMs;
  for (let i = inOrder.length - 1; i >= 0; i--) {
    nextFirst[i] = next;
    if (inOrder[i]!.firstMs > 0) next = inOrder[i]!.firstMs;
  }
  let earliest = 0;
  let looked = 0;
  const spans: Span[] = [];
  for (const [i, ledger] of inOrder.entries()) {
    const seqs = seqsOf(ledger);
    if (seqs.length > 0) {
      const few = seqs.length <= MOST_RANGES && looked + seqs.length <= MOST_RANGES_IN_ALL;
      looked += few ? seqs.length : 1;
      const nextMs = ledger.volatile ? firstAfter(inOrder, ledger.lastMs, nowMs) : nextFirst[i]!;
      for (const [from, to] of few ? seqs : ([[1, ledger.made]] as const)) {
        const fromMs = (await neighbours.before(ledger.epoch, from)) ?? earliest;
        const toMs = (await neighbours.after(ledger.epoch, to)) ?? Math.max(nextMs, ledger.lastMs);
        if (toMs > fromMs) spans.push({ fromMs, toMs });
      }
    }
    earliest = Math.max(earliest, ledger.lastMs);
  }
  return spans;
}

/** When the next epoch began: one in memory has no place in the order of starts that is known for certain. */
function firstAfter(ledgers: readonly EpochLedger[], afterMs: number, nowMs: number): number {
  return ledgers.reduce((next, { firstMs }) => (firstMs > afterMs ? Math.min(next, firstMs) : next), nowMs);
}

/** Between the last record of an epoch and the first of the next: what ended the one. */
function restarts(inOrder: readonly EpochLedger[]): CausedSpan[] {
  const out: CausedSpan[] = [];
  let before: EpochLedger | null = null;
  for (const ledger of inOrder) {
    if (ledger.firstMs === 0) continue;
    if (ledger.volatile) {
      out.push({ fromMs: ledger.firstMs, toMs: ledger.lastMs, cause: 'volatile' });
      continue;
    }
    // The first window of a start ends up to a minute after its first record.
    if (before !== null) {
      out.push({ fromMs: before.lastMs, toMs: ledger.firstMs + MINUTE_MS, cause: endOf(before, ledger) });
    }
    if (before === null || ledger.lastMs >= before.lastMs) before = ledger;
  }
  return out;
}

function endOf(ended: EpochLedger, next: EpochLedger): MissingCause {
  if (ended.undated > 0 || next.undated > 0) return 'clock';
  if (ended.stoppedMs > 0) return 'stopped';
  if (ended.boot === null || next.boot === null) return UNKNOWN;
  return ended.boot === next.boot ? 'crash' : 'power_cut';
}

function earliestOf(ledgers: readonly EpochLedger[]): number {
  return ledgers.reduce((least, { firstMs }) => (firstMs > 0 ? Math.min(least, firstMs) : least), Infinity);
}

/**
 * What gap records name, in the time that they say. Where they say none, or one from before the agent's first record (a
 * clock that began in 1970), it lies between the neighbours of their seqs.
 */
async function gapSpans(gaps: readonly StoredGap[], earliestMs: number, neighbours: Neighbours): Promise<CausedSpan[]> {
  const out: CausedSpan[] = [];
  let timeless = 0;
  for (const { epoch, ranges, fromMs, toMs, cause } of gaps) {
    const named = { cause: gapCauseOf(cause) };
    if (fromMs > 0 && toMs > fromMs && toMs >= earliestMs) out.push({ fromMs, toMs, ...named });
    else if (timeless++ < MOST_TIMELESS_GAPS) {
      const first = ranges[0]?.[0];
      const last = ranges.at(-1)?.[1];
      const before = first === undefined ? null : await neighbours.before(epoch, first);
      const after = last === undefined ? null : await neighbours.after(epoch, last);
      if (before !== null && after !== null && after > before) out.push({ fromMs: before, toMs: after, ...named });
    }
  }
  return out;
}
