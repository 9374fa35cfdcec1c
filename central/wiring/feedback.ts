/** What people say of incidents and plan, wired: for the pages, for who is told, and for training. */
import type { Fleet } from '../api.ts';
import { Labels } from '../feedback/labels.ts';
import { Maintenance } from '../feedback/maintenance.ts';
import { Meanings } from '../feedback/meanings.ts';
import type { ModelsOptions } from '../models-options.ts';
import type { AgentId, Store } from '../store/store.ts';
import { knowledgeOf } from '../train/knowledge.ts';

export interface FeedbackParts {
  readonly store: Store;
  readonly fleet: Pick<Fleet, 'agent'>;
  readonly nowMs: () => number;
  /** Machines that are taken for one kind; without it each stands for itself. */
  readonly cohortOf?: (agent: AgentId) => readonly AgentId[];
}

export async function openFeedback({ store, fleet, nowMs, cohortOf }: FeedbackParts) {
  const siteOf = (agent: AgentId): string => fleet.agent(agent)?.site ?? '';
  const feedback = new Labels({ store, nowMs });
  const maintenance = new Maintenance({ documents: store.documents, siteOf, nowMs });
  const meanings = new Meanings(store.documents);
  await Promise.all([feedback.start(), maintenance.start(), meanings.start()]);
  const source = { store, labels: feedback, maintenance, ...(cohortOf !== undefined && { cohortOf }) };
  const learning: Required<Pick<ModelsOptions, 'knowledge' | 'meanings'>> = {
    knowledge: (agent, range) => knowledgeOf(source, agent, range),
    meanings: (agent, changes) => meanings.noted(agent, changes),
  };
  const planned = (agent: AgentId, atMs: number): boolean =>
    maintenance.during(agent, { fromMs: atMs, toMs: atMs }) !== null;
  return { judges: { feedback, maintenance, meanings }, learning, planned };
}
