/**
 * How good the central's forecasts are on what it stored: hourly means, each series forecast for a day from several
 * places of its history, beside "as yesterday at this hour".
 */
import { outlookOf } from '../../../central/forecast/outlook.ts';
import { HOUR_MS } from '../../../shared/limits.ts';
import type { BenchCentral } from './central.ts';

const DAY = 24;
const LEAST_HOURS = 5 * DAY;

export interface ForecastFigures {
  /** Median over the cases: mean absolute errors in parts of the naive one of a day within the history. */
  readonly mase: number;
  readonly naiveMase: number;
  /** Share of the hours that lay in the interval of 90 %. */
  readonly coverage90: number;
  readonly cases: number;
}

export interface Asked {
  readonly central: BenchCentral;
  readonly agents: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Of each machine. */
  readonly series: number;
}

export async function forecastFigures({ central, agents, fromMs, toMs, series }: Asked): Promise<ForecastFigures> {
  const errors: number[] = [];
  const naiveErrors: number[] = [];
  let held = 0;
  let hours = 0;
  for (const agent of agents) {
    for (const column of await hourly(central, agent, { fromMs, toMs, series })) {
      for (let at = LEAST_HOURS; at + DAY <= column.length; at += Math.ceil((column.length - LEAST_HOURS) / 4)) {
        const one = tryAt(column, at);
        if (one === null) continue;
        errors.push(one.error);
        naiveErrors.push(one.naiveError);
        held += one.held;
        hours += one.hours;
      }
    }
  }
  return { mase: median(errors), naiveMase: median(naiveErrors), coverage90: held / hours, cases: errors.length };
}

async function hourly(
  central: BenchCentral,
  agent: string,
  { fromMs, toMs, series }: Pick<Asked, 'fromMs' | 'toMs' | 'series'>,
): Promise<Float64Array[]> {
  const known = await central.ask<{ series: { id: string; name: string }[] }>('GET', `/agents/${agent}/series`);
  const ids = known.series
    .filter(({ name }) => name.startsWith('replay.'))
    .slice(0, series)
    .map(({ id }) => id);
  const query = `series=${ids.join(',')}&from=${fromMs}&to=${toMs}&resolution=hour&columns=mean`;
  type Columns = { timesMs: number[]; mean: (number | null)[] };
  const answer = await central.ask<{ series: Columns[] }>('GET', `/agents/${agent}/summaries?${query}`);
  return answer.series.map(({ timesMs, mean }) => {
    const column = new Float64Array(Math.round((toMs - fromMs) / HOUR_MS)).fill(Number.NaN);
    for (const [i, ms] of timesMs.entries()) column[Math.round((ms - fromMs) / HOUR_MS) - 1] = mean[i] ?? Number.NaN;
    return column;
  });
}

interface Case {
  readonly error: number;
  readonly naiveError: number;
  readonly held: number;
  readonly hours: number;
}

function tryAt(column: Float64Array, at: number): Case | null {
  const history = column.slice(0, at);
  const outlook = outlookOf({ column: history, season: DAY, horizon: DAY, lowest: -1e12, highest: 1e12 });
  let scale = 0;
  let pairs = 0;
  for (let i = DAY; i < at; i++) {
    const distance = Math.abs(history[i]! - history[i - DAY]!);
    if (Number.isNaN(distance)) continue;
    scale += distance;
    pairs++;
  }
  scale /= pairs;
  if (outlook === null || outlook.behind !== 0 || !(scale > 1e-9)) return null;
  let error = 0;
  let naiveError = 0;
  let held = 0;
  let hours = 0;
  for (let h = 0; h < outlook.value.length; h++) {
    const truth = column[at + h]!;
    const naive = history[at - DAY + h]!;
    if (Number.isNaN(truth) || Number.isNaN(naive)) continue;
    hours++;
    error += Math.abs(truth - outlook.value[h]!);
    naiveError += Math.abs(truth - naive);
    if (truth >= outlook.low[h]! && truth <= outlook.high[h]!) held++;
  }
  if (hours === 0) return null;
  return { error: error / hours / scale, naiveError: naiveError / hours / scale, held, hours };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
