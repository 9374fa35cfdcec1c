import { describe, expect, it } from 'vitest';
import { utcZone } from '../../shared/detect/civil.ts';
import { emptyVerdict, type Verdict } from '../../shared/detect/detector.ts';
import { type SeasonalParams, seasonal, seasonalLevel } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { blocksOf, history, seededNormal, seededRandom } from '../../test/support/history.ts';
import type { SummaryBlock } from '../store/store.ts';
import { fitSeasonal, seasonalTrainer } from './seasonal.ts';

const options = { windowMs: MINUTE_MS, zone: utcZone };
const monday = 4 * DAY_MS;

function paramsOf(block: SummaryBlock): SeasonalParams {
  const params = fitSeasonal([block], options);
  if (typeof params === 'string') throw new Error(params);
  // what cannot be decoded would be refused by every agent
  return seasonal.parseParams(params);
}

function judge(params: SeasonalParams, value: number, utcMs = monday): Verdict {
  const out = emptyVerdict();
  const at = { monotonicMs: 0, utcMs };
  seasonal.score(params, seasonal.start(params), Float64Array.of(value), Uint8Array.of(0), at, out);
  return out;
}

describe('four minutes of history', () => {
  const params = paramsOf(history({ windows: 4, spread: 0.1 }, (_, i) => [0.2, 0.25, 0.21, 0.3][i]!));

  it('give a wide band around what was seen, within what the samples reached', () => {
    const band = judge(params, 0.25);
    expect(band.ready).toBe(true);
    expect(band.expectedLow).toBeLessThan(0.1);
    expect(band.expectedLow).toBeGreaterThan(-0.5);
    expect(band.expectedHigh).toBeGreaterThan(0.4);
    expect(band.expectedHigh).toBeLessThan(1.2);
  });

  it('may call nothing rarer than once in some dozens', () => {
    expect(judge(params, 1e9).bits).toBeLessThan(7);
  });
});

describe('a day of minutes without a season', () => {
  const normal = seededNormal(1);
  const block = history({ windows: 1440, spread: 3 }, () => 100 + 5 * normal());
  const params = paramsOf(block);

  it('has one level and its scale', () => {
    expect(params.levels).toHaveLength(1);
    expect(params.levels[0]).toBeCloseTo(100, 0);
    expect(params.scale).toBeGreaterThan(4.5);
    expect(params.scale).toBeLessThan(5.6);
  });

  it('has a band that holds 98 % of what comes next', () => {
    let inside = 0;
    for (let i = 0; i < 10_000; i++) {
      const value = 100 + 5 * normal();
      const band = judge(params, value);
      if (value >= band.expectedLow && value <= band.expectedHigh) inside++;
    }
    expect(inside / 10_000).toBeGreaterThan(0.965);
    expect(inside / 10_000).toBeLessThan(0.992);
  });
});

describe('two weeks with nights and weekends', () => {
  const normal = seededNormal(2);
  const usual = (endMs: number): number => {
    const day = Math.floor((endMs - 30_000) / DAY_MS) % 7;
    const hour = (endMs - 30_000) / HOUR_MS;
    const weekend = day === 2 || day === 3;
    return weekend ? 20 : 50 + 30 * Math.sin((hour / 24) * 2 * Math.PI);
  };
  const block = history({ windows: 14 * 1440, fromMs: 0, spread: 1 }, (endMs) => usual(endMs) + 2 * normal());
  const params = paramsOf(block);

  it('are learned as a profile of quarter-hours, weekends apart', () => {
    expect(params.levels).toHaveLength(192);
    for (const hour of [0.5, 5.5, 12.5, 17.5, 23.5]) {
      for (const day of [15, 16, 17]) {
        const endMs = day * DAY_MS + hour * HOUR_MS;
        expect(Math.abs(seasonalLevel(params, endMs) - usual(endMs))).toBeLessThan(2);
      }
    }
    expect(params.scale).toBeLessThan(3);
  });

  it('find at night what is usual by day', () => {
    const evening = 14 * DAY_MS + 18 * HOUR_MS;
    const morning = 14 * DAY_MS + 6 * HOUR_MS;
    expect(judge(params, 80, morning).bits).toBeLessThan(6);
    expect(judge(params, 80, evening).bits).toBeGreaterThan(18);
  });
});

describe('what is unusual', () => {
  it('in history does not move level or band, and what detectors called so is left out', () => {
    const calm = paramsOf(history({ windows: 600, spread: 1 }, (_, i) => 10 + (i % 5)));
    const bad = (i: number) => i >= 300 && i < 330;
    const incident = history({ windows: 600, spread: 1, anomalyShare: (_, i) => (bad(i) ? 0.9 : 0) }, (_, i) =>
      bad(i) ? 1000 : 10 + (i % 5),
    );
    const learned = paramsOf({ ...incident, max: incident.max.map((value) => Math.min(value, 16)) });
    expect(learned.levels[0]).toBeCloseTo(calm.levels[0]!, 1);
    expect(judge(learned, 12).expectedHigh).toBeCloseTo(judge(calm, 12).expectedHigh, 0);
  });
});

describe('a series that never changes', () => {
  it('is expected not to, and a change is as rare as the history is long, no rarer', () => {
    const params = paramsOf(history({ windows: 1023 }, () => 0));
    const change = judge(params, 5);
    expect(change.bits).toBe(10);
    expect(change.expectedHigh).toBeLessThan(0.001);
    expect(judge(params, 0).bits).toBe(0);
  });
});

describe('a series that wanders', () => {
  it('gets a band for where it may go, not for where it was', () => {
    const random = seededRandom(3);
    let value = 1000;
    const params = paramsOf(history({ windows: 1000 }, () => (value += random() - 0.5)));
    let inside = 0;
    for (let i = 0; i < 500; i++) {
      value += random() - 0.5;
      const band = judge(params, value);
      if (value >= band.expectedLow && value <= band.expectedHigh) inside++;
    }
    expect(inside).toBeGreaterThan(400);
  });
});

describe('the trainer', () => {
  const training = { ...options, findingsPerDay: 1 };
  const train = (...blocks: SummaryBlock[]) =>
    seasonalTrainer(training).train(blocksOf(...blocks), seededRandom(1), new AbortController().signal);
  const normal = seededNormal(4);
  const noise = (series: string, windows: number) => history({ series, windows, spread: 1 }, () => 5 + normal());

  it('leaves out, with the reason, what it cannot learn', async () => {
    const fitted = await train(
      noise('0000000000000001', 60),
      noise('0000000000000002', 2),
      history({ series: '0000000000000003', windows: 60 }, (_, i) => i * 60),
      history({ series: '0000000000000004', windows: 4 }, (_, i) => i * 60),
      history({ series: '0000000000000005', windows: 60 }, () => Number.NaN),
    );
    expect([...fitted.series.keys()]).toEqual(['0000000000000001']);
    expect(Object.fromEntries(fitted.left)).toEqual({
      '0000000000000002': 'only 2 windows; 3 are needed',
      '0000000000000003': 'it only rises: no season to learn',
      '0000000000000004': 'it only rises: no season to learn',
      '0000000000000005': 'only 0 windows; 3 are needed',
    });
  });

  it('shares the budget out to the series: once a day among all of their minutes', async () => {
    const fitted = await train(noise('0000000000000001', 60), noise('0000000000000002', 60));
    for (const params of fitted.series.values()) expect(params.findingBits).toBeCloseTo(Math.log2(2 * 1440), 9);
  });

  it('takes blocks of one series together, and refuses them scattered', async () => {
    const halves = await train(noise('0000000000000001', 30), noise('0000000000000001', 30));
    expect(halves.series.get('0000000000000001')?.windows).toBe(60);
    const scattered = train(noise('0000000000000001', 9), noise('0000000000000002', 9), noise('0000000000000001', 9));
    await expect(scattered).rejects.toMatchObject({ code: 'internal' });
  });

  it('stops when it is told to', async () => {
    const aborted = seasonalTrainer(training).train(
      blocksOf(noise('0000000000000001', 9)),
      seededRandom(1),
      AbortSignal.abort(),
    );
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });
});
