/**
 * Which windows of which series a trainer may see, and how much each counts. The one place that decides it:
 *
 *   left out       windows that are not whole or of too few samples; of guessed time; of planned work; of what operators
 *                  called real or planned (of series that took part: all of it; of the others its first hours, as what
 *                  lasts longer is by then how they are); absurd values; what was before a series' meaning changed;
 *                  an unlabelled incident of a series that took part, while it is long and not yet older than some days
 *   counts less    any other unlabelled incident, of the series that took part: most are false alarms, so that leaving
 *                  them out would make the next model as surprised as this one; some are faults, so they count little
 *   counts fully   what operators called a false alarm: it is usual, whatever was found in it
 *
 * Nothing is made up: a gap stays a gap. Works on one series' columns at a time.
 */
import { isWholeWindow } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { SeriesColumns, SummaryBlock, TimeRange } from '../store/store.ts';
import type { Knowledge } from './knowledge.ts';
import { type MeaningChange, meaningChange } from './meaning.ts';
import { MAD_TO_DEVIATION, medianDistance, medianOf, quantileOf, sorted } from './robust.ts';
import type { TrainingBlock } from './trainer.ts';

/** A real incident is left out of the history of series that had no part in it for as long. */
const ALL_SERIES_MS = 6 * HOUR_MS;
/** What was found began a little before it was found: as many windows around an incident go with it. */
const AROUND_WINDOWS = 2;
/** An unlabelled incident is long from here on, */
const LONG_MS = 6 * HOUR_MS;
/** and after so long it is how the machine is: nobody said otherwise, and no model would be left with anything. */
const SETTLED_MS = 3 * DAY_MS;
/** How much windows of an unlabelled incident count. */
const UNLABELLED_TRUST = 0.3;
/** Share of the usual samples that a window must have. */
const LEAST_SAMPLES = 0.5;
/** So many times the usual range away from the middle is no value of this series, where no more than so many are. */
const ABSURD = 100;
const ABSURD_SHARE = 0.005;
/** Fewer windows say nothing of what is absurd or changed. */
const LEAST_WINDOWS = 60;

export const causes = ['partial', 'uncertain', 'planned', 'real', 'unlabelled', 'absurd', 'meaning'] as const;
export type Cause = (typeof causes)[number];

export interface Prepared {
  /** Null: nothing is left of it. */
  readonly block: TrainingBlock | null;
  readonly leftOut: Readonly<Partial<Record<Cause, number>>>;
  readonly change: MeaningChange | null;
}

type ColumnName = Exclude<keyof SeriesColumns, 'series'>;
const columnNames: readonly ColumnName[] = [
  'timesMs',
  'lengthsMs',
  'count',
  'mean',
  'deviation',
  'min',
  'max',
  'last',
  'anomalyShare',
  'highestScore',
];

export function preprocess(block: SummaryBlock, knowledge: Knowledge, windowMs: number): Prepared {
  const rows = block.timesMs.length;
  const left = new Array<Cause | undefined>(rows);
  const trust = new Float64Array(rows).fill(1);
  const usual = new Uint8Array(rows);
  const leave = (range: TimeRange, cause: Cause): void => {
    eachRow(block, range, (i) => {
      left[i] ??= cause;
    });
  };

  const markUsual = (range: TimeRange): void => {
    eachRow(block, range, (i) => {
      usual[i] = 1;
    });
  };
  const distrust = (range: TimeRange): void => {
    eachRow(block, range, (i) => {
      trust[i] = UNLABELLED_TRUST;
    });
  };

  leavePartial(block, windowMs, left);
  for (const range of knowledge.uncertain) leave(range, 'uncertain');
  for (const { cause, ...range } of saidTime(block.series, knowledge, windowMs)) leave(range, cause);
  const around = (range: TimeRange): TimeRange => widened(range, windowMs);
  for (const { verdict, series, ...span } of knowledge.incidents) {
    const { fromMs, toMs } = around(span);
    const own = series.get(block.series);
    const part = own && around(own);
    if (verdict === 'planned' || verdict === 'real' || part === undefined) continue;
    if (verdict === 'false_alarm') markUsual(part);
    else if (span.toMs - span.fromMs > LONG_MS) {
      leave({ fromMs, toMs: Math.min(toMs, span.fromMs + SETTLED_MS) }, 'unlabelled');
    } else distrust(part);
  }
  for (let i = 0; i < rows; i++) {
    if (usual[i] === 0) continue;
    trust[i] = 1;
    if (left[i] === 'unlabelled') left[i] = undefined;
  }
  const change = leaveOtherMeaning(block, left);
  leaveAbsurd(block, left, usual);
  return { ...compact(block, left, trust, usual, knowledge), change };
}

/** Time of a series that operators planned, or said of that it was a real fault or planned work. */
export function saidTime(
  series: string,
  { planned, incidents }: Pick<Knowledge, 'planned' | 'incidents'>,
  windowMs: number,
): (TimeRange & { readonly cause: 'planned' | 'real' })[] {
  const said: (TimeRange & { readonly cause: 'planned' | 'real' })[] = [];
  for (const { fromMs, toMs } of planned) said.push({ fromMs, toMs, cause: 'planned' });
  for (const { verdict, series: parts, ...span } of incidents) {
    if (verdict !== 'planned' && verdict !== 'real') continue;
    const { fromMs, toMs } = widened(span, windowMs);
    const short = verdict === 'real' && !parts.has(series);
    said.push({ fromMs, toMs: short ? Math.min(toMs, span.fromMs + ALL_SERIES_MS) : toMs, cause: verdict });
  }
  return said;
}

function widened({ fromMs, toMs }: TimeRange, windowMs: number): TimeRange {
  const aroundMs = AROUND_WINDOWS * windowMs;
  return { fromMs: fromMs - aroundMs, toMs: toMs + aroundMs };
}

function leavePartial(block: SummaryBlock, windowMs: number, left: (Cause | undefined)[]): void {
  const whole: number[] = [];
  for (let i = 0; i < left.length; i++) {
    if (isWholeWindow(block.lengthsMs[i]!, windowMs) && block.count[i]! > 0 && Number.isFinite(block.mean[i]!)) {
      whole.push(block.count[i]!);
    } else left[i] = 'partial';
  }
  const least = LEAST_SAMPLES * medianOf(whole);
  for (let i = 0; i < left.length; i++) if (block.count[i]! < least) left[i] ??= 'partial';
}

/** Of two meanings the newer one is learned. Coarser steps are another reading of the same. */
function leaveOtherMeaning(block: SummaryBlock, left: (Cause | undefined)[]): MeaningChange | null {
  const kept = keptRows(left);
  if (kept.length < LEAST_WINDOWS) return null;
  const column = (name: 'timesMs' | 'mean' | 'min') => picked(block[name], kept);
  const change = meaningChange({ timesMs: column('timesMs'), mean: column('mean'), min: column('min') });
  if (change === null || change.kind === 'resolution') return change;
  for (const i of kept) if (block.timesMs[i]! < change.atMs) left[i] = 'meaning';
  return change;
}

/** What a broken sensor or a wrapped counter said once: far beyond any burst that the series is used to. */
function leaveAbsurd(block: SummaryBlock, left: (Cause | undefined)[], usual: Uint8Array): void {
  const kept = keptRows(left);
  if (kept.length < LEAST_WINDOWS) return;
  const values = sorted(picked(block.mean, kept));
  const centre = quantileOf(values, 0.5);
  const spread = Math.max(
    MAD_TO_DEVIATION * medianDistance(values, centre),
    (quantileOf(values, 0.99) - quantileOf(values, 0.01)) / 4.65,
    1e-3 * Math.abs(centre),
  );
  if (!(spread > 0)) return;
  const absurd = kept.filter((i) => usual[i] === 0 && Math.abs(block.mean[i]! - centre) > ABSURD * spread);
  if (absurd.length > ABSURD_SHARE * kept.length) return;
  for (const i of absurd) left[i] = 'absurd';
}

function compact(
  block: SummaryBlock,
  left: readonly (Cause | undefined)[],
  trust: Float64Array,
  usual: Uint8Array,
  { elsewhere, incidents }: Knowledge,
): Pick<Prepared, 'block' | 'leftOut'> {
  const kept = keptRows(left);
  const leftOut: Partial<Record<Cause, number>> = {};
  for (const cause of left) if (cause !== undefined) leftOut[cause] = (leftOut[cause] ?? 0) + 1;
  if (kept.length === 0) return { block: null, leftOut };
  const all = kept.length === left.length;
  const pick = (values: Float64Array): Float64Array => (all ? values : picked(values, kept));
  const columns = Object.fromEntries(columnNames.map((name) => [name, pick(block[name])])) as Record<
    ColumnName,
    Float64Array
  >;
  const others = elsewhere.get(block.series);
  const together = incidents.flatMap(({ verdict, groups = [] }) =>
    verdict === 'false_alarm' ? groups.filter(({ series }) => series.includes(block.series)) : [],
  );
  const out: TrainingBlock = {
    ...block,
    ...columns,
    ...(kept.some((i) => trust[i] !== 1) && { trust: pick(trust) }),
    ...(kept.some((i) => usual[i] === 1) && { usual: Uint8Array.from(kept, (i) => usual[i]!) }),
    ...(others !== undefined && { elsewhere: others }),
    ...(together.length > 0 && { together }),
  };
  return { block: out, leftOut };
}

function picked(values: Float64Array, rows: readonly number[]): Float64Array {
  if (rows.length === values.length) return values;
  const out = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i]!]!;
  return out;
}

function keptRows(left: readonly (Cause | undefined)[]): number[] {
  const out: number[] = [];
  for (let i = 0; i < left.length; i++) if (left[i] === undefined) out.push(i);
  return out;
}

/** The windows that have some of that time. Their ends rise, so that few are looked at. */
function eachRow({ timesMs, lengthsMs }: SummaryBlock, { fromMs, toMs }: TimeRange, visit: (i: number) => void): void {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timesMs[middle]! > fromMs) high = middle;
    else low = middle + 1;
  }
  for (let i = low; i < timesMs.length && timesMs[i]! - lengthsMs[i]! <= toMs; i++) visit(i);
}
