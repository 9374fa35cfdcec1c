/**
 * A fleet of recorded servers: each stretch of days of one server is a machine of its own, of another size (its rates
 * and levels are multiplied, each metric a little otherwise). Which are alike the central's own clustering has to find.
 */

import { type Behaviour, behaviourOf, type Features } from '../../../central/cohorts/features.ts';
import { MODEL_FINDINGS_PER_DAY } from '../../../central/models-options.ts';
import { seasonalModels } from '../../../central/train/seasonal-kind.ts';
import type { TrainingBlock } from '../../../central/train/trainer.ts';
import { utcZone } from '../../../shared/detect/civil.ts';
import { DAY_MS, MINUTE_MS } from '../../../shared/limits.ts';
import { type SmdServer, smdMetrics } from '../detect/formats/smd.ts';
import { seeded } from '../detect/random.ts';
import { BEGIN_MS, columns, idOf, numbers } from './machine.ts';

export const ROWS_A_DAY = DAY_MS / MINUTE_MS;
/** Sizes of machines of one kind lie within a factor of two of each other. */
const SIZES = Math.LN2;
const OWN_SIZES = 0.2;

export const kind = seasonalModels.find(({ windowMs }) => windowMs === MINUTE_MS)!;
export const training = { windowMs: MINUTE_MS, zone: utcZone, findingsPerDay: MODEL_FINDINGS_PER_DAY };

/** Rows of one machine. */
export interface Recording {
  readonly server: string;
  readonly rows: Float32Array;
  /** Of the recording that it is a stretch of: which day of the week it is goes by it. */
  readonly from: number;
  readonly to: number;
}

/** A stretch of a server as another machine; `seed` says of which size. */
export function machineOf({ name, train }: SmdServer, from: number, to: number, seed: number): Recording {
  const random = seeded(seed);
  const size = Math.exp(SIZES * (random() - 0.5));
  const sizes = numbers.map(() => size * Math.exp(OWN_SIZES * (random() - 0.5)));
  const rows = train.map((value, i) => value * sizes[i % smdMetrics]!);
  return { server: name, rows, from, to };
}

/** One series of a machine, of the rows from `from` to `to`. */
function columnOf({ rows }: Recording, metric: number, from: number, to: number) {
  const length = to - from;
  const column = (read: (row: number) => number) => Float64Array.from({ length }, (_, i) => read(from + i));
  const mean = column((row) => rows[row * smdMetrics + metric]!);
  return { mean, timesMs: column((row) => BEGIN_MS + row * MINUTE_MS) };
}

/** What the central would train of these rows. */
export async function trained(machine: Recording, from: number, to: number): Promise<Uint8Array> {
  async function* history(): AsyncGenerator<TrainingBlock> {
    for (const metric of numbers) {
      const { mean, timesMs } = columnOf(machine, metric, from, to);
      const zeros = new Float64Array(mean.length);
      const rest = { deviation: zeros, min: mean, max: mean, last: mean, anomalyShare: zeros, highestScore: zeros };
      const lengthsMs = new Float64Array(mean.length).fill(MINUTE_MS);
      const count = new Float64Array(mean.length).fill(1);
      const key = { name: columns[metric]!, unit: '', attributes: {} };
      yield { agent: machine.server, series: idOf(metric), key, timesMs, lengthsMs, count, mean, ...rest };
    }
  }
  const { series } = await kind.trainer(training).train(history(), Math.random, new AbortController().signal);
  return kind.encode(series, training);
}

export function featuresOf(machine: Recording, from: number, to: number): Features {
  const behaviour = new Map<string, Behaviour>();
  for (const metric of numbers) {
    const found = behaviourOf(columnOf(machine, metric, from, to), utcZone);
    if (found !== null) behaviour.set(columns[metric]!, found);
  }
  return { facts: {}, sizes: {}, families: columns, behaviour };
}

/** What a machine of some minutes gets from its cohort. */
export function dayOne(peers: readonly Uint8Array[], machine: Recording, from: number, to: number): Uint8Array {
  const own = new Map(numbers.map((metric) => [idOf(metric), columnOf(machine, metric, from, to)]));
  const merged = kind.merge!(
    peers.map((content) => kind.decode(content)),
    own,
    training,
  );
  return kind.encode(merged, training);
}
