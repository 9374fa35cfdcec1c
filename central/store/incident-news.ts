/**
 * What is new about incidents, for whoever tells people of it: a brief of each revision that replaced another, written
 * as a document in the very write that commits the revision. Who has dealt with one deletes it, in the write in which
 * the decision is kept; so nothing is missed and nothing is decided twice, whenever the process ends.
 */
import type { Incident, Notice, Severity } from '../../shared/findings.ts';
import type { AgentId, EpochId } from './store.ts';

/** Namespace of the documents; a key is agent, incident and revision, so that revisions sort. */
export const INCIDENT_NEWS = 'incident-news';

const TITLE_CHARACTERS = 500;
const TEXTS = 5;
const TEXT_CHARACTERS = 400;

export interface IncidentNews {
  readonly agent: AgentId;
  readonly epoch: EpochId;
  readonly seq: number;
  readonly revision: number;
  readonly state: 'open' | 'closed';
  readonly severity: Severity;
  readonly openedMs: number;
  readonly updatedMs: number;
  readonly closedMs: number | null;
  readonly title: string;
  /** The most telling findings in words, each with its advice where it has one. */
  readonly texts: readonly string[];
  /** What changed shortly before, in words. */
  readonly changes: readonly string[];
  /** Findings in all. */
  readonly series: number;
  /** Whether it may wake somebody; agents that say nothing of it leave it to the central. */
  readonly wakes: boolean;
  readonly reason: Notice['reason'] | null;
}

export function newsOf(agent: AgentId, incident: Incident): { readonly key: string; readonly value: IncidentNews } {
  const { epoch, seq, revision, state, severity, openedMs, updatedMs, closedMs, findings, more, notify } = incident;
  const key = `${agent}/${epoch}/${String(seq).padStart(16, '0')}/${String(revision).padStart(16, '0')}`;
  const texts = findings
    .slice(0, TEXTS)
    .map(({ text, advice }) => ((advice ?? '') === '' ? text : `${text}. ${advice}`).slice(0, TEXT_CHARACTERS));
  const changes = (incident.changes ?? []).slice(0, TEXTS).map(({ text }) => text.slice(0, TEXT_CHARACTERS));
  const wakes = notify?.wakes ?? true;
  const about = { state, severity, openedMs, updatedMs, closedMs, title: incident.title.slice(0, TITLE_CHARACTERS) };
  const rest = { texts, changes, series: findings.length + more, wakes, reason: notify?.reason ?? null };
  return { key, value: { agent, epoch, seq, revision, ...about, ...rest } };
}
