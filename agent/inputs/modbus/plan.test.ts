import { beforeEach, expect, test } from 'vitest';
import { PicketError } from '../../../shared/errors.ts';
import type { Block } from './blocks.ts';
import { ModbusException } from './connection.ts';
import { Plan, type Reading } from './plan.ts';
import type { Entry } from './settings.ts';

const entry = (address: number): Entry => ({
  name: `r${address}`,
  table: 'holding',
  address,
  length: 1,
  type: { kind: 'u16' },
  order: 'ABCD',
  number: null,
  state: null,
});

let asked: string[] = [];
let taken: string[] = [];
let refused: string[] = [];
let steps: string[] = [];
beforeEach(() => {
  asked = [];
  taken = [];
  refused = [];
  steps = [];
});

/** A device without these addresses. */
function device(without: readonly number[], more: Partial<Reading> = {}): Reading {
  asked = [];
  taken = [];
  refused = [];
  return {
    ask: async ({ address, count }: Block) => {
      asked.push(`${address}+${count}`);
      steps.push('ask');
      if (without.some((gone) => gone >= address && gone < address + count)) throw new ModbusException(2);
      return Buffer.alloc(count * 2);
    },
    take: ({ name }) => void taken.push(name),
    refuse: ({ name }, { code }) => void refused.push(`${name}: ${code}`),
    between: async () => void steps.push('between'),
    mayAskMore: () => true,
    ...more,
  };
}

test('one that is refused is found by halving, and from then on left out', async () => {
  const plan = new Plan([0, 1, 2, 3, 4, 5, 6, 7].map(entry), 8);
  await plan.read(device([5]), 0);
  expect(taken).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r6', 'r7']);
  expect(refused).toEqual(['r5: 2']);
  expect(asked).toEqual(['0+8', '0+4', '4+4', '4+2', '4+1', '5+1', '6+2']);
  await plan.read(device([5]), 10_000);
  expect(asked).toEqual(['0+4', '4+1', '6+2']);
  expect(refused).toEqual(['r5: 2']);
});

test('it is asked for again after a minute, and is back when it answers', async () => {
  const plan = new Plan([entry(0), entry(1)], 8);
  await plan.read(device([1]), 0);
  await plan.read(device([1]), 59_999);
  expect(asked).toEqual(['0+1']);
  await plan.read(device([1]), 60_000);
  expect(asked).toEqual(['0+1', '1+1']);
  await plan.read(device([]), 120_000);
  expect([taken, refused]).toEqual([['r0', 'r1'], []]);
  await plan.read(device([]), 121_000);
  expect(asked).toEqual(['0+1', '1+1']);
});

test('a gap that the device does not have costs two requests and no value', async () => {
  const plan = new Plan([entry(0), entry(1), entry(5), entry(6)], 8);
  await plan.read(device([3]), 0);
  expect(asked).toEqual(['0+7', '0+2', '5+2']);
  expect([taken.length, refused]).toEqual([4, []]);
});

test('a slow device is not asked more than there is time for; it goes on at the next reading', async () => {
  const plan = new Plan([0, 1, 2, 3].map(entry), 8);
  const slow = (): Reading => device([0, 1, 2], { mayAskMore: () => asked.length < 3 });
  const counts: number[] = [];
  for (let round = 0; round < 3; round++) {
    await plan.read(slow(), round);
    counts.push(asked.length);
  }
  expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  expect(refused).toEqual(['r0: 2', 'r1: 2', 'r2: 2']);
  expect(taken).toEqual(['r3']);
  expect(plan.answers).toBe(true);
});

test('events get their turn between the requests', async () => {
  const plan = new Plan([entry(0), entry(1000), entry(2000)], 0);
  await plan.read(device([]), 0);
  expect(steps).toEqual(['ask', 'between', 'ask', 'between', 'ask']);
});

test('what is no refusal of a register ends the reading', async () => {
  const plan = new Plan([entry(0), entry(1000)], 0);
  const gone = new PicketError('input.failed', 'gone');
  const failing = device([], { ask: async () => Promise.reject(gone) });
  await expect(plan.read(failing, 0)).rejects.toBe(gone);
  await plan.read(device([]), 1);
  expect(taken).toEqual(['r0', 'r1000']);
});
