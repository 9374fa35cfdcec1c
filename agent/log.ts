/**
 * The agent's log: JSON lines in the form that pino has made usual (level 20 to 50, time, fields, msg), to wherever the
 * program writes them. Not pino itself: loading it takes two megabytes, a tenth of what the agent may take.
 */
import type { Log } from '../shared/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const levels: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** Longer lines are cut off: a device's answer must not fill the journal. */
const maxLineLength = 8192;

export function createLog(least: LogLevel, write: (line: string) => void, nowMs: () => number): Log {
  const at = (level: LogLevel) => (fields: object, message: string) => {
    if (levels[level] < levels[least]) return;
    const line = lineOf({ level: levels[level], time: nowMs() }, fields, message);
    write(line.length < maxLineLength ? `${line}\n` : `${line.slice(0, maxLineLength)}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function lineOf(head: object, fields: object, msg: string): string {
  try {
    return JSON.stringify({ ...head, ...fields, msg });
  } catch {
    // What JSON cannot say (a circle, a BigInt) must not lose the message.
    return JSON.stringify({ ...head, msg });
  }
}
