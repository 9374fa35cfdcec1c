/**
 * Nominally clean data through the agent's incidents: each server's train of SMD, and each file of NAB without a window.
 * Whatever opens is false, warm-up included. The budget is so many false ones a machine-week.
 */
import { baselines } from '../baselines.ts';
import { Engine, firstInterval } from '../engine.ts';
import { readNab } from '../formats/nab.ts';
import { readSmd, smdMetrics } from '../formats/smd.ts';
import { alarmsOf } from '../scorers/alarms.ts';
import type { Figures } from '../table.ts';
import type { SetOptions, SetResult } from './set.ts';

const WEEK_MS = 7 * 86_400_000;
const SMD_INTERVAL_MS = 60_000;
const SMD_BEGIN_MS = Date.UTC(2019, 0, 7);

/** What one machine recorded. */
interface Recording {
  readonly name: string;
  readonly columns: readonly string[];
  readonly timesMs: Float64Array;
  /** Row after row. */
  readonly rows: Float32Array | Float64Array;
}

interface Tally {
  incidents: number;
  openMs: number;
  findings: number;
  weeks: number;
}

export async function runClean(options: SetOptions): Promise<SetResult> {
  const tallies: Record<string, Tally> = {};
  const each: Record<string, Figures> = {};
  const add = (name: string, tally: Tally): void => {
    const sum = tallies[name] ?? { incidents: 0, openMs: 0, findings: 0, weeks: 0 };
    tallies[name] = sum;
    for (const key of Object.keys(tally) as (keyof Tally)[]) sum[key] += tally[key];
  };
  for (const [place, recording] of recordings(options)) {
    const ours = await watch(recording, options.budget / 7);
    add('Picket', ours);
    add(`  of these: ${place}`, ours);
    each[recording.name] = figuresOf(ours);
    for (const [name, make] of Object.entries(baselines)) {
      // The random one alarms as often as the budget allows; the others are up always or never.
      const share = name === 'random' ? (options.budget * weeksOf(recording)) / recording.timesMs.length : 0.5;
      const scores = make(recording.timesMs.length, recording.timesMs.length);
      add(name, baselineTally(scores, 1 - share, recording));
    }
  }
  const all = Object.fromEntries(Object.entries(tallies).map(([name, tally]) => [name, figuresOf(tally)]));
  return {
    tables: {
      [`Clean data, false incidents at a budget of ${options.budget} a machine-week`]: all,
      'Clean data: Picket on each machine': each,
    },
    figures: { false_per_machine_week: all.Picket?.false_per_machine_week ?? Number.NaN },
  };
}

function* recordings({ dir, filter }: SetOptions): Generator<[place: string, recording: Recording]> {
  for (const { name, train } of readSmd(dir, filter)) {
    const count = train.length / smdMetrics;
    const timesMs = new Float64Array(count).map((_, i) => SMD_BEGIN_MS + i * SMD_INTERVAL_MS);
    const columns = Array.from({ length: smdMetrics }, (_, i) => `metric.${i + 1}`);
    yield ['SMD', { name, columns, timesMs, rows: train }];
  }
  for (const { name, windows, timesMs, values } of readNab(dir, filter)) {
    if (windows.length === 0) yield ['NAB', { name, columns: ['value'], timesMs, rows: values }];
  }
}

async function watch(recording: Recording, findingsPerDay: number): Promise<Tally> {
  const { columns, timesMs, rows } = recording;
  const opened = new Map<number, number>();
  let findings = 0;
  const engine = new Engine({
    columns,
    intervalMs: firstInterval(timesMs),
    findingsPerDay,
    onFinding: () => findings++,
    onIncident: ({ seq, openedMs, closedMs, updatedMs }) => opened.set(seq, (closedMs ?? updatedMs) - openedMs),
  });
  for (let row = 0; row < timesMs.length; row++) {
    engine.feed(timesMs[row]!, rows, row * columns.length);
    if (engine.settled !== null) await engine.settled;
  }
  const openMs = [...opened.values()].reduce((sum, lasted) => sum + lasted, 0);
  return { incidents: opened.size, openMs, findings, weeks: weeksOf(recording) };
}

function baselineTally(scores: Float64Array, threshold: number, recording: Recording): Tally {
  const { timesMs } = recording;
  const alarms = alarmsOf(scores, threshold);
  const openMs = alarms.reduce((sum, [first, last]) => sum + timesMs[last]! - timesMs[first]!, 0);
  return { incidents: alarms.length, openMs, findings: alarms.length, weeks: weeksOf(recording) };
}

function weeksOf({ timesMs }: Recording): number {
  return (timesMs.at(-1)! - timesMs[0]!) / WEEK_MS;
}

function figuresOf({ incidents, openMs, findings, weeks }: Tally): Figures {
  return {
    false_per_machine_week: incidents / weeks,
    incidents,
    machine_weeks: weeks,
    percent_open: (100 * openMs) / (weeks * WEEK_MS),
    findings_told: findings,
  };
}
