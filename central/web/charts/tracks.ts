/**
 * From windows and full-rate values to what is drawn: one track a line, aligned to common times, with holes where
 * nothing was measured. Times in seconds, as uPlot has them. Pure.
 */

/** Points of one origin, rising in time. `low` and `high` are what was between the points. */
export interface Part {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  readonly lows: readonly (number | null)[];
  readonly highs: readonly (number | null)[];
  /** Points further apart have a hole between them, seconds. */
  readonly gapS: number;
  /** The same of each point, where they differ: of two neighbours the larger holds. */
  readonly gapsS?: readonly number[];
}

/** Like a part, but with the holes as points of their own whose value is null. */
export interface Track {
  readonly times: number[];
  readonly values: (number | null)[];
  readonly lows: (number | null)[];
  readonly highs: (number | null)[];
}

/** What the API answers of a series in windows. */
export interface WindowColumns {
  readonly timesMs: readonly number[];
  /** Real lengths: in one series there may be windows of a minute and of ten. */
  readonly lengthsMs?: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  readonly min?: readonly (number | null)[];
  readonly max?: readonly (number | null)[];
  readonly anomalyShare?: readonly (number | null)[];
}

/** Windows whose middles are further apart than so many lengths have a hole between them. */
const WINDOW_GAP = 2.2;

/** Windows stand at their middle: their mean is of all of it. */
export function windowPart(columns: WindowColumns, windowMs: number, invert: boolean): Part {
  const lows = columns.min ?? columns.mean;
  const highs = columns.max ?? columns.mean;
  // A window that was cut short stands with the whole ones.
  const lengthMs = (i: number): number => Math.max(windowMs, columns.lengthsMs?.[i] ?? windowMs);
  return {
    times: columns.timesMs.map((ms, i) => (ms - lengthMs(i) / 2) / 1000),
    gapsS: columns.timesMs.map((_, i) => (WINDOW_GAP * lengthMs(i)) / 1000),
    values: invert ? flipped(columns.mean) : columns.mean,
    lows: invert ? flipped(highs) : lows,
    highs: invert ? flipped(lows) : highs,
    gapS: (WINDOW_GAP * windowMs) / 1000,
  };
}

const MIN_GAP_S = 5;
/** Rounded, so that series that were read in one tick share their times. */
const roundToTick = (ms: number): number => Math.round(ms / 100) / 10;

export function fullRatePart(timesMs: readonly number[], values: readonly (number | null)[], invert: boolean): Part {
  const shown = invert ? flipped(values) : values;
  return { times: timesMs.map(roundToTick), values: shown, lows: shown, highs: shown, gapS: fullRateGap(timesMs) };
}

/** Four of the usual intervals between values. */
function fullRateGap(timesMs: readonly number[]): number {
  const last = timesMs.slice(-40);
  const steps = last.slice(1).map((ms, i) => ms - last[i]!);
  steps.sort((a, b) => a - b);
  return Math.max(MIN_GAP_S, (4 * (steps[steps.length >> 1] ?? 0)) / 1000);
}

function flipped(values: readonly (number | null)[]): (number | null)[] {
  return values.map((value) => (value === null ? null : 1 - value));
}

/** Parts in order of time become one track; where they overlap the later part stands. */
export function joinParts(parts: readonly Part[]): Track {
  const track: Track = { times: [], values: [], lows: [], highs: [] };
  const filled = parts.filter(({ times }) => times.length > 0);
  let gapBefore = 0;
  filled.forEach((part, at) => {
    const until = filled[at + 1]?.times[0] ?? Number.POSITIVE_INFINITY;
    for (let i = 0; i < part.times.length; i++) {
      const time = part.times[i]!;
      if (time >= until) break;
      const before = track.times.at(-1);
      if (before !== undefined && time <= before) continue;
      const gapS = Math.max(part.gapsS?.[i] ?? part.gapS, i === 0 ? gapBefore : (part.gapsS?.[i - 1] ?? 0));
      if (before !== undefined && time - before > gapS) {
        push(track, before + 0.1, null, null, null);
      }
      push(track, time, part.values[i] ?? null, part.lows[i] ?? null, part.highs[i] ?? null);
    }
    gapBefore = part.gapsS?.at(-1) ?? part.gapS;
  });
  return track;
}

function push(track: Track, time: number, value: number | null, low: number | null, high: number | null): void {
  track.times.push(time);
  track.values.push(value);
  track.lows.push(low);
  track.highs.push(high);
}

/** Columns over common times. `undefined`: this line has no point there and goes on; `null`: a hole. */
export interface Aligned {
  readonly times: readonly number[];
  readonly columns: readonly (readonly (number | null | undefined)[])[];
}

export function align(tracks: readonly Pick<Track, 'times' | 'values'>[]): Aligned {
  const first = tracks[0];
  if (first === undefined) return { times: [], columns: [] };
  if (tracks.every(({ times }) => sameTimes(times, first.times))) {
    return { times: first.times, columns: tracks.map(({ values }) => values) };
  }
  const times = [...new Set(tracks.flatMap((track) => track.times))].sort((a, b) => a - b);
  const places = new Map(times.map((time, at) => [time, at]));
  const columns = tracks.map((track) => {
    const column = new Array<number | null | undefined>(times.length).fill(undefined);
    track.times.forEach((time, i) => {
      column[places.get(time)!] = track.values[i];
    });
    return column;
  });
  return { times, columns };
}

function sameTimes(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((time, i) => time === b[i]));
}

/**
 * Columns on top of each other: the first stays at the bottom, the last becomes the sum of all. A line without a point counts as
 * nothing; where none has one there is a hole.
 */
export function stacked(columns: Aligned['columns']): (number | null | undefined)[][] {
  const length = columns[0]?.length ?? 0;
  const sums = columns.map(() => new Array<number | null | undefined>(length));
  for (let i = 0; i < length; i++) {
    const there = columns.some((column) => typeof column[i] === 'number');
    const hole = columns.some((column) => column[i] === null);
    let sum = 0;
    for (let line = 0; line < columns.length; line++) {
      sum += columns[line]![i] ?? 0;
      sums[line]![i] = there ? sum : hole ? null : undefined;
    }
  }
  return sums;
}

/** Ends of the axis of values: what is drawn, with room above, from zero where the metric allows it. */
export function axisRange(low: number, high: number, floating: boolean): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (floating && low !== high) {
    const room = (high - low) * 0.1;
    const from = low - room;
    return [low >= 0 && from < 0 ? 0 : from, high + room];
  }
  if (floating && low !== 0) return low > 0 ? [low * 0.95, high * 1.05] : [low * 1.05, high * 0.95];
  const from = Math.min(0, low * 1.08);
  const to = Math.max(0, high * 1.08);
  return from === to ? [0, 1] : [from, to];
}
