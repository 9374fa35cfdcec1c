/** Configurations, and the fleet, the keys and the manifests that they go out with. */
import type { Timers } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { Audit, Fleet } from '../api.ts';
import type { CentralConfig } from '../config.ts';
import { ConfigurationService } from '../configuration/service.ts';
import type { CentralKeys } from '../keys.ts';
import type { ModelsService } from '../models.ts';
import type { AgentId, Store } from '../store/store.ts';

interface ConfigurationParts {
  readonly config: Pick<CentralConfig, 'configuration'>;
  readonly store: Pick<Store, 'documents'>;
  readonly keys: CentralKeys;
  readonly fleet: Pick<Fleet, 'agents'>;
  readonly models: Pick<ModelsService, 'manifests'>;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
  readonly audit: Audit;
  /** Null: it is in none. */
  readonly cohortOf: (agent: AgentId) => string | null;
}

export function openConfigurations({
  config,
  store,
  fleet,
  models,
  ...parts
}: ConfigurationParts): ConfigurationService {
  const { settle, back, share } = config.configuration;
  return new ConfigurationService({
    ...parts,
    documents: store.documents,
    times: { settleMs: settle, backMs: back, share },
    agents: () => fleet.agents().filter(({ retiredMs }) => retiredMs === null),
    name: (agent, entry) => models.manifests.configure(agent, entry),
  });
}
