/**
 * Clean series of the sorts that machines and devices have, made from a seed, so that what a change to a detector does
 * shows on all of them. Where SMD is at hand, columns of its train are used too.
 */
import { normal } from '../../../../central/evaluate/seeded.ts';
import { readSmd, smdMetrics } from '../formats/smd.ts';
import { seeded } from '../random.ts';

export const BASE_ROWS = 20_160;

export interface Base {
  readonly sort: string;
  readonly intervalMs: number;
  readonly values: Float64Array;
  /** Rows of the longest season, 0 where there is none. */
  readonly seasonRows: number;
  /** Rests at one value for most of the time: to be stuck there is no fault. */
  readonly rests: boolean;
}

type Random = () => number;
/** The value of a row. */
type Next = (row: number) => number;

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const DAY_ROWS = 1440;
const WEEK_ROWS = 7 * DAY_ROWS;
const SEEDS = 3;
const SMD_COLUMNS = 6;
const LEAST_DISTINCT = 50;

interface Sort {
  readonly intervalMs: number;
  readonly seasonRows?: number;
  readonly rests?: boolean;
  readonly make: (random: Random) => Next;
}

const sorts: Readonly<Record<string, Sort>> = {
  noise: { intervalMs: SECOND_MS, make: (random) => () => 50 + 3 * normal(random) },
  'heavy tails': { intervalMs: SECOND_MS, make: (random) => () => 5 * Math.exp(0.6 * normal(random)) },
  daily: {
    intervalMs: MINUTE_MS,
    seasonRows: DAY_ROWS,
    make: (random) => (row) => 40 + 20 * Math.sin((2 * Math.PI * row) / DAY_ROWS) + 2 * normal(random),
  },
  weekly: {
    intervalMs: MINUTE_MS,
    seasonRows: WEEK_ROWS,
    make: (random) => (row) => {
      const weekend = row % WEEK_ROWS >= 5 * DAY_ROWS;
      const day = Math.max(0, Math.sin((2 * Math.PI * (row % DAY_ROWS)) / DAY_ROWS));
      return 10 + (weekend ? 5 : 60) * day + 3 * normal(random);
    },
  },
  bursts: { intervalMs: SECOND_MS, make: bursts },
  'mostly zero': {
    intervalMs: SECOND_MS,
    rests: true,
    make: (random) => () => (random() < 0.02 ? 1 + Math.floor(-20 * Math.log(1 - random())) : 0),
  },
  integers: { intervalMs: SECOND_MS, make: (random) => () => poisson(random, 5) },
  percentage: { intervalMs: MINUTE_MS, make: percentage },
  'random walk': { intervalMs: SECOND_MS, make: walk },
  'saw-tooth': { intervalMs: SECOND_MS, make: sawTooth },
  steps: { intervalMs: MINUTE_MS, rests: true, make: steps },
};

/** Every sort with each seed, and columns of SMD where `dir` has it. */
export function* basesOf(dir: string): Generator<Base> {
  for (const [sort, { intervalMs, seasonRows = 0, rests = false, make }] of Object.entries(sorts)) {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const next = make(seeded(seed * 7919 + sort.length));
      yield { sort, intervalMs, seasonRows, rests, values: new Float64Array(BASE_ROWS).map((_, row) => next(row)) };
    }
  }
  try {
    for (const { train } of readSmd(dir)) yield* smdColumns(train);
  } catch {
    // Without SMD the generated ones must do.
  }
}

/** The columns with the most distinct values. */
function* smdColumns(train: Float32Array): Generator<Base> {
  const columns = Array.from({ length: smdMetrics }, (_, column) => {
    const values = new Float64Array(BASE_ROWS).map((_, row) => train[row * smdMetrics + column]!);
    return { values, distinct: new Set(values).size };
  });
  columns.sort((a, b) => b.distinct - a.distinct);
  for (const { values, distinct } of columns.slice(0, SMD_COLUMNS)) {
    if (distinct < LEAST_DISTINCT) continue;
    yield { sort: 'SMD', intervalMs: MINUTE_MS, seasonRows: DAY_ROWS, rests: restsMostly(values), values };
  }
}

function restsMostly(values: Float64Array): boolean {
  let same = 0;
  for (let i = 1; i < values.length; i++) if (values[i] === values[i - 1]) same++;
  return same > 0.5 * values.length;
}

function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** Low, and now and then high for some rows. */
function bursts(random: Random): Next {
  let left = 0;
  let height = 0;
  return () => {
    if (left === 0 && random() < 0.005) {
      left = 5 + Math.floor(40 * random());
      height = 30 + 40 * random();
    }
    if (left > 0) left--;
    return Math.max(0, 5 + 1.5 * normal(random) + (left > 0 ? height : 0));
  };
}

/** Slow to change, and often at its upper bound. */
function percentage(random: Random): Next {
  let level = 0;
  return () => {
    level = 0.98 * level + normal(random);
    return Math.min(100, Math.max(0, 93 + 2 * level + normal(random)));
  };
}

function walk(random: Random): Next {
  let level = 500;
  return () => {
    level += normal(random) - 0.002 * (level - 500);
    return level;
  };
}

/** Rises and falls at once, as memory between collections does. */
function sawTooth(random: Random): Next {
  let level = 100;
  let top = 200;
  return () => {
    level += 0.4 + 0.4 * random();
    if (level >= top) {
      level = 100 + 3 * normal(random);
      top = 190 + 20 * random();
    }
    return level;
  };
}

/** Rests at one of a few values, and changes rarely. */
function steps(random: Random): Next {
  let level = 20;
  return () => {
    if (random() < 0.01) level = 20 + 5 * Math.floor(4 * random());
    return level;
  };
}
