/**
 * What a model is judged on: the windows of one series, or of all members of a group side by side, as the detector takes
 * them. The one place where a detector is run over history: score, then learn, as on an agent.
 */
import { emptyVerdict, type Verdict } from '../../shared/detect/detector.ts';
import { isWholeWindow } from '../../shared/detect/seasonal.ts';
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { ModelKind } from '../train/kind.ts';

export interface Course {
  /** What the model has parameters by: a series, or a group. */
  readonly id: SeriesId;
  readonly key: SeriesKey;
  readonly members: readonly SeriesId[];
  /** Ends of the windows, rising. */
  readonly endsMs: Float64Array;
  /** A column for each member; NaN is missing. */
  readonly values: readonly Float64Array[];
}

/** The whole windows of a series; null where there are none. */
export function courseOf(block: SummaryBlock, windowMs: number): Course | null {
  const rows: number[] = [];
  for (let i = 0; i < block.timesMs.length; i++) {
    if (isWholeWindow(block.lengthsMs[i]!, windowMs) && Number.isFinite(block.mean[i]!)) rows.push(i);
  }
  if (rows.length === 0) return null;
  const { series: id, key } = block;
  const all = rows.length === block.timesMs.length;
  const pick = (from: Float64Array): Float64Array => (all ? from : Float64Array.from(rows, (i) => from[i]!));
  return { id, key, members: [id], endsMs: pick(block.timesMs), values: [pick(block.mean)] };
}

/** Courses of a kind: its own where it joins series, else one a series. */
export async function* coursesOf<P>(
  kind: ModelKind<P>,
  models: readonly ReadonlyMap<SeriesId, P>[],
  blocks: AsyncIterable<SummaryBlock>,
  windowMs: number,
): AsyncIterable<Course> {
  if (kind.courses !== undefined) {
    yield* kind.courses(models, blocks, windowMs);
    return;
  }
  for await (const block of blocks) {
    const known = models.some((model) => model.has(block.series));
    const course = known ? courseOf(block, windowMs) : null;
    if (course !== null) yield course;
  }
}

/** Tells the verdict on each row from `from` on; it is reused. The state begins fresh. */
export function runOver<P>(
  kind: ModelKind<P>,
  params: P,
  { endsMs, values }: Pick<Course, 'endsMs' | 'values'>,
  told: (row: number, verdict: Verdict) => void,
): void {
  const { detector } = kind;
  const state = detector.start(params);
  const x = new Float64Array(values.length);
  const quality = new Uint8Array(values.length);
  const out = emptyVerdict();
  const at = { monotonicMs: 0, utcMs: 0 };
  for (let row = 0; row < endsMs.length; row++) {
    for (let member = 0; member < x.length; member++) x[member] = values[member]![row]!;
    at.monotonicMs = endsMs[row]!;
    at.utcMs = at.monotonicMs;
    detector.score(params, state, x, quality, at, out);
    told(row, out);
    detector.learn(params, state, x, quality, at);
  }
}
