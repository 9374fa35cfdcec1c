/**
 * SKAB valve1: each file streamed a row a second; the threshold is the highest score of its 400 training rows, and the
 * rows after them are pooled.
 */
import { baselines } from '../baselines.ts';
import { Engine, firstInterval } from '../engine.ts';
import { readSkab, type SkabFile, skabTrainingRows } from '../formats/skab.ts';
import { Confusion } from '../scorers/confusion.ts';
import type { Figures } from '../table.ts';
import type { SetOptions, SetResult } from './set.ts';

export function runSkab(options: SetOptions): SetResult {
  const files = readSkab(options.dir, options.filter);
  const each: Record<string, Figures> = {};
  const ours = new Confusion();
  for (const file of files) {
    const scores = score(file, options.budget);
    const threshold = trainingThreshold(scores);
    const alone = new Confusion();
    for (const confusion of [ours, alone]) count(confusion, file, scores, threshold);
    each[file.name] = alone.figures();
  }
  const all: Record<string, Figures> = { Picket: ours.figures() };
  for (const [name, make] of Object.entries(baselines)) {
    const confusion = new Confusion();
    for (const [i, file] of files.entries()) {
      const scores = make(file.labels.length, i + 1);
      // A score that is always the same would be no alarm by its own threshold; the random one is for every other row.
      count(confusion, file, scores, name === 'null' ? 1 : name === 'random' ? 0.5 : 0);
    }
    all[name] = confusion.figures();
  }
  return {
    tables: { 'SKAB valve1, threshold from the training rows': all, 'SKAB valve1: Picket on each file': each },
    figures: ours.figures(),
  };
}

function score({ sensors, timesMs, rows }: SkabFile, findingsPerDay: number): Float64Array {
  const engine = new Engine({ columns: sensors, intervalMs: firstInterval(timesMs), findingsPerDay });
  const scores = new Float64Array(timesMs.length);
  for (let row = 0; row < scores.length; row++) {
    engine.feed(timesMs[row]!, rows, row * sensors.length);
    scores[row] = engine.machineState;
  }
  return scores;
}

function trainingThreshold(scores: Float64Array): number {
  return scores.subarray(0, skabTrainingRows).reduce((most, score) => Math.max(most, score), 0);
}

/** Rows above the threshold are alarms. */
function count(confusion: Confusion, { labels }: SkabFile, scores: Float64Array, threshold: number): void {
  for (let row = skabTrainingRows; row < labels.length; row++) {
    confusion.add(labels[row] === 1, scores[row]! > threshold);
  }
}
