/** In which state machines are, and how grave incidents. Pure. */
import type { AgentState } from '../api.ts';
import type { StoredIncident } from '../store/store.ts';

export type Presence = 'online' | 'offline' | 'unknown' | 'retired';

export function presenceOf(agent: AgentState): Presence {
  return agent.retiredMs !== null ? 'retired' : agent.presence;
}

export type Severity = StoredIncident['severity'];
const severities: readonly Severity[] = ['info', 'warning', 'critical'];

export function worse(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) >= severities.indexOf(b) ? a : b;
}

/** The worst severity of each machine's open incidents. */
export function worstByAgent(incidents: readonly StoredIncident[]): ReadonlyMap<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const { agent, severity, state } of incidents) {
    if (state !== 'open') continue;
    const before = worst.get(agent);
    worst.set(agent, before === undefined ? severity : worse(before, severity));
  }
  return worst;
}
