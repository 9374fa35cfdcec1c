import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SeasonalParams, seasonal } from '../detect/seasonal.ts';
import { decodeSeasonalModel, encodeSeasonalModel, type SeasonalModel } from './seasonal-model.ts';

const float32 = (min: number, max: number) =>
  fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true, noDefaultInfinity: true });
const tail = fc.record({
  threshold: float32(0, 100),
  share: float32(0.001, 0.5),
  scale: float32(0.01, 100),
  shape: float32(-0.25, 0.45),
});
const zone = { fromMs: [-5, 1000.5], offsetMs: [3_600_000, -7_200_000] };
const shared = { windowMs: 60_000, zone, bandBits: 5.5, findingBits: 18.25 };

const params = fc
  .record({
    layout: fc.constantFrom([1, 1], [4, 1], [24, 2], [96, 1], [96, 2]),
    windows: fc.nat(),
    scale: fc.double({ min: 1e-6, max: 1e12, noNaN: true }),
    upper: tail,
    lower: tail,
    nonNegative: fc.boolean(),
    capBits: float32(0, 30),
    seed: fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  })
  .map(({ layout, seed, ...rest }): SeasonalParams => {
    const [binsPerDay, dayKinds] = layout as [number, number];
    const levels = Array.from({ length: binsPerDay * dayKinds }, (_, i) => seed + Math.sin(i) * 100);
    return { ...shared, ...rest, binsPerDay, dayKinds, levels };
  });
const model = fc
  .uniqueArray(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((id) => id.toString(16).padStart(16, '0')),
    { maxLength: 5 },
  )
  .chain((ids) => fc.tuple(...ids.map((id) => params.map((each) => [id, each] as const))))
  .map((series): SeasonalModel => ({ ...shared, series: new Map(series) }));

describe('a seasonal model', () => {
  it('comes back; levels to half a step of their range, all else exactly', () => {
    fc.assert(
      fc.property(model, (before) => {
        const after = decodeSeasonalModel(encodeSeasonalModel(before));
        expect({ ...after, series: null }).toEqual({ ...before, series: null });
        expect([...after.series.keys()]).toEqual([...before.series.keys()].sort());
        for (const [id, expected] of before.series) {
          const actual = after.series.get(id)!;
          expect({ ...actual, levels: null }).toEqual({ ...expected, levels: null });
          const range = Math.max(...expected.levels) - Math.min(...expected.levels);
          const allowed = range / 65_535 / 2 + Math.abs(expected.levels[0]!) * 1e-15;
          expected.levels.forEach((level, i) => {
            expect(Math.abs(actual.levels[i]! - level)).toBeLessThanOrEqual(allowed * 1.001);
          });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('of 300 series with a week of quarter-hours stays below 140 KB', () => {
    const each: SeasonalParams = {
      ...seasonal.defaults,
      binsPerDay: 96,
      dayKinds: 2,
      levels: Array.from({ length: 192 }, () => 0),
    };
    const ids = Array.from({ length: 300 }, (_, i) => i.toString(16).padStart(16, '0'));
    const bytes = encodeSeasonalModel({ ...shared, series: new Map(ids.map((id) => [id, each])) });
    expect(bytes.length).toBeLessThan(140_000);
  });

  it('from bytes that were cut, flipped or made up is refused with a code or is a model within bounds', () => {
    fc.assert(
      fc.property(model, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (before, place, flip, cut) => {
        const bytes = encodeSeasonalModel(before);
        const at = place % bytes.length;
        const altered = cut ? bytes.slice(0, at) : bytes.map((byte, i) => (i === at ? byte ^ flip : byte));
        try {
          for (const each of decodeSeasonalModel(altered).series.values()) {
            expect(seasonal.parseParams(each)).toEqual(each);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'payload.invalid' });
        }
      }),
      { numRuns: 200 },
    );
  });

  const one = (change: Partial<SeasonalParams>): Uint8Array =>
    encodeSeasonalModel({ ...shared, series: new Map([['00000000000000aa', { ...seasonal.defaults, ...change }]]) });
  it.each([
    ['a level that is not a number', one({ levels: [Number.NaN] })],
    ['a scale of nothing', one({ scale: 0 })],
    ['an endless tail', one({ upper: { threshold: 1, share: 0.05, scale: Number.POSITIVE_INFINITY, shape: 0 } })],
    [
      '4 GB of series announced',
      Uint8Array.of(...encodeSeasonalModel({ ...shared, series: new Map() }).slice(0, -1), 255, 255, 255, 255, 15),
    ],
  ])('with %s is refused', (_, bytes) => {
    expect(() => decodeSeasonalModel(bytes)).toThrow(expect.objectContaining({ code: 'payload.invalid' }));
  });
});
