/** One model's figures on held-out time, taken course by course. */
import { DAY_MS } from '../../shared/limits.ts';
import type { ModelKind } from '../train/kind.ts';
import type { ReportFigures } from './api.ts';
import { Calibration, stepsOf } from './calibration.ts';
import { type Course, runOver } from './course.ts';
import { FalseIncidents } from './false-incidents.ts';
import { seeded } from './seeded.ts';

/** Share of held-out windows that the expected band is to hold. */
export const BAND_LEVEL = 0.98;
/** One absurd window weighs no more than this many scales. */
const LARGEST_LOSS = 100;
const WEEK_DAYS = 7;

/** Of one course. */
export interface CourseTally {
  readonly windows: number;
  readonly inside: number;
  /** Summed over the windows that have a band. */
  readonly loss: number;
  readonly findings: number;
  /** 1 where the window is a finding. */
  readonly found: Uint8Array;
}

export class Tally {
  readonly #calibration: Calibration;
  readonly #incidents = new FalseIncidents();
  #windows = 0;
  #inside = 0;
  #loss = 0;
  #losses = 0;
  #findings = 0;

  /** @param seed the same for both models: chance favours none */
  constructor(seed: number) {
    this.#calibration = new Calibration(seeded(seed));
  }

  /** @param lossScale null: the series is not compared */
  add<P>(kind: ModelKind<P>, params: P, course: Course, lossScale: number | null): CourseTally {
    const { endsMs, values } = course;
    const found = new Uint8Array(endsMs.length);
    const [first] = values;
    const single = values.length === 1 && first !== undefined;
    const { below } = kind;
    const calibrated = single && below !== undefined;
    const steps = calibrated ? stepsOf(first) : null;
    const belowOf = (row: number, value: number): number => below!(params, value, endsMs[row]!);
    let windows = 0;
    let inside = 0;
    let loss = 0;
    let findings = 0;
    let outside = false;
    runOver(kind, params, course, (row, { ready, finding, expectedLow: low, expectedHigh: high }) => {
      if (!ready) return;
      windows++;
      // A finding that lasts is one finding.
      if (finding && !outside) findings++;
      outside = finding;
      if (finding) {
        found[row] = 1;
        this.#incidents.add(endsMs[row]!);
      }
      if (!single) return;
      const value = first[row]!;
      if (value >= low && value <= high) inside++;
      if (calibrated) this.#calibration.add(value, row, steps, belowOf);
      if (lossScale === null) return;
      const ends = pinball(value, low, (1 - BAND_LEVEL) / 2) + pinball(value, high, (1 + BAND_LEVEL) / 2);
      loss += Math.min(LARGEST_LOSS, ends / 2 / lossScale);
    });
    this.#windows += windows;
    this.#inside += inside;
    this.#findings += findings;
    if (single && lossScale !== null) {
      this.#loss += loss;
      this.#losses += windows;
    }
    return { windows, inside, loss, findings, found };
  }

  figures(days: number, windowMs: number): ReportFigures {
    return {
      windows: this.#windows,
      coverage: this.#windows === 0 ? 0 : this.#inside / this.#windows,
      pinball: this.#losses === 0 ? 0 : this.#loss / this.#losses,
      findingsPerDay: this.#findings / days,
      falseIncidentsPerWeek: (this.#incidents.count(windowMs) * WEEK_DAYS) / days,
      pit: this.#calibration.histogram(),
      levels: this.#calibration.coverages(),
    };
  }
}

/** Days between the first and the last window that were seen; one window at least. */
export function daysOf(firstMs: number, lastMs: number, windowMs: number): number {
  return Math.max(windowMs, lastMs - firstMs) / DAY_MS;
}

/** Loss of saying that `quantile` is exceeded with probability 1 - share. */
function pinball(value: number, quantile: number, share: number): number {
  return value >= quantile ? share * (value - quantile) : (1 - share) * (quantile - value);
}
