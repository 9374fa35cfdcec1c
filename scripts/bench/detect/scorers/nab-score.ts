/**
 * The score of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015, "Evaluating Real-time Anomaly Detection
 * Algorithms"), in the words of its own scorer where the paper leaves details open:
 *
 * - The first min(15 %, 750) rows of a file are probation: detections there count for nothing.
 * - The first detection within a window earns 2/(1+e^(5y))-1 at y = -(rows to its end, itself included)/rows, over what
 *   the first row would earn; further ones nothing. A window that is missed costs `missed`.
 * - Each detection outside costs `false` times the sigmoid of its distance after the last window, in widths of that
 *   window: all of it from three widths on, and where no window came before.
 * - One threshold for all files; 0 is what silence earns, 100 what a detection at each window's first row earns.
 */

/** What the scorer needs to know of a file. */
export interface NabLabels {
  readonly rows: number;
  /** First and last row of each window, in order. */
  readonly windows: readonly (readonly [number, number])[];
}

export interface NabProfile {
  readonly found: number;
  readonly false: number;
  readonly missed: number;
}

export const nabProfiles = {
  standard: { found: 1, false: 0.11, missed: 1 },
  low_fp: { found: 1, false: 0.22, missed: 1 },
  low_fn: { found: 1, false: 0.11, missed: 2 },
} as const satisfies Record<string, NabProfile>;

const PROBATION_SHARE = 0.15;
const MOST_PROBATION_ROWS = 750;
/** Widths of the window before from which on a false detection costs all. */
const FAR_WIDTHS = 3;

export function probationRows(rows: number): number {
  return Math.min(Math.floor(PROBATION_SHARE * rows), MOST_PROBATION_ROWS);
}

function sigmoid(y: number): number {
  return y > FAR_WIDTHS ? -1 : 2 / (1 + Math.exp(5 * y)) - 1;
}

const ONCE = sigmoid(-1);
/** Of a row that lies in no window. */
const OUTSIDE = -1;

/** All scored rows of some files, ordered by score, so that a threshold can be swept over them. */
export class NabSweep {
  readonly #scores: Float64Array;
  /** What a detection there earns (within a window) or costs (outside), before the weights. */
  readonly #worth: Float64Array;
  /** Number of the window over all files, or `OUTSIDE`. */
  readonly #window: Int32Array;
  readonly #order: Uint32Array;
  readonly #windows: number;

  /** @param scores one array a file, in the order of `files` */
  constructor(files: readonly NabLabels[], scores: readonly Float64Array[]) {
    const count = files.reduce((sum, { rows }) => sum + rows - probationRows(rows), 0);
    this.#scores = new Float64Array(count);
    this.#worth = new Float64Array(count);
    this.#window = new Int32Array(count).fill(OUTSIDE);
    let place = 0;
    let windows = 0;
    for (const [f, file] of files.entries()) {
      const probation = probationRows(file.rows);
      let next = 0;
      let before: readonly [number, number] | null = null;
      for (let row = 0; row < file.rows; row++) {
        while (next < file.windows.length && file.windows[next]![1] < row) before = file.windows[next++]!;
        if (row < probation) continue;
        const window = file.windows[next];
        const within = window !== undefined && row >= window[0];
        this.#scores[place] = scores[f]![row]!;
        this.#worth[place] = within ? earned(window, row) : cost(before, row);
        if (within) this.#window[place] = windows + next;
        place++;
      }
      windows += file.windows.length;
    }
    this.#windows = this.#counted(windows);
    this.#order = new Uint32Array(count).map((_, i) => i).sort((a, b) => this.#scores[b]! - this.#scores[a]!);
  }

  /** The best score over all thresholds (detection: score ≥ threshold), and that threshold; infinite: silence is best. */
  best(profile: NabProfile): { score: number; threshold: number } {
    let best = 0;
    let threshold = Number.POSITIVE_INFINITY;
    this.#sweep(profile, (score, at) => {
      if (score <= best) return true;
      best = score;
      threshold = at;
      return true;
    });
    return { score: best, threshold };
  }

  /** The score at one threshold. */
  at(profile: NabProfile, threshold: number): number {
    let last = 0;
    this.#sweep(profile, (score, at) => {
      if (at < threshold) return false;
      last = score;
      return true;
    });
    return last;
  }

  /** Windows found, and detections outside of any, at a threshold. */
  counts(threshold: number): { found: number; windows: number; outside: number } {
    const found = new Set<number>();
    let outside = 0;
    for (let i = 0; i < this.#scores.length; i++) {
      if (!(this.#scores[i]! >= threshold)) continue;
      if (this.#window[i] === OUTSIDE) outside++;
      else found.add(this.#window[i]!);
    }
    return { found: found.size, windows: this.#windows, outside };
  }

  /** Calls with the score at each threshold, from the highest down, until told to stop. */
  #sweep(profile: NabProfile, visit: (score: number, threshold: number) => boolean): void {
    // Null is all windows missed; perfect all found at once.
    const range = this.#windows * (profile.found + profile.missed);
    if (range === 0) return;
    const best = new Map<number, number>();
    let raw = 0;
    for (let i = 0; i < this.#order.length; i++) {
      const row = this.#order[i]!;
      const window = this.#window[row]!;
      if (window === OUTSIDE) {
        raw += profile.false * this.#worth[row]!;
      } else {
        const before = best.get(window) ?? -profile.missed;
        const now = Math.max(before, profile.found * this.#worth[row]!);
        best.set(window, now);
        raw += now - before;
      }
      const threshold = this.#scores[row]!;
      const more = i + 1 < this.#order.length && this.#scores[this.#order[i + 1]!] === threshold;
      if (!more && !visit((100 * raw) / range, threshold)) return;
    }
  }

  /** A window that lies within the probation alone is not counted. */
  #counted(windows: number): number {
    const seen = new Uint8Array(windows);
    for (const window of this.#window) if (window !== OUTSIDE) seen[window] = 1;
    return seen.reduce((sum, one) => sum + one, 0);
  }
}

function earned([first, last]: readonly [number, number], row: number): number {
  return sigmoid(-(last - row + 1) / (last - first + 1)) / ONCE;
}

function cost(before: readonly [number, number] | null, row: number): number {
  if (before === null) return -1;
  return sigmoid((row - before[1]) / Math.max(1, before[1] - before[0]));
}
