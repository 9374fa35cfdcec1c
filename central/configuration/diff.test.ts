import fc from 'fast-check';
import { expect, it } from 'vitest';
import { diffLines } from './diff.ts';

it('shows what came and what went', () => {
  expect(diffLines('a\nb\nc\n', 'a\nx\nc\nd\n').map(({ sign, text }) => sign + text)).toEqual([
    ' a',
    '-b',
    '+x',
    ' c',
    '+d',
  ]);
});

it('both texts can be made of it', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before.join('\n'), after.join('\n'));
      const of = (sign: string) => lines.filter((line) => line.sign !== sign).map((line) => line.text);
      expect(of('+')).toEqual(before);
      expect(of('-')).toEqual(after);
    }),
  );
});
