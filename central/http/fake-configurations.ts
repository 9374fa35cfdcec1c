/** Configurations that stand still, for tests of the API. */
import { PicketError } from '../../shared/errors.ts';
import type {
  AgentConfiguration,
  ConfigurationLayer,
  ConfigurationRollout,
  Configurations,
  ConfigurationVersion,
} from '../configuration/api.ts';

const version: ConfigurationVersion = {
  scope: 'all',
  version: 2,
  text: 'raw: incident\n',
  author: 'ada',
  comment: 'less leaves the site',
  atMs: 1_800_000_000_000,
};

const member = { agent: 'pump-7', canary: true, toldMs: 1, appliedMs: 2, awayMs: null, starts: 1, lost: null };

const rollout: ConfigurationRollout = {
  scope: 'all',
  version: 2,
  from: 1,
  stage: 'canary',
  startedMs: 1,
  sinceMs: 1,
  pausedMs: null,
  reason: 'Tried on 1 of 1 machines first.',
  times: { settleMs: 60_000, backMs: 60_000, share: 0.1 },
  members: { 'pump-7': member },
};

const layer: ConfigurationLayer = { scope: 'all', newest: 2, stable: 1, wanted: version, rollout };

const ofAgent = (agent: string): AgentConfiguration => ({
  agent,
  cohort: '',
  state: 'trial',
  version: 3,
  running: 3,
  layers: { all: 2 },
  values: { raw: 'incident' },
  origins: [{ key: 'raw', layer: 'all' }],
  left: [],
  problem: null,
});

export function fakeConfigurations(): Configurations {
  return {
    layers: async () => [layer],
    layer: async (scope) => ({ ...layer, scope }),
    versions: async () => [version, { ...version, version: 1, text: '' }],
    check: (_, text) =>
      text.includes('wrong')
        ? [{ path: ['wrong'], code: 'config.invalid', message: 'is not a key.', line: 1, column: 1 }]
        : [],
    change: async (_, { seen }) => {
      if (seen !== 2) throw new PicketError('conflict', 'all was changed meanwhile.');
      return layer;
    },
    revert: async () => layer,
    order: async () => layer,
    agent: async (agent) => ofAgent(agent),
  };
}
