/** Full-rate values leave a machine by its own policy alone, and its log has each time. */
import { describe, expect, test } from 'vitest';
import { limits } from '../shared/limits.ts';
import { unpackPayload } from '../shared/transport/compress.ts';
import { decodeLive, type Live, RAW_STAYS } from '../shared/wire/live.ts';
import { silentLog } from '../test/support/timers.ts';
import { LiveStage } from './live.ts';

const ids = ['00000000000000aa', '00000000000000bb'];
const at = (monotonicMs: number) => ({ monotonicMs, utcMs: monotonicMs });

function stage(raw: 'never' | 'incident' | 'demand') {
  const sent: Live[] = [];
  const sizes: number[] = [];
  const logged: { about: Record<string, unknown>; text: string }[] = [];
  const live = new LiveStage({
    log: { ...silentLog, info: (about: object, text: string) => logged.push({ about: { ...about }, text }) },
    numberOf: (id) => ids.indexOf(id),
    latest: () => 42,
    held: () => ({ timesMs: Float64Array.of(1, 2), values: Float64Array.of(3, 4) }),
    send: async (payload) => {
      sizes.push(payload.length);
      sent.push(decodeLive(unpackPayload(payload, limits.inflatedBytes)));
    },
    raw,
  });
  return { live, sent, sizes, logged };
}

describe.each(['never', 'incident'] as const)('under raw: %s', (raw) => {
  test('no value is watched or fetched, and it is said why', async () => {
    const { live, sent, logged } = stage(raw);
    live.watch('w', ids, 60_000, at(0));
    live.tick(at(1000));
    await live.fetch('f', ids, 0, 10, at(2000));
    const error = `${RAW_STAYS} (its configuration says raw: ${raw})`;
    expect(sent.map(({ request, values, blocks, error }) => ({ request, values, blocks, error }))).toEqual([
      { request: 'w', values: [], blocks: [], error },
      { request: 'f', values: [], blocks: [], error },
    ]);
    expect(logged.map(({ text }) => text)).toEqual(Array(2).fill('full-rate values were asked for and refused'));
  });
});

describe('under raw: demand', () => {
  test('what is fetched is in the log: which series, of which time, how many bytes', async () => {
    const { live, sizes, logged } = stage('demand');
    await live.fetch('f', ids, 0, 60_000, at(2000));
    const [from, to] = ['1970-01-01T00:00:00.000Z', '1970-01-01T00:01:00.000Z'];
    const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
    const about = { how: 'fetch', request: 'f', series: ids, from, to, sizeBytes };
    expect(logged).toEqual([{ about, text: 'full-rate values left this machine' }]);
  });

  test('what was watched is in the log when it ends, also by its time', () => {
    const { live, sizes, logged } = stage('demand');
    live.watch('one', ids, 60_000, at(0));
    live.tick(at(1000));
    live.tick(at(2000));
    live.watch('one', [], 0, at(2500));
    live.watch('two', [ids[0]!], 10_000, at(3000));
    live.tick(at(4000));
    live.tick(at(60_000));
    expect(logged.map(({ about }) => [about.request, about.series, about.to, about.sizeBytes])).toEqual([
      ['one', ids, '1970-01-01T00:00:02.500Z', sizes[0]! + sizes[1]!],
      ['two', [ids[0]], '1970-01-01T00:01:00.000Z', sizes[2]],
    ]);
  });

  test('a watch of which nothing was sent leaves no trace', () => {
    const { live, logged } = stage('demand');
    live.watch('one', ids, 60_000, at(0));
    live.watch('one', [], 0, at(500));
    expect(logged).toEqual([]);
  });
});
