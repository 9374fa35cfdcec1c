/** Which incidents were false, and which faults were found. Times are rows of the replay: minutes since its begin. */
import type { Incident } from '../../../shared/findings.ts';
import type { Injected } from './faults.ts';
import type { Span } from './traces.ts';

/** What a fault leaves behind (the way back is a change, too) may be told for as long. */
const GRACE_ROWS = 60;

/** A machine and the time of its life that is looked at. */
export interface Life {
  readonly incidents: readonly Incident[];
  readonly faults: readonly Injected[];
  /** Nobody knows what is right there: counted on neither side. */
  readonly unsure: readonly Span[];
  /** Time of row 0. */
  readonly startMs: number;
}

export interface Tally {
  /** Opened in time in which nothing was wrong. */
  false: number;
  /** Minutes in which nothing was wrong: what these are counted over. */
  clearRows: number;
  faults: number;
  found: number;
  /** By kind of fault. */
  readonly kinds: Record<string, { faults: number; found: number }>;
}

export const emptyTally = (): Tally => ({ false: 0, clearRows: 0, faults: 0, found: 0, kinds: {} });

export type Judgement =
  | { readonly is: 'false' }
  | { readonly is: 'real'; readonly kind: string }
  | { readonly is: 'unsure' };

/** What an operator who knows what happened would say of an incident. */
export function judge(incident: Incident, { faults, unsure, startMs }: Omit<Life, 'incidents'>): Judgement {
  const row = rowOf(incident.openedMs, startMs);
  const fault = faults.find((one) => around(one, row));
  if (fault !== undefined) return tells(incident, fault, startMs) ? { is: 'real', kind: fault.kind } : { is: 'unsure' };
  return { is: unsure.some(({ from, to }) => row >= from && row < to) ? 'unsure' : 'false' };
}

/** Adds what a machine told in the rows of a span. */
export function count(tally: Tally, life: Life, span: Span): void {
  const { incidents, faults, unsure, startMs } = life;
  tally.clearRows += clearRows(life, span);
  for (const incident of incidents) {
    const row = rowOf(incident.openedMs, startMs);
    if (row >= span.from && row < span.to && judge(incident, { faults, unsure, startMs }).is === 'false') tally.false++;
  }
  for (const fault of faults) {
    if (fault.from < span.from || fault.from >= span.to) continue;
    tally.kinds[fault.kind] ??= { faults: 0, found: 0 };
    const kind = tally.kinds[fault.kind]!;
    const found = incidents.some((incident) => tells(incident, fault, startMs)) ? 1 : 0;
    kind.faults++;
    kind.found += found;
    tally.faults++;
    tally.found += found;
  }
}

const WEEK_ROWS = 7 * 1440;

export const perWeek = (tally: Tally): number => (tally.false / tally.clearRows) * WEEK_ROWS;
export const recall = (tally: Tally): number => tally.found / tally.faults;

/** It speaks of the metric of the fault, and of the time in which the fault was there. */
function tells(incident: Incident, fault: Injected, startMs: number): boolean {
  return incident.findings.some((finding) => {
    const about = [finding.key, ...(finding.members ?? []).map(({ key }) => key)];
    // Windows and smoothed measures begin a little before what they end with.
    const since = rowOf(finding.sinceMs, startMs);
    const last = rowOf(finding.lastMs, startMs);
    return (
      about.some(({ name }) => name === fault.metric) &&
      last >= fault.from &&
      since >= fault.from - GRACE_ROWS &&
      since < fault.to + GRACE_ROWS
    );
  });
}

const rowOf = (ms: number, startMs: number): number => Math.floor((ms - startMs) / 60_000);
const around = ({ from, to }: Span, row: number): boolean => row >= from && row < to + GRACE_ROWS;

function clearRows({ faults, unsure }: Life, span: Span): number {
  const taken = new Uint8Array(Math.max(0, span.to - span.from));
  const take = (from: number, to: number): void => {
    taken.fill(1, Math.max(0, from - span.from), Math.max(0, to - span.from));
  };
  for (const { from, to } of faults) take(from, to + GRACE_ROWS);
  for (const { from, to } of unsure) take(from, to);
  return taken.length - taken.reduce((sum, one) => sum + one, 0);
}
