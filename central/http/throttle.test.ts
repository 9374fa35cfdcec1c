import { expect, test } from 'vitest';
import type { PicketError } from '../../shared/errors.ts';
import { createThrottle } from './throttle.ts';

function harness() {
  const clock = { nowMs: 1_000_000 };
  const throttle = createThrottle(() => clock.nowMs);
  const fail = (address = '192.0.2.1'): number => {
    try {
      throttle.begin(address);
      return 0;
    } catch (error) {
      expect(error).toMatchObject({ code: 'auth.throttled' });
      return (error as PicketError).detail.retryAfterSeconds as number;
    }
  };
  return { clock, throttle, fail };
}

test('the delay doubles up to a quarter of an hour', () => {
  const { clock, fail } = harness();
  for (let i = 0; i < 5; i++) expect(fail()).toBe(0);
  const delays: number[] = [];
  for (let i = 0; i < 13; i++) {
    const waitSeconds = fail();
    delays.push(waitSeconds);
    clock.nowMs += waitSeconds * 1000;
    expect(fail()).toBe(0);
  }
  expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
});

test('many tries at one time are not all free', () => {
  const { fail } = harness();
  const waits = Array.from({ length: 100 }, () => fail());
  expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
});

test('who succeeds starts afresh, and so does who was quiet for an hour', () => {
  const { clock, throttle, fail } = harness();
  for (let i = 0; i < 5; i++) fail();
  throttle.forgive('192.0.2.1');
  expect(fail()).toBe(0);
  for (let i = 0; i < 6; i++) fail();
  clock.nowMs += 3_600_000;
  for (let i = 0; i < 5; i++) expect(fail()).toBe(0);
});

test('an IPv6 sender is its /64; a mapped IPv4 address is the IPv4 one', () => {
  const { fail } = harness();
  for (let i = 1; i <= 5; i++) fail(`2001:db8::${i}`);
  expect(fail('2001:db8:0:0:ffff::1')).toBe(1);
  expect(fail('2001:db8:0:1::1')).toBe(0);
  for (let i = 0; i < 5; i++) fail('::ffff:192.0.2.9');
  expect(fail('192.0.2.9')).toBe(1);
});

test('what is remembered is bounded', () => {
  const { fail } = harness();
  for (let i = 0; i < 5; i++) fail('192.0.2.1');
  for (let i = 0; i < 10_000; i++) fail(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  expect(fail('192.0.2.1')).toBe(0);
});
