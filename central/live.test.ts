import { expect, test } from 'vitest';
import { packPayload } from '../shared/transport/compress.ts';
import type { Command } from '../shared/trust/messages.ts';
import { encodeLive, type Live, RAW_STAYS } from '../shared/wire/live.ts';
import { ManualTimers, silentLog } from '../test/support/timers.ts';
import { CentralLive } from './live.ts';

const series = ['0123456789abcdef'];
const noAudit = { add: async () => {}, list: async () => [] };

test('a watch is said again until the agent answers, and renewed while somebody looks', () => {
  const timers = new ManualTimers();
  const sent: Command[] = [];
  const live = new CentralLive({
    nowMs: () => timers.nowMs,
    timers,
    log: silentLog,
    send: async (command) => void sent.push(command),
    audit: noAudit,
  });
  const ending = new AbortController();
  let ticks = 0;
  live.watch('a1', series, { by: 'ann', onTick: () => ticks++, onRefused: () => {} }, ending.signal);
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

/** A central of which the audit is kept here. */
function audited() {
  const timers = new ManualTimers();
  const sent: Command[] = [];
  const noted: { actor: string; action: string; target: string; detail: string }[] = [];
  const live = new CentralLive({
    nowMs: () => timers.nowMs,
    timers,
    log: silentLog,
    send: async (command) => void sent.push(command),
    audit: { ...noAudit, add: async (entry) => void noted.push(entry) },
  });
  const answer = (part: Partial<Live>): number => {
    const empty = { wallMs: 1, series: [], values: [], blocks: [], last: false, error: '' };
    const payload = packPayload(encodeLive({ request: sent.at(-1)!.id, ...empty, ...part }));
    live.receive('a1', payload);
    return payload.length;
  };
  return { live, timers, sent, noted, answer };
}

test('what was fetched is in the audit: who asked, of which series and time, how many bytes', async () => {
  const { live, sent, noted, answer } = audited();
  const fetched = live.fetch('a1', series, { fromMs: 0, toMs: 60_000 }, 'ann');
  const blocks = [{ series: series[0]!, timesMs: [5], values: [7] }];
  const sizeBytes = answer({ blocks }) + answer({ blocks, last: true });
  expect(await fetched).toEqual([{ series: series[0], timesMs: [5, 5], values: [7, 7] }]);
  const detail = `${sizeBytes} bytes, 1970-01-01T00:00:00.000Z to 1970-01-01T00:01:00.000Z, request ${sent[0]!.id}, 1 series: ${series[0]}`;
  expect(noted).toEqual([{ actor: 'ann', action: 'raw.fetched', target: 'a1', detail }]);
});

test('a fetch is said again until its agent answers: one that has just connected lets it pass', async () => {
  const { live, timers, sent, answer } = audited();
  const fetched = live.fetch('a1', series, { fromMs: 0, toMs: 60_000 }, 'ann');
  timers.advance(6_000);
  expect(sent.length).toBe(3);
  expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
  answer({ blocks: [{ series: series[0]!, timesMs: [5], values: [7] }] });
  timers.advance(6_000);
  expect(sent.length).toBe(3);
  answer({ last: true });
  await fetched;
  timers.advance(60_000);
  expect(sent.length).toBe(3);
});

test('what came before a fetch failed is in the audit, too', async () => {
  const { live, timers, noted, answer } = audited();
  const failed = expect(live.fetch('a1', series, { fromMs: 0, toMs: 1 }, 'ann')).rejects.toThrow('did not answer');
  answer({ blocks: [{ series: series[0]!, timesMs: [5], values: [7] }] });
  timers.advance(20_000);
  await failed;
  expect(noted.map(({ action }) => action)).toEqual(['raw.fetched']);
});

test('what each watcher was shown is in the audit when it ends', () => {
  const { live, timers, noted, answer } = audited();
  const [first, second] = [new AbortController(), new AbortController()];
  const watcher = (by: string) => ({ by, onTick: () => {}, onRefused: () => {} });
  live.watch('a1', series, watcher('ann'), first.signal);
  const one = answer({ series, values: [1] });
  live.watch('a1', series, watcher('bob'), second.signal);
  const two = answer({ series, values: [2] });
  timers.advance(1000);
  first.abort();
  expect(noted).toMatchObject([{ actor: 'ann', action: 'raw.watched', target: 'a1' }]);
  expect(noted[0]!.detail).toContain(`${one + two} bytes, 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:01.000Z`);
  second.abort();
  expect(noted[1]).toMatchObject({ actor: 'bob', action: 'raw.watched' });
  expect(noted[1]!.detail).toContain(`${two} bytes`);
});

test('a machine that keeps its values says so to who asked, and the audit', async () => {
  const { live, noted, answer } = audited();
  const problems: unknown[] = [];
  const ending = new AbortController();
  const error = `${RAW_STAYS} (its configuration says raw: incident)`;
  const watcher = { by: 'ann', onTick: () => {}, onRefused: (problem: unknown) => problems.push(problem) };
  live.watch('a1', series, watcher, ending.signal);
  answer({ error, last: true });
  expect(problems).toMatchObject([{ code: 'raw.refused', message: `agent a1: ${error}` }]);
  ending.abort();
  const refused = expect(live.fetch('a1', series, { fromMs: 0, toMs: 1 }, 'bob')).rejects.toMatchObject({
    code: 'raw.refused',
  });
  answer({ error, last: true });
  await refused;
  expect(noted.map(({ actor, action }) => [actor, action])).toEqual([
    ['ann', 'raw.refused'],
    ['bob', 'raw.refused'],
  ]);
});
