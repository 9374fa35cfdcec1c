/** The range that the charts show: it is in the address. Ranges that were left by zooming can be come back to. */
import { useMemo } from 'preact/hooks';
import { useCell } from './cell.ts';
import { place, refine } from './router.ts';
import { fixedRange, rangeFrom, rangeQuery, type TimeRange } from './time.ts';

const MOST_BACK = 50;
const back: TimeRange[] = [];

export function zoomTo(fromMs: number, toMs: number): void {
  const range = fixedRange(fromMs, toMs);
  if (range === null) return;
  back.push(rangeFrom(place.get().query));
  if (back.length > MOST_BACK) back.shift();
  refine(rangeQuery(range));
}

export function zoomBack(): void {
  const range = back.pop();
  refine(range === undefined ? { from: null, to: null } : rangeQuery(range));
}

export function chooseRange(range: TimeRange): void {
  back.length = 0;
  refine(rangeQuery(range));
}

export function useRange(): TimeRange {
  const { query } = useCell(place);
  const text = ['from', 'to', 'last'].map((name) => query.get(name)).join();
  return useMemo(() => rangeFrom(query), [text]);
}
