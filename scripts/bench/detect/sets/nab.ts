/**
 * NAB: three profiles with the threshold swept over the whole corpus, and with the threshold fixed on one half of the
 * files and scored on the other. Published results that lie beside the data check the scorer.
 */
import { baselines } from '../baselines.ts';
import { scoreSeries } from '../engine.ts';
import { type NabFile, publishedDetectors, readNab, readPublished } from '../formats/nab.ts';
import { writeNabResults } from '../formats/nab-results.ts';
import { type NabProfile, NabSweep, nabProfiles } from '../scorers/nab-score.ts';
import type { Figures } from '../table.ts';
import type { SetOptions, SetResult } from './set.ts';

/** What its results are called among those of others. */
const DETECTOR = 'picket';

const names = Object.keys(nabProfiles) as (keyof typeof nabProfiles)[];

export function runNab(options: SetOptions): SetResult {
  const files = readNab(options.dir, options.filter);
  const scores = files.map(({ timesMs, values }) => scoreSeries(timesMs, values, options.budget));
  if (options.writeNab !== undefined) {
    for (const [i, file] of files.entries()) writeNabResults(options.writeNab, DETECTOR, file, scores[i]!);
    console.log(`results of ${files.length} files written to ${options.writeNab}/results/${DETECTOR}`);
  }
  const swept: Record<string, Figures> = { Picket: sweptFigures(files, scores) };
  const cross: Record<string, Figures> = { Picket: crossFigures(files, scores) };
  for (const [name, make] of Object.entries(baselines)) {
    const theirs = files.map(({ values }, i) => make(values.length, i + 1));
    // A threshold that may be swept makes silence of the always-alarm: its is fixed.
    swept[name] = name === 'always-alarm' ? fixedFigures(files, theirs, 1) : sweptFigures(files, theirs);
    cross[name] = crossFigures(files, theirs);
  }
  swept['perfect (scorer)'] = sweptFigures(files, files.map(perfect));
  for (const detector of publishedDetectors(options.dir)) {
    const theirs = readPublished(options.dir, detector, files);
    if (theirs === null) continue;
    swept[`${detector} (published)`] = sweptFigures(files, theirs);
    cross[`${detector} (published)`] = crossFigures(files, theirs);
  }
  const { standard, low_fp, low_fn } = swept.Picket!;
  const { cross_standard, cross_low_fp, cross_low_fn, back_standard, back_low_fp } = cross.Picket!;
  return {
    tables: {
      'NAB: threshold swept over all files': swept,
      'NAB: threshold fixed on even files, scored on odd ones (cross), and the other way round (back)': cross,
    },
    figures: {
      ...{ standard: standard!, low_fp: low_fp!, low_fn: low_fn! },
      ...{ cross_standard: cross_standard!, cross_low_fp: cross_low_fp!, cross_low_fn: cross_low_fn! },
      ...{ back_standard: back_standard!, back_low_fp: back_low_fp! },
    },
  };
}

function sweep(files: readonly NabFile[], scores: readonly Float64Array[], keep: (file: NabFile) => boolean): NabSweep {
  const kept = files.map(keep);
  return new NabSweep(
    files.filter((_, i) => kept[i]).map(({ values, windows }) => ({ rows: values.length, windows })),
    scores.filter((_, i) => kept[i]),
  );
}

function sweptFigures(files: readonly NabFile[], scores: readonly Float64Array[]): Figures {
  const all = sweep(files, scores, () => true);
  const { threshold } = all.best(nabProfiles.standard);
  const { found, windows, outside } = all.counts(threshold);
  return { ...eachProfile((profile) => all.best(profile).score), threshold, found, windows, outside };
}

function fixedFigures(files: readonly NabFile[], scores: readonly Float64Array[], threshold: number): Figures {
  const all = sweep(files, scores, () => true);
  return {
    ...eachProfile((profile) => all.at(profile, threshold)),
    threshold,
    ...all.counts(threshold),
  };
}

function crossFigures(files: readonly NabFile[], scores: readonly Float64Array[]): Figures {
  const even = sweep(files, scores, ({ position }) => position % 2 === 0);
  const odd = sweep(files, scores, ({ position }) => position % 2 === 1);
  const fixed = (tuned: NabSweep, checked: NabSweep, prefix: string): Figures =>
    eachProfile((profile) => checked.at(profile, tuned.best(profile).threshold), prefix);
  return { ...fixed(even, odd, 'cross_'), ...fixed(odd, even, 'back_') };
}

function eachProfile(score: (profile: NabProfile) => number, prefix = ''): Figures {
  return Object.fromEntries(names.map((name) => [prefix + name, score(nabProfiles[name])]));
}

/** Detects at each window's first row, and nowhere else. */
function perfect({ values, windows }: NabFile): Float64Array {
  const scores = new Float64Array(values.length);
  for (const [first] of windows) scores[first] = 1;
  return scores;
}
