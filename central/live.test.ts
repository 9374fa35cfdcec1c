import { expect, test } from 'vitest';
import { packPayload } from '../shared/transport/compress.ts';
import type { Command } from '../shared/trust/messages.ts';
import { encodeLive } from '../shared/wire/live.ts';
import { ManualTimers, silentLog } from '../test/support/timers.ts';
import { CentralLive } from './live.ts';

const series = ['0123456789abcdef'];

test('a watch is said again until the agent answers, and renewed while somebody looks', () => {
  const timers = new ManualTimers();
  const sent: Command[] = [];
  const live = new CentralLive({
    nowMs: () => timers.nowMs,
    timers,
    log: silentLog,
    send: async (command) => void sent.push(command),
  });
  const ending = new AbortController();
  let ticks = 0;
  live.watch('a1', series, () => ticks++, ending.signal);
  timers.advance(6_000);
  expect(sent.length).toBe(3);
  expect(new Set(sent.map(({ id }) => id)).size).toBe(1);

  for (let second = 0; second < 15; second++) {
    const values = { series, values: [1], blocks: [], last: false, error: '' };
    live.receive('a1', packPayload(encodeLive({ request: sent[0]!.id, wallMs: 1, ...values })));
    timers.advance(1_000);
  }
  expect([ticks, sent.length]).toEqual([15, 3]);
  timers.advance(30_000);
  expect(new Set(sent.map(({ id }) => id)).size).toBeGreaterThan(1);

  ending.abort();
  const last = sent.length;
  expect(sent.at(-1)!.what).toEqual({ watch: [] });
  timers.advance(60_000);
  expect(sent.length).toBe(last);
});
