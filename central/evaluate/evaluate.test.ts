import { describe, expect, it } from 'vitest';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { residualAt, type SeasonalParams, seasonal } from '../../shared/detect/seasonal.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { blocksOf, history, seededNormal } from '../../test/support/history.ts';
import type { ModelKind } from '../train/kind.ts';
import { seasonalModels } from '../train/seasonal-kind.ts';
import { courseOf } from './course.ts';
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

describe('faults that are put into windows of a steady series', () => {
  const windows = 1440;
  const inject = async (champion: SeasonalParams | null) =>
    await evaluate(
      {
        ...{ kind: seasonalModel, windowMs: MINUTE_MS, seed: 'a', injectInto: new Set([id]) },
        challenger: new Map([[id, fitting]]),
        champion: champion && new Map([[id, champion]]),
      },
      blocksOf(history({ windows, series: id }, () => 10)),
    );
  /** So many scales away it is a finding. */
  const bar = residualAt(tail, fitting.findingBits);

  it('are found from the size on that is a finding, after the time that it takes to come to it', async () => {
    const { injected } = await inject(null);
    const of = (kind: string, size: number | null) =>
      injected.find((one) => one.kind === kind && one.size === size)?.challenger;
    expect(bar).toBeGreaterThan(3);
    expect(bar).toBeLessThan(5);
    for (const kind of ['spike', 'shift'] as const) {
      expect([2, 3].map((size) => of(kind, size))).toEqual([2, 3].map(() => ({ found: 0, delayMs: null })));
      expect([5, 8].map((size) => of(kind, size))).toEqual([5, 8].map(() => ({ found: 8, delayMs: MINUTE_MS })));
    }
    // A drift of four hours is i / 240 of its size after i windows.
    for (const size of [5, 8]) {
      const rows = Math.ceil((bar / size) * 240);
      expect(of('drift', size)).toEqual({ found: 8, delayMs: (rows + 1) * MINUTE_MS });
    }
    // What rests is neither stuck nor unsteady, and has no season.
    expect(['stuck', 'variance', 'season'].map((kind) => injected.some((one) => one.kind === kind))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('are the same for both, in scales of the champion; what only one finds is told', async () => {
    const { recall } = await inject({ ...fitting, scale: 0.5 });
    // In halves of the challenger's scale: only 8 × 0.5 would do, were the bar not above 4.
    const [all] = recall;
    expect(all).toMatchObject({ kind: null, cases: 96, challenger: { found: 0 }, lost: 48, gained: 0, deviation: 48 });
    expect(all!.champion!.found).toBe(48);
  });
});

it('the worst series come first, ten of them', async () => {
  const ids = Array.from({ length: 12 }, (_, i) => (i + 1).toString(16).padStart(16, '0'));
  const blocks = ids.map((series, i) => history({ series, windows: 20 }, () => 20 + i));
  const model = new Map(ids.map((series) => [series, fitting]));
  const contest = { kind: seasonalModel, windowMs: MINUTE_MS, seed: 'a', challenger: model, champion: null };
  const { worst, challenger, series } = await evaluate(contest, blocksOf(...blocks));
  expect(series).toBe(12);
  expect(worst.map((one) => one.series)).toEqual(ids.toReversed().slice(0, 10));
  expect(worst[0]).toMatchObject({ windows: 20, coverage: 0, findings: 1, champion: null });
  // All of them at once: one incident in twenty minutes.
  expect(challenger.falseIncidentsPerWeek).toBeCloseTo((7 * 1440) / 20, 9);
});

it('series that a kind joins are judged side by side: faults are put into one of them', async () => {
  const normal = seededNormal(4);
  const kind: ModelKind<SeasonalParams> = {
    ...seasonalModel,
    // As far as the members are apart, whatever both do.
    detector: {
      ...seasonalModel.detector,
      score(_params, _state, x, _quality, _at, out) {
        out.ready = true;
        out.finding = Math.abs(x[0]! - x[1]!) > 4;
      },
    },
    async *courses(_models, blocks, windowMs) {
      const members = [];
      for await (const block of blocks) members.push(courseOf(block, windowMs)!);
      const [first, second] = members;
      const values = [first!.values[0]!, second!.values[0]!];
      yield { ...first!, id: 'group', members: members.map((one) => one.id), values };
    },
  };
  const course = Array.from({ length: 200 }, () => 10 + normal());
  const blocks = ['a', 'b'].map((series) => history({ series, windows: 200 }, (_, i) => course[i]!));
  const challenger = new Map([['group', fitting]]);
  const contest = { kind, windowMs: MINUTE_MS, seed: 'a', challenger, champion: null };
  const found = await evaluate({ ...contest, injectInto: new Set(['group']) }, blocksOf(...blocks));
  expect(found).toMatchObject({ series: 1, windows: 200, challenger: { findingsPerDay: 0 } });
  const shifts = found.injected.filter((one) => one.kind === 'shift').map((one) => one.challenger.found);
  expect(shifts).toEqual([0, 0, 8, 8]);
});
