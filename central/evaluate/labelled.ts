/** Incidents that operators called real: whether the models would have found them, and after how long. */

import { HOUR_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { ModelKind } from '../train/kind.ts';
import type { JudgedTime } from '../train/knowledge.ts';
import type { LabelledFaults } from './api.ts';
import { type Course, coursesOf, runOver } from './course.ts';
import { caughtOf } from './injected.ts';

/** The newest ones, and the series of each that are looked at. */
const MOST_INCIDENTS = 32;
const MOST_SERIES = 16;
/** What is found later is no merit. */
const LONGEST_MS = 6 * HOUR_MS;
/** Windows before its beginning that may find it: what is found began a little before. */
const BEFORE_WINDOWS = 2;

export interface LabelledContest<P> {
  readonly kind: ModelKind<P>;
  readonly windowMs: number;
  readonly challenger: ReadonlyMap<SeriesId, P>;
  readonly champion: ReadonlyMap<SeriesId, P> | null;
  readonly incidents: readonly JudgedTime[];
  /** Windows of all kinds, those of incidents as well; of these series, or of all. */
  readonly read: (fromMs: number, toMs: number, only: ReadonlySet<SeriesId> | null) => AsyncIterable<SummaryBlock>;
}

export async function labelledFaults<P>(contest: LabelledContest<P>): Promise<LabelledFaults> {
  const { kind, windowMs, challenger, champion, incidents, read } = contest;
  const real = incidents.filter(({ verdict, series }) => verdict === 'real' && series.size > 0);
  real.sort((a, b) => b.fromMs - a.fromMs);
  const models = champion === null ? [challenger] : [challenger, champion];
  const ours: number[] = [];
  const theirs: number[] = [];
  let cases = 0;
  let lost = 0;
  let gained = 0;
  for (const { fromMs, toMs, series } of real.slice(0, MOST_INCIDENTS)) {
    const part = new Set([...series.keys()].slice(0, MOST_SERIES));
    const untilMs = Math.min(toMs, fromMs + LONGEST_MS) + windowMs;
    const earliestMs = fromMs - BEFORE_WINDOWS * windowMs;
    const courses: Course[] = [];
    const only = kind.courses === undefined ? part : null;
    for await (const course of coursesOf(kind, models, read(earliestMs, untilMs, only), windowMs)) {
      if (course.members.some((member) => part.has(member))) courses.push(course);
    }
    if (courses.length === 0) continue;
    cases++;
    const our = delayOf(kind, challenger, courses, fromMs);
    const their = champion === null ? null : delayOf(kind, champion, courses, fromMs);
    if (our !== null) ours.push(our);
    if (their !== null) theirs.push(their);
    if (our === null && their !== null) lost++;
    if (our !== null && their === null && champion !== null) gained++;
  }
  return { cases, challenger: caughtOf(ours), champion: champion === null ? null : caughtOf(theirs), lost, gained };
}

/** Until the first finding in any of them; null: none. */
function delayOf<P>(
  kind: ModelKind<P>,
  model: ReadonlyMap<SeriesId, P>,
  courses: readonly Course[],
  fromMs: number,
): number | null {
  let firstMs = Number.POSITIVE_INFINITY;
  for (const course of courses) {
    const params = model.get(course.id);
    if (params === undefined) continue;
    runOver(kind, params, course, (row, { ready, finding }) => {
      if (ready && finding) firstMs = Math.min(firstMs, course.endsMs[row]!);
    });
  }
  return Number.isFinite(firstMs) ? Math.max(0, firstMs - fromMs) : null;
}
