/** Incidents as they are shown: with what operators said of them, what they look like, and what work was planned. */
import type { StoredIncident } from '../store/store.ts';
import type { Feedback, MaintenancePlan, ShownIncident, Verdict } from './api.ts';

export interface Judges {
  readonly feedback: Feedback;
  readonly maintenance: MaintenancePlan;
}

export function showIncident(
  { feedback, maintenance }: Judges,
  incident: StoredIncident,
  nowMs: number,
): ShownIncident {
  const { agent, epoch, seq, openedMs, closedMs } = incident;
  const label = feedback.of(agent, epoch, seq);
  const suggested = label === null ? feedback.suggest(incident) : null;
  // An incident at an instant has no length.
  const range = { fromMs: openedMs - 1, toMs: closedMs ?? Math.max(openedMs, nowMs) };
  const work = maintenance.during(agent, range);
  return {
    ...incident,
    ...(label !== null && { label }),
    ...(suggested !== null && { suggested }),
    ...(work !== null && { maintenance: { id: work.id, reason: work.reason } }),
  };
}

/** Whether it has that label; `none`: nobody has judged it. */
export function hasLabel(feedback: Feedback, incident: StoredIncident, wanted: Verdict | 'none'): boolean {
  const label = feedback.of(incident.agent, incident.epoch, incident.seq);
  return wanted === 'none' ? label === null : label?.verdict === wanted;
}
