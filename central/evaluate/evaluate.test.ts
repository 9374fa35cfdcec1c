import { describe, expect, it } from 'vitest';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { type SeasonalParams, seasonal } from '../../shared/detect/seasonal.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import { blocksOf, history, seededNormal } from '../../test/support/history.ts';
import type { Evaluation, EvaluationFigures } from '../api.ts';
import { seasonalModels } from '../train/seasonal-kind.ts';
import { decide, type Standing } from './decide.ts';
import { evaluate } from './evaluate.ts';

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
): Promise<Evaluation> {
  const of = (params: SeasonalParams | null) => new Map(params === null ? [] : [[id, params]]);
  const contest = {
    kind: seasonalModel,
    windowMs: MINUTE_MS,
    challenger: of(challenger),
    champion: champion && of(champion),
    heldOutFromMs: 0,
    heldOutToMs: windows * MINUTE_MS,
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
    expect(challenger).toEqual({ coverage: 0, pinball: 0, findingsPerDay: 0 });
    expect(champion!.pinball).toBe(0);
    expect(champion!.coverage).toBeGreaterThan(0.9);
  });
});

describe('a series that neither model knows', () => {
  it('counts for nothing', async () => {
    const { windows, challenger } = await judge(null, null, () => 5);
    expect(windows).toBe(0);
    expect(challenger).toEqual({ coverage: 0, pinball: 0, findingsPerDay: 0 });
  });
});

describe('the decision', () => {
  const figures = (change: Partial<EvaluationFigures> = {}): EvaluationFigures => ({
    coverage: 0.98,
    pinball: 1,
    findingsPerDay: 0,
    ...change,
  });
  const evaluation = (
    challenger: Partial<EvaluationFigures>,
    champion: Partial<EvaluationFigures> | null,
  ): Evaluation => ({
    heldOutFromMs: 0,
    heldOutToMs: DAY_MS,
    windows: 1440,
    challenger: figures(challenger),
    champion: champion && figures(champion),
  });
  const standing = (change: Partial<NonNullable<Standing['champion']>> = {}): Standing => ({
    windowMs: MINUTE_MS,
    findingsPerDay: 1,
    challengerSeries: 100,
    challengerWindows: 1000,
    champion: { version: 3, series: 100, windows: 900, outdated: false, ...change },
  });
  const oneWindow = (challenger: Partial<EvaluationFigures>): Evaluation => ({
    ...evaluation(challenger, null),
    heldOutToMs: MINUTE_MS,
  });
  const first: Standing = { ...standing(), champion: null };

  const cases: [string, Evaluation, Standing, boolean, RegExp][] = [
    [
      'a first model that is calibrated',
      evaluation({}, null),
      first,
      true,
      /^The first model, and calibrated: 98 % of 1440/,
    ],
    ['a first model that is not', evaluation({ coverage: 0.89 }, null), first, false, /^Not calibrated: 89 %/],
    ['a first model by one window', oneWindow({ coverage: 0.81 }), first, true, /calibrated: 81 %/],
    [
      'a first model that one window is enough to refuse',
      oneWindow({ coverage: 0.79 }),
      first,
      false,
      /80 % are the least/,
    ],
    [
      'a better one where neither is calibrated',
      evaluation({ coverage: 0.85, pinball: 0.5 }, { coverage: 0.8 }),
      standing(),
      true,
      /^Better/,
    ],
    [
      'a loud one, the champion louder',
      evaluation({ findingsPerDay: 20, pinball: 0.5 }, { findingsPerDay: 21 }),
      standing(),
      true,
      /^Better/,
    ],
    ['no held-out windows', { ...evaluation({}, null), windows: 0 }, first, false, /no held-out windows/],
    ['a loud one', evaluation({ findingsPerDay: 9 }, null), first, false, /^Too loud: 9 findings .* allows 8/],
    [
      'one better by the margin',
      evaluation({ pinball: 0.98 }, {}),
      standing(),
      true,
      /^Better: its loss is 0.980 against 1.00 of model 3 \(2 % less\)/,
    ],
    ['one better by less', evaluation({ pinball: 0.985 }, {}), standing(), false, /^Not better by 2 %/],
    ['a worse one', evaluation({ pinball: 1.5 }, {}), standing({ windows: 1, series: 1 }), false, /^Not better/],
    [
      'an equal one, the champion not calibrated',
      evaluation({}, { coverage: 0.8 }),
      standing(),
      true,
      /no longer is \(80 %\)/,
    ],
    [
      'an equal one with more series',
      evaluation({}, {}),
      standing({ series: 90 }),
      true,
      /knows 100 series; model 3 knows 90/,
    ],
    ['an equal one with twice the history', evaluation({}, {}), standing({ windows: 500 }), true, /twice the history/],
    [
      'an equal one, the champion of an incomplete window',
      evaluation({}, {}),
      standing({ incomplete: true }),
      true,
      /incomplete window/,
    ],
    [
      'a worse one, the champion of an incomplete window',
      evaluation({ pinball: 1.5 }, {}),
      standing({ incomplete: true }),
      false,
      /^Not better/,
    ],
    [
      'a worse one, the champion outdated',
      evaluation({ pinball: 2 }, {}),
      standing({ outdated: true }),
      true,
      /no longer made/,
    ],
    [
      'a loud one, the champion outdated',
      evaluation({ findingsPerDay: 99 }, {}),
      standing({ outdated: true }),
      false,
      /Too loud/,
    ],
  ];
  it.each(cases)('on %s', (_, figuresOf, stands, accepted, reason) => {
    const decision = decide(figuresOf, stands);
    expect(decision.reason).toMatch(reason);
    expect(decision.accepted).toBe(accepted);
  });
});
