import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { ManualTimers, settled } from '../../test/support/timers.ts';
import { scheduleFor, TrainingSchedule } from './schedule.ts';

/** Minutes at which an agent was trained, of those in which a window of it came. */
async function trainings(minutes: number, firstMinute = 1): Promise<number[]> {
  const timers = new ManualTimers();
  const at: number[] = [];
  let minute = 0;
  const schedule = new TrainingSchedule({
    timers,
    train: async () => {
      at.push(minute);
    },
  });
  for (minute = firstMinute; minute < firstMinute + minutes; minute++) {
    schedule.windowCommitted('a1', minute * MINUTE_MS);
    timers.advance(2000);
    await settledOnce();
  }
  return at;
}

/** Enough for a training that waits for nothing. */
const settledOnce = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await Promise.resolve();
};

describe('when to train', () => {
  it('after four windows, then at twice the history, up to six hours', async () => {
    const at = await trainings(1500);
    expect(at.slice(0, 8)).toEqual([4, 8, 15, 29, 57, 113, 225, 449]);
    const pauses = at.slice(8).map((minute, i) => minute - at[7 + i]!);
    expect(pauses.every((pause) => pause <= (6 * HOUR_MS) / MINUTE_MS)).toBe(true);
    expect(pauses.at(-1)).toBe(360);
  });

  it('once for a backlog of many windows at once', async () => {
    const timers = new ManualTimers();
    let trained = 0;
    const schedule = new TrainingSchedule({ timers, train: async () => void trained++ });
    for (let minute = 1; minute < 1000; minute++) schedule.windowCommitted('a1', minute * MINUTE_MS);
    timers.advance(5000);
    await settled();
    expect(trained).toBe(1);
  });

  it('one agent after another, also after one failed', async () => {
    const timers = new ManualTimers();
    let active = 0;
    let most = 0;
    const done: string[] = [];
    const schedule = new TrainingSchedule({
      timers,
      train: async (agent) => {
        most = Math.max(most, ++active);
        await settledOnce();
        active--;
        if (agent === 'a2') throw new Error('no');
        done.push(agent);
      },
    });
    const runs = ['a1', 'a2', 'a3'].map((agent) => schedule.run(agent));
    expect((await Promise.allSettled(runs)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(done).toEqual(['a1', 'a3']);
    expect(most).toBe(1);
  });

  it('not after it was closed', async () => {
    const timers = new ManualTimers();
    let trained = 0;
    const schedule = new TrainingSchedule({ timers, train: async () => void trained++, firstWindows: 1 });
    schedule.windowCommitted('a1', 1);
    await schedule.close();
    timers.advance(10_000);
    schedule.windowCommitted('a1', 2);
    await schedule.run('a1');
    expect(timers.waiting).toBe(0);
    expect(trained).toBe(0);
  });
});

it('the first training waits for windows to learn from, some to hold out, and the first, which is cut', () => {
  const times = { minimumWindows: 3, holdOut: 0.25, firstAfterMs: 4 * MINUTE_MS, intervalMs: 6 * HOUR_MS };
  expect(scheduleFor(times).firstWindows).toBe(5);
  expect(scheduleFor({ ...times, minimumWindows: 2, holdOut: 1 / 3 }).firstWindows).toBe(4);
});

it.each([
  [MINUTE_MS, 60],
  [10 * MINUTE_MS, 6],
])('and for its time, in windows of %i ms', async (windowMs, windows) => {
  const timers = new ManualTimers();
  let trained = 0;
  const times = { minimumWindows: 3, holdOut: 0.25, firstAfterMs: HOUR_MS, intervalMs: 6 * HOUR_MS };
  const schedule = new TrainingSchedule({ timers, train: async () => void trained++, ...scheduleFor(times) });
  for (let window = 1; window <= windows; window++) {
    expect(trained).toBe(0);
    schedule.windowCommitted('a1', window * windowMs, windowMs);
    timers.advance(2000);
    await settledOnce();
  }
  expect(trained).toBe(1);
});
