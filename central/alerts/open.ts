/** Makes the notifier of what the central has. */
import type { Log } from '../../shared/log.ts';
import type { Fleet } from '../api.ts';
import type { CentralConfig } from '../config.ts';
import type { Exchange } from '../exchange/contract.ts';
import type { Store } from '../store/store.ts';
import { Notifier } from './notifier.ts';
import type { Planned } from './planned.ts';
import { openTarget, readCa } from './targets/registry.ts';

const AGENTS_MS = 1_000;

export interface NotifierParts {
  readonly config: CentralConfig;
  readonly store: Pick<Store, 'documents'>;
  readonly fleet: Pick<Fleet, 'agents'>;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly planned?: Planned;
  /** Where the pages are served. */
  readonly url: () => string;
}

/** Throws `config.unreadable` where a CA that is configured cannot be read. */
export async function openNotifier({
  config,
  store,
  fleet,
  nowMs,
  log,
  url,
  planned,
}: NotifierParts): Promise<Notifier> {
  const { alerts, broker } = config;
  const targets = await Promise.all(alerts.targets.map((target) => openTarget(target, nowMs)));
  const heartbeatCa = await readCa(alerts.heartbeat?.ca);
  const brokerUrl = broker.kind === 'external' ? broker.url : null;
  const about = {
    documents: store.documents,
    agents: remembered(() => fleet.agents(), nowMs),
    config: alerts,
    targets,
    heartbeatCa,
    ...(planned !== undefined && { planned }),
  };
  return new Notifier({ ...about, brokerUrl, url, nowMs, random: Math.random, log });
}

/** The whole fleet is looked at several times in a row: what was answered holds for a moment. */
function remembered<T>(ask: () => T, nowMs: () => number): () => T {
  let answer: { readonly value: T; readonly atMs: number } | null = null;
  return () => {
    const atMs = nowMs();
    if (answer === null || Math.abs(atMs - answer.atMs) >= AGENTS_MS) answer = { value: ask(), atMs };
    return answer.value;
  };
}

/** The exchange, with word of whose records are brought by hand: who does not call by itself is not overdue. */
export function notingCarried(exchange: Exchange, notifier: Pick<Notifier, 'carried'>): Exchange {
  return {
    ...exchange,
    records(agent, payload) {
      notifier.carried(agent);
      return exchange.records(agent, payload);
    },
    reported(agent, from, reported) {
      notifier.carried(agent);
      return exchange.reported(agent, from, reported);
    },
  };
}
