import { expect, test } from 'vitest';
import { seededRandom } from '../../test/contract/detectors-random.ts';
import { fitArima } from './arima.ts';
import { candidates, meanOf, naiveSeasonal } from './models.ts';

const random = seededRandom(11);
const line = Float64Array.from({ length: 200 }, (_, i) => 0.1 + 0.002 * i + 0.001 * (random() - 0.5));

test('each model with a drift goes on along a line', () => {
  const drifting = candidates(1).filter(({ name }) => name.includes('drift'));
  expect(drifting.length).toBeGreaterThan(0);
  for (const model of drifting) expect(model.fit(line, 50)!.mean[49]).toBeCloseTo(0.1 + 0.002 * 249, 2);
});

test('no model is of more sizes than it was asked for, and what it denies it says', () => {
  for (const model of [...candidates(24), naiveSeasonal(24)]) {
    const ahead = model.fit(line, 30);
    if (ahead !== null) expect([ahead.mean.length, ahead.deviation.length]).toEqual([30, 30]);
    expect(model.fit(line.slice(0, 5), 30)).toBeNull();
  }
});

test('the naive forecast repeats the last season, and is less sure of each later one', () => {
  const { mean, deviation } = naiveSeasonal(3).fit(Float64Array.of(1, 2, 3, 1, 2, 4), 6)!;
  expect([...mean]).toEqual([1, 2, 4, 1, 2, 4]);
  expect(deviation[3]).toBeGreaterThan(deviation[0]!);
});

test('what the library can not do is not asked of it', () => {
  const order = { p: 1, d: 0, q: 1, P: 0, D: 0, Q: 0, s: 0 };
  expect(fitArima(line, { ...order, p: 0, q: 0 }, 3)).toBeNull();
  expect(fitArima(new Float64Array(20_000).fill(1), order, 3)).toBeNull();
  expect(
    fitArima(
      line.map(() => Number.NaN),
      order,
      3,
    ),
  ).toBeNull();
  expect(fitArima(line, order, 3)).not.toBeNull();
});

test('a mean of models says what lies between them, and goes without those that can not be fitted', () => {
  const [flat, long] = [naiveSeasonal(1), naiveSeasonal(3)];
  const values = Float64Array.of(1, 2, 3, 3, 2, 9);
  const { mean, deviation } = meanOf([flat, long]).fit(values, 3)!;
  expect([...mean]).toEqual([6, 5.5, 9]);
  expect(deviation[0]).toBeCloseTo((flat.fit(values, 1)!.deviation[0]! + long.fit(values, 1)!.deviation[0]!) / 2, 9);
  expect([...meanOf([flat, naiveSeasonal(24)]).fit(values, 2)!.mean]).toEqual([9, 9]);
  expect(meanOf([naiveSeasonal(24), naiveSeasonal(12)]).fit(values, 2)).toBeNull();
});
