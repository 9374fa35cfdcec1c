import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { Rollout, RolloutFigures, RolloutMember } from '../api.ts';
import { ended, move, opened, type RolloutEvent, runsBeside, runsNew } from './stages.ts';

const times = { shadowMs: DAY_MS, canaryMs: DAY_MS, share: 0.1 };
const member = (agent: string, change: Partial<RolloutMember> = {}): RolloutMember => ({
  agent,
  version: 2,
  oldVersion: 1,
  compares: true,
  canary: false,
  applied: false,
  out: null,
  lost: false,
  figures: null,
  ...change,
});
const good: RolloutFigures = {
  windows: 1000,
  agreed: 999,
  newFindings: 1,
  oldFindings: 1,
  newOutside: 1,
  oldOutside: 1,
  newMs: 10,
  oldMs: 10,
};
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${i}`);
const fleetOf = (count: number, change: Partial<RolloutMember> = {}): Rollout =>
  opened({
    id: 1,
    slot: 'model/seasonal',
    cohort: 'all',
    startedMs: 0,
    sinceMs: 0,
    pausedMs: null,
    times,
    members: Object.fromEntries(names(count).map((agent) => [agent, member(agent, change)])),
  });
const moved = (rollout: Rollout, event: RolloutEvent, nowMs: number): Rollout => move(rollout, event, nowMs) ?? rollout;
const heardOf = (rollout: Rollout, nowMs: number, figures = good): Rollout =>
  names(Object.keys(rollout.members).length).reduce(
    (now, agent) => moved(now, { type: 'compared', agent, figures }, nowMs),
    rollout,
  );
const reached = (rollout: Rollout): string[] => Object.keys(rollout.members).filter((agent) => runsNew(rollout, agent));
const tick: RolloutEvent = { type: 'tick' };

/** In its canary, all well so far. */
function inCanary(count: number): Rollout {
  return moved(heardOf(fleetOf(count), HOUR_MS), tick, DAY_MS);
}

describe('a rollout', () => {
  it('goes from the shadow over a share to all', () => {
    let rollout = fleetOf(30);
    expect([rollout.stage, reached(rollout).length, runsBeside(rollout, 'm0')]).toEqual(['shadow', 0, true]);
    rollout = heardOf(rollout, HOUR_MS);
    expect(move(rollout, tick, DAY_MS - 1)).toBeNull();
    rollout = moved(rollout, tick, DAY_MS);
    expect([rollout.stage, reached(rollout).length]).toEqual(['canary', 3]);
    expect(names(30).filter((agent) => runsBeside(rollout, agent))).toHaveLength(27);
    for (const agent of reached(rollout)) rollout = moved(rollout, { type: 'applied', agent }, DAY_MS + HOUR_MS);
    rollout = moved(rollout, tick, 2 * DAY_MS);
    expect([rollout.stage, reached(rollout).length]).toEqual(['all', 30]);
    for (const agent of names(30)) rollout = moved(rollout, { type: 'applied', agent }, 2 * DAY_MS + HOUR_MS);
    expect(rollout.stage).toBe('done');
  });

  it('has one canary at least, and the same ones each time', () => {
    expect(reached(inCanary(3))).toHaveLength(1);
    expect(reached(inCanary(3))).toEqual(reached(inCanary(3)));
  });

  it.each([
    ['too loud', { ...good, newFindings: 40 }, /^Too loud: /],
    ['of another opinion', { ...good, agreed: 900, newOutside: 100 }, /^Does not agree: /],
    ['too slow', { ...good, newMs: 2000 }, /^Too slow: /],
  ])('of a model that is %s is reverted in the shadow', (_, figures, why) => {
    const rollout = heardOf(fleetOf(3), HOUR_MS, figures);
    expect(rollout.stage).toBe('reverted');
    expect(rollout.reason).toMatch(why);
    expect(names(3).some((agent) => runsBeside(rollout, agent) || runsNew(rollout, agent))).toBe(false);
  });

  it('is not held against it that the old one is loud', () => {
    const figures = { ...good, agreed: 800, oldFindings: 100, oldOutside: 200 };
    expect(heardOf(fleetOf(3), HOUR_MS, figures).stage).toBe('shadow');
  });

  it('is reverted when its only canary takes it back', () => {
    const canary = inCanary(10);
    const [agent] = reached(canary);
    const rollout = moved(canary, { type: 'lost', agent: agent!, reason: 'it looped' }, DAY_MS + HOUR_MS);
    expect(rollout.stage).toBe('reverted');
    expect(rollout.reason).toContain('it looped');
  });

  it('goes on without one machine of many that would not run it', () => {
    const rollout = moved(
      heardOf(fleetOf(40), HOUR_MS),
      { type: 'lost', agent: 'm7', reason: 'disk full' },
      2 * HOUR_MS,
    );
    expect(rollout.stage).toBe('shadow');
    expect(runsBeside(rollout, 'm7')).toBe(false);
  });

  it('of which nothing is heard waits, and is reverted at last', () => {
    expect(moved(fleetOf(3), tick, 2 * DAY_MS).stage).toBe('shadow');
    expect(moved(fleetOf(3), tick, 7 * DAY_MS).stage).toBe('reverted');
  });

  it('begins with the canary where no machine can run two models', () => {
    const rollout = fleetOf(10, { compares: false });
    expect([rollout.stage, reached(rollout).length]).toEqual(['canary', 1]);
  });

  it('does not count the time of a pause', () => {
    let rollout = moved(heardOf(fleetOf(3), HOUR_MS), { type: 'paused', by: 'ann' }, 2 * HOUR_MS);
    expect(move(rollout, tick, 9 * DAY_MS)).toBeNull();
    rollout = moved(rollout, { type: 'resumed', by: 'ann' }, 9 * DAY_MS);
    expect(rollout.stage).toBe('shadow');
    expect(moved(rollout, tick, 9 * DAY_MS + 21 * HOUR_MS).stage).toBe('shadow');
    expect(moved(rollout, tick, 9 * DAY_MS + 22 * HOUR_MS).stage).toBe('canary');
  });

  it('can be rolled back by hand after its end', () => {
    const done = { ...fleetOf(3), stage: 'done' as const };
    expect(reached(done)).toHaveLength(3);
    expect(reached(moved(done, { type: 'rolledBack', by: 'ann' }, DAY_MS))).toEqual([]);
  });
});

const agents = fc.constantFrom(...names(12));
const figures = fc.record({
  windows: fc.nat(2000),
  agreed: fc.nat(2000),
  newFindings: fc.nat(30),
  oldFindings: fc.nat(30),
  newOutside: fc.nat(200),
  oldOutside: fc.nat(200),
  newMs: fc.nat(5000),
  oldMs: fc.nat(5000),
});
const events: fc.Arbitrary<RolloutEvent> = fc.oneof(
  fc.record({ type: fc.constant('compared' as const), agent: agents, figures: fc.option(figures) }),
  fc.record({ type: fc.constant('applied' as const), agent: agents }),
  fc.record({ type: fc.constant('lost' as const), agent: agents, reason: fc.constant('no') }),
  fc.record({ type: fc.constant('left' as const), agent: agents, reason: fc.constant('pinned') }),
  fc.constantFrom<RolloutEvent>(tick, { type: 'paused', by: 'a' }, { type: 'resumed', by: 'a' }),
);
const steps = fc.array(fc.tuple(events, fc.nat(2 * DAY_MS)), { maxLength: 40 });

/** Each step with the rollout before and after it. */
function* played(fleet: number, made: readonly (readonly [RolloutEvent, number])[]) {
  let rollout = fleetOf(fleet);
  let nowMs = 0;
  for (const [event, waitMs] of made) {
    nowMs += waitMs;
    const before = rollout;
    rollout = moved(rollout, event, nowMs);
    yield { before, event, rollout, nowMs };
  }
}

describe('whatever is reported', () => {
  it('no more than the share is reached before the promotion', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), steps, (fleet, made) => {
        for (const { rollout } of played(fleet, made)) {
          const most = rollout.stage === 'canary' ? Math.max(1, Math.floor(fleet * times.share)) : 0;
          if (rollout.stage !== 'all' && rollout.stage !== 'done') {
            expect(reached(rollout).length).toBeLessThanOrEqual(most);
          }
        }
      }),
    );
  });

  it('a paused rollout changes no machine but those that are lost or leave', () => {
    fc.assert(
      fc.property(steps, (made) => {
        for (const { before, event, rollout } of played(12, made)) {
          if (before.pausedMs === null || event.type === 'resumed') continue;
          expect(rollout.stage).toBe(before.stage);
          expect(reached(before)).toEqual(expect.arrayContaining(reached(rollout)));
        }
      }),
    );
  });

  it('who left it is not reached by it', () => {
    fc.assert(
      fc.property(steps, (made) => {
        const gone = new Set<string>();
        for (const { event, rollout, before } of played(12, made)) {
          if (event.type === 'left' && !ended(before)) gone.add(event.agent);
          for (const agent of gone) expect(runsNew(rollout, agent) || runsBeside(rollout, agent)).toBe(false);
        }
      }),
    );
  });

  it('every rollout ends once it is not paused', () => {
    fc.assert(
      fc.property(steps, (made) => {
        const last = [...played(12, made)].at(-1) ?? { rollout: fleetOf(12), nowMs: 0 };
        let { rollout } = last;
        rollout = moved(rollout, { type: 'resumed', by: 'a' }, last.nowMs);
        for (let days = 1; days <= 22; days++) rollout = moved(rollout, tick, last.nowMs + days * DAY_MS);
        expect(ended(rollout)).toBe(true);
      }),
    );
  });
});
