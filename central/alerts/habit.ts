/**
 * How often a machine calls, learned from the silences between its calls: pure, constant in size.
 *
 * Silences are counted by their length in classes a factor √2 apart, and fade with a half-life of ten days. A silence
 * is a habit where ones like it come again and make up a good part of the time: a site that calls once a day is silent
 * nearly always, a machine that is switched off at night half of the time. Three outages of a machine that is always
 * connected are no habit, however long: they are a small part of its time.
 */
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';

/** Silences below are what every connection has. */
export const LEAST_GAP_MS = 5 * MINUTE_MS;
const HALF_LIFE_MS = 10 * DAY_MS;
/** √2 steps from five minutes to some 60 days. */
const CLASSES = 29;
/** It happened twice (the first one has faded a little by then) and is a fifth of the time, */
const TWICE = 1.5;
const SHARE_TWICE = 0.2;
/** or it happened once and is half of all the time that there was. */
const ONCE = 0.9;
const SHARE_ONCE = 0.5;

export interface Habit {
  /** Up to when it was counted. */
  readonly atMs: number;
  /** Time that was counted, faded. */
  readonly observedMs: number;
  /** By class: how many silences, their time, and the longest. */
  readonly counts: readonly number[];
  readonly sumsMs: readonly number[];
  readonly longestMs: readonly number[];
}

/** @param firstMs the first call */
export function newHabit(firstMs: number): Habit {
  const zeros: readonly number[] = new Array<number>(CLASSES).fill(0);
  return { atMs: firstMs, observedMs: 0, counts: zeros, sumsMs: zeros, longestMs: zeros };
}

/** The habit after a silence of that length, which ended at `endMs`. */
export function withGap(habit: Habit, endMs: number, lengthMs: number): Habit {
  if (!(endMs > habit.atMs) || !(lengthMs >= LEAST_GAP_MS)) return habit;
  const elapsedMs = endMs - habit.atMs;
  const fade = 0.5 ** (elapsedMs / HALF_LIFE_MS);
  const at = Math.min(CLASSES - 1, Math.floor(2 * Math.log2(lengthMs / LEAST_GAP_MS)));
  const gapMs = Math.min(lengthMs, elapsedMs);
  const counts = habit.counts.map((count, i) => count * fade + (i === at ? 1 : 0));
  return {
    atMs: endMs,
    observedMs: habit.observedMs * fade + elapsedMs,
    counts,
    sumsMs: habit.sumsMs.map((sum, i) => sum * fade + (i === at ? gapMs : 0)),
    longestMs: habit.longestMs.map((longest, i) => {
      if (i === at) return Math.max(longest, lengthMs);
      // What has faded to nothing is forgotten with its length.
      return counts[i]! < 0.05 ? 0 : longest;
    }),
  };
}

/**
 * The longest silence that is usual; null where none is.
 * @param lastMs the last call: the silence since then says nothing yet
 */
export function usualGapMs(habit: Habit, lastMs: number): number | null {
  const elapsedMs = Math.max(0, lastMs - habit.atMs);
  const fade = 0.5 ** (elapsedMs / HALF_LIFE_MS);
  const observedMs = habit.observedMs * fade + elapsedMs;
  if (observedMs <= 0) return null;
  let count = 0;
  let sumMs = 0;
  for (let i = CLASSES - 1; i >= 0; i--) {
    count += habit.counts[i]! * fade;
    sumMs += habit.sumsMs[i]! * fade;
    if (habit.counts[i]! * fade < 0.05) continue;
    // With the next class below: what is nearly as long is the same habit.
    const n = count + (habit.counts[i - 1] ?? 0) * fade;
    const share = (sumMs + (habit.sumsMs[i - 1] ?? 0) * fade) / observedMs;
    if ((n >= TWICE && share >= SHARE_TWICE) || (n >= ONCE && share >= SHARE_ONCE)) return habit.longestMs[i]!;
  }
  return null;
}
