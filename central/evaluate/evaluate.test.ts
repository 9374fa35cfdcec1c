import { describe, expect, it } from 'vitest';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { type SeasonalParams, seasonal } from '../../shared/detect/seasonal.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { blocksOf, history, seededNormal } from '../../test/support/history.ts';
import { seasonalModels } from '../train/seasonal-kind.ts';
import { evaluate, type HeldOutFigures } from './evaluate.ts';

const seasonalModel = seasonalModels[0]!;

const id = '00000000000000aa';
const tail = { threshold: 1.645, share: 0.05, scale: 0.4, shape: 0 };
const fitting: SeasonalParams = {
  ...seasonal.defaults,
  windows: 1000,
  levels: [10],
  scale: 1,
  upper: tail,
  lower: tail,
  findingBits: 15,
};

async function judge(
  challenger: SeasonalParams | null,
  champion: SeasonalParams | null,
  mean: (i: number) => number,
  windows = 1440,
): Promise<HeldOutFigures> {
  const of = (params: SeasonalParams | null) => new Map(params === null ? [] : [[id, params]]);
  const contest = {
    kind: seasonalModel,
    windowMs: MINUTE_MS,
    challenger: of(challenger),
    champion: champion && of(champion),
    seed: 'a1',
  };
  return await evaluate(contest, blocksOf(history({ windows, series: id }, (_, i) => mean(i))));
}

describe('the figures', () => {
  const normal = seededNormal(9);
  const noise = Array.from({ length: 1440 }, () => 10 + normal());

  it('of a fitting model: its stated coverage, no findings, a lower loss than narrow or wide ones', async () => {
    const { challenger, windows } = await judge(fitting, null, (i) => noise[i]!);
    expect(windows).toBe(1440);
    expect(challenger.coverage).toBeGreaterThan(0.96);
    expect(challenger.coverage).toBeLessThan(0.995);
    expect(challenger.findingsPerDay).toBe(0);
    for (const scale of [0.3, 3]) {
      const other = await judge({ ...fitting, scale }, fitting, (i) => noise[i]!);
      expect(other.challenger.pinball).toBeGreaterThan(other.champion!.pinball);
    }
  });

  it('count a finding that lasts once', async () => {
    const bursts = [100, 101, 102, 500, 501, 900];
    const { challenger } = await judge(fitting, null, (i) => (bursts.includes(i) ? 40 : 10));
    expect(challenger.findingsPerDay).toBeCloseTo(3, 9);
    expect(challenger.coverage).toBeCloseTo(1 - 6 / 1440, 9);
  });

  it('are exact: half of the windows a unit above the band', async () => {
    const out = emptyVerdict();
    const at = { monotonicMs: 0, utcMs: 0 };
    seasonal.score(fitting, seasonal.start(fitting), Float64Array.of(10), new Uint8Array(1), at, out);
    const { expectedLow: low, expectedHigh: high } = out;
    const { challenger } = await judge(fitting, null, (i) => (i % 2 === 0 ? high + 1 : 10), 100);
    // ends at 1 % and 99 %: above 0.99 × 1 and 0.01 × (value - low), inside 0.01 × the distance to each end
    const above = (0.99 * 1 + 0.01 * (high + 1 - low)) / 2;
    const inside = (0.01 * (high - 10) + 0.01 * (10 - low)) / 2;
    expect(challenger.pinball).toBeCloseTo((above + inside) / 2, 9);
    expect(challenger.coverage).toBe(0.5);
  });

  it('compare losses on the series that both know', async () => {
    const { challenger, champion } = await judge(null, fitting, (i) => noise[i]!);
    expect(challenger).toMatchObject({ windows: 0, coverage: 0, pinball: 0, findingsPerDay: 0 });
    expect(champion!.pinball).toBe(0);
    expect(champion!.coverage).toBeGreaterThan(0.9);
  });
});

describe('a series that neither model knows', () => {
  it('counts for nothing', async () => {
    const { windows, challenger } = await judge(null, null, () => 5);
    expect(windows).toBe(0);
    expect(challenger).toMatchObject({ windows: 0, coverage: 0, pinball: 0, findingsPerDay: 0 });
  });
});
