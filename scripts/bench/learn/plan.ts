/** When what happens in a run. */
const DAY_ROWS = 1440;

export interface Plan {
  readonly cohorts: number;
  readonly perCohort: number;
  readonly metrics: number;
  readonly days: number;
  /** One in so many machines has a like that never had a central, to hold it against. */
  readonly aloneEvery: number;
  /** Day of the first training. */
  readonly trainDay: number;
  /** Days of later rounds. */
  readonly laterDays: readonly number[];
  /** Day on which operators have judged all incidents since the first training; a round follows. */
  readonly feedbackDay: number;
  /** From then on machines run what was learned from it: shadow and canary are over. */
  readonly taughtDay: number;
  readonly rollout: { readonly shadow: string; readonly canary: string };
  /** Days on which a new machine joins each cohort for a day. */
  readonly joinDays: readonly number[];
  readonly joinersPerCohort: number;
  readonly forecast: { readonly machines: number; readonly series: number };
}

const days = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);

export const fullPlan: Plan = {
  cohorts: 4,
  perCohort: 10,
  metrics: 8,
  days: 30,
  aloneEvery: 2,
  trainDay: 7,
  laterDays: [11, 20, 25],
  feedbackDay: 16,
  taughtDay: 19,
  rollout: { shadow: '24h', canary: '24h' },
  joinDays: days(12, 29),
  joinersPerCohort: 1,
  forecast: { machines: 12, series: 2 },
};

export const quickPlan: Plan = {
  cohorts: 4,
  perCohort: 2,
  metrics: 5,
  days: 12,
  aloneEvery: 1,
  trainDay: 4,
  laterDays: [],
  feedbackDay: 8,
  taughtDay: 9,
  rollout: { shadow: '6h', canary: '6h' },
  joinDays: days(7, 12, 2),
  joinersPerCohort: 1,
  forecast: { machines: 4, series: 1 },
};

/** The rows of days. */
export const rowsOf = (fromDay: number, toDay: number) => ({ from: fromDay * DAY_ROWS, to: toDay * DAY_ROWS });
