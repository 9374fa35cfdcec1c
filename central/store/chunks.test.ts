import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sketchOf } from '../../shared/math/sketch.ts';
import { decodeColumns, encodeColumns } from '../../shared/wire/columns.ts';
import { emptyColumns, type WindowColumns } from '../../shared/wire/summary.ts';
import { decodeChunk, decodeRolled, encodeChunk, encodeRolled } from './chunks.ts';
import { mergeInto, type Row, Rows } from './rows.ts';

const value = fc.double({ min: -1e12, max: 1e12, noNaN: true }).map((x) => x + 0);
const samples = fc.array(value, { maxLength: 12 });

function rowOf(values: readonly number[], timeMs: number, lengthMs = 60_000): Row {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const none = n === 0;
  return {
    timeMs,
    lengthMs,
    count: n,
    mean,
    deviation: Math.sqrt(squares / n),
    min: none ? Number.NaN : Math.min(...values),
    max: none ? Number.NaN : Math.max(...values),
    last: values.at(-1) ?? Number.NaN,
    anomalyShare: none ? Number.NaN : 0,
    highestScore: none ? Number.NaN : n / 8,
    bad: 0,
  };
}

/** A minute of one series as it comes over the wire. */
function received(values: readonly number[]): WindowColumns {
  const columns = emptyColumns(1);
  const row = rowOf(values, 0);
  columns.count[0] = row.count;
  for (const field of ['mean', 'deviation', 'min', 'max', 'last', 'anomalyShare', 'highestScore'] as const) {
    columns[field][0] = row[field];
  }
  if (row.count > 0 && row.min === row.max) columns.sketches[0] = sketchOf(row.min, row.count);
  return decodeColumns(encodeColumns(columns), 1);
}

describe('chunks', () => {
  test('what came over the wire comes back bit for bit, however often it is rewritten', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(samples, fc.integer({ min: 0, max: 3_600_000 })), { minLength: 1, maxLength: 20 }),
        (windows) => {
          const rows = new Rows();
          for (const [values, timeMs] of windows) rows.pushWindow(timeMs, 60_000, received(values), 0, true);
          const first = new Rows();
          decodeChunk(encodeChunk(rows), first, true);
          const second = new Rows();
          decodeChunk(encodeChunk(first), second, true);
          for (const again of [first, second]) expect(again.toWindowColumns()).toEqual(rows.toWindowColumns());
        },
      ),
    );
  });

  test('the clock of steady and of unsteady windows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 1e13 }), fc.integer({ min: 0, max: 1e8 })), {
          minLength: 1,
          maxLength: 8,
        }),
        (clock) => {
          const rows = new Rows();
          for (const [timeMs, lengthMs] of clock) rows.pushWindow(timeMs, lengthMs, received([1]), 0, false);
          const again = new Rows();
          decodeChunk(encodeChunk(rows), again, false);
          const { timesMs, lengthsMs } = again.toWindowColumns();
          const sorted = rows.toWindowColumns();
          expect(timesMs).toEqual(sorted.timesMs);
          expect(lengthsMs).toEqual(sorted.lengthsMs);
        },
      ),
    );
  });

  test('rolled rows keep their moments in full', () => {
    fc.assert(
      fc.property(fc.array(samples, { maxLength: 24 }), (hours) => {
        const rows = hours.map((values, i) => rowOf(values, (i + 1) * 3_600_000, 3_600_000));
        expect(decodeRolled(encodeRolled(rows))).toEqual(rows);
      }),
    );
  });

  test('a layout of a later version is refused', () => {
    const bytes = encodeRolled([rowOf([1], 1)]);
    bytes[0] = 2;
    expect(() => decodeRolled(bytes)).toThrow(expect.objectContaining({ code: 'payload.invalid' }));
  });
});

describe('merging rows', () => {
  test('gives the moments of all samples, in any grouping', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 8 }), { minLength: 1, maxLength: 8 }),
        (windows) => {
          const whole = rowOf(windows.flat(), windows.length);
          const merged = rowOf(windows[0]!, 1);
          for (const [i, values] of windows.slice(1).entries()) mergeInto(merged, rowOf(values, i + 2));
          expect(merged.count).toBe(whole.count);
          expect(merged.lengthMs).toBe(windows.length * 60_000);
          if (whole.count === 0) return;
          expect(merged.mean).toBeCloseTo(whole.mean, 8);
          expect(merged.deviation).toBeCloseTo(whole.deviation, 6);
          expect([merged.min, merged.max, merged.last]).toEqual([whole.min, whole.max, whole.last]);
        },
      ),
    );
  });
});
