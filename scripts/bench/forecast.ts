/**
 * Forecasts of stocks on generated lives (`test/support/fills.ts`): how often the interval holds the true time, how long
 * ahead it is told, how often what never fills is told as filling, and what a window costs. The tables go to standard
 * error.
 *
 * A life's coverage is the share of its windows with a forecast within seven days whose interval holds the true time;
 * a shape's is the mean of its lives'. The lead is how long before the end it was told for the last time without a
 * pause of half an hour; width is that of the interval in parts of the true time left.
 */
import {
  emptyTimeToFull,
  type TimeToFull,
  timeToFull,
  timeToFullDefaults,
  timeToFullOf,
} from '../../shared/detect/time-to-full.ts';
import { seededRandom } from '../../test/contract/detectors-random.ts';
import { type Fill, filling, steady } from '../../test/support/fills.ts';

const HOUR = 60;
const DAY = 24 * HOUR;
const HORIZON = 7 * DAY;
/** Of each shape. */
const LIVES = 12;
const LONGEST_LIFE = 120 * DAY;
const STEADY_LIFE = 30 * DAY;
/** Told again after such a pause it is another finding. */
const PAUSE = 30;
const NEW_FINDING = 60;
/** A place for an open end among medians. */
const OPEN_END = 1e9;

interface Told extends TimeToFull {
  readonly minute: number;
}

interface Life {
  readonly told: readonly Told[];
  /** Infinity where it was never full. */
  readonly fullAt: number;
  readonly minutes: number;
}

const say = (line: string): void => console.error(line);

const x = new Float64Array(1);
const quality = new Uint8Array(1);
let windows = 0;
let spentMicroseconds = 0;

function live(fill: Fill, mostMinutes: number): Life {
  const state = timeToFull.start(timeToFullDefaults);
  const ahead = emptyTimeToFull();
  const told: Told[] = [];
  const before = process.cpuUsage().user;
  let minute = 0;
  let level = fill(minute);
  for (; minute < mostMinutes && level < 1; level = fill(++minute)) {
    const at = { monotonicMs: 1e7 + minute * 60_000, utcMs: 1.79e12 + minute * 60_000 };
    x[0] = level;
    timeToFull.learn(timeToFullDefaults, state, x, quality, at);
    const inSight = timeToFullOf(timeToFullDefaults, state, level, at, ahead);
    if (inSight && ahead.minutes <= HORIZON && minute >= (fill.from ?? 0)) told.push({ ...ahead, minute });
  }
  windows += minute;
  spentMicroseconds += process.cpuUsage().user - before;
  return { told, fullAt: minute < mostMinutes ? minute : Number.POSITIVE_INFINITY, minutes: minute };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`.padStart(6);
}

/** When it was told for the last time without a pause. */
function lastBeginning(told: readonly Told[]): number {
  let from = Number.NaN;
  let before = Number.NEGATIVE_INFINITY;
  for (const { minute } of told) {
    if (minute - before > PAUSE) from = minute;
    before = minute;
  }
  return from;
}

function tellFilling(name: string, make: (random: () => number) => Fill): number {
  const coverages: number[] = [];
  const widths: number[] = [];
  const leads: number[] = [];
  let early = 0;
  let late = 0;
  let count = 0;
  for (let seed = 0; seed < LIVES; seed++) {
    const { told, fullAt } = live(make(seededRandom(1000 + seed)), LONGEST_LIFE);
    if (!Number.isFinite(fullAt)) continue;
    let held = 0;
    for (const { minute, earliestMinutes, latestMinutes } of told) {
      const left = fullAt - minute;
      if (left < earliestMinutes - 1) early++;
      else if (left > latestMinutes + 1) late++;
      else held++;
      widths.push((Math.min(latestMinutes, OPEN_END) - earliestMinutes) / left);
    }
    count += told.length;
    leads.push(told.length === 0 ? 0 : fullAt - lastBeginning(told));
    if (told.length > 0) coverages.push(held / told.length);
  }
  const coverage = coverages.reduce((sum, each) => sum + each, 0) / coverages.length;
  const figures = [
    percent(coverage),
    percent(early / count),
    percent(late / count),
    median(widths).toFixed(2).padStart(6),
  ];
  const lead = [median(leads), Math.min(...leads)].map((each) => `${(each / HOUR).toFixed(1)} h`.padStart(9));
  say(`| ${name.padEnd(36)} | ${[...figures, ...lead].join(' | ')} |`);
  return coverage;
}

function tellSteady(
  name: string,
  make: (random: () => number) => Fill,
): { first: number; later: number; days: number } {
  let first = 0;
  let later = 0;
  let days = 0;
  for (let seed = 0; seed < LIVES; seed++) {
    const { told, minutes } = live(make(seededRandom(5000 + seed)), STEADY_LIFE);
    days += minutes / DAY;
    let before = Number.NEGATIVE_INFINITY;
    for (const { minute } of told) {
      if (minute - before > NEW_FINDING) {
        if (minute < 2 * DAY) first++;
        else later++;
      }
      before = minute;
    }
  }
  const figures = [days.toFixed(0), String(first), String(later)].map((each) => each.padStart(6));
  say(`| ${name.padEnd(36)} | ${figures.join(' | ')} |`);
  return { first, later, days };
}

export function run(): Promise<Record<string, number>> {
  say(`| ${'what fills'.padEnd(36)} | holds | sooner | later | width | lead, median | least |`);
  say('|---|---|---|---|---|---|---|');
  const coverages = Object.entries(filling).map(([name, make]) => tellFilling(name, make));
  say(`\n| ${'what never does'.padEnd(36)} | days | told in the first two days | later |`);
  say('|---|---|---|---|');
  const never = Object.entries(steady).map(([name, make]) => tellSteady(name, make));
  const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
  return Promise.resolve({
    interval_holds_percent: (100 * sum(coverages)) / coverages.length,
    interval_holds_least_percent: 100 * Math.min(...coverages),
    false_in_first_two_days_per_stock: sum(never.map(({ first }) => first)) / (never.length * LIVES),
    false_later_per_stock_year: (365 * sum(never.map(({ later }) => later))) / sum(never.map(({ days }) => days)),
    window_us_with_making_the_life: spentMicroseconds / windows,
    state_bytes: timeToFull.state.encode(timeToFull.start(timeToFullDefaults)).length,
  });
}
