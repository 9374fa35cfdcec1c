import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, type ModelState, type RolloutEvent } from './rollout.ts';

const events: RolloutEvent[] = [
  { type: 'evaluated', accepted: true, reason: 'better' },
  { type: 'evaluated', accepted: false, reason: 'worse' },
  { type: 'applied' },
  { type: 'refused', reason: 'no' },
  { type: 'superseded', by: 7 },
  { type: 'staged', reason: 'better, and tried' },
  { type: 'placed', reason: 'good' },
  { type: 'reverted', reason: 'loud' },
];
const stateAfter = (state: ModelState, event: number): ModelState | null =>
  advance(state, events[event]!)?.state ?? null;

describe('the life of a model version', () => {
  it('is this table', () => {
    const table: Record<ModelState, (ModelState | null)[]> = {
      //            accepted     rejected    applied    refused    superseded    staged    placed       reverted
      challenger: ['published', 'rejected', null, null, null, 'staged', null, null],
      rejected: [null, null, null, null, null, null, null, null],
      staged: [null, null, null, null, 'superseded', null, 'published', 'reverted'],
      published: [null, null, 'applied', 'refused', 'superseded', null, null, 'reverted'],
      applied: [null, null, null, null, 'superseded', null, null, 'reverted'],
      refused: [null, null, 'applied', null, 'superseded', null, null, 'reverted'],
      superseded: [null, null, 'applied', null, null, null, 'published', null],
      reverted: [null, null, null, null, null, null, 'published', null],
    };
    for (const [state, row] of Object.entries(table)) {
      expect([0, 1, 2, 3, 4, 5, 6, 7].map((event) => stateAfter(state as ModelState, event))).toEqual(row);
    }
  });

  it('says why', () => {
    expect(advance('challenger', events[1]!)?.reason).toBe('worse');
    expect(advance('published', events[3]!)?.reason).toBe('no');
    expect(advance('applied', events[4]!)?.reason).toBe('Replaced by model 7.');
    expect(advance('published', events[2]!)?.reason).toBeNull();
  });

  it('is not moved by a report that comes twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7)), fc.nat(7), (before, last) => {
        let state: ModelState = 'challenger';
        for (const event of [...before, last]) state = stateAfter(state, event) ?? state;
        expect(stateAfter(state, last)).toBeNull();
      }),
    );
  });
});
