import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../shared/limits.ts';
import { silentLog } from '../test/support/timers.ts';
import type { Origin } from './backup/origin.ts';
import { Strangers } from './strangers.ts';

const BACKUP_MS = Date.UTC(2026, 0, 5);

function make(origin: Origin | null) {
  const clock = { ms: BACKUP_MS + HOUR_MS };
  const lines: string[] = [];
  const log = { ...silentLog, warn: (_facts: object, text: string) => void lines.push(text) };
  return { clock, lines, strangers: new Strangers({ log, nowMs: () => clock.ms, origin }) };
}

describe('an agent that is not enrolled', () => {
  test('is named with what happened and what to do, once an hour', () => {
    const { clock, lines, strangers } = make({ backupMs: BACKUP_MS, restoredMs: BACKUP_MS + 1 });
    for (let i = 0; i < 10; i++) strangers.knocked('pump-7');
    expect(lines).toEqual([
      expect.stringMatching(/pump-7 is not enrolled: .*after the backup of 2026-01-05.*enrol it again/),
    ]);
    clock.ms += HOUR_MS;
    strangers.knocked('pump-7');
    expect(lines.length).toBe(2);
    expect(strangers.list()).toMatchObject([{ agent: 'pump-7', firstMs: BACKUP_MS + HOUR_MS, lastMs: clock.ms }]);
    clock.ms += DAY_MS + 1;
    expect(strangers.list()).toEqual([]);
  });

  test('of a central that was never restored is told of no backup', () => {
    const { lines, strangers } = make(null);
    strangers.knocked('pump-7');
    expect(lines[0]).toMatch(/not enrolled here/);
    expect(lines[0]).not.toContain('backup');
  });

  test('takes neither the memory nor the log, whoever knocks and however often', () => {
    const { lines, strangers } = make(null);
    for (let i = 0; i < 5_000; i++) strangers.knocked(`stranger-${i}`);
    strangers.knocked('a\nb');
    strangers.knocked('x'.repeat(65));
    expect(strangers.list().length).toBe(100);
    expect(strangers.list()[0]).toMatchObject({ agent: 'stranger-4999' });
    expect(lines.length).toBe(100);
  });
});
