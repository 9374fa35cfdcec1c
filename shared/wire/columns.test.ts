import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PicketError } from '../errors.ts';
import { Moments } from '../math/moments.ts';
import { sketchOf } from '../math/sketch.ts';
import { SketchSet } from '../math/sketch-set.ts';
import { toHex } from './bytes.ts';
import { decodeColumns, encodeColumns } from './columns.ts';
import { emptyColumns, type MutableColumns, type WindowColumns } from './summary.ts';

/** Series of every kind that there is: integers, kilobytes, decimals, floats of both widths, extremes, constants. */
const integer = fc.integer({ min: -300, max: 300 });
const value = fc.oneof(
  integer,
  fc.integer().map((i) => i * 1024),
  fc.integer({ min: -1e6, max: 1e6 }).map((i) => i / 100),
  fc.integer({ min: -1e6, max: 1e6 }).map((i) => i / 1000),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
);
const samples = fc.oneof(
  fc.array(integer, { maxLength: 60 }),
  fc.array(value, { maxLength: 60 }),
  fc.array(fc.double({ noNaN: true, min: 0, max: 1 }), { minLength: 60, maxLength: 60 }),
  value.map((x) => Array.from({ length: 60 }, () => x)),
);
const series = fc.record({
  samples,
  findings: fc.nat({ max: 3 }),
  score: fc.oneof(fc.constant(0), fc.double({ noNaN: true, min: 0, max: 200 })),
  bad: fc.oneof(fc.constant(0), fc.nat({ max: 100 })),
  sketch: fc.boolean(),
});
const windows = fc.tuple(fc.array(series, { maxLength: 12 }), fc.constantFrom('none', 'all', 'some'));

function columnsOf([list, sketches]: typeof windows extends fc.Arbitrary<infer W> ? W : never): MutableColumns {
  const columns = emptyColumns(list.length);
  const moments = new Moments(list.length);
  const sketchSet = new SketchSet(list.length);
  list.forEach((one, i) => {
    for (const raw of one.samples) {
      moments.add(i, raw + 0);
      sketchSet.add(i, raw);
    }
    columns.bad[i] = one.bad;
    const count = one.samples.length;
    if (count === 0) return;
    columns.count[i] = count;
    columns.mean[i] = moments.mean[i]!;
    columns.deviation[i] = moments.deviation(i);
    columns.min[i] = moments.min[i]!;
    columns.max[i] = moments.max[i]!;
    columns.last[i] = moments.last[i]!;
    columns.anomalyShare[i] = Math.min(count, one.findings) / count;
    columns.highestScore[i] = one.score;
    if (sketches === 'all' || (sketches === 'some' && one.sketch)) columns.sketches[i] = sketchSet.take(i);
  });
  return columns;
}

function expectNear(back: WindowColumns, columns: WindowColumns): void {
  expect(back.length).toBe(columns.length);
  for (const exact of ['count', 'bad', 'min', 'max', 'anomalyShare'] as const) {
    expect([...back[exact]], exact).toEqual([...columns[exact]].map((x) => x + 0));
  }
  expect(back.sketches).toEqual(columns.sketches);
  for (let i = 0; i < columns.length; i++) {
    if (columns.count[i] === 0) {
      for (const name of ['mean', 'deviation', 'last', 'highestScore'] as const) expect(back[name][i]).toBeNaN();
      continue;
    }
    const half = columns.max[i]! / 2 - columns.min[i]! / 2;
    // half a step of 1/65535, and what floating point adds
    const step = half / 65535 + Math.max(Math.abs(columns.min[i]!), Math.abs(columns.max[i]!)) * 1e-15 + 1e-320;
    expect(Math.abs(back.mean[i]! / 2 - columns.mean[i]! / 2)).toBeLessThanOrEqual(step / 2);
    expect(Math.abs(back.last[i]! / 2 - columns.last[i]! / 2)).toBeLessThanOrEqual(step / 2);
    // Welford's own error on values of very different size comes on top
    if (Number.isFinite(columns.deviation[i]!)) {
      expect(Math.abs(back.deviation[i]! - columns.deviation[i]!)).toBeLessThanOrEqual(step / 2 + half * 1e-9);
    }
    const score = columns.highestScore[i]!;
    const allowed = score < 16 ? 1 / 16 : score < 79 ? 1 / 4 : score * 6e-8;
    expect(Math.abs(back.highestScore[i]! - score)).toBeLessThanOrEqual(allowed);
  }
}

test('columns come back within the stated errors', () => {
  fc.assert(
    fc.property(windows, (window) => {
      const columns = columnsOf(window);
      expectNear(decodeColumns(encodeColumns(columns), 100), columns);
    }),
    { numRuns: 500 },
  );
});

test('what was decoded may be encoded again: only the 16-bit steps are taken twice', () => {
  fc.assert(
    fc.property(windows, (window) => {
      const bytes = encodeColumns(columnsOf(window));
      const again = encodeColumns(decodeColumns(bytes, 100));
      expectNear(decodeColumns(again, 100), decodeColumns(bytes, 100));
    }),
  );
});

test('last is exact for integers and decimals of a short range', () => {
  const columns = columnsOf([
    [
      { samples: [0.15, 0.5, 0.31], findings: 0, score: 0, bad: 0, sketch: false },
      { samples: [1e12, 1e12 + 65_535, 1e12 + 7], findings: 0, score: 0, bad: 0, sketch: false },
    ],
    'none',
  ]);
  expect([...decodeColumns(encodeColumns(columns), 2).last]).toEqual([0.31, 1e12 + 7]);
});

test('a joined sketch, whose lowest bucket is not that of the minimum, travels too', () => {
  const columns = columnsOf([[{ samples: [1, 50, 60, 70], findings: 0, score: 0, bad: 0, sketch: true }], 'all']);
  const joined = new SketchSet(1, 4);
  for (const x of [1, 2, 3, 50, 60, 70, -8]) joined.add(0, x);
  columns.sketches[0] = joined.take(0);
  expect(decodeColumns(encodeColumns(columns), 1).sketches[0]).toEqual(columns.sketches[0]);
});

test('a sketch of fewer values than the window had travels as it is', () => {
  const one = { findings: 0, score: 0, bad: 0, sketch: true };
  const columns = columnsOf([[{ ...one, samples: [1, 2, 3, 3] }], 'all']);
  columns.sketches[0] = columnsOf([[{ ...one, samples: [1, 2, 3] }], 'all']).sketches[0]!;
  expect(decodeColumns(encodeColumns(columns), 1).sketches[0]).toEqual(columns.sketches[0]);
});

test('a constant series costs its class and its value, with its sketch', () => {
  const columns = emptyColumns(100);
  for (const name of ['mean', 'min', 'max', 'last'] as const) columns[name].fill(7);
  columns.count.fill(60);
  columns.deviation.fill(0);
  columns.anomalyShare.fill(0);
  columns.highestScore.fill(0);
  columns.sketches.fill(sketchOf(7, 60));
  const bytes = encodeColumns(columns);
  expect(bytes.length).toBeLessThanOrEqual(2 * 100 + 10);
  expect(decodeColumns(bytes, 100).sketches[99]).toEqual(sketchOf(7, 60));
});

test('version 1, by hand: two series, one constant at 5, one from 0 to 2', () => {
  const columns = columnsOf([
    [
      { samples: [5, 5], findings: 0, score: 0, bad: 0, sketch: false },
      { samples: [0, 2], findings: 1, score: 3, bad: 4, sketch: false },
    ],
    'all',
  ]);
  // classes: constant integer = 1; from 0, integer, last is maximum, score = 3 | 2<<5 | 128
  // mean 1 of 0…2 is step 32768 (rounded up); deviation 1 of at most 1 is step 65535
  // the sketch of [0, 2]: one positive bucket, hence 0 more; its token: no gap, one value
  expect(toHex(encodeColumns(columns))).toBe(
    ['01', '02', '01c3', '0200', '0a02', '8000', 'ffff', '18', '010101', '010104', '01', '00', '00'].join(''),
  );
});

test('a minimum that is no number is refused, not sent', () => {
  const columns = emptyColumns(1);
  columns.count[0] = 1;
  expect(() => encodeColumns(columns)).toThrow(expect.objectContaining({ code: 'internal' }));
});

test('hostile bytes give payload.invalid and nothing else, and no more series than allowed', () => {
  const attempt = (bytes: Uint8Array) => {
    try {
      const columns = decodeColumns(bytes, 50);
      expect(columns.length).toBeLessThanOrEqual(50);
      // what is accepted is sound enough to be encoded again
      encodeColumns(columns);
    } catch (error) {
      expect(error).toBeInstanceOf(PicketError);
      expect((error as PicketError).code).toBe('payload.invalid');
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => attempt(new Uint8Array([1, ...noise]))),
    {
      numRuns: 2000,
    },
  );
  fc.assert(
    fc.property(
      windows,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat(),
      (window, flips, cut) => {
        const bytes = encodeColumns(columnsOf(window));
        for (const [at, mask] of flips) bytes[at % bytes.length]! ^= mask;
        attempt(bytes);
        attempt(bytes.subarray(0, cut % (bytes.length + 1)));
      },
    ),
    { numRuns: 1000 },
  );
});

test('a stated number of series takes no memory before it is believed', () => {
  const claim = new Uint8Array([1, 0xff, 0xff, 0xff, 0xff, 0x7f]);
  expect(() => decodeColumns(claim, 4096)).toThrow(expect.objectContaining({ code: 'payload.invalid' }));
  expect(() => decodeColumns(encodeColumns(emptyColumns(51)), 50)).toThrow('is more than 50');
});
