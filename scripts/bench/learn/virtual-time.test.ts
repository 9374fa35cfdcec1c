import { expect, it } from 'vitest';
import { VirtualTime } from './virtual-time.ts';

it('calls what is due in the order of time, what was asked first before, what is cancelled never', () => {
  const time = new VirtualTime(1000);
  const called: string[] = [];
  const note = (name: string) => () => void called.push(`${name} ${time.nowMs}`);
  time.timers.after(50, note('b'));
  time.timers.after(20, note('a'));
  time.timers.after(50, note('c'));
  const never = time.timers.after(30, note('never'));
  time.timers.after(70, () => time.timers.after(5, note('d')));
  time.timers.after(500, note('late'));
  time.timers.cancel(never);
  time.advance(1100);
  expect(called).toEqual(['a 1020', 'b 1050', 'c 1050', 'd 1075']);
  expect(time.nowMs).toBe(1100);
  expect(time.clock.monotonicMs()).toBe(100);
});
