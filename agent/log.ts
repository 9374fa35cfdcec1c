/** The agent's log: JSON lines as pino writes them, without what pino weighs in memory. */
import type { Log } from './inputs/input.ts';

const levels = { debug: 20, info: 30, warn: 40, error: 50 } as const;
export type LogLevel = keyof typeof levels;

/** Longer lines are cut off: a device's answer must not fill the journal. */
const maxLineLength = 8192;

export function createLog(least: LogLevel, write: (line: string) => void, nowMs: () => number): Log {
  const at =
    (level: LogLevel) =>
    (fields: object, message: string): void => {
      if (levels[level] < levels[least]) return;
      write(
        `${JSON.stringify({ level: levels[level], time: nowMs(), msg: message, ...fields }, plain).slice(0, maxLineLength)}\n`,
      );
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What JSON has no form for. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? { message: value.message, ...('code' in value ? { code: value.code } : {}) } : value;
}
