import { describe, expect, it } from 'vitest';
import { utcZone } from '../../shared/detect/civil.ts';
import { type SeasonalParams, seasonal } from '../../shared/detect/seasonal.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { encodeSeasonalModel } from '../../shared/wire/seasonal-model.ts';
import { emptyColumns } from '../../shared/wire/summary.ts';
import { ModelStage } from '../models.ts';

const slot = 'model/seasonal';
const ids = Array.from({ length: 20 }, (_, i) => (i + 1).toString(16).padStart(16, '0'));
const numbers = ids.map((_, i) => i);
const shared = { windowMs: MINUTE_MS, zone: utcZone, bandBits: 5, findingBits: 12 };

/** A model of 20 series about the level, as wide as its scale. */
function model(scale = 1, level = 10): Uint8Array {
  const params: SeasonalParams = { ...seasonal.defaults, ...shared, windows: 1000, levels: [level], scale };
  return encodeSeasonalModel({ ...shared, series: new Map(ids.map((id) => [id, params])) });
}

/** Plays windows of values within a scale of 10. */
function played(set: (stage: ModelStage) => void, windows = 30, clockMs = () => 0) {
  const broken: string[] = [];
  let findings = 0;
  const stage = new ModelStage({
    limit: 32,
    windowMs: () => MINUTE_MS,
    series: {
      id: (number) => ids[number]!,
      definition: (number) => ({ kind: 'gauge', name: `m${number}`, unit: '1', attributes: {} }),
    },
    onFinding: () => findings++,
    onBroken: (_, reason) => broken.push(reason),
    clockMs,
  });
  set(stage);
  for (let i = 0; i < windows; i++) {
    const columns = emptyColumns(ids.length);
    for (const number of numbers) {
      columns.mean[number] = 10 + Math.sin(i * 1.7 + number * 2.3);
      columns.count[number] = 60;
    }
    const endUtcMs = (i + 1) * MINUTE_MS;
    stage.score(numbers, columns, { nominalMs: MINUTE_MS, lengthMs: MINUTE_MS, endMonotonicMs: endUtcMs, endUtcMs });
  }
  return { stage, broken, findings };
}

describe('a model in the shadow', () => {
  it('raises nothing, and is counted beside the one that runs', () => {
    const { stage, broken, findings } = played((on) => {
      on.activate(slot, model());
      on.compare(slot, model(1.1), 'shadow');
    });
    expect([broken, findings]).toEqual([[], 0]);
    expect(stage.comparisons()).toMatchObject([
      { slot, windows: 600, agreed: 600, mainFindings: 0, besideFindings: 0 },
    ]);
    expect(stage.comparisons()[0]!.dropped).toBeUndefined();
  });

  it.each([
    ['a tail that is too narrow', model(0.001)],
    ['another unit', model(1, 10_000)],
  ])('with %s is dropped, and what runs runs on', (_, poisoned) => {
    const { stage, broken, findings } = played((on) => {
      on.activate(slot, model());
      on.compare(slot, poisoned, 'shadow');
    });
    expect([broken, findings]).toEqual([[], 0]);
    expect(stage.comparisons()[0]!.dropped).toMatch(/^it is too loud: /);
    expect(stage.series).toBe(20);
  });

  it('with NaN is not even taken', () => {
    expect(() => played((on) => on.compare(slot, model(Number.NaN), 'shadow'))).toThrow(/scale/);
  });
});

describe('a model on trial', () => {
  it.each([
    ['a tail that is too narrow', model(0.001)],
    ['another unit', model(1, 10_000)],
  ])('with %s is told to be broken once, and asked no more', (_, poisoned) => {
    const { stage, broken } = played((on) => {
      on.activate(slot, poisoned);
      on.compare(slot, model(), 'trial');
    });
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(/^it is too loud: /);
    expect(stage.series).toBe(0);
  });

  it('that is as good stays, and so does one that is quieter', () => {
    const { stage, broken } = played((on) => {
      on.activate(slot, model());
      on.compare(slot, model(0.001), 'trial');
    });
    expect(broken).toEqual([]);
    expect(stage.series).toBe(20);
  });

  it('as the first one is held against nothing but reason', () => {
    const { broken } = played((on) => {
      on.activate(slot, model(1, 10_000));
      on.compare(slot, null, 'trial');
    });
    expect(broken).toHaveLength(1);
  });

  it('that is slow is told to be broken', () => {
    let nowMs = 0;
    const slow = () => {
      nowMs += 300;
      return nowMs;
    };
    const { broken } = played(
      (on) => {
        on.activate(slot, model());
        on.compare(slot, model(), 'trial');
      },
      5,
      slow,
    );
    expect(broken).toEqual(['it is slow: over 250 ms for each of 3 rounds']);
  });
});
