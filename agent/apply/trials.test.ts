import { describe, expect, it } from 'vitest';
import { encodeJson } from '../../shared/trust/strict.ts';
import { emptyApplyState, readApplyState } from './state.ts';
import { loopsOf, quiet, startCounted, takenBack, trialOf, withoutShadow } from './trials.ts';

const old = { releaseSha256: 'a'.repeat(64), contentSha256: 'b'.repeat(64), appliedMs: 1 };
const fresh = { releaseSha256: 'c'.repeat(64), contentSha256: 'd'.repeat(64), appliedMs: 2 };
const slot = 'model/seasonal';
const running = { ...emptyApplyState('root', 'a1'), slots: { [slot]: { current: fresh, previous: old } } };
const onTrial = { ...running, ...trialOf(running, slot, fresh.releaseSha256) };
const started = (times: number) => {
  let state = onTrial;
  for (let i = 0; i < times; i++) state = { ...state, ...startCounted(state) };
  return state;
};

describe('a trial', () => {
  it('is a loop with the third start in a row', () => {
    expect(loopsOf(started(2))).toEqual([]);
    expect(loopsOf(started(3))).toMatchObject([{ slot, releaseSha256: fresh.releaseSha256 }]);
  });

  it('counts anew after a quiet time', () => {
    const calm = { ...started(2), ...quiet(started(2)) };
    expect(loopsOf({ ...calm, ...startCounted(calm) })).toEqual([]);
  });

  it('that is taken back leaves the one before, and is remembered', () => {
    const state = { ...onTrial, ...takenBack(onTrial, slot, fresh.releaseSha256, 'it threw', 5) };
    expect(state.slots).toEqual({ [slot]: { current: old, previous: null } });
    expect(state.trials).toEqual({});
    expect(state.reverted).toEqual([{ slot, releaseSha256: fresh.releaseSha256, reason: 'it threw', atMs: 5 }]);
    expect(readApplyState(encodeJson(state))).toEqual(state);
  });

  it('of the first model ends with none', () => {
    const first = { ...onTrial, slots: { [slot]: { current: fresh, previous: null } } };
    expect(takenBack(first, slot, fresh.releaseSha256, 'it threw', 5).slots).toEqual({});
  });

  it('of one that never came to run leaves what runs', () => {
    const before = { ...onTrial, slots: { [slot]: { current: old, previous: null } } };
    expect(takenBack(before, slot, fresh.releaseSha256, 'it looped', 5).slots).toEqual(before.slots);
  });

  it('of what is in the shadow ends with the shadow, unless it came into force', () => {
    const shaded = { ...onTrial, slots: { [slot]: { current: old, previous: null } }, shadows: { [slot]: fresh } };
    expect(withoutShadow(shaded, slot)).toEqual({ shadows: {}, trials: {} });
    expect(withoutShadow({ ...shaded, slots: onTrial.slots }, slot)).toEqual({ shadows: {} });
    expect(takenBack(shaded, slot, fresh.releaseSha256, 'it looped', 5)).toMatchObject({
      shadows: {},
      slots: shaded.slots,
    });
  });

  it('is not known to what was written before there were trials', () => {
    const { shadows: _, trials: __, reverted: ___, ...before } = running;
    expect(readApplyState(encodeJson(before))).toEqual(running);
  });
});
