/**
 * SMD: each server's train, then its test, streamed a row a minute. VUS-PR of the test's scores; and events found against
 * false alarms, at a threshold that was set on the second half of the train for as many alarms as the budget allows.
 */
import { baselines } from '../baselines.ts';
import { Engine } from '../engine.ts';
import { readSmd, type SmdServer, smdMetrics } from '../formats/smd.ts';
import { countAlarms, thresholdFor } from '../scorers/alarms.ts';
import { rangesOf, vusPr } from '../scorers/vus-pr.ts';
import type { Figures } from '../table.ts';
import type { SetOptions, SetResult } from './set.ts';

const INTERVAL_MS = 60_000;
const ROWS_A_DAY = 1440;
const BUFFER_ROWS = 100;
/** Any day; the rows have no times of their own. */
const BEGIN_MS = Date.UTC(2019, 0, 7);

/** Scores of a server's rows, train and test in one. */
interface Scores {
  /** How unusual each row is. */
  readonly state: Float64Array;
  /** How rare what begins or worsens with it is. */
  readonly onset: Float64Array;
}

interface Tally {
  servers: number;
  vus: number;
  events: number;
  found: number;
  falseAlarms: number;
  days: number;
}

export function runSmd(options: SetOptions): SetResult {
  const each: Record<string, Figures> = {};
  const tallies: Record<string, Tally> = {};
  for (const server of readSmd(options.dir, options.filter)) {
    const rows = (server.train.length + server.test.length) / smdMetrics;
    const ours = judge(tallies, 'Picket', server, score(server, options.budget), options.budget);
    each[server.name] = figuresOf(ours);
    for (const [name, make] of Object.entries(baselines)) {
      const scores = make(rows, 1);
      judge(tallies, name, server, { state: scores, onset: scores }, options.budget);
    }
  }
  const all: Record<string, Figures> = {};
  for (const [name, tally] of Object.entries(tallies)) all[name] = figuresOf(tally);
  const { vus_pr, event_recall, false_per_machine_day } = all.Picket ?? {};
  return {
    tables: {
      [`SMD: events at a threshold set on train for ${options.budget} a machine-day`]: all,
      'SMD: Picket on each server': each,
    },
    figures: {
      vus_pr: vus_pr ?? Number.NaN,
      event_recall: event_recall ?? Number.NaN,
      false_per_machine_day: false_per_machine_day ?? Number.NaN,
    },
  };
}

function score({ train, test }: SmdServer, findingsPerDay: number): Scores {
  const columns = Array.from({ length: smdMetrics }, (_, i) => `metric.${i + 1}`);
  const engine = new Engine({ columns, intervalMs: INTERVAL_MS, findingsPerDay });
  const trainRows = train.length / smdMetrics;
  const rows = trainRows + test.length / smdMetrics;
  const scores: Scores = { state: new Float64Array(rows), onset: new Float64Array(rows) };
  for (let row = 0; row < rows; row++) {
    const training = row < trainRows;
    engine.feed(BEGIN_MS + row * INTERVAL_MS, training ? train : test, (training ? row : row - trainRows) * smdMetrics);
    scores.state[row] = engine.machineState;
    scores.onset[row] = engine.machineBits;
  }
  return scores;
}

function judge(tallies: Record<string, Tally>, name: string, server: SmdServer, scores: Scores, budget: number): Tally {
  const trainRows = server.train.length / smdMetrics;
  const half = trainRows >> 1;
  const calm = scores.onset.subarray(half, trainRows);
  // No threshold can be set on a score that never changes: silence is 0, and an alarm above it.
  const constant = name === 'always-alarm' || name === 'null';
  const threshold = constant ? 0 : thresholdFor(calm, (budget * calm.length) / ROWS_A_DAY);
  const events = rangesOf(server.labels);
  const { found, falseAlarms } = countAlarms(scores.onset.subarray(trainRows), threshold, events);
  const tally: Tally = {
    servers: 1,
    vus: vusPr(server.labels, scores.state.subarray(trainRows), BUFFER_ROWS),
    events: events.length,
    found,
    falseAlarms,
    days: server.labels.length / ROWS_A_DAY,
  };
  const sum = tallies[name] ?? { servers: 0, vus: 0, events: 0, found: 0, falseAlarms: 0, days: 0 };
  tallies[name] = sum;
  for (const key of Object.keys(tally) as (keyof Tally)[]) sum[key] += tally[key];
  return tally;
}

function figuresOf({ servers, vus, events, found, falseAlarms, days }: Tally): Figures {
  return {
    vus_pr: vus / servers,
    event_recall: found / events,
    false_per_machine_day: falseAlarms / days,
    events,
    found,
    false: falseAlarms,
  };
}
