import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, type ModelState, type RolloutEvent } from './rollout.ts';

const events: RolloutEvent[] = [
  { type: 'evaluated', accepted: true, reason: 'better' },
  { type: 'evaluated', accepted: false, reason: 'worse' },
  { type: 'applied' },
  { type: 'refused', reason: 'no' },
  { type: 'superseded', by: 7 },
];
const stateAfter = (state: ModelState, event: number): ModelState | null =>
  advance(state, events[event]!)?.state ?? null;

describe('the life of a model version', () => {
  it('is this table', () => {
    const table: Record<ModelState, (ModelState | null)[]> = {
      //            accepted     rejected    applied    refused    superseded
      challenger: ['published', 'rejected', null, null, null],
      rejected: [null, null, null, null, null],
      published: [null, null, 'applied', 'refused', 'superseded'],
      applied: [null, null, null, null, 'superseded'],
      refused: [null, null, 'applied', null, 'superseded'],
      superseded: [null, null, 'applied', null, null],
    };
    for (const [state, row] of Object.entries(table)) {
      expect([0, 1, 2, 3, 4].map((event) => stateAfter(state as ModelState, event))).toEqual(row);
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
      fc.property(fc.array(fc.nat(4)), fc.nat(4), (before, last) => {
        let state: ModelState = 'challenger';
        for (const event of [...before, last]) state = stateAfter(state, event) ?? state;
        expect(stateAfter(state, last)).toBeNull();
      }),
    );
  });
});
