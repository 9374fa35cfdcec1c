import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import { type Placeable, placeBoots } from './place.ts';

const T0 = Date.UTC(2026, 4, 1);

function boot(id: string, lastMs: number, fields: Partial<Placeable> = {}): Placeable {
  return { id, knots: [], lastMs, ceilingMs: T0 + 365 * DAY_MS, wallOffsetMs: null, ...fields };
}

function dated(id: string, beginMs: number, lastMs: number): Placeable {
  return boot(id, lastMs, { knots: [[0, beginMs]] });
}

test('boots between two that are known keep order and length, and share what is left over evenly', () => {
  const places = placeBoots([
    dated('a', T0, HOUR_MS),
    boot('b', 2 * HOUR_MS),
    boot('c', HOUR_MS),
    dated('d', T0 + 10 * HOUR_MS, HOUR_MS),
  ]);
  // 10 h − 1 h of a − 3 h of b and c = 6 h in three gaps
  expect(places).toEqual(
    new Map([
      ['b', T0 + 3 * HOUR_MS],
      ['c', T0 + 7 * HOUR_MS],
    ]),
  );
});

test('a wall clock that nobody trusts is a hint where it fits, and none where it does not', () => {
  const around = (wallOffsetMs: number) => [
    dated('a', T0, HOUR_MS),
    boot('b', HOUR_MS, { wallOffsetMs }),
    dated('d', T0 + 10 * HOUR_MS, HOUR_MS),
  ];
  expect(placeBoots(around(T0 + 2 * HOUR_MS)).get('b')).toBe(T0 + 2 * HOUR_MS);
  const middle = T0 + 5 * HOUR_MS;
  expect(placeBoots(around(0)).get('b')).toBe(middle);
  expect(placeBoots(around(T0 + HOUR_MS / 2)).get('b')).toBe(middle);
  expect(placeBoots(around(T0 + 9.5 * HOUR_MS)).get('b')).toBe(middle);
});

test('without a boot before, they lie as late as they can: before the next, or before they were received', () => {
  expect(placeBoots([boot('a', HOUR_MS), boot('b', HOUR_MS), dated('c', T0, HOUR_MS)])).toEqual(
    new Map([
      ['a', T0 - 2 * HOUR_MS],
      ['b', T0 - HOUR_MS],
    ]),
  );
  expect(placeBoots([boot('a', HOUR_MS, { ceilingMs: T0 })]).get('a')).toBe(T0);
});

test('where there is no room the order stays', () => {
  const places = placeBoots([
    dated('a', T0, HOUR_MS),
    boot('b', HOUR_MS),
    boot('c', HOUR_MS),
    dated('d', T0 + 2 * HOUR_MS, 1),
  ]);
  expect(places.get('b')! + HOUR_MS).toBeLessThanOrEqual(places.get('c')!);
  expect(places.get('c')! + HOUR_MS).toBeLessThanOrEqual(T0 + 2 * HOUR_MS);
});

test('any chain of boots with room for all: none overlaps another, none is later than it was received', () => {
  const link = fc.record({
    lastMs: fc.integer({ min: 0, max: 5 * HOUR_MS }),
    pauseMs: fc.integer({ min: 0, max: 5 * HOUR_MS }),
    known: fc.boolean(),
    wall: fc.option(fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS })),
    receivedAfterMs: fc.integer({ min: 0, max: 3 * DAY_MS }),
  });
  fc.assert(
    fc.property(fc.array(link, { maxLength: 12 }), (links) => {
      let atMs = T0;
      const truth: number[] = [];
      const chain = links.map(({ lastMs, pauseMs, known, wall, receivedAfterMs }, i) => {
        const beginMs = atMs;
        truth.push(beginMs);
        atMs += lastMs + pauseMs;
        return boot(String(i), lastMs, {
          knots: known ? [[0, beginMs]] : [],
          wallOffsetMs: wall === null ? null : beginMs + wall,
          ceilingMs: beginMs + receivedAfterMs,
        });
      });
      const places = placeBoots(chain);
      let endMs = 0;
      chain.forEach(({ id, lastMs, knots, ceilingMs }, i) => {
        const beginMs = knots.length > 0 ? truth[i]! : places.get(id)!;
        expect(beginMs).toBeGreaterThanOrEqual(endMs - 1);
        expect(beginMs).toBeLessThanOrEqual(ceilingMs + 1);
        endMs = beginMs + lastMs;
      });
    }),
    { numRuns: 500 },
  );
});
