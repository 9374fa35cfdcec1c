/**
 * Faults of stated kinds and sizes put into clean series of many sorts: how many are found, and how soon, at one threshold
 * for all, set on the same series without faults. Each series runs alone; its first half is for learning.
 */
import { baselines } from '../baselines.ts';
import { scoreSeries } from '../engine.ts';
import { BASE_ROWS, type Base, basesOf } from '../injected/bases.ts';
import { type Fault, faults } from '../injected/faults.ts';
import { seeded } from '../random.ts';
import { alarmsOf, thresholdFor } from '../scorers/alarms.ts';
import type { Figures } from '../table.ts';
import type { SetOptions, SetResult } from './set.ts';

/** False alarms for each series and day's worth of minutes. */
const FALSE_ALARMS = 0.1;
const ALARM_ROWS = 1440;
/** Rows of each clean series by which the threshold is set. */
const CALM = BASE_ROWS / 2;
const MONDAY_MS = Date.UTC(2024, 0, 1);

type Score = (base: Base, values: Float64Array, seed: number) => Float64Array;

interface Tally {
  tried: number;
  found: number;
  delays: number[];
}

export function runInjected(options: SetOptions): SetResult {
  const bases = [...basesOf(options.dir)].filter(({ sort }) => sort.includes(options.filter));
  const score: Score = ({ intervalMs }, values) =>
    scoreSeries(
      new Float64Array(BASE_ROWS).map((_, row) => MONDAY_MS + row * intervalMs),
      values,
      options.budget,
    );
  const ours = inject(bases, score);
  const others: Record<string, Figures> = {};
  for (const [name, make] of Object.entries(baselines)) {
    const fixed = name === 'random' ? undefined : 0;
    const theirs = inject(bases, (_, values, seed) => make(values.length, seed), fixed);
    others[name] = summary(theirs);
  }
  const recall = recallOf([...ours.byKind.values()]);
  return {
    tables: {
      'Injected faults at 0.1 false alarms for 1,440 rows of a series': {
        Picket: summary(ours),
        ...others,
      },
      'Injected faults by kind and size': figuresOf(ours.byKind),
      'Injected faults by sort of series, and false alarms there': Object.fromEntries(
        Object.entries(figuresOf(ours.bySort)).map(([sort, figures]) => [
          sort,
          { ...figures, false_alarms: ours.falseBySort.get(sort) ?? 0 },
        ]),
      ),
    },
    figures: { recall, ...Object.fromEntries([...ours.byKind].map(([kind, tally]) => [kind, recallOf([tally])])) },
  };
}

/** All faults on all series; the threshold is set on the clean ones, or given. */
function inject(bases: readonly Base[], score: Score, given?: number) {
  const clean = bases.map((base, b) => score(base, base.values, b + 1).subarray(CALM));
  const joined = new Float64Array(clean.length * CALM);
  for (const [b, scores] of clean.entries()) joined.set(scores, b * CALM);
  const threshold = given ?? thresholdFor(joined, (FALSE_ALARMS * joined.length) / ALARM_ROWS);
  const byKind = new Map<string, Tally>();
  const bySort = new Map<string, Tally>();
  const falseBySort = new Map<string, number>();
  for (const [b, base] of bases.entries()) {
    falseBySort.set(base.sort, (falseBySort.get(base.sort) ?? 0) + falseShare(clean[b]!, threshold, base, bases));
    for (const [f, fault] of faults.entries()) {
      if (!fault.fits(base)) continue;
      const delay = delayOf(base, fault, score, threshold, 1000 * f + b);
      add(byKind, fault.size === 1 ? fault.kind : `${fault.kind} ×${fault.size}`, delay);
      add(bySort, base.sort, delay);
    }
  }
  const percentUp = (100 * joined.reduce((up, one) => up + (one > threshold ? 1 : 0), 0)) / joined.length;
  return { threshold, byKind, bySort, falseBySort, percentUp, falseAlarms: falseRate(joined, threshold) };
}

function summary({ byKind, falseAlarms, percentUp, threshold }: ReturnType<typeof inject>): Figures {
  return { recall: recallOf([...byKind.values()]), false_alarms: falseAlarms, percent_up: percentUp, threshold };
}

/** Rows from its begin until it is seen, or null. */
function delayOf(base: Base, fault: Fault, score: Score, threshold: number, seed: number): number | null {
  const random = seeded(seed);
  const from = Math.floor(CALM * 1.2 + random() * (CALM * 0.6));
  const values = base.values.slice();
  fault.put(values, from, deviationOf(base.values, from), base, random);
  const scores = score(base, values, seed);
  for (let row = from; row < from + fault.rows; row++) if (scores[row]! > threshold) return row - from;
  return null;
}

function deviationOf(values: Float64Array, before: number): number {
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < before; i++) mean += values[i]! / before;
  for (let i = 0; i < before; i++) squares += (values[i]! - mean) ** 2 / before;
  return Math.sqrt(squares) || 1;
}

function falseRate(scores: Float64Array, threshold: number): number {
  return (alarmsOf(scores, threshold).length * ALARM_ROWS) / scores.length;
}

function falseShare(scores: Float64Array, threshold: number, { sort }: Base, bases: readonly Base[]): number {
  return falseRate(scores, threshold) / bases.filter((base) => base.sort === sort).length;
}

function add(tallies: Map<string, Tally>, name: string, delay: number | null): void {
  const tally = tallies.get(name) ?? { tried: 0, found: 0, delays: [] };
  tallies.set(name, tally);
  tally.tried++;
  if (delay === null) return;
  tally.found++;
  tally.delays.push(delay);
}

function recallOf(tallies: readonly Tally[]): number {
  const found = tallies.reduce((sum, tally) => sum + tally.found, 0);
  return found / tallies.reduce((sum, { tried }) => sum + tried, 0);
}

function figuresOf(tallies: ReadonlyMap<string, Tally>): Record<string, Figures> {
  return Object.fromEntries(
    [...tallies].map(([name, tally]) => {
      const delays = tally.delays.sort((a, b) => a - b);
      const median = delays[delays.length >> 1] ?? Number.NaN;
      return [name, { recall: recallOf([tally]), delay_rows: median, tried: tally.tried }];
    }),
  );
}
