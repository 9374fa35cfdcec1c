import { expect, it } from 'vitest';
import type { Rollout, RolloutMember } from '../api.ts';
import { fakeRollouts } from '../http/fake-rollouts.ts';
import { briefOf } from './brief.ts';

const [some] = fakeRollouts().list() as [Rollout];
const [fresh] = Object.values(some.members) as [RolloutMember];

it('counts all machines, and names those that matter first', () => {
  const machines = Array.from({ length: 100 }, (_, i): RolloutMember => {
    const agent = `m${String(i).padStart(3, '0')}`;
    const out = i === 70 ? 'it threw' : i === 3 ? 'pinned' : null;
    return { ...fresh, agent, canary: i === 50 || i === 70, applied: i < 40, out, lost: i === 70 };
  });
  const rollout = { ...some, members: Object.fromEntries(machines.map((member) => [member.agent, member])) };
  const brief = briefOf(rollout, 4);
  expect(Object.keys(brief.members)).toEqual(['m070', 'm050', 'm000', 'm001']);
  expect(brief.counts).toEqual({ machines: 100, canary: 1, applied: 40, out: 2 });
  expect(Object.keys(briefOf(rollout, 100).members).at(-1)).toBe('m003');
  expect(briefOf(rollout, 0).members).toEqual({});
});
