/**
 * The words in which Picket speaks of trouble: a finding is one detector's verdict on one series; an incident is what
 * happens on one machine, made of findings that are close in time. These shapes travel as JSON in the body of an
 * incident record and in the API.
 */
import type { SeriesId, SeriesKey } from './series.ts';

/** Why something was found. */
export interface Finding {
  readonly series: SeriesId;
  readonly key: SeriesKey;
  /** Kind of the detector: `surprise`, `stuck`, `missing`, `seasonal`; of a plain rule `rule`. */
  readonly detector: string;
  /** `full` for full-rate samples, `window` for window features. */
  readonly tier: 'full' | 'window';
  /** When it left the expected. */
  readonly sinceMs: number;
  /** When it was last outside. */
  readonly lastMs: number;
  /** The most unusual value that was seen, or null when the trouble is that nothing was. */
  readonly seen: number | null;
  /** Range that was expected then; null where the detector has none. */
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  /** Surprise in bits: -log2 of the probability of something at least as unusual. */
  readonly bits: number;
  /** How many samples apart such a value is expected, 2^bits; what "rarer than once in" is said from. */
  readonly returnPeriodMs: number;
  /** Of a plain rule: its id. It stands outside of the budgets, opens an incident at once, and says when it ends. */
  readonly rule?: string;
  /** What the value was held against. */
  readonly limit?: number;
  /** How grave it is, where that is known and need not be judged by rarity. */
  readonly severity?: Severity;
  /** What is wrong, in words that need no series: `the filesystem /data is nearly full`. */
  readonly wrong?: string;
  /** What somebody can do about it. */
  readonly advice?: string;
  /** It is over: the last word on this series by this detector and rule. */
  readonly ended?: true;
}

export type Severity = 'info' | 'warning' | 'critical';

/** `(epoch, seq)` of the record that opened it; its highest revision holds. */
export interface Incident {
  readonly epoch: string;
  readonly seq: number;
  /** Counts from 1; a later one replaces an earlier one. */
  readonly revision: number;
  readonly state: 'open' | 'closed';
  readonly severity: Severity;
  readonly openedMs: number;
  readonly updatedMs: number;
  readonly closedMs: number | null;
  /** Its times are a place between what is known: the machine did not know the time, and was not heard while it ran. */
  readonly uncertain?: true;
  /** One sentence: what is unusual, by how much, since when. */
  readonly title: string;
  /** Ranked, the most telling first; at most 20. */
  readonly findings: readonly RankedFinding[];
  /** Findings that were left out of the list. */
  readonly more: number;
}

export interface RankedFinding extends Finding {
  /** Share of the incident's surprise that this series explains; the listed ones and the rest sum to 1. */
  readonly contribution: number;
  /** The finding in words and numbers. */
  readonly text: string;
}

/** A change of a state, a boolean or a text, with its own time. */
export interface StateEvent {
  readonly series: SeriesId;
  readonly key: SeriesKey;
  readonly atMs: number;
  /** As that of an incident. */
  readonly uncertain?: true;
  readonly from: string | null;
  readonly to: string;
}

/** The event by which an agent says that it ends on purpose, so that what follows is no crash. */
export const AGENT_STATE = 'picket.agent.state';
export const AGENT_STOPPED = 'stopped';
