/** Shapes of faults, put into a column of values from a row on. The benches put the same into series at full rate. */
import { normal } from './seeded.ts';

/** Changes `rows` values from `from` on. */
function each(values: Float64Array, from: number, rows: number, change: (value: number, i: number) => number): void {
  for (let i = 0; i < rows; i++) values[from + i] = change(values[from + i]!, i);
}

/** Higher by as much: of one row a spike, of many a level that shifted. */
export function putShift(values: Float64Array, from: number, rows: number, by: number): void {
  each(values, from, rows, (value) => value + by);
}

/** Rises evenly, by as much at its end. */
export function putDrift(values: Float64Array, from: number, rows: number, by: number): void {
  each(values, from, rows, (value, i) => value + (by * i) / rows);
}

/** Scatters more, by noise of that deviation. */
export function putVariance(
  values: Float64Array,
  from: number,
  rows: number,
  deviation: number,
  random: () => number,
): void {
  each(values, from, rows, (value) => value + deviation * normal(random));
}

/** Stays as it was. */
export function putStuck(values: Float64Array, from: number, rows: number): void {
  each(values, from, rows, () => values[from]!);
}

/** Says what it says at other rows: half a season away the season comes at the wrong time. */
export function putElsewhere(
  values: Float64Array,
  from: number,
  rows: number,
  source: Float64Array,
  sourceFrom: number,
): void {
  each(values, from, rows, (_, i) => source[sourceFrom + i]!);
}
