import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { SeriesColumns } from '../store/store.ts';
import { knowsNothing } from '../train/knowledge.ts';
import { saidTime } from '../train/preprocess.ts';
import { zoneOffsets } from '../train/zone.ts';
import { daysOf, hoursOf, without } from './history.ts';

const target = { invert: false, whole: 1 };

/** Hours that say which hour of the site's clock they are; summer time began on 29 March 2026 at 01:00 UTC. */
function clock(zone: string, fromMs: number, toMs: number): SeriesColumns {
  const hour = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', hour: 'numeric' });
  const timesMs = Float64Array.from({ length: (toMs - fromMs) / HOUR_MS }, (_, i) => fromMs + (i + 1) * HOUR_MS);
  return { timesMs, mean: timesMs.map((endMs) => Number(hour.format(endMs - HOUR_MS))) } as unknown as SeriesColumns;
}

describe('hours of the site', () => {
  const fromMs = Date.UTC(2026, 2, 26);

  it.each([
    ['Europe/Berlin', Date.UTC(2026, 3, 2, 15)],
    ['Asia/Kolkata', Date.UTC(2026, 3, 2, 15)],
    ['UTC', Date.UTC(2026, 3, 2)],
  ])('stay in step with the clock in %s, over a change of it as well', (zone, toMs) => {
    const offsets = zoneOffsets(zone, fromMs, toMs);
    const { values } = hoursOf(clock(zone, fromMs, toMs), target, { fromMs, toMs }, offsets);
    const last = values.at(-1)!;
    const expected = values.map((_, i) => (((last - (values.length - 1 - i)) % 24) + 24) % 24);
    const known = [...values.keys()].filter((i) => Number.isFinite(values[i]!));
    expect(known.map((i) => values[i])).toEqual(known.map((i) => expected[i]));
    expect(values.length - known.length).toBe(zone === 'Europe/Berlin' ? 1 : 0);
  });

  it('make days that end at its midnight', () => {
    const toMs = Date.UTC(2026, 3, 2, 15);
    const zone = zoneOffsets('Europe/Berlin', fromMs, toMs);
    const column = hoursOf(clock('Europe/Berlin', fromMs, toMs), target, { fromMs, toMs }, zone);
    const days = daysOf(column, false, zone);
    // 2 April 00:00 in Berlin; the last hour of each day is that from 23 to 24.
    expect(days.toMs).toBe(Date.UTC(2026, 3, 1, 22));
    expect(new Set(days.values)).toEqual(new Set([23]));
  });

  it('the hour that comes twice is the mean of both', () => {
    const from = Date.UTC(2026, 9, 24, 22);
    const toMs = from + 6 * HOUR_MS;
    const timesMs = Float64Array.from([1, 2, 3, 4, 5, 6], (i) => from + i * HOUR_MS);
    const windows = { timesMs, mean: Float64Array.of(0, 1, 2, 4, 5, 6) };
    const { values } = hoursOf(windows, target, { fromMs: from, toMs }, zoneOffsets('Europe/Berlin', from, toMs));
    // Berlin: 00, 01, 02 (summer), 02 (winter), 03, 04
    expect([...values]).toEqual([Number.NaN, 0, 1, 3, 5, 6]);
  });
});

it('hours of planned work and of what operators called real are left out, others not', () => {
  const timesMs = Float64Array.from({ length: 8 }, (_, i) => (i + 1) * HOUR_MS);
  const windows = { timesMs, mean: timesMs } as unknown as SeriesColumns;
  const at = (fromHours: number, hours: number) => ({
    fromMs: fromHours * HOUR_MS,
    toMs: (fromHours + hours) * HOUR_MS,
  });
  const incident = (verdict: 'real' | 'false_alarm' | null, span: ReturnType<typeof at>) => ({
    ...span,
    verdict,
    series: new Map([['a', span]]),
  });
  const incidents = [incident('real', at(4, 1)), incident('false_alarm', at(6, 1)), incident(null, at(7, 1))];
  const planned = [at(1, 1), { fromMs: 2.5 * HOUR_MS, toMs: 2.5 * HOUR_MS + 9 * MINUTE_MS }];
  const said = saidTime('a', { ...knowsNothing, incidents, planned }, MINUTE_MS);
  expect([...without(windows, said)!.timesMs].map((ms) => ms / HOUR_MS)).toEqual([1, 3, 4, 6, 7, 8]);
});
