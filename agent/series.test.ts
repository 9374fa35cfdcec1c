import { describe, expect, test } from 'vitest';
import type { SeriesDefinition } from '../shared/series.ts';
import { seriesId } from '../shared/trust/hash.ts';
import type { Log } from './inputs/input.ts';
import { SeriesRegistry } from './series.ts';

const gauge = (name: string, attributes: Record<string, string> = {}): SeriesDefinition => ({
  name,
  unit: '1',
  attributes,
  kind: 'gauge',
});

function registry(limit = 100): { series: SeriesRegistry; warnings: string[] } {
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const log: Log = { debug: ignore, info: ignore, error: ignore, warn: (_fields, message) => warnings.push(message) };
  return { series: new SeriesRegistry({ limit, log }), warnings };
}

describe('numbers', () => {
  test('are equal for the same identity, whatever the order of the attributes', () => {
    const { series } = registry();
    const first = series.intern(gauge('a', { x: '1', y: '2' }));
    expect(series.intern(gauge('a', { y: '2', x: '1' }))).toBe(first);
    expect(series.intern(gauge('a', { x: '2', y: '1' }))).not.toBe(first);
    expect(series.id(first)).toBe(seriesId(gauge('a', { x: '1', y: '2' })));
    expect(series.numberOf(series.id(first))).toBe(first);
  });

  test('keep their meaning after they were forgotten, until they are recycled', () => {
    const { series } = registry();
    const a = series.intern(gauge('a'));
    const b = series.intern(gauge('b'));
    series.forget(a);
    expect(series.isLive(a)).toBe(false);
    expect(series.definition(a)?.name).toBe('a');
    expect(series.intern(gauge('c'))).not.toBe(a);
    expect(series.recycle()).toEqual([a]);
    expect(series.definition(a)).toBeNull();
    expect(series.intern(gauge('d'))).toBe(a);
    expect(series.live().map((number) => series.definition(number)?.name)).toEqual(['d', 'b', 'c']);
    expect(b).toBe(1);
  });

  test('come back for a series that comes back within the window', () => {
    const { series } = registry();
    const a = series.intern(gauge('a'));
    series.forget(a);
    expect(series.intern(gauge('a'))).toBe(a);
    expect(series.recycle()).toEqual([]);
    expect(series.size).toBe(1);
  });
});

test('the generation rises when the set changes and only then', () => {
  const { series } = registry();
  const seen: number[] = [];
  const note = (): number => seen.push(series.generation);
  note();
  const a = series.intern(gauge('a'));
  note();
  series.intern(gauge('a'));
  note();
  series.forget(a);
  note();
  series.forget(a);
  series.recycle();
  note();
  const [start, added, again, forgotten, recycled] = seen as [number, number, number, number, number];
  expect(added).toBeGreaterThan(start);
  expect(again).toBe(added);
  expect(forgotten).toBeGreaterThan(added);
  expect(recycled).toBe(forgotten);
});

test('the cap is one warning that names the metric that multiplies', () => {
  const { series, warnings } = registry(3);
  series.intern(gauge('calm'));
  for (let i = 0; i < 10; i++) series.intern(gauge('container.cpu', { id: String(i) }));
  expect(series.size).toBe(3);
  expect(series.refused.byLimit).toBe(8);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('container.cpu alone has 2');
  expect(series.intern(gauge('calm'))).toBe(0);
});

describe('texts from outside', () => {
  const attributes = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
  test.each([
    ['an empty name', gauge('')],
    ['a line break', gauge('a\nb')],
    ['a lone surrogate', gauge('a', { x: '\ud800' })],
    ['a long value', gauge('a', { x: 'é'.repeat(128) })],
    ['an attribute without a name', gauge('a', { '': 'x' })],
    ['too many attributes', gauge('a', attributes(17))],
  ])('%s is refused', (_what, definition) => {
    const { series, warnings } = registry();
    expect(series.intern(definition)).toBe(-1);
    expect(series.refused.byText).toBe(1);
    expect(warnings).toHaveLength(1);
  });

  test('at their limits are taken', () => {
    const { series } = registry();
    expect(series.intern(gauge('a'.repeat(255), attributes(16)))).toBe(0);
    expect(series.intern(gauge('a', { x: `${'é'.repeat(127)}e` }))).toBe(1);
  });

  test('that are refused again and again are named ten times', () => {
    const { series, warnings } = registry();
    for (let i = 0; i < 50; i++) series.intern(gauge(`\u0000${i}`));
    expect(warnings).toHaveLength(10);
    expect(series.refused.byText).toBe(50);
  });
});
