import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globMatches } from './glob.ts';

test.each([
  ['a', 'a', true],
  ['a', 'b', false],
  ['a', 'ab', false],
  ['*', '', true],
  ['*', 'any.thing', true],
  ['system.*.usage', 'system.filesystem.usage', true],
  ['system.*.usage', 'system.usage', false],
  ['*b', 'aabab', true],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXcYb', false],
  ['ro|rw', 'rw', true],
  ['ro|rw', 'ro|rw', false],
  ['/data*|/srv', '/database', true],
  ['a.c', 'abc', false],
  ['', '', true],
])('%s on %s: %s', (pattern, text, fits) => {
  expect(globMatches(pattern, text)).toBe(fits);
});

test('agrees with a regular expression on any pattern', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
  fc.assert(
    fc.property(letters, texts, (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
      expect(globMatches(pattern, text)).toBe(expression.test(text));
    }),
    { numRuns: 2000 },
  );
});

test('no pattern takes long', () => {
  const begin = performance.now();
  expect(globMatches(`${'*a'.repeat(120)}b`, 'a'.repeat(255))).toBe(false);
  expect(performance.now() - begin).toBeLessThan(500);
});
