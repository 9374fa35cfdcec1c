/**
 * A log that nobody can fill. Whoever holds one credential, or a broker, could make a central or an agent complain
 * thousands of times a second; the lines would push everything else out of the journal, and wear its disk.
 */
import { MINUTE_MS } from './limits.ts';
import type { Log } from './log.ts';

/** Warnings of the same words in a minute; what is beyond is counted. */
const LINES_PER_MINUTE = 60;
/** Different words that are counted at once; messages of the code are far fewer. */
const KINDS = 256;

interface Kind {
  sinceMs: number;
  lines: number;
  left: number;
}

export function sparingLog(log: Log, nowMs: () => number): Log {
  const kinds = new Map<string, Kind>();
  const may = (message: string): boolean => {
    const atMs = nowMs();
    let kind = kinds.get(message);
    if (kind === undefined) {
      if (kinds.size >= KINDS) kinds.clear();
      kind = { sinceMs: atMs, lines: 0, left: 0 };
      kinds.set(message, kind);
    }
    if (Math.abs(atMs - kind.sinceMs) >= MINUTE_MS) {
      if (kind.left > 0) log.warn({ of: message, lines: kind.left }, 'more of the same were not logged');
      Object.assign(kind, { sinceMs: atMs, lines: 0, left: 0 });
    }
    if (kind.lines < LINES_PER_MINUTE) {
      kind.lines++;
      return true;
    }
    kind.left++;
    return false;
  };
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => {
      if (may(message)) log.warn(fields, message);
    },
    error: (fields, message) => {
      if (may(message)) log.error(fields, message);
    },
  };
}
