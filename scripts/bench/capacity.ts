/**
 * Forecasts of capacity at the central, on generated hours and, with `--data DIR`, on the hourly means of real traces (the
 * CPU, traffic and known-cause files of NAB in `nab/data`, each third column of SMD in `smd`): error and coverage of the
 * 90 % interval on hours that nobody has seen, beside the naive seasonal forecast; time and memory a series. The tables go to
 * standard error.
 *
 * Each is forecast from several places near its end. MASE is the mean absolute error in parts of the naive error of one
 * day within the history; a table's line is the median over its cases, as single cases of a level that breaks weigh more
 * than all others in a mean.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { outlookOf } from '../../central/forecast/outlook.ts';
import { seededRandom } from '../../test/contract/detectors-random.ts';

const HOUR_MS = 3_600_000;
const DAY = 24;
const LIVES = 4;
const GENERATED_HOURS = 28 * DAY + 72;
const AHEAD = 48;
/** Hours before the end from which it is forecast. */
const ORIGINS = [24, 60, 96];
const LEAST_HOURS = 5 * DAY;
const SMD_COLUMNS = 38;
const SMD_STEP = 3;

type Shape = (random: () => number) => (hour: number) => number;

interface Case {
  readonly error: number;
  readonly naiveError: number;
  readonly held: number;
  readonly hours: number;
  readonly naive: boolean;
  readonly ms: number;
}

const say = (line: string): void => console.error(line);
const season = (hour: number): number => Math.sin((2 * Math.PI * hour) / DAY);

function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

const shapes: Readonly<Record<string, Shape>> = {
  'a trend': (random) => (hour) => 0.3 + 0.0005 * hour + 0.004 * normal(random),
  'a walk upwards': (random) => {
    let level = 0.2;
    return () => {
      level += 0.0004 + 0.001 * normal(random);
      return level;
    };
  },
  'day and night': (random) => (hour) => 0.4 + 0.2 * season(hour) + 0.03 * normal(random),
  'day and night on a trend': (random) => (hour) => 0.2 + 0.0004 * hour + 0.1 * season(hour) + 0.02 * normal(random),
  'emptied each night': (random) => (hour) => 0.4 + 0.01 * (hour % DAY) + 0.003 * normal(random),
  'cleaned up once': (random) => (hour) => (hour < 400 ? 0.8 : 0.3) + 0.0003 * hour + 0.004 * normal(random),
  'slow noise': (random) => {
    let level = 0;
    return () => {
      level = 0.95 * level + 0.02 * normal(random);
      return 0.5 + level;
    };
  },
};

function tryAt(hours: Float64Array, at: number): Case | null {
  const beganMs = performance.now();
  const horizon = Math.min(AHEAD, hours.length - at);
  const history = hours.slice(0, at);
  const outlook = outlookOf({ column: history, season: DAY, horizon, lowest: -1e12, highest: 1e12 });
  const ms = performance.now() - beganMs;
  if (outlook === null) return null;
  let scale = 0;
  let pairs = 0;
  for (let i = DAY; i < at; i++) {
    const distance = Math.abs(hours[i]! - hours[i - DAY]!);
    if (Number.isNaN(distance)) continue;
    scale += distance;
    pairs++;
  }
  scale /= pairs;
  if (!(scale > 1e-9)) return null;
  let error = 0;
  let naiveError = 0;
  let held = 0;
  let count = 0;
  for (let h = 0; h < horizon; h++) {
    const truth = hours[at + h]!;
    const naive = hours[at - DAY + (h % DAY)]!;
    if (Number.isNaN(truth) || Number.isNaN(naive)) continue;
    count++;
    error += Math.abs(truth - outlook.value[h]!);
    naiveError += Math.abs(truth - naive);
    if (truth >= outlook.low[h]! && truth <= outlook.high[h]!) held++;
  }
  if (count === 0) return null;
  const parts = count * scale;
  return { error: error / parts, naiveError: naiveError / parts, held, hours: count, naive: outlook.naive, ms };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

interface Line {
  readonly mase: number;
  readonly naiveMase: number;
  readonly coverage: number;
}

function tell(name: string, series: readonly Float64Array[], spent: number[]): Line {
  const cases = series.flatMap((hours) =>
    ORIGINS.map((back) => hours.length - back)
      .filter((at) => at >= LEAST_HOURS)
      .flatMap((at) => tryAt(hours, at) ?? []),
  );
  spent.push(...cases.map(({ ms }) => ms));
  const sum = (of: (one: Case) => number): number => cases.reduce((total, one) => total + of(one), 0);
  const line = {
    mase: median(cases.map(({ error }) => error)),
    naiveMase: median(cases.map(({ naiveError }) => naiveError)),
    coverage: sum(({ held }) => held) / sum(({ hours }) => hours),
  };
  const naive = `${Math.round((100 * sum((one) => (one.naive ? 1 : 0))) / cases.length)} %`;
  const figures = [
    String(cases.length),
    line.mase.toFixed(2),
    line.naiveMase.toFixed(2),
    `${Math.round(100 * line.coverage)} %`,
    naive,
  ];
  say(`| ${name.padEnd(26)} | ${figures.map((one) => one.padStart(6)).join(' | ')} |`);
  return line;
}

/** Hourly means of a file of `time,value`. */
function hoursOfCsv(text: string): Float64Array {
  const found = new Map<number, { sum: number; count: number }>();
  for (const line of text.trim().split('\n').slice(1)) {
    const [time, value] = line.split(',');
    const hour = Math.floor(Date.parse(`${time}Z`) / HOUR_MS);
    const one = found.get(hour) ?? { sum: 0, count: 0 };
    one.sum += Number(value);
    one.count++;
    found.set(hour, one);
  }
  const all = [...found.keys()].sort((a, b) => a - b);
  const first = all[0] ?? 0;
  const hours = new Float64Array((all.at(-1) ?? first - 1) - first + 1).fill(Number.NaN);
  for (const [hour, { sum, count }] of found) hours[hour - first] = sum / count;
  return hours;
}

function nab(directory: string): Float64Array[] {
  const folders = ['realAWSCloudwatch', 'realKnownCause', 'realTraffic', 'realAdExchange'];
  return folders.flatMap((folder) => {
    const path = join(directory, 'nab', 'data', folder);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((name) => name.endsWith('.csv'))
      .sort()
      .map((name) => hoursOfCsv(readFileSync(join(path, name), 'utf8')));
  });
}

/** A row a minute. */
function smd(directory: string): Float64Array[] {
  const path = join(directory, 'smd');
  if (!existsSync(path)) return [];
  const files = readdirSync(path).filter((name) => name.endsWith('.f32.gz'));
  return files.sort().flatMap((name) => {
    const bytes = gunzipSync(readFileSync(join(path, name)));
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    const hours = Math.floor(values.length / SMD_COLUMNS / 60);
    const columns: Float64Array[] = [];
    for (let column = 0; column < SMD_COLUMNS; column += SMD_STEP) {
      const means = new Float64Array(hours);
      for (let row = 0; row < hours * 60; row++) {
        const hour = Math.floor(row / 60);
        means[hour] = means[hour]! + values[row * SMD_COLUMNS + column]! / 60;
      }
      columns.push(means);
    }
    return columns;
  });
}

function generated(shape: Shape): Float64Array[] {
  return Array.from({ length: LIVES }, (_, seed) => {
    const at = shape(seededRandom(100 + seed));
    return Float64Array.from({ length: GENERATED_HOURS }, (_, hour) => at(hour));
  });
}

export function run(directory?: string): Promise<Record<string, number>> {
  const spent: number[] = [];
  say(`| ${'what'.padEnd(26)} | cases | MASE | naive | in 90 % | naive kept |`);
  say('|---|---|---|---|---|---|');
  const lines = Object.entries(shapes).map(([name, shape]) => tell(name, generated(shape), spent));
  const mean = (of: (line: Line) => number): number => lines.reduce((sum, line) => sum + of(line), 0) / lines.length;
  const figures: Record<string, number> = {
    generated_mase: mean(({ mase }) => mase),
    generated_naive_mase: mean(({ naiveMase }) => naiveMase),
    generated_coverage_percent: 100 * mean(({ coverage }) => coverage),
  };
  if (directory !== undefined) {
    for (const [name, series] of [
      ['nab', nab(directory)],
      ['smd', smd(directory)],
    ] as const) {
      if (series.length === 0) continue;
      const line = tell(`${name}, ${series.length} series`, series, spent);
      figures[`${name}_mase`] = line.mase;
      figures[`${name}_naive_mase`] = line.naiveMase;
      figures[`${name}_coverage_percent`] = 100 * line.coverage;
    }
  }
  figures.series_ms = spent.reduce((sum, ms) => sum + ms, 0) / spent.length;
  figures.slowest_series_ms = Math.max(...spent);
  figures.process_rss_mb = process.memoryUsage().rss / 1e6;
  return Promise.resolve(figures);
}
