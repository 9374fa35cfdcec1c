import { expect, test } from 'vitest';
import { joinStates } from './joint.ts';

test('states lie in one block, with their numbers, and what is no array stays what it is', () => {
  const few = { count: 3 };
  const states = [
    { levels: Int16Array.of(-5, 6, 7), floats: Float32Array.of(0.5), scalars: Float64Array.of(1e300, -2) },
    null,
    Float32Array.of(1, 2, 3),
    few,
    Float64Array.of(Math.PI),
  ];
  const joined = joinStates(states);
  expect(joined).toEqual(states);
  expect(joined[3]).toBe(few);
  const [first, , single, , double] = joined as [Record<string, Int16Array>, null, Int16Array, unknown, Int16Array];
  const blocks = new Set([...Object.values(first), single, double].map(({ buffer }) => buffer));
  expect([...blocks].map(({ byteLength }) => byteLength)).toEqual([3 * 8 + 4 * 4 + 3 * 2]);
  double[0] = 0;
  expect(first).toEqual(states[0]);
});
