/** Faults as they are put into a clean series. Sizes are multiples of the series' own deviation. */
import { putDrift, putElsewhere, putShift, putStuck, putVariance } from '../../../../central/evaluate/faults.ts';
import type { Base } from './bases.ts';

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

function spike(size: number): Fault {
  const rows = 3;
  return {
    ...{ kind: 'spike', size, rows, fits: always },
    put: (values, from, deviation) => putShift(values, from, 1, size * deviation),
  };
}

function shift(size: number): Fault {
  const rows = 240;
  return {
    ...{ kind: 'shift', size, rows, fits: always },
    put: (values, from, deviation) => putShift(values, from, rows, size * deviation),
  };
}

function drift(size: number): Fault {
  const rows = 1440;
  return {
    ...{ kind: 'drift', size, rows, fits: always },
    put: (values, from, deviation) => putDrift(values, from, rows, size * deviation),
  };
}

function unsteady(size: number): Fault {
  const rows = 240;
  return {
    ...{ kind: 'unsteady', size, rows, fits: moves },
    put: (values, from, deviation, _base, random) => putVariance(values, from, rows, size * deviation, random),
  };
}

const stuck: Fault = {
  ...{ kind: 'stuck', size: 1, rows: 480, fits: moves },
  put: (values, from) => putStuck(values, from, 480),
};

const missing: Fault = {
  ...{ kind: 'missing', size: 1, rows: 60, fits: always },
  put: (values, from) => {
    values.fill(Number.NaN, from, from + 60);
  },
};

/** The season stops, or comes half a day late. */
const seasonBreak: Fault = {
  ...{ kind: 'season', size: 1, rows: 1440, fits: ({ seasonRows, sort }) => seasonRows > 0 && sort !== 'SMD' },
  put: (values, from) => {
    putElsewhere(values, from, 1440, values.slice(from - 720, from + 720), 0);
  },
};

export const faults: readonly Fault[] = [
  ...[spike(4), spike(10), shift(2), shift(5), drift(3), drift(8), unsteady(1), unsteady(3)],
  ...[stuck, missing, seasonBreak],
];
