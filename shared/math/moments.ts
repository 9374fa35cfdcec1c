/**
 * Count, mean, deviation, minimum, maximum and last value of many series at once, in typed arrays indexed by series
 * number. Nothing is allocated per sample, and where the count is 0 the rest means nothing: pages of series that are not
 * there are never touched.
 *
 * Mean and squared deviations by Welford (Technometrics 1962); two sets are merged by Chan, Golub and LeVeque (1979),
 * so that an hour made of its minutes equals the hour made of its samples. Numerical error: after n samples the
 * relative error of the mean is at most about n·ε, that of the variance about n·κ·ε, with ε = 1.1e-16 and
 * κ² = 1 + mean²/variance (Chan et al., table 1: no cancellation, unlike sums of squares with n·κ²·ε).
 * For an hour at 1 Hz, and a deviation of a millionth of the mean, that is 4e-7 of the variance.
 */
export class Moments {
  readonly capacity: number;
  readonly count: Uint32Array;
  readonly mean: Float64Array;
  /** Sum of squared deviations from the mean. */
  readonly squares: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;

  /** @param capacity series numbers are below this */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.count = new Uint32Array(capacity);
    this.mean = new Float64Array(capacity);
    this.squares = new Float64Array(capacity);
    this.min = new Float64Array(capacity);
    this.max = new Float64Array(capacity);
    this.last = new Float64Array(capacity);
  }

  /** A finite value of one series. */
  add(series: number, value: number): void {
    const count = this.count[series]! + 1;
    this.count[series] = count;
    this.last[series] = value;
    if (count === 1) {
      this.mean[series] = value;
      this.squares[series] = 0;
      this.min[series] = value;
      this.max[series] = value;
      return;
    }
    const mean = this.mean[series]!;
    const difference = value - mean;
    const shifted = between(mean, value, 1 / count);
    this.mean[series] = shifted;
    this.squares[series] = this.squares[series]! + difference * (value - shifted);
    if (value < this.min[series]!) this.min[series] = value;
    if (value > this.max[series]!) this.max[series] = value;
  }

  /** Population standard deviation; NaN without samples. */
  deviation(series: number): number {
    const count = this.count[series]!;
    return count === 0 ? Number.NaN : Math.sqrt(this.squares[series]! / count);
  }

  /** Adds what another set has of a series; it is taken as later, so that `last` becomes its last. */
  merge(series: number, other: Moments, from: number = series): void {
    const added = other.count[from]!;
    if (added === 0) return;
    const before = this.count[series]!;
    this.last[series] = other.last[from]!;
    this.count[series] = before + added;
    if (before === 0) {
      this.mean[series] = other.mean[from]!;
      this.squares[series] = other.squares[from]!;
      this.min[series] = other.min[from]!;
      this.max[series] = other.max[from]!;
      return;
    }
    const count = before + added;
    const difference = other.mean[from]! - this.mean[series]!;
    this.mean[series] = between(this.mean[series]!, other.mean[from]!, added / count);
    this.squares[series] =
      this.squares[series]! + other.squares[from]! + (difference * difference * before * added) / count;
    this.min[series] = Math.min(this.min[series]!, other.min[from]!);
    this.max[series] = Math.max(this.max[series]!, other.max[from]!);
  }

  /** Forgets one series. */
  clear(series: number): void {
    this.count[series] = 0;
  }

  /** Begins anew. */
  reset(): void {
    this.count.fill(0);
  }
}

/** The point that lies a share of the way from a to b; both are finite, though the way between them may not be. */
function between(a: number, b: number, share: number): number {
  const way = b - a;
  return Number.isFinite(way) ? a + way * share : a * (1 - share) + b * share;
}

/** Count, mean and population deviation of one set of values. */
export interface Moment {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
}

/** Count, mean and deviation of the union of two sets; either may be empty. */
export function mergeMoments(a: Moment, b: Moment): Moment {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const difference = b.mean - a.mean;
  const squares =
    a.deviation ** 2 * a.count + b.deviation ** 2 * b.count + (difference * difference * a.count * b.count) / count;
  return { count, mean: between(a.mean, b.mean, b.count / count), deviation: Math.sqrt(squares / count) };
}
