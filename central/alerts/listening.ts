/**
 * When the central could hear: a silence counts only as far as somebody listened. Kept over its ends, so that a central
 * that is started anew each night still misses a machine that calls once a day. Pure.
 */
import { DAY_MS } from '../../shared/limits.ts';

/** Stretches in which nothing could be heard, in order; the newest, and not of older than 60 days. */
export type Deaf = readonly (readonly [fromMs: number, toMs: number])[];

const MOST = 500;
const KEEP_MS = 60 * DAY_MS;

export function withDeaf(deaf: Deaf, fromMs: number, toMs: number): Deaf {
  if (!(toMs > fromMs)) return deaf;
  return [...deaf.filter(([, endMs]) => toMs - endMs < KEEP_MS), [fromMs, toMs] as const].slice(-MOST);
}

/** How much of the time from one to the other somebody listened. */
export function listenedMs(deaf: Deaf, fromMs: number, toMs: number): number {
  let lengthMs = Math.max(0, toMs - fromMs);
  for (let i = deaf.length - 1; i >= 0; i--) {
    const [startMs, endMs] = deaf[i]!;
    if (endMs <= fromMs) break;
    lengthMs -= Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs));
  }
  return Math.max(0, lengthMs);
}
