/**
 * Real traces, and the machines of a cohort made from one: each has the days of the trace in its order but begins at
 * another one, some minutes off, with its own scale of each metric and its own noise. Train and test of a server of SMD
 * follow each other, so that 32 days are there; what its authors labelled is known, and is neither false nor a fault.
 */
import { normal } from '../../../central/evaluate/seeded.ts';
import { UsageError } from '../detect/formats/files.ts';
import { readSmd, smdMetrics } from '../detect/formats/smd.ts';

const DAY_ROWS = 1440;
/** A metric of fewer distinct values says too little to be replayed. */
const LEAST_DISTINCT = 50;
/** Machines of a cohort are as much apart, at most, in the time of the day. */
const MOST_OFF_ROWS = 15;
const SCALE_SPREAD = 0.15;
/** Of a value, in parts of it. */
const NOISE = 0.02;

export interface Trace {
  readonly name: string;
  readonly metrics: readonly string[];
  /** By metric; a row a minute, whole days. */
  readonly columns: readonly Float64Array[];
  /** 1 where the trace's own authors say that something was wrong. */
  readonly labels: Uint8Array;
}

export interface Span {
  readonly from: number;
  /** The first row after it. */
  readonly to: number;
}

export interface Replay {
  readonly metrics: readonly string[];
  readonly columns: readonly Float64Array[];
  /** Rows in which something may be wrong that nobody injected: the trace's labels, and where its end meets its beginning. */
  readonly unsure: readonly Span[];
}

/** Servers of SMD below `dir`, each with its `metrics` most varied metrics. Throws `UsageError` where there are none. */
export function readTraces(dir: string, metrics: number): Trace[] {
  const traces = [...readSmd(dir)].map(({ name, train, test, labels }) => {
    const trainRows = train.length / smdMetrics;
    const rows = Math.floor((trainRows + test.length / smdMetrics) / DAY_ROWS) * DAY_ROWS;
    const at = (row: number, metric: number): number =>
      row < trainRows ? train[row * smdMetrics + metric]! : test[(row - trainRows) * smdMetrics + metric]!;
    const chosen = Array.from({ length: smdMetrics }, (_, metric) => {
      const column = new Float64Array(rows).map((_, row) => at(row, metric));
      return { metric, column, distinct: new Set(column).size };
    })
      .filter(({ distinct }) => distinct >= LEAST_DISTINCT)
      .sort((a, b) => b.distinct - a.distinct)
      .slice(0, metrics);
    return {
      name,
      metrics: chosen.map(({ metric }) => `replay.${String(metric).padStart(2, '0')}`),
      columns: chosen.map(({ column }) => column),
      labels: new Uint8Array(rows).map((_, row) => (row < trainRows ? 0 : labels[row - trainRows]!)),
    };
  });
  if (traces.length === 0)
    throw new UsageError(`${dir}/smd holds no server of SMD: *_train.f32.gz, *_test.f32.gz, *_label.u8.gz`);
  return traces;
}

/** Minutes after a label in which what it left behind may still be told, and before it. */
const AFTER_LABEL_ROWS = 120;
const BEFORE_LABEL_ROWS = 30;
/** What is told after the level where the trace begins anew. */
const AFTER_SEAM_ROWS = 720;

/** `rows` minutes of one machine. `place`: 0 to 1, where in the trace it begins. */
export function replayOf(trace: Trace, place: number, rows: number, random: () => number): Replay {
  const length = trace.labels.length;
  const days = length / DAY_ROWS;
  const off = Math.round((2 * random() - 1) * MOST_OFF_ROWS);
  const start = (Math.floor(place * days) * DAY_ROWS + off + length) % length;
  const columns = trace.columns.map((column) => {
    const scale = Math.exp(SCALE_SPREAD * normal(random));
    const out = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      out[row] = column[(start + row) % length]! * scale * (1 + NOISE * normal(random));
    }
    return out;
  });
  const unsure: Span[] = [];
  for (let row = 0; row < rows; row++) {
    const at = (start + row) % length;
    if (at === 0 && row > 0) unsure.push({ from: row, to: row + AFTER_SEAM_ROWS });
    if (trace.labels[at] !== 1) continue;
    const from = row;
    while (row + 1 < rows && trace.labels[(start + row + 1) % length] === 1) row++;
    unsure.push({ from: from - BEFORE_LABEL_ROWS, to: row + 1 + AFTER_LABEL_ROWS });
  }
  return { metrics: trace.metrics, columns, unsure };
}
