import { describe, expect, test } from 'vitest';
import { startCoMoments } from '../math/comoments.ts';
import { TAIL_SIZE } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { emptyVerdict, type Verdict } from './detector.ts';
import { type GroupParams, group, groupContributions, groupDefaults, groupLevel } from './group.ts';
import { LIMIT_SIZE } from './group-limit.ts';
import { expectedOf, measure, measured } from './group-measure.ts';
import { parseGroupReference, trainReference } from './group-reference.ts';
import { at as places } from './group-state.ts';
import { normal, seeded } from './stream.fixture.ts';

const at = { monotonicMs: 0, utcMs: 0 };

/** A pump: load drives flow and current, and slowly its heat; the voltage goes its own way; a door that never opens. */
class Pump {
  readonly random: () => number;
  #load = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  row(): Float64Array {
    this.#load = 0.95 * this.#load + 0.3 * normal(this.random);
    const noise = (size: number): number => size * normal(this.random);
    return Float64Array.of(
      30 + 3 * this.#load + noise(0.15),
      1.5 + 0.2 * this.#load + noise(0.01),
      60 + 2 * this.#load + noise(0.2),
      230 + noise(2),
      0,
    );
  }
}
const FLOW = 0;
const CURRENT = 1;
const HEAT = 2;
const SERIES = 5;

class Watch {
  readonly params: GroupParams;
  readonly verdict: Verdict = emptyVerdict();
  readonly pump: Pump;
  readonly quality = new Uint8Array(SERIES);
  state;

  constructor(seed: number, more: Partial<GroupParams> = {}) {
    this.params = { ...groupDefaults, series: SERIES, barBits: 12, ...more };
    this.pump = new Pump(seed);
    this.state = group.start(this.params);
  }

  step(change: (x: Float64Array) => void = () => undefined): Verdict {
    const x = this.pump.row();
    change(x);
    group.score(this.params, this.state, x, this.quality, at, this.verdict);
    group.learn(this.params, this.state, x, this.quality, at);
    return this.verdict;
  }

  run(rows: number, change?: (x: Float64Array) => void): number {
    let found = 0;
    for (let i = 0; i < rows; i++) if (this.step(change).finding) found++;
    return found;
  }

  /** Shares of the series in one row. */
  blame(change: (x: Float64Array) => void): Float64Array {
    const x = this.pump.row();
    change(x);
    const out = new Float64Array(SERIES);
    groupContributions(this.state, x, this.quality, out);
    return out;
  }
}

/** What is usual of each statistic, and the tail of the limit. */
function learnedLimits({ state }: Watch): number[] {
  const tail = places.limit + LIMIT_SIZE - TAIL_SIZE;
  return [...state.scalars.slice(places.onset, places.limit), ...state.scalars.slice(tail, tail + TAIL_SIZE)];
}

describe('the group detector', () => {
  test('says nothing before it has a reference, and finds nothing in what is as ever', () => {
    const watch = new Watch(1, { barBits: 20 });
    for (let i = 0; i < groupDefaults.firstRows; i++) expect(watch.step()).toMatchObject({ ready: false, bits: 0 });
    expect(watch.step().ready).toBe(true);
    expect(watch.run(30_000)).toBe(0);
    expect(groupLevel(watch.state)).toBeLessThan(6);
  });

  test('finds that two series no longer move together, though each stays in its range', () => {
    const watch = new Watch(2);
    watch.run(5000);
    // Another pump's flow: as ever by itself, and nothing to do with this one's current and heat.
    const other = new Pump(99);
    for (let i = 0; i < 300; i++) other.row();
    let rare = 0;
    let q = 0;
    let t2 = 0;
    for (let i = 0; i < 60; i++) {
      const { bits } = watch.step((x) => {
        x[FLOW] = other.row()[FLOW]!;
        expect(Math.abs(x[FLOW]! - 30)).toBeLessThan(12);
      });
      rare = Math.max(rare, bits);
      q += measured.q / 60;
      t2 += measured.t2 / 60;
    }
    expect(rare).toBeGreaterThan(watch.params.barBits);
    // It is the prediction error that shows it.
    expect(q).toBeGreaterThan(5 * t2);
  });

  test('finds a shift of all that move together, which leaves their correlations as they are', () => {
    const watch = new Watch(3);
    watch.run(5000);
    let t2 = 0;
    let q = 0;
    let found = 0;
    for (let i = 0; i < 40; i++) {
      // As the load would do it, at eight times its deviation.
      const { finding } = watch.step((x) => {
        x[FLOW] = x[FLOW]! + 23;
        x[CURRENT] = x[CURRENT]! + 1.53;
        x[HEAT] = x[HEAT]! + 15.3;
      });
      if (finding) found++;
      t2 += measured.t2 / 40;
      q += measured.q / 40;
    }
    expect(found).toBeGreaterThan(0);
    expect(t2).toBeGreaterThan(5 * q);
  });

  test('names the series that is at fault', () => {
    const watch = new Watch(4);
    watch.run(5000);
    for (const [series, by] of [
      [FLOW, -9],
      [CURRENT, 0.6],
      [HEAT, 12],
      [3, 25],
      [4, 1],
    ] as const) {
      const shares = watch.blame((x) => {
        x[series] = x[series]! + by;
      });
      expect(shares.indexOf(Math.max(...shares))).toBe(series);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    }
    const { low, high } = expectedOf(watch.state, CURRENT);
    expect(low).toBeGreaterThan(-2.5);
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(2);
    expect(high).toBeLessThan(5.5);
  });

  test('stays high while a fault lasts, and a long fault does not teach that it is usual', () => {
    const watch = new Watch(5);
    watch.run(5000);
    const broken = (x: Float64Array): void => {
      x[CURRENT] = x[CURRENT]! + 1.5;
    };
    const calm = groupLevel(watch.state);
    expect(watch.run(60, broken)).toBeGreaterThan(0);
    const early = groupLevel(watch.state);
    watch.run(1500, broken);
    const late = groupLevel(watch.state);
    expect(early).toBeGreaterThan(calm + 2);
    expect(late).toBeGreaterThan(calm + 2);
    watch.run(1000);
    expect(groupLevel(watch.state)).toBeLessThan(late - 1);
    expect(watch.run(60, broken)).toBeGreaterThan(0);
  });

  test('lets its limits stand once it is no longer young, whatever comes again and again', () => {
    // A first reference of 32 rows makes it young for 2,048, with no other before 8,192.
    const watch = new Watch(11, { firstRows: 32 });
    watch.run(1000);
    const young = learnedLimits(watch);
    watch.run(1500);
    const grown = learnedLimits(watch);
    expect(grown).not.toEqual(young);
    for (let i = 0; i < 20; i++) {
      watch.run(30, (x) => {
        x[FLOW] = x[FLOW]! + 4;
      });
      watch.run(200);
    }
    expect(learnedLimits(watch)).toEqual(grown);
  });

  test('goes on without a series, as if it were what the others let expect', () => {
    const watch = new Watch(6);
    watch.run(5000);
    watch.quality[HEAT] = Quality.bad;
    watch.quality[4] = Quality.bad;
    expect(watch.run(3000, (x) => x.fill(Number.NaN, HEAT, HEAT + 1))).toBe(0);
    expect(watch.verdict.ready).toBe(true);
    const found = watch.run(60, (x) => {
      x[FLOW] = 18;
    });
    expect(found).toBeGreaterThan(0);
    // The filled value follows the load that the others show: hot when the flow is high.
    const x = watch.pump.row();
    x[FLOW] = 36;
    x[CURRENT] = 1.9;
    measure(watch.state, x, watch.quality);
    expect(measured.z[HEAT]).toBeGreaterThan(0.5);
    watch.quality.fill(Quality.bad);
    expect(watch.step().ready).toBe(false);
  });

  test('does not renew its reference in the middle of a fault', () => {
    const watch = new Watch(7);
    watch.run(1000);
    // The second reference is due after 1,024 rows.
    watch.run(300, (x) => {
      x[FLOW] = x[FLOW]! + 40;
    });
    const { low, high } = expectedOf(watch.state, FLOW);
    expect(high - low).toBeLessThan(40);
    watch.run(200);
    const renewed = expectedOf(watch.state, FLOW);
    expect(renewed.high - renewed.low).toBeGreaterThan(high - low + 1);
  });

  test('leaves a total that only rises out of its reference', () => {
    const watch = new Watch(10, { barBits: 16 });
    let total = 0;
    const counting = (x: Float64Array): void => {
      total += 0.5 + watch.pump.random();
      x[4] = total;
    };
    expect(watch.run(20_000, counting)).toBe(0);
    expect(groupLevel(watch.state)).toBeLessThan(6);
    expect(expectedOf(watch.state, 4)).toEqual({ low: Number.NaN, high: Number.NaN });
    expect(
      watch.run(60, (x) => {
        counting(x);
        x[FLOW] = 10;
      }),
    ).toBeGreaterThan(0);
  });

  test('takes a reference that was trained elsewhere, from its first row on, and keeps it', () => {
    const trained = new Watch(8);
    trained.run(4000);
    const reference = parseGroupReference(JSON.parse(JSON.stringify(trainReference(trained.state.coMoments))));
    const watch = new Watch(9, { reference });
    expect(watch.step().ready).toBe(true);
    const before = expectedOf(watch.state, FLOW);
    watch.run(5000);
    expect(expectedOf(watch.state, FLOW)).toEqual(before);
    let rare = 0;
    for (let i = 0; i < 60; i++) {
      rare = Math.max(
        rare,
        watch.step((x) => {
          x[FLOW] = 60 - x[FLOW]!;
        }).bits,
      );
    }
    expect(rare).toBeGreaterThan(watch.params.barBits);
    expect(group.parseParams(JSON.parse(JSON.stringify(watch.params)))).toEqual(watch.params);
  });

  test('has room for 64 series, and no more', () => {
    expect(() => group.parseParams({ series: 65 })).toThrow(/series/);
    const params = group.parseParams({ series: 64 });
    const state = group.start(params);
    expect(group.state.decode(group.state.encode(state))).toEqual(state);
    expect(group.state.encode(state).length).toBeLessThan(40_000);
  });
});

describe('a reference from outside', () => {
  const good = JSON.parse(JSON.stringify(trainReference(startCoMoments(2)))) as Record<string, unknown>;
  const wholeOf = (more: Record<string, unknown>): unknown => ({ ...good, rows: 10, ...more });

  test('is read back as it was', () => {
    expect(parseGroupReference(wholeOf({}))).toEqual({ ...good, rows: 10 });
  });

  test.each([
    ['none', null],
    ['a list', []],
    ['an unknown field', wholeOf({ colour: 1 })],
    ['no series', wholeOf({ mean: [] })],
    ['too many series', wholeOf({ mean: new Array(65).fill(0) })],
    ['lengths that differ', wholeOf({ scale: [1] })],
    ['a scale of 0', wholeOf({ scale: [0, 1] })],
    ['a mean that is no number', wholeOf({ mean: [0, null] })],
    ['a mean beyond all', wholeOf({ mean: [0, 1e300] })],
    ['a negative eigenvalue', wholeOf({ eigenvalues: [1, -1] })],
    [
      'loadings that are no unit vectors',
      wholeOf({
        loadings: [
          [1, 1],
          [0, 1],
        ],
      }),
    ],
    ['loadings that are missing', wholeOf({ loadings: [[1, 0]] })],
    ['made of no rows', wholeOf({ rows: 0 })],
  ])('is refused: %s', (_, json) => {
    expect(() => parseGroupReference(json)).toThrowError(expect.objectContaining({ code: 'payload.invalid' }));
  });
});
