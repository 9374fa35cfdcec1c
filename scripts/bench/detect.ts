/**
 * What detection costs for each point: the surprise detector alone, and the whole stage as the agent runs it, beside a
 * floor (an exponentially weighted z-score, the least that could be called a detector) in the same run; and the memory of
 * a series.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DetectStage } from '../../agent/detect.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { surprise, surpriseDefaults } from '../../shared/detect/surprise.ts';
import { Quality } from '../../shared/series.ts';

const SERIES = 300;
const MEMORY_SERIES = 2000;
const POINTS_A_ROUND = 600;
/** The first are still being compiled; of the others, those that another process disturbed do not count. */
const ROUNDS = 30;

/** Values that look like a host's: noise, percentages in steps, counters that are mostly zero, constants. */
function values(): Float64Array {
  const out = new Float64Array(SERIES * POINTS_A_ROUND);
  let seed = 12_345;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  for (let i = 0; i < out.length; i++) {
    const sort = (i % SERIES) % 4;
    if (sort === 0) out[i] = 100 + random() + random() + random();
    else if (sort === 1) out[i] = Math.round(200 * random() ** 4) / 200;
    else if (sort === 2) out[i] = random() < 0.03 ? Math.round(1000 * random()) : 0;
    else out[i] = 4096;
  }
  return out;
}

/** CPU nanoseconds a point, the best of the rounds: the others were disturbed. */
function best(points: number, round: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.cpuUsage();
    round();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, ((user + system) * 1000) / points);
  }
  return least;
}

function floor(data: Float64Array): number {
  const mean = new Float64Array(SERIES);
  const variance = new Float64Array(SERIES).fill(1);
  let alarms = 0;
  const cost = best(data.length, () => {
    for (let i = 0; i < data.length; i++) {
      const k = i % SERIES;
      const distance = data[i]! - mean[k]!;
      if (Math.abs(distance) > 6 * Math.sqrt(variance[k]!)) alarms++;
      mean[k] = mean[k]! + 0.001 * distance;
      variance[k] = variance[k]! + 0.001 * (distance * distance - variance[k]!);
    }
  });
  return alarms < 0 ? 0 : cost;
}

function alone(data: Float64Array): number {
  const states = Array.from({ length: SERIES }, () => surprise.start(surpriseDefaults));
  const verdict = emptyVerdict();
  const x = new Float64Array(1);
  const quality = new Uint8Array(1);
  const at = { monotonicMs: 0, utcMs: 0 };
  return best(data.length, () => {
    for (let i = 0; i < data.length; i++) {
      x[0] = data[i]!;
      const state = states[i % SERIES]!;
      surprise.score(surpriseDefaults, state, x, quality, at, verdict);
      surprise.learn(surpriseDefaults, state, x, quality, at);
    }
  });
}

function stageOf(limit: number): DetectStage {
  const ignore = (): void => undefined;
  return new DetectStage({
    limit,
    series: {
      definition: (series) => ({ name: `bench.${series}`, unit: '1', attributes: {}, kind: 'gauge' }),
      id: (series) => series.toString(16).padStart(16, '0'),
    },
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    onFinding: ignore,
    settleMs: 0,
  });
}

function wholeStage(data: Float64Array): { cost: number; savedBytes: number } {
  const stage = stageOf(SERIES);
  const at = { monotonicMs: 0, utcMs: 0 };
  const cost = best(data.length, () => {
    for (let i = 0; i < data.length; i++) {
      if (i % SERIES === 0) {
        at.monotonicMs += 1000;
        at.utcMs += 1000;
      }
      stage.score(i % SERIES, data[i]!, Quality.good, at);
    }
  });
  return { cost, savedBytes: stage.saveState().length / SERIES };
}

/** Memory for each series: what many more of them take. */
function memoryOf(data: Float64Array): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const stage = stageOf(MEMORY_SERIES);
  const used = (): number => {
    // Twice: buffers are given back by the round after the one that found them unused.
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const at = { monotonicMs: 0, utcMs: 0 };
  for (let i = 0; i < 3 * MEMORY_SERIES; i++) {
    if (i % MEMORY_SERIES === 0) {
      at.monotonicMs += 1000;
      at.utcMs += 1000;
    }
    stage.score(i % MEMORY_SERIES, data[i % data.length]!, Quality.good, at);
  }
  const bytes = (used() - before) / MEMORY_SERIES;
  return stage.barBits > 0 ? bytes : 0;
}

export function run(): Promise<Record<string, number>> {
  const data = values();
  const stage = wholeStage(data);
  return Promise.resolve({
    floor_ns_per_point: floor(data),
    surprise_ns_per_point: alone(data),
    stage_ns_per_point: stage.cost,
    bytes_per_series: memoryOf(data),
    saved_bytes_per_series: stage.savedBytes,
  });
}
