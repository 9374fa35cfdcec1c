/** Cohorts for the tests of the HTTP side: one that stands still. */
import type { Cohorts, CohortsState } from '../cohorts/api.ts';

const someCohorts: CohortsState = {
  cohorts: [
    {
      id: 'c1',
      name: '4-core-arm64-raspberry-pi-4-a',
      namedByHand: false,
      sinceMs: 1_000,
      traits: [{ what: 'Processors', here: '4', elsewhere: '4 to 32' }],
      members: [
        { agent: 'pump-7', by: 'clusters', sinceMs: 1_000, distance: 0.4, leaning: { cohort: null, rounds: 1 } },
      ],
    },
  ],
  alone: [{ agent: 'pump-8', why: 'young' }],
  roundMs: 2_000,
};

export function fakeCohorts(): Cohorts {
  return {
    state: () => someCohorts,
    nameOf: () => '4-core-arm64-raspberry-pi-4-a',
    peersOf: () => [],
    round: async () => someCohorts,
    set: async () => {},
    rename: async () => {},
  };
}
