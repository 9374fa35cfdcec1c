/** The agent's log: JSON lines by pino, to wherever the program writes them. */
import pino from 'pino';
import type { Log } from '../shared/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Longer lines are cut off: a device's answer must not fill the journal. */
const maxLineLength = 8192;

export function createLog(least: LogLevel, write: (line: string) => void, nowMs: () => number): Log {
  const destination = {
    write: (line: string) => write(line.length <= maxLineLength ? line : `${line.slice(0, maxLineLength)}\n`),
  };
  return pino({ level: least, base: null, timestamp: () => `,"time":${nowMs()}` }, destination);
}
