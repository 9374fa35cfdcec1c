/** What people say of incidents and plan, and which machines are alike, wired: for the pages, who is told, and training. */
import type { Timers } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { Audit, Fleet } from '../api.ts';
import { CohortsService } from '../cohorts/service.ts';
import { Labels } from '../feedback/labels.ts';
import { Maintenance } from '../feedback/maintenance.ts';
import { Meanings } from '../feedback/meanings.ts';
import type { ModelsOptions } from '../models-options.ts';
import type { AgentId, Store } from '../store/store.ts';
import { knowledgeOf } from '../train/knowledge.ts';

export interface FeedbackParts {
  readonly store: Store;
  readonly fleet: Pick<Fleet, 'agent' | 'agents'>;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
  readonly audit: Audit;
}

export async function openFeedback({ store, fleet, nowMs, timers, log, audit }: FeedbackParts) {
  const siteOf = (agent: AgentId): string => fleet.agent(agent)?.site ?? '';
  const feedback = new Labels({ store, nowMs });
  const maintenance = new Maintenance({ documents: store.documents, siteOf, nowMs });
  const meanings = new Meanings(store.documents);
  const watched = (): AgentId[] =>
    fleet
      .agents()
      .filter(({ retiredMs }) => retiredMs === null)
      .map(({ id }) => id);
  const cohorts = new CohortsService({ store, agents: watched, nowMs, timers, log, audit });
  await Promise.all([feedback.start(), maintenance.start(), meanings.start(), cohorts.start()]);
  const cohortOf = (agent: AgentId): readonly AgentId[] => cohorts.peersOf(agent);
  const source = { store, labels: feedback, maintenance, cohortOf };
  const learning: Required<Pick<ModelsOptions, 'knowledge' | 'meanings'>> = {
    knowledge: (agent, range) => knowledgeOf(source, agent, range),
    meanings: (agent, changes) => meanings.noted(agent, changes),
  };
  const planned = (agent: AgentId, atMs: number): boolean =>
    maintenance.during(agent, { fromMs: atMs, toMs: atMs }) !== null;
  return { judges: { feedback, maintenance, meanings, cohorts }, learning, planned, watched };
}
