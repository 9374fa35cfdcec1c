/** Faults as they are put into a clean series. Sizes are multiples of the series' own deviation. */
import type { Base } from './bases.ts';
import { normal } from './bases.ts';

export interface Fault {
  readonly kind: string;
  readonly size: number;
  /** Rows within which it must be seen, and those that it lasts. */
  readonly rows: number;
  /** Whether it means anything on such a series. */
  fits(base: Base): boolean;
  /** Changes `values` from row `from` on. */
  put(values: Float64Array, from: number, deviation: number, base: Base, random: () => number): void;
}

const always = (): boolean => true;
const moves = ({ rests }: Base): boolean => !rests;

/** Changes `rows` values from `from` on. */
function each(values: Float64Array, from: number, rows: number, change: (value: number, i: number) => number): void {
  for (let i = 0; i < rows; i++) values[from + i] = change(values[from + i]!, i);
}

function spike(size: number): Fault {
  const rows = 3;
  return {
    ...{ kind: 'spike', size, rows, fits: always },
    put: (values, from, deviation) => each(values, from, 1, (value) => value + size * deviation),
  };
}

function shift(size: number): Fault {
  const rows = 240;
  return {
    ...{ kind: 'shift', size, rows, fits: always },
    put: (values, from, deviation) => each(values, from, rows, (value) => value + size * deviation),
  };
}

function drift(size: number): Fault {
  const rows = 1440;
  return {
    ...{ kind: 'drift', size, rows, fits: always },
    put: (values, from, deviation) => each(values, from, rows, (value, i) => value + (size * deviation * i) / rows),
  };
}

function unsteady(size: number): Fault {
  const rows = 240;
  return {
    ...{ kind: 'unsteady', size, rows, fits: moves },
    put: (values, from, deviation, _base, random) =>
      each(values, from, rows, (value) => value + size * deviation * normal(random)),
  };
}

const stuck: Fault = {
  ...{ kind: 'stuck', size: 1, rows: 480, fits: moves },
  put: (values, from) => each(values, from, 480, () => values[from]!),
};

const missing: Fault = {
  ...{ kind: 'missing', size: 1, rows: 60, fits: always },
  put: (values, from) => each(values, from, 60, () => Number.NaN),
};

/** The season stops, or comes half a day late. */
const seasonBreak: Fault = {
  ...{ kind: 'season', size: 1, rows: 1440, fits: ({ seasonRows, sort }) => seasonRows > 0 && sort !== 'SMD' },
  put: (values, from) => {
    const before = values.slice(from - 720, from + 720);
    each(values, from, 1440, (_, i) => before[i]!);
  },
};

export const faults: readonly Fault[] = [
  ...[spike(4), spike(10), shift(2), shift(5), drift(3), drift(8), unsteady(1), unsteady(3)],
  ...[stuck, missing, seasonBreak],
];
