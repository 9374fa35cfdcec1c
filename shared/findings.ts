/**
 * The words in which Picket speaks of trouble: a finding is one detector's verdict on one series; an incident is what
 * happens on one machine, made of findings that are close in time. These shapes travel as JSON in the body of an
 * incident record and in the API. Fields are only ever added, and those that were added later are optional: whoever
 * reads passes over what it does not know.
 */
import type { SeriesId, SeriesKey } from './series.ts';

/**
 * What kind of knowledge a finding is. `statistical`: rarer than was learned; its bits are paid from the budgets.
 * `quality`: the data, not the machine, is wrong. `forecast`: a bound will be reached. `rule`: a fact that somebody
 * said is wrong at any time. The last three are no matter of chance and stand outside of the budgets.
 */
export type Category = 'statistical' | 'quality' | 'forecast' | 'rule';

/** Every detector that may stand in `Finding.detector`, with what its findings are. */
export const detectorCategories = {
  surprise: 'statistical',
  seasonal: 'statistical',
  saturated: 'statistical',
  shift: 'statistical',
  drift: 'statistical',
  variance: 'statistical',
  group: 'statistical',
  stuck: 'quality',
  missing: 'quality',
  late: 'quality',
  range: 'quality',
  quantised: 'quality',
  noisy: 'quality',
  disagree: 'quality',
  clock: 'quality',
  forecast: 'forecast',
  rule: 'rule',
} as const satisfies Readonly<Record<string, Category>>;

export type DetectorName = keyof typeof detectorCategories;

/** What an unknown detector finds (of a newer agent) counts as statistics: it must earn its place. */
export function categoryOf(detector: string): Category {
  return Object.hasOwn(detectorCategories, detector) ? detectorCategories[detector as DetectorName] : 'statistical';
}

/** In which way a series left the expected. */
export const shapes = ['spike', 'shift', 'drift', 'variance', 'season'] as const;
export type Shape = (typeof shapes)[number];

export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** What one incident and one finding may hold, on both sides of the wire. */
export const findingLimits = {
  /** Findings that an incident lists. */
  listed: 20,
  /** Series of a group that a finding lists, the greatest share first. */
  members: 8,
  /** Changes that an incident lists. */
  changes: 8,
  /** Characters of a text. */
  textCharacters: 2_000,
  /** Characters of a rule's id. */
  ruleCharacters: 64,
} as const;

/** What one series of a group has to do with the group's finding. */
export interface Member {
  readonly series: SeriesId;
  readonly key: SeriesKey;
  /** Part of the group's statistic; the listed ones and the rest sum to 1. */
  readonly share: number;
  readonly seen: number | null;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
}

/** When a bound will be reached, as it looks now. */
export interface Forecast {
  /** What will happen: nothing is left, it ends (a certificate), it is worn out. */
  readonly reaches: 'full' | 'empty' | 'expired' | 'worn';
  /** In the unit of the series; null where the bound is a date. */
  readonly bound: number | null;
  /** Unix ms; the interval holds it in nine of ten cases, and is null where that end is open. */
  readonly etaMs: number;
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
  /** How fast the series moves towards it, in its unit a day; null where that says nothing. */
  readonly perDay: number | null;
  /** The same for people, where a better unit than the series' own is known: `1.2 GiB an hour`. */
  readonly pace?: string;
  /** Nobody vouches for the clock: how far ahead it is counts, not the date. */
  readonly undated?: true;
}

/** Why something was found. */
export interface Finding {
  readonly series: SeriesId;
  readonly key: SeriesKey;
  /** Kind of the detector, a `DetectorName`; of a newer agent perhaps another. */
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
  /** Surprise in bits: -log2 of the probability of something at least as unusual. 0 where chance has no part in it. */
  readonly bits: number;
  /** How many samples apart such a value is expected, 2^bits; what "rarer than once in" is said from. */
  readonly returnPeriodMs: number;
  /** How often the series is looked at: what is close to what, and what lasts, is judged by it. Not said: a second. */
  readonly intervalMs?: number;
  readonly shape?: Shape;
  /** Of a group: at most `findingLimits.members`, the greatest share first. */
  readonly members?: readonly Member[];
  readonly forecast?: Forecast;
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
  /**
   * It is over: the last word on this finding, with `lastMs` as its end. Rules, forecasts and data quality say it, as
   * they may last for weeks without a word; what statistics found ends by silence.
   */
  readonly ended?: true;
  /**
   * It lasts until `ended` is said, however long nothing is heard of it: a broken rule, a forecast. Without it a
   * finding of which nothing is heard counts as over.
   */
  readonly holds?: true;
  /** Somebody asked for silence on this: it is shown and wakes nobody. */
  readonly muted?: true;
}

/** What changed shortly before the trouble. */
export const changeKinds = [
  'boot',
  'agent',
  'configuration',
  'model',
  'process',
  'service',
  'mount',
  'link',
  'device',
  'clock',
  'log',
  'state',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

export interface Change {
  readonly atMs: number;
  readonly kind: ChangeKind;
  /** `interface eth0 went from up to down`. */
  readonly text: string;
}

/**
 * What allowed a notification, or refused it. `budget`: paid from the share of the fleet's notifications. `outside`: a
 * rule, a forecast or data quality, which no budget holds. `spent`: the share is used up. `rarity`: not rare enough.
 * `severity`: nothing that anybody needs to get up for. `learning`: the machine is new. `muted`: somebody asked for it.
 */
export const noticeReasons = ['budget', 'outside', 'spent', 'rarity', 'severity', 'learning', 'muted'] as const;

/** Whether an incident may wake somebody, and what it cost. */
export interface Notice {
  /** True: the agent lets the central notify. It never becomes false again but by `muted`. */
  readonly wakes: boolean;
  readonly reason: (typeof noticeReasons)[number];
  /** Notifications that were paid: 1, or 0. */
  readonly cost: number;
  /** How often as much is expected by chance on this machine, times a week; null where chance has no part in it. */
  readonly perWeek: number | null;
}

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
  /** What changed shortly before the first finding, the nearest first; at most `findingLimits.changes`. */
  readonly changes?: readonly Change[];
  readonly notify?: Notice;
  /** How many bits above the machine's bar the most telling finding lies; what severity partly follows from. */
  readonly excessBits?: number;
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
