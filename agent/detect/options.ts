/** What the stage that judges samples is given: its bounds, its budget, and whom it asks and tells. */
import type { Finding } from '../../shared/findings.ts';
import type { SeriesDefinition, SeriesId, SeriesNumber } from '../../shared/series.ts';
import type { Log } from '../inputs/input.ts';

/** What the stage asks about a series when it first appears. */
export interface SeriesNames {
  definition(series: SeriesNumber): SeriesDefinition | null;
  id(series: SeriesNumber): SeriesId;
}

export interface DetectOptions {
  /** Most series at once, and so the size of every array by series number. */
  readonly limit: number;
  readonly series: SeriesNames;
  readonly log: Log;
  /** Takes each finding; must not throw. */
  readonly onFinding: (finding: Finding) => void;
  /** Findings a day on this machine that nobody minds; default 1. */
  readonly findingsPerDay?: number;
  /** Holds the bar to what this machine has shown; without it the bar is what the tails promise. */
  readonly budget?: { setTrials(stage: string, perDay: number): void; bar(): number };
  /** Name of the site's zone, null for this machine's own; without it seasons are told in UTC. */
  readonly zone?: string | null;
  /** How often a series is expected that does not say so itself; default 1 s. */
  readonly intervalMs?: number;
  /** After the first sample of all nothing is judged or learned for as long; default 30 s. */
  readonly settleMs?: number;
}
