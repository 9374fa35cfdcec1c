/**
 * What judging series together costs: a tick of a group of 64 and of 8 series as the agent runs it, a row with holes,
 * and the moment in which a reference is made (rare: after 256 rows, then ever more seldom), beside a floor in the same
 * run: reading the 64 values and adding their squares.
 */
import { GroupStage } from '../../agent/groups.ts';
import { trainReference } from '../../shared/detect/group-reference.ts';
import { addCoMoments, startCoMoments } from '../../shared/math/comoments.ts';

const ROWS_A_ROUND = 2000;
const ROUNDS = 7;
const RECORDED_ROWS = 512;

function recorded(series: number): Float64Array {
  const out = new Float64Array(RECORDED_ROWS * series);
  let seed = 12_345;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  for (let row = 0; row < RECORDED_ROWS; row++) {
    const load = random() + random() + random();
    for (let i = 0; i < series; i++) out[row * series + i] = (i % 4) * load + random();
  }
  return out;
}

/** CPU microseconds a row, the best of the rounds: the others were disturbed. */
function best(rows: number, round: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.cpuUsage();
    round();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / rows);
  }
  return least;
}

/** @param holes series without a value, in every row */
function stage(series: number, holes: number): { us: number; bytes: number } {
  const data = recorded(series);
  const numbers = Array.from({ length: series }, (_, i) => i);
  const ignore = (): void => undefined;
  let row = 0;
  const groups = new GroupStage({
    series: {
      definition: (i) => ({ name: `bench.${i}`, unit: '1', attributes: {}, kind: 'gauge' }),
      id: (i) => i.toString(16).padStart(16, '0'),
      live: () => numbers,
      generation: 0,
    },
    latest: (i) => (i < holes ? Number.NaN : data[row * series + i]!),
    barBits: () => 24,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    onFinding: ignore,
    settleMs: 0,
  });
  const at = { monotonicMs: 0, utcMs: 0 };
  const us = best(ROWS_A_ROUND, () => {
    for (let i = 0; i < ROWS_A_ROUND; i++) {
      row = (row + 1) % RECORDED_ROWS;
      at.monotonicMs += 1000;
      groups.tick(at);
    }
  });
  return { us, bytes: groups.saveState().length };
}

function floor(): number {
  const data = recorded(64);
  let sum = 0;
  const us = best(ROWS_A_ROUND, () => {
    for (let r = 0; r < ROWS_A_ROUND; r++) {
      const row = (r % RECORDED_ROWS) * 64;
      for (let i = 0; i < 64; i++) sum += data[row + i]! * data[row + i]!;
    }
  });
  return sum < 0 ? 0 : us;
}

function training(): number {
  const data = recorded(64);
  const coMoments = startCoMoments(64);
  for (let row = 0; row < RECORDED_ROWS; row++) addCoMoments(coMoments, data.subarray(row * 64, row * 64 + 64));
  return best(1, () => trainReference(coMoments)) / 1000;
}

export function run(): Promise<Record<string, number>> {
  const whole = stage(64, 0);
  return Promise.resolve({
    floor_us_per_row_of_64: floor(),
    tick_us_64_series: whole.us,
    tick_us_64_series_4_missing: stage(64, 4).us,
    tick_us_8_series: stage(8, 0).us,
    reference_ms_64_series: training(),
    state_bytes_64_series: whole.bytes,
  });
}
