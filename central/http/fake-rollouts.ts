/** Rollouts for the tests of the HTTP side: one that stands still. */
import type { ModelPin, Rollout, Rollouts } from '../api.ts';

const someRollout: Rollout = {
  id: 1,
  slot: 'model/seasonal',
  cohort: 'all',
  stage: 'canary',
  startedMs: 1_000,
  sinceMs: 2_000,
  pausedMs: null,
  reason: 'As good as the old one in the shadow.',
  times: { shadowMs: 86_400_000, canaryMs: 86_400_000, share: 0.1 },
  members: {
    'pump-7': {
      agent: 'pump-7',
      version: 4,
      oldVersion: 3,
      compares: true,
      canary: true,
      applied: true,
      out: null,
      lost: false,
      figures: {
        windows: 100,
        agreed: 99,
        newFindings: 1,
        oldFindings: 0,
        newOutside: 1,
        oldOutside: 0,
        newMs: 2,
        oldMs: 2,
      },
    },
  },
};
const somePin: ModelPin = { agent: 'pump-7', slot: 'model/seasonal', version: 3, by: 'admin', sinceMs: 1_000 };

export function fakeRollouts(): Rollouts {
  return {
    list: () => [someRollout],
    pins: () => [somePin],
    order: async () => someRollout,
    pin: async () => somePin,
    unpin: async () => {},
  };
}
