/** The machine's own time and the name of its boot. */

import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Clock } from '../shared/clock.ts';

/** How often the offset between Node's clock and CLOCK_BOOTTIME is looked at; they part only in suspend. */
const RESYNC_MS = 1_000;
/** /proc/uptime has a resolution of 10 ms; below this a difference is that. */
const TOLERANCE_MS = 50;

/**
 * CLOCK_BOOTTIME through /proc/uptime, whose first number counts suspend (proc_uptime(5)); between two looks, Node's
 * monotonic clock carries it on. Without /proc (not Linux) Node's clock alone.
 */
export function openBootClock(procRoot = '/proc'): Clock & { close(): void } {
  const buffer = Buffer.alloc(64);
  let descriptor = -1;
  try {
    descriptor = openSync(`${procRoot}/uptime`, 'r');
  } catch {
    // Not Linux, or no /proc: suspend is not counted then.
  }
  let offsetMs = 0;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let latestMs = 0;
  return {
    monotonicMs() {
      const nodeMs = performance.now();
      if (descriptor >= 0 && nodeMs - lookedMs >= RESYNC_MS) {
        lookedMs = nodeMs;
        const length = readSync(descriptor, buffer, 0, buffer.length, 0);
        const uptimeMs = Number.parseFloat(buffer.toString('latin1', 0, length)) * 1000;
        const difference = uptimeMs - nodeMs - offsetMs;
        if (Number.isFinite(difference) && Math.abs(difference) > TOLERANCE_MS) offsetMs += difference;
      }
      latestMs = Math.max(latestMs, nodeMs + offsetMs);
      return latestMs;
    },
    wallMs: () => Date.now(),
    close() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  };
}

/** 32 hex digits that name this boot; a random one where the kernel does not tell. */
export function readBootId(procRoot = '/proc'): string {
  try {
    const text = readFileSync(`${procRoot}/sys/kernel/random/boot_id`, 'latin1').trim().replaceAll('-', '');
    if (/^[0-9a-f]{32}$/.test(text)) return text;
    return createHash('sha256').update(text).digest('hex').slice(0, 32);
  } catch {
    return randomBytes(16).toString('hex');
  }
}
