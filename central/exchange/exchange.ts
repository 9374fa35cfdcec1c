/**
 * What `picket-central import` asks of the running central, message by message (shared/trust/exchange.ts): the key of a
 * file, and then for each message what the broker's would have come to. The files themselves are the command's part.
 */
import { PicketError } from '../../shared/errors.ts';
import { exchangeKey } from '../../shared/trust/exchange.ts';
import type { Reported } from '../../shared/trust/messages.ts';
import { encodeChunk } from '../../shared/wire/live.ts';
import type { Fleet } from '../api.ts';
import type { Ingest } from '../ingest.ts';
import type { ModelsService } from '../models.ts';
import type { AgentId, Documents } from '../store/store.ts';
import type { Exchange, ExportId } from './contract.ts';

const NAMESPACE = 'exchange';

export interface ExchangeOptions {
  readonly documents: Documents;
  readonly fleet: Pick<Fleet, 'agent'> & {
    credential(agent: AgentId): string | null;
    onReported(agent: AgentId, reported: Reported): void;
  };
  readonly ingest: Pick<Ingest, 'answer'>;
  readonly models: Pick<ModelsService, 'onReported' | 'handover' | 'chunk'>;
}

export function createExchange({ documents, fleet, ingest, models }: ExchangeOptions): Exchange {
  const required = (id: AgentId) => {
    const agent = fleet.agent(id);
    if (agent === null) {
      throw new PicketError('agent.unknown', `There is no agent ${id} here: the file is another central’s.`);
    }
    if (agent.retiredMs !== null) {
      throw new PicketError('agent.retired', `The agent ${id} is retired: nothing is taken from it any more.`);
    }
    return agent;
  };

  return {
    key(file) {
      required(file.agent);
      const credential = fleet.credential(file.agent);
      if (credential === null) throw new PicketError('agent.unknown', `There is no credential of ${file.agent}.`);
      return exchangeKey(credential, file);
    },
    async records(agent, payload) {
      required(agent);
      return ingest.answer(agent, payload);
    },
    async reported(id, from, reported) {
      const agent = required(id);
      // One that is connected says so itself, and it says it last.
      if (agent.presence === 'online') return;
      const known = await documents.get<ExportId>(NAMESPACE, id);
      const same = known !== null && known.series === from.series;
      const older = same && known.number > from.number;
      // The floor never falls; below what was heard over the connection it is from before that.
      const passed = same && reported.manifestVersion < (agent.reported?.manifestVersion ?? 0);
      if (older || passed) return;
      await documents.put(NAMESPACE, id, { series: from.series, number: from.number } satisfies ExportId);
      fleet.onReported(id, reported);
      await models.onReported(id, reported);
    },
    handover(agent) {
      required(agent);
      return models.handover(agent);
    },
    async chunk(agent, sha256, index) {
      required(agent);
      const chunk = await models.chunk(agent, sha256, index);
      return chunk === null ? null : encodeChunk(chunk);
    },
  };
}
