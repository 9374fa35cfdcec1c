import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startWatchdog } from './watchdog.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const systemd = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '180000000' };

test('it reports twice in each period, while the agent lives, until it is ended', () => {
  const messages: string[] = [];
  let alive = true;
  const end = startWatchdog(
    systemd,
    () => alive,
    (message) => messages.push(message),
  );
  vi.advanceTimersByTime(180_000);
  expect(messages).toEqual(['WATCHDOG=1', 'WATCHDOG=1']);
  alive = false;
  vi.advanceTimersByTime(180_000);
  expect(messages).toHaveLength(2);
  alive = true;
  end();
  vi.advanceTimersByTime(180_000);
  expect(messages).toHaveLength(2);
});

test.each([
  ['outside of systemd', {}],
  ['without a socket', { WATCHDOG_USEC: '180000000' }],
  ['for another process', { ...systemd, WATCHDOG_PID: '1' }],
  ['with a period that makes no sense', { ...systemd, WATCHDOG_USEC: 'soon' }],
])('it is silent %s', (_what, env) => {
  const messages: string[] = [];
  startWatchdog(
    env,
    () => true,
    (message) => messages.push(message),
  );
  vi.advanceTimersByTime(1_000_000);
  expect(messages).toEqual([]);
});
