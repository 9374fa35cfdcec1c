import { expect, test } from 'vitest';
import { Exports } from './exports.ts';

/** The outbox's small values, as they survive. */
function shelf() {
  const values = new Map<string, Uint8Array>();
  return {
    getMeta: async (key: string) => values.get(key) ?? null,
    setMeta: async (key: string, value: Uint8Array) => void values.set(key, value),
    flush: async () => {},
    values,
  };
}

const open = (outbox: ReturnType<typeof shelf>) =>
  Exports.open({
    outbox,
    random: (bytes) => new Uint8Array(bytes).fill(0xab),
    failed: (error) => {
      throw error;
    },
  });

test('exports count on over restarts, in one series', async () => {
  const outbox = shelf();
  const series = 'ab'.repeat(16);
  const first = await open(outbox);
  expect(await first.begin(0)).toEqual({ series, number: 1 });
  expect(await first.begin(0)).toEqual({ series, number: 2 });
  expect(await (await open(outbox)).begin(0)).toEqual({ series, number: 3 });
});

test('a reply may replace the belief once, if nothing newer was answered, and in this series alone', async () => {
  const exports = await open(shelf());
  const { series } = await exports.begin(0);
  for (let i = 0; i < 2; i++) await exports.begin(0);
  expect(exports.mayReplace('cd'.repeat(16), 3)).toBe(false);
  expect([1, 2, 3].map((number) => exports.mayReplace(series, number))).toEqual([true, true, true]);
  exports.taken(2, ['00112233aabbccdd']);
  expect([1, 2, 3].map((number) => exports.mayReplace(series, number))).toEqual([false, false, true]);
  expect(exports.need).toEqual(['00112233aabbccdd']);
  exports.taken(1, []);
  expect(exports.mayReplace(series, 2)).toBe(false);
});

test('an answer over the connection closes the exports before what it answers, and no later one', async () => {
  const outbox = shelf();
  const exports = await open(outbox);
  const { series } = await exports.begin(1000);
  await exports.begin(2000);
  exports.heard(1000);
  expect(exports.mayReplace(series, 1)).toBe(true);
  exports.heard(1500);
  expect([1, 2].map((number) => exports.mayReplace(series, number))).toEqual([false, true]);

  // Times of another process, perhaps of another boot, say nothing: all of its exports are from before.
  const again = await open(outbox);
  expect(again.mayReplace(series, 2)).toBe(true);
  await again.begin(500);
  again.heard(100);
  expect([2, 3].map((number) => again.mayReplace(series, number))).toEqual([false, true]);
});

test('what cannot be read begins a series of its own', async () => {
  const outbox = shelf();
  await outbox.setMeta('exports', new TextEncoder().encode('{"series": 7}'));
  const exports = await open(outbox);
  expect(exports.need).toEqual([]);
  expect((await exports.begin(0)).number).toBe(1);
});
