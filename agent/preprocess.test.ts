import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Quality, type SeriesDefinition } from '../shared/series.ts';
import { type Cause, causes, Preprocess } from './preprocess.ts';

const gauge: SeriesDefinition = { name: 'a', unit: '1', attributes: {}, kind: 'gauge' };
const counter: SeriesDefinition = { name: 'b', unit: 'By/s', attributes: {}, kind: 'counter' };
const counter32: SeriesDefinition = { ...counter, wrapBits: 32 };
const { good, stale, bad } = Quality;

function begin(definition: SeriesDefinition): Preprocess {
  const preprocess = new Preprocess(4);
  preprocess.define(0, definition);
  return preprocess;
}

/** Feeds one reading a second and returns what came out, with the cause where nothing did. */
function feed(definition: SeriesDefinition, readings: readonly number[]): (number | Cause)[] {
  const preprocess = begin(definition);
  return readings.map((raw, i) => {
    const value = preprocess.accept(0, raw, good, i * 1000);
    return preprocess.cause ?? value;
  });
}

describe('gauges', () => {
  test('are scaled', () => {
    expect(feed({ ...gauge, scale: 0.001 }, [42_500])).toEqual([42.5]);
  });

  test('outside their physical bounds are bad', () => {
    const preprocess = begin({ ...gauge, min: -40, max: 125 });
    expect(preprocess.accept(0, 126, good, 0)).toBeNaN();
    expect(preprocess.cause).toBe('out_of_bounds');
    expect(preprocess.quality).toBe(bad);
    expect(preprocess.accept(0, 125, good, 1)).toBe(125);
    expect(preprocess.quality).toBe(good);
  });

  test('that are not finite are bad, and NaN is no value', () => {
    expect(feed(gauge, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1])).toEqual([
      'not_finite',
      'not_finite',
      'empty',
      1,
    ]);
  });

  test('that are stale keep their value and are counted', () => {
    const preprocess = begin(gauge);
    expect(preprocess.accept(0, 5, stale, 0)).toBe(5);
    expect(preprocess.quality).toBe(stale);
    expect(preprocess.counts()).toEqual([{ series: 0, causes: { stale: 1 } }]);
  });

  test('that the source calls bad have no value', () => {
    const preprocess = begin(gauge);
    expect(preprocess.accept(0, 5, bad, 0)).toBeNaN();
    expect(preprocess.cause).toBe('source');
  });

  test('read twice at one time count once', () => {
    const preprocess = begin(gauge);
    expect(preprocess.accept(0, 5, good, 7)).toBe(5);
    expect(preprocess.accept(0, 6, good, 7)).toBeNaN();
    expect(preprocess.cause).toBe('duplicate');
    expect(preprocess.accept(0, 6, good, 6)).toBeNaN();
    expect(preprocess.cause).toBe('backwards');
  });
});

describe('counters', () => {
  test('have no rate at first, then the rate over the time that passed', () => {
    const preprocess = begin({ ...counter, scale: 512 });
    expect(preprocess.accept(0, 100, good, 1000)).toBeNaN();
    expect(preprocess.cause).toBe('first');
    expect(preprocess.accept(0, 110, good, 3000)).toBe(2560);
    expect(preprocess.counts()).toEqual([]);
  });

  test('of 32 bits wrap when they were near the end', () => {
    expect(feed(counter32, [4_294_967_290, 4])).toEqual(['first', 10]);
  });

  test('of 32 bits were reset when they were not near the end', () => {
    expect(feed(counter32, [2_000_000_000, 4, 9])).toEqual(['first', 'reset', 5]);
  });

  test('of 32 bits were reset when the step through zero is too long', () => {
    // 0.8 of the range, then 0.5: the step would be 0.7 of it.
    expect(feed(counter32, [3_435_973_836, 2_147_483_648])).toEqual(['first', 'reset']);
  });

  test('of 32 bits were reset when a wrap would mean an impossible rate', () => {
    expect(feed({ ...counter32, max: 5 }, [4_294_967_290, 4])).toEqual(['first', 'reset']);
  });

  test('of 64 bits do not wrap at 32', () => {
    expect(feed(counter, [4_294_967_290, 4])).toEqual(['first', 'reset']);
  });

  test('above 32 bits do not wrap there', () => {
    expect(feed(counter32, [5_000_000_000, 4])).toEqual(['first', 'reset']);
  });

  test('have no rate over a gap, and go on after it', () => {
    const preprocess = begin({ ...counter, intervalMs: 1000 });
    preprocess.accept(0, 0, good, 0);
    expect(preprocess.accept(0, 50, good, 5000)).toBe(10);
    expect(preprocess.accept(0, 60, good, 10_001)).toBeNaN();
    expect(preprocess.cause).toBe('gap');
    expect(preprocess.accept(0, 63, good, 11_001)).toBe(3);
  });

  test('bridge one bad reading with the time that really passed', () => {
    const preprocess = begin(counter);
    preprocess.accept(0, 0, good, 0);
    preprocess.accept(0, 999, bad, 1000);
    expect(preprocess.accept(0, 8, good, 2000)).toBe(4);
  });

  test('with another scale begin anew', () => {
    const preprocess = begin(counter);
    preprocess.accept(0, 0, good, 0);
    preprocess.define(0, { ...counter });
    expect(preprocess.accept(0, 4, good, 1000)).toBe(4);
    preprocess.define(0, { ...counter, scale: 2 });
    expect(preprocess.accept(0, 8, good, 2000)).toBeNaN();
    expect(preprocess.cause).toBe('first');
  });
});

test('what is dropped is reported as series by cause', () => {
  const preprocess = begin(gauge);
  preprocess.accept(0, Number.POSITIVE_INFINITY, good, 0);
  preprocess.accept(0, Number.POSITIVE_INFINITY, good, 1);
  preprocess.accept(0, Number.NaN, good, 2);
  const names: string[] = [];
  const put: Record<string, number> = {};
  preprocess.report({
    series: (definition) => names.push(`${definition.name} ${definition.attributes.cause}`) - 1,
    put: (series, value) => {
      put[names[series]!] = value;
    },
  });
  expect(put['picket.values.bad not_finite']).toBe(2);
  expect(put['picket.values.bad reset']).toBe(0);
  expect(Object.keys(put)).not.toContain('picket.values.bad empty');
  expect(preprocess.total('empty')).toBe(1);
});

test('a cleared series begins with nothing, and unknown numbers change nothing', () => {
  const preprocess = begin(counter);
  preprocess.accept(0, 1, good, 0);
  preprocess.accept(0, 0, good, 1000);
  preprocess.clear(0);
  expect(preprocess.counts()).toEqual([]);
  expect(preprocess.accept(0, 1, good, 2000)).toBeNaN();
  expect(preprocess.accept(-1, 1, good, 0)).toBeNaN();
  expect(preprocess.accept(4, 1, good, 0)).toBeNaN();
});

const anyReading = fc.oneof(
  fc.double(),
  fc.double({ min: 0, max: 2 ** 33, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0, 2 ** 32 - 1, 2 ** 32),
);
const anyDefinition = fc.record({
  name: fc.constant('x'),
  unit: fc.constant('1'),
  attributes: fc.constant({}),
  kind: fc.constantFrom('gauge' as const, 'counter' as const),
  scale: fc.constantFrom(1, 0.01, 512),
  wrapBits: fc.constantFrom(32 as const, 64 as const),
  min: fc.constantFrom(0, -1e9),
  max: fc.constantFrom(1, 1e12),
});

test('whatever comes in, what comes out is finite and within bounds or NaN with a cause that is counted', () => {
  fc.assert(
    fc.property(
      anyDefinition,
      fc.array(fc.tuple(anyReading, fc.constantFrom(good, stale, bad), fc.integer({ min: -5, max: 20_000 }))),
      (definition, readings) => {
        const preprocess = begin(definition);
        let dropped = 0;
        let monotonicMs = 0;
        for (const [raw, quality, stepMs] of readings) {
          monotonicMs += stepMs;
          const value = preprocess.accept(0, raw, quality, monotonicMs);
          if (Number.isNaN(value)) {
            expect(preprocess.cause).not.toBeNull();
            if (preprocess.cause !== 'first') dropped++;
          } else {
            expect(preprocess.cause).toBeNull();
            expect(preprocess.quality).not.toBe(bad);
            expect(value).toBeGreaterThanOrEqual(definition.min);
            expect(value).toBeLessThanOrEqual(definition.max);
            if (preprocess.quality === stale) dropped++;
          }
        }
        const counted = causes.reduce((sum, cause) => sum + preprocess.total(cause), 0);
        expect(counted).toBe(dropped);
      },
    ),
  );
});

test('the rates of a 32-bit counter add up to what was counted, however often it wraps', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      // Steps below a quarter of the range are seen from the top quarter before they pass the end.
      fc.array(fc.integer({ min: 0, max: 2 ** 30 - 1 }), { minLength: 1, maxLength: 50 }),
      (start, steps) => {
        const preprocess = begin(counter32);
        preprocess.accept(0, start, good, 0);
        let counted = start;
        let sum = 0;
        steps.forEach((step, i) => {
          counted += step;
          sum += preprocess.accept(0, counted % 2 ** 32, good, (i + 1) * 1000);
        });
        // Each rate is rounded to single precision, which has a step of 64 just below 2^30.
        expect(Math.abs(sum - (counted - start))).toBeLessThanOrEqual(steps.length * 32);
      },
    ),
  );
});
