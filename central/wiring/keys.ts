/** Keys, the machines that go by them, and the manifests and releases that they sign. */
import type { Log } from '../../shared/log.ts';
import type { Audit, Fleet } from '../api.ts';
import type { ConfigurationService } from '../configuration/service.ts';
import { RunningKeys } from '../keys/service.ts';
import type { CentralKeys } from '../keys.ts';
import type { ModelsService } from '../models.ts';

export interface KeysParts {
  readonly keys: CentralKeys;
  readonly fleet: Pick<Fleet, 'agents'>;
  readonly models: ModelsService;
  readonly configurations: ConfigurationService;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly audit: Audit;
}

export function followKeys({ keys, fleet, models, configurations, nowMs, log, audit }: KeysParts): RunningKeys {
  return new RunningKeys({
    keys,
    nowMs,
    log,
    agents: () => fleet.agents().filter(({ retiredMs }) => retiredMs === null),
    acceptedList: (agent, reported) => models.manifests.acceptedList(agent, reported),
    waiting: async () => [...(await models.signing.waiting()), ...configurations.waiting()],
    signed: async (envelope) => (await configurations.signed(envelope)) || (await models.signed(envelope)),
    note: (action, detail) => audit.add({ actor: 'central', action, target: '', detail }),
    changed: async () => {
      await models.relist();
      await configurations.relook();
    },
  });
}
