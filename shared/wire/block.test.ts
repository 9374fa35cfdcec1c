import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PicketError } from '../errors.ts';
import { BlockWriter, readBlock } from './block.ts';

const value = fc.oneof(
  fc.double(),
  fc.float(),
  fc.integer({ min: -5, max: 5 }),
  fc.integer().map((i) => i / 100),
  fc.constant(7),
);
const stepMs = fc.oneof(
  fc.constant(1000),
  fc.integer({ min: 990, max: 1010 }),
  fc.nat({ max: 2_000_000 }),
  fc.integer({ min: -5000, max: 2 ** 45 }),
);
const samples = fc.tuple(fc.nat({ max: 2 ** 50 }), fc.array(fc.tuple(stepMs, value), { maxLength: 100 }));

function timesAndValues([startMs, steps]: typeof samples extends fc.Arbitrary<infer S> ? S : never) {
  let time = startMs;
  return steps.map(([step, x]) => {
    time += step;
    return [time, x] as const;
  });
}

test('times and values come back to the last bit, also while the block is open and after a reset', () => {
  const writer = new BlockWriter(new Uint8Array(4000));
  fc.assert(
    fc.property(samples, (input) => {
      writer.reset();
      const list = timesAndValues(input);
      list.forEach(([time, x], i) => {
        expect(writer.append(time, x)).toBe(true);
        if (i === 3) expect([...readBlock(writer.finish(), 4).timesMs]).toEqual(list.slice(0, 4).map(([t]) => t));
      });
      const block = readBlock(writer.finish(), 100);
      expect([...block.timesMs]).toEqual(list.map(([time]) => time));
      // toEqual tells -0 from 0
      expect([...block.values]).toEqual(list.map(([, x]) => x));
      expect([writer.count, writer.firstMs, writer.lastMs]).toEqual([
        list.length,
        list[0]?.[0] ?? Number.NaN,
        list.at(-1)?.[0] ?? Number.NaN,
      ]);
    }),
    { numRuns: 300 },
  );
});

test('a constant at 1 Hz costs a bit a sample, with jitter of a few milliseconds at most a byte', () => {
  const size = (times: (i: number) => number) => {
    const writer = new BlockWriter(new Uint8Array(10_000));
    for (let i = 0; i < 3600; i++) expect(writer.append(times(i), 42.5)).toBe(true);
    return writer.finish().length;
  };
  expect(size((i) => 1_700_000_000_000 + i * 1000)).toBeLessThan(3600 / 8 + 30);
  expect(size((i) => i * 1000 + ((i * 7919) % 5))).toBeLessThan(3600);
});

test('small integers cost far less than their 8 bytes', () => {
  const writer = new BlockWriter(new Uint8Array(10_000));
  for (let i = 0; i < 3600; i++) writer.append(i * 1000, (i * 7919) % 10);
  expect(writer.finish().length / 3600).toBeLessThan(2);
});

test('a full block says so and holds what it took', () => {
  const writer = new BlockWriter(new Uint8Array(100));
  const random = (i: number) => Math.sin(i * 12.9898) * 43758.5453;
  let taken = 0;
  while (writer.append(taken * 1000, random(taken))) taken++;
  expect(taken).toBeGreaterThan(5);
  expect(writer.append(taken * 1000, 0)).toBe(false);
  const block = readBlock(writer.finish(), 100);
  expect([...block.values]).toEqual(Array.from({ length: taken }, (_, i) => random(i)));
});

test('a time is taken in whole milliseconds', () => {
  const writer = new BlockWriter(new Uint8Array(100));
  writer.append(10.4, 1);
  writer.append(1010.6, 1);
  expect([...readBlock(writer.finish(), 2).timesMs]).toEqual([10, 1011]);
});

test('hostile bytes give payload.invalid and nothing else', () => {
  const attempt = (bytes: Uint8Array) => {
    try {
      expect(readBlock(bytes, 1000).values.length).toBeLessThanOrEqual(1000);
    } catch (error) {
      expect(error).toBeInstanceOf(PicketError);
      expect((error as PicketError).code).toBe('payload.invalid');
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => attempt(new Uint8Array([1, 20, 0, ...noise]))),
    {
      numRuns: 1000,
    },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), attempt));
  // more samples than bits, more than asked for, something behind the last
  expect(() => readBlock(new Uint8Array([1, 255, 255, 1, 2, 3]), 100_000)).toThrow('cannot hold 65535');
  expect(() => readBlock(new Uint8Array([1, 255, 255, 1, 2, 3]), 100)).toThrow('more than 100');
  expect(() => readBlock(new Uint8Array([1, 0, 0, 0]), 100)).toThrow('after its last sample');
});
