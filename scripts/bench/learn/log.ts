/** Logs of the bench's parts: problems alone, and those that repeat in one line. */
import type { Log } from '../../../shared/log.ts';

/** Most lines of one message. */
const MOST = 2;

/** @param least 1: warnings and errors; 2: errors alone */
export function logTo(least: 1 | 2): Log {
  const told = new Map<string, number>();
  const tell = (fields: object, message: string): void => {
    const times = (told.get(message) ?? 0) + 1;
    told.set(message, times);
    if (times > MOST) return;
    const { err: _, ...rest } = fields as { err?: unknown };
    console.error(`(${message} ${JSON.stringify(rest)})`);
  };
  const ignore = (): void => undefined;
  return { debug: ignore, info: ignore, warn: least === 1 ? tell : ignore, error: tell };
}
