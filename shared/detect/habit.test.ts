import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../limits.ts';
import { Habit } from './habit.ts';

describe('what was told before', () => {
  it('is told on while it lasts, however few bits it has left', () => {
    const habit = new Habit(1);
    expect(habit.tells(0, 3, 0)).toBe(true);
    for (let minute = 1; minute < 60; minute++) expect(habit.tells(0, 0, minute * MINUTE_MS)).toBe(true);
  });

  it('must be rarer to be told anew, and more so each time', () => {
    const habit = new Habit(1);
    expect(habit.tells(0, 0, 0)).toBe(true);
    expect(habit.tells(0, 3, HOUR_MS)).toBe(false);
    expect(habit.tells(0, 4, HOUR_MS)).toBe(true);
    expect(habit.tells(0, 5, 2 * HOUR_MS)).toBe(false);
    expect(habit.tells(0, 8, 2 * HOUR_MS)).toBe(true);
  });

  it('is forgotten within days', () => {
    const habit = new Habit(1);
    expect(habit.tells(0, 0, 0)).toBe(true);
    expect(habit.tells(0, 0.5, DAY_MS)).toBe(false);
    expect(habit.tells(0, 0.5, 3 * DAY_MS)).toBe(true);
  });

  it('is of its own series, until another one has the number', () => {
    const habit = new Habit(2);
    expect(habit.tells(0, 0, 0)).toBe(true);
    expect(habit.tells(1, 0, HOUR_MS)).toBe(true);
    habit.forget(0);
    expect(habit.tells(0, 0, HOUR_MS)).toBe(true);
    habit.clear();
    expect(habit.tells(1, 0, 2 * HOUR_MS)).toBe(true);
  });
});
