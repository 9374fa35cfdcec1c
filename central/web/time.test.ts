import { describe, expect, it } from 'vitest';
import {
  DAY_MS,
  fixedRange,
  formatAgo,
  formatMoment,
  formatRarity,
  formatSpan,
  formatTick,
  HOUR_MS,
  isZone,
  MINUTE_MS,
  rangeAround,
  rangeFrom,
  rangeQuery,
  SHORTEST_SPAN_MS,
  spanOf,
  type TimeRange,
} from './time.ts';

/** 3 January 2026, 14:02:10 UTC */
const AT = Date.UTC(2026, 0, 3, 14, 2, 10);

function throughAddress(range: TimeRange): TimeRange {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rangeQuery(range))) if (value !== null) query.set(name, value);
  return rangeFrom(query);
}

describe('ranges', () => {
  it('survive the address', () => {
    const ranges: TimeRange[] = [
      { kind: 'last', spanMs: 15 * MINUTE_MS },
      { kind: 'last', spanMs: 7 * DAY_MS },
      { kind: 'fixed', fromMs: AT, toMs: AT + HOUR_MS },
    ];
    for (const range of ranges) expect(throughAddress(range)).toEqual(range);
  });

  it.each(['from=x&to=y', `from=${AT}&to=${AT - 1}`, `from=-5&to=${AT}`, 'last=-3', 'last=1e99', `from=0&to=${AT}`])(
    'of nonsense (%s) are the default',
    (query) => {
      expect(rangeFrom(new URLSearchParams(query))).toEqual({ kind: 'last', spanMs: 15 * MINUTE_MS });
    },
  );

  it('too short to show are widened around their middle', () => {
    const range = fixedRange(AT, AT + 1_000)!;
    expect(spanOf(range)).toBe(SHORTEST_SPAN_MS);
    expect(range).toMatchObject({ fromMs: AT - 4_500, toMs: AT + 5_500 });
  });

  it('around an incident show what was before, and nothing of the future', () => {
    const range = rangeAround(AT - 2 * MINUTE_MS, AT, AT);
    expect(range).toEqual({ kind: 'fixed', fromMs: AT - 7 * MINUTE_MS, toMs: AT });
  });
});

describe('times in a zone', () => {
  it('are told with the date when it is another day there', () => {
    expect(formatMoment(AT, 'UTC', AT + HOUR_MS)).toBe('14:02:10');
    expect(formatMoment(AT, 'UTC', AT + DAY_MS)).toBe('3 Jan, 14:02:10');
    // 14:02 UTC is 03:02 of the next day in Auckland, and an hour earlier is that day too.
    expect(formatMoment(AT, 'Pacific/Auckland', AT - HOUR_MS)).toBe('03:02:10');
    expect(formatMoment(AT, 'UTC', AT + 400 * DAY_MS)).toBe('3 Jan 2026, 14:02:10');
  });

  it('on an axis are as exact as its steps, and midnight is a date', () => {
    const midnight = Date.UTC(2026, 0, 3) / 1000;
    expect(formatTick(midnight, HOUR_MS / 1000, 'UTC')).toBe('3 Jan');
    expect(formatTick(midnight, HOUR_MS / 1000, 'Europe/Berlin')).toBe('01:00');
    expect(formatTick(AT / 1000, 10, 'UTC')).toBe('14:02:10');
    expect(formatTick(AT / 1000, 300, 'UTC')).toBe('14:02');
    expect(formatTick(AT / 1000, 86_400, 'UTC')).toBe('3 Jan');
  });

  it('know which zones there are', () => {
    expect(isZone('Europe/Berlin')).toBe(true);
    expect(isZone('Mars/Olympus')).toBe(false);
  });
});

describe('spans in words', () => {
  it.each([
    [400, '400 ms'],
    [45_000, '45 s'],
    [119_000, '119 s'],
    [12 * MINUTE_MS, '12 min'],
    [3 * HOUR_MS, '3 h'],
    [5 * DAY_MS, '5 days'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatSpan(ms)).toBe(text);
  });

  it('are ago or to come', () => {
    expect(formatAgo(AT, AT + 2_000)).toBe('just now');
    expect(formatAgo(AT, AT + 12 * MINUTE_MS)).toBe('12 min ago');
    expect(formatAgo(AT + 3 * HOUR_MS, AT)).toBe('in 3 h');
  });

  it('say how rare something is, and never claim more than ten years', () => {
    expect(formatRarity(30 * DAY_MS)).toBe('rarer than once in 30 days');
    expect(formatRarity(HOUR_MS)).toBe('rarer than once in an hour');
    expect(formatRarity(2 ** 60)).toBe('rarer than once in 10 years');
    expect(formatRarity(500)).toBe('not rare');
    expect(formatRarity(null)).toBe('');
  });
});
