import { beforeEach, describe, expect, it } from 'vitest';
import { utcZone } from '../shared/detect/civil.ts';
import { residualAt, type SeasonalParams, seasonal } from '../shared/detect/seasonal.ts';
import type { Finding } from '../shared/findings.ts';
import { MINUTE_MS, TEN_MINUTES_MS } from '../shared/limits.ts';
import { encodeSeasonalModel } from '../shared/wire/seasonal-model.ts';
import { emptyColumns } from '../shared/wire/summary.ts';
import { ModelStage } from './models.ts';

const ids = ['00000000000000aa', '00000000000000bb', '00000000000000cc'];
const shared = { windowMs: MINUTE_MS, zone: utcZone, bandBits: 5, findingBits: 12 };
const steady: SeasonalParams = { ...seasonal.defaults, ...shared, windows: 1000, levels: [10], scale: 1 };
const model = (windowMs = MINUTE_MS) =>
  encodeSeasonalModel({
    ...shared,
    windowMs,
    series: new Map([
      [ids[0]!, steady],
      [ids[2]!, steady],
    ]),
  });

const slot = 'model/seasonal';
const slotOfTen = 'model/seasonal-10m';
let findings: Finding[];
let stage: ModelStage;
let toldMs: number;
beforeEach(() => {
  toldMs = MINUTE_MS;
  findings = [];
  stage = new ModelStage({
    limit: 8,
    windowMs: () => toldMs,
    series: {
      id: (number) => ids[number]!,
      definition: (number) => ({ kind: 'gauge', name: `metric.${number}`, unit: '1', attributes: {} }),
    },
    onFinding: (finding) => findings.push(finding),
  });
});

/** A window in which series i has the mean `means[i]`; NaN: it had no sample. */
function window(means: number[], minute = 100, lengthMs = MINUTE_MS, timeKnown = true, nominalMs = MINUTE_MS): void {
  const columns = emptyColumns(means.length);
  means.forEach((mean, i) => {
    columns.mean[i] = mean;
    columns.count[i] = Number.isNaN(mean) ? 0 : 60;
  });
  const endUtcMs = timeKnown ? minute * MINUTE_MS : null;
  stage.score([0, 1, 2], columns, { nominalMs, lengthMs, endMonotonicMs: minute * MINUTE_MS, endUtcMs });
}

/** The upper end of the expected band at its one level. */
function stageBand({ levels, scale, upper, bandBits }: SeasonalParams): number {
  return levels[0]! + scale * residualAt(upper, bandBits);
}

describe('the window tier', () => {
  it('says nothing without a model', () => {
    window([10, 10, 1e6]);
    expect([...stage.bits.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect(stage.expectedLow[0]).toBeNaN();
    expect(findings).toEqual([]);
  });

  it('gives each series that the model knows its surprise and its range', () => {
    stage.activate(slot, model());
    window([10, 10, 13]);
    expect(stage.series).toBe(2);
    expect(stage.bits[0]).toBe(0);
    expect(stage.expectedLow[0]).toBeLessThan(10);
    expect(stage.expectedHigh[0]).toBeGreaterThan(10);
    expect(stage.expectedHigh[1]).toBeNaN();
    expect(stage.bits[2]).toBeGreaterThan(stage.bits[0]!);
    expect(findings).toEqual([]);
  });

  it('tells what is outside, since when, for as long as it lasts', () => {
    stage.activate(slot, model());
    window([10, 10, 40], 100);
    window([10, 10, 41], 101);
    window([10, 10, 10], 102);
    window([10, 10, 42], 103);
    expect(findings.map(({ sinceMs, lastMs, seen }) => [sinceMs / MINUTE_MS, lastMs / MINUTE_MS, seen])).toEqual([
      [99, 100, 40],
      [99, 101, 41],
      [102, 103, 42],
    ]);
    expect(findings[0]).toMatchObject({
      series: ids[2],
      tier: 'window',
      detector: 'seasonal',
      key: { name: 'metric.2' },
    });
    expect(findings[0]!.returnPeriodMs).toBeCloseTo(MINUTE_MS * 2 ** findings[0]!.bits, 3);
  });

  it('asks for more the next time, unless it is the same', () => {
    stage.activate(slot, model());
    const bitsOf = (mean: number): number => {
      window([10, 10, mean], 1, MINUTE_MS, true, MINUTE_MS);
      return stage.bits[2]!;
    };
    const just = [...Array(60).keys()].map((i) => 10 + i).find((mean) => bitsOf(mean) >= shared.findingBits)!;
    stage.activate(slot, model());
    findings.length = 0;
    for (const minute of [100, 102, 130, 160]) window([10, 10, just], minute);
    window([10, 10, 1e6], 190);
    expect(findings.map(({ lastMs }) => lastMs / MINUTE_MS)).toEqual([100, 102, 190]);
  });

  it('knows what operators called usual at a time of the day', () => {
    const from = 4;
    const allowances = [{ from, steps: 4, days: 0, upper: 5, lower: 1 }];
    const taught = { ...steady, allowances };
    const series = new Map([[ids[2]!, taught]]);
    stage.activate(slot, encodeSeasonalModel({ ...shared, windowMs: MINUTE_MS, series }));
    const high = 10 + 3 * (stageBand(taught) - 10);
    const found = { series: ids[2]!, detector: 'surprise', seen: high, lastMs: (from + 1) * 15 * MINUTE_MS };
    const finding = { ...found, expectedLow: 9, expectedHigh: 11 } as Finding;
    expect(stage.isUsual(finding)).toBe(true);
    for (const other of [
      { series: ids[1]! },
      { detector: 'stuck' },
      { seen: 10 - (high - 10) },
      { seen: 1e6 },
      { lastMs: (from + 5) * 15 * MINUTE_MS },
    ]) {
      expect(stage.isUsual({ ...finding, ...other })).toBe(false);
    }
    // What the detector expected scatters more than the mean of a window: it is widened as well.
    expect(stage.isUsual({ ...finding, seen: 10 + 4 * 50, expectedLow: -40, expectedHigh: 60 })).toBe(true);
  });

  it('says what operators called usual of a group, at that time and so much of it, by the series of the greatest part', () => {
    const shared = { zone: utcZone, bandBits: 5.64, findingBits: 12 };
    const together = [{ from: 3, steps: 2, days: 0, upper: 5, lower: 1 }];
    const taught = { ...seasonal.defaults, windows: 100, levels: [10], scale: 1, together };
    stage.activate(slot, encodeSeasonalModel({ ...shared, windowMs: MINUTE_MS, series: new Map([[ids[2]!, taught]]) }));
    const members = [{ series: ids[2]! }, { series: ids[1]! }];
    const found = { series: ids[1]!, detector: 'group', seen: 10, bits: 39, lastMs: 4 * 15 * MINUTE_MS, members };
    const finding = { ...found, expectedLow: 9, expectedHigh: 11 } as unknown as Finding;
    expect(stage.isUsual(finding)).toBe(true);
    for (const other of [
      { bits: 41 },
      { lastMs: 6 * 15 * MINUTE_MS },
      { members: [...members].reverse() as unknown as Finding['members'] },
      { detector: 'surprise', series: ids[2]! },
    ]) {
      expect(stage.isUsual({ ...finding, ...other } as Finding)).toBe(false);
    }
  });

  it('does not judge what it cannot: no samples, a short window, an unknown time', () => {
    stage.activate(slot, model());
    window([10, 10, 40]);
    expect(stage.bits[2]).toBeGreaterThan(12);
    for (const unknown of [
      () => window([10, 10, Number.NaN]),
      () => window([10, 10, 40], 101, 10_000),
      () => window([10, 10, 40], 101, MINUTE_MS, false),
    ]) {
      unknown();
      expect(stage.bits[2]).toBe(0);
      expect(stage.expectedHigh[2]).toBeNaN();
    }
    expect(findings).toHaveLength(1);
  });

  it('keeps what runs when the new one is for other windows, or is none', () => {
    stage.activate(slot, model());
    expect(() => stage.activate(slot, model(10 * MINUTE_MS))).toThrow(
      expect.objectContaining({ code: 'manifest.unsupported' }),
    );
    expect(() => stage.activate(slot, Uint8Array.of(1, 2))).toThrow(
      expect.objectContaining({ code: 'payload.invalid' }),
    );
    window([10, 10, 40]);
    expect(findings).toHaveLength(1);
  });

  it('judges windows of each length by the model for them alone, and holds both', () => {
    const ten = (means: number[]): void => window(means, 100, TEN_MINUTES_MS, true, TEN_MINUTES_MS);
    stage.activate(slot, model());
    stage.activate(slotOfTen, model(TEN_MINUTES_MS));
    ten([10, 10, 40]);
    expect(findings).toEqual([]);
    toldMs = TEN_MINUTES_MS;
    window([10, 10, 40]);
    expect(findings).toEqual([]);
    ten([10, 10, 40]);
    expect(findings).toMatchObject([{ detector: 'seasonal', sinceMs: 90 * MINUTE_MS }]);
    toldMs = MINUTE_MS;
    window([10, 10, 40], 101);
    expect(findings).toHaveLength(2);
  });

  it('goes on with minutes where windows of ten are told and there is no model for them yet', () => {
    stage.activate(slot, model());
    toldMs = TEN_MINUTES_MS;
    window([10, 10, 40], 100, TEN_MINUTES_MS, true, TEN_MINUTES_MS);
    expect(findings).toEqual([]);
    window([10, 10, 40]);
    expect(findings).toHaveLength(1);
  });

  it('says nothing any more when it is told to run nothing', () => {
    stage.activate(slot, model());
    window([10, 10, 40]);
    stage.deactivate(slot);
    window([10, 10, 40]);
    expect(stage.bits[2]).toBe(0);
    expect(findings).toHaveLength(1);
  });
});
