import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest, suggestion } from './suggest.ts';

test.each([
  ['kitten', 'sitting', 3],
  ['prot', 'port', 1],
  ['', 'abc', 3],
  ['abc', 'abc', 0],
])('from %s to %s are %i steps', (a, b, steps) => {
  expect(editDistance(a, b)).toBe(steps);
});

test('the distance is the same both ways, and at most the longer word', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test('a slip is recognised, another word is not', () => {
  const known = ['interval', 'port', 'host'];
  expect(nearest('intervall', known)).toBe('interval');
  expect(nearest('Port', known)).toBe('port');
  expect(nearest('colour', known)).toBeNull();
  expect(nearest('x', ['l'])).toBeNull();
  expect(nearest('i'.repeat(100_000), known)).toBeNull();
});

test('without a near word it says what is known', () => {
  expect(suggestion('zzz', ['a', 'b'])).toBe(' Known here: `a`, `b`.');
  expect(suggestion('zzz', [])).toBe('');
});
