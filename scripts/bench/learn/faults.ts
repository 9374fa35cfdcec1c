/** Which faults a machine has, when, on which metric. The kinds and sizes are those of the detection bench. */
import type { Base } from '../detect/injected/bases.ts';
import { type Fault, faults as known } from '../detect/injected/faults.ts';
import type { Replay, Span } from './traces.ts';

const DAY_ROWS = 1440;
/** Rows between the end of a fault and the next: at least, and as many more at most. */
const LEAST_PAUSE_ROWS = 720;
const MORE_PAUSE_ROWS = 1440;
/** Of these sizes an operator would want to hear. */
const wanted: ReadonlySet<string> = new Set([
  'spike 10',
  'shift 2',
  'shift 5',
  'drift 8',
  'unsteady 3',
  'stuck 1',
  'season 1',
]);
/** A season counts as one where the day before says at least so much of a day. */
const LEAST_SEASON = 0.4;
const TRIES = 40;

export interface Injected extends Span {
  readonly kind: string;
  readonly metric: string;
}

/** Puts faults into the columns of a replay, from row `from` on, and says which. */
export function inject(replay: Replay, from: number, random: () => number): Injected[] {
  const kinds = known.filter(({ kind, size }) => wanted.has(`${kind} ${size}`));
  const bases = replay.columns.map(baseOf);
  const rows = replay.columns[0]!.length;
  const injected: Injected[] = [];
  let order: Fault[] = [];
  for (let row = from + Math.floor(random() * MORE_PAUSE_ROWS); row < rows - DAY_ROWS; ) {
    if (order.length === 0) order = shuffled(kinds, random);
    const fault = order.pop()!;
    const span = { from: row, to: row + fault.rows };
    const column = fitting(fault, bases, random);
    if (column !== null && !replay.unsure.some((one) => one.from < span.to && span.from < one.to)) {
      const base = bases[column]!;
      fault.put(base.values, row, base.deviation, base, random);
      injected.push({ ...span, kind: fault.kind, metric: replay.metrics[column]! });
      row = span.to;
    }
    row += LEAST_PAUSE_ROWS + Math.floor(random() * MORE_PAUSE_ROWS);
  }
  return injected;
}

interface Known extends Base {
  readonly deviation: number;
}

function baseOf(values: Float64Array): Known {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let square = 0;
  let together = 0;
  let same = 0;
  for (let i = 0; i < values.length; i++) {
    square += (values[i]! - mean) ** 2;
    if (i >= DAY_ROWS) together += (values[i]! - mean) * (values[i - DAY_ROWS]! - mean);
    if (i > 0 && values[i] === values[i - 1]) same++;
  }
  const hasSeason = together / square > LEAST_SEASON;
  return {
    sort: 'replayed',
    intervalMs: 60_000,
    values,
    seasonRows: hasSeason ? DAY_ROWS : 0,
    rests: same > values.length / 2,
    deviation: Math.sqrt(square / values.length),
  };
}

function fitting(fault: Fault, bases: readonly Known[], random: () => number): number | null {
  for (let i = 0; i < TRIES; i++) {
    const column = Math.floor(random() * bases.length);
    if (bases[column]!.deviation > 0 && fault.fits(bases[column]!)) return column;
  }
  return null;
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}
