/** Which machines of the fleet are listed, and in which order. Pure. */
import type { AgentState } from '../api.ts';
import { type Presence, presenceOf, type Severity } from './states.ts';

export const sortKeys = ['name', 'state', 'incidents', 'cpu', 'memory', 'disk', 'load1', 'pending', 'seen'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Wanted {
  readonly text: string;
  readonly site: string;
  /** `name=value`, or empty. */
  readonly tag: string;
  readonly state: Presence | 'trouble' | '';
  readonly sort: SortKey;
  readonly descending: boolean;
}

const stateOrder: readonly Presence[] = ['online', 'unknown', 'offline', 'retired'];
const severityOrder: readonly (Severity | undefined)[] = [undefined, 'info', 'warning', 'critical'];

/** Numbers are looked at from the largest, names from the first letter. */
export function firstDescending(key: SortKey): boolean {
  return key !== 'name' && key !== 'state';
}

export function wantedFrom(query: URLSearchParams): Wanted {
  const sort = sortKeys.find((key) => key === query.get('sort')) ?? 'name';
  const state = query.get('state') ?? '';
  return {
    text: query.get('q') ?? '',
    site: query.get('site') ?? '',
    tag: query.get('tag') ?? '',
    state: state === 'trouble' ? state : (stateOrder.find((known) => known === state) ?? ''),
    sort,
    descending: query.has('desc') ? query.get('desc') === '1' : firstDescending(sort),
  };
}

export function listed(
  agents: readonly AgentState[],
  wanted: Wanted,
  worst: ReadonlyMap<string, Severity>,
): readonly AgentState[] {
  const words = wanted.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const sign = wanted.descending ? -1 : 1;
  return agents
    .filter((agent) => {
      const presence = presenceOf(agent);
      if (wanted.state === 'trouble') {
        const inTrouble = agent.openIncidents > 0 || agent.flags.length > 0 || presence === 'offline';
        if (presence === 'retired' || !inTrouble) return false;
      } else if (wanted.state === '' ? presence === 'retired' && words.length === 0 : presence !== wanted.state) {
        return false;
      }
      if (wanted.site !== '' && agent.site !== wanted.site) return false;
      if (wanted.tag !== '' && !tagsOf(agent).includes(wanted.tag)) return false;
      if (words.length === 0) return true;
      const all = [agent.id, agent.name, agent.site, ...tagsOf(agent)].join(' ').toLowerCase();
      return words.every((word) => all.includes(word));
    })
    .map((agent) => ({ agent, key: keyOf(agent, wanted.sort, worst) }))
    .sort((a, b) => compare(a.key, b.key, sign) || byName(a.agent, b.agent))
    .map(({ agent }) => agent);
}

export function tagsOf(agent: AgentState): readonly string[] {
  return Object.entries(agent.tags).map(([name, value]) => `${name}=${value}`);
}

function byName(a: AgentState, b: AgentState): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true }) || (a.id < b.id ? -1 : 1);
}

function keyOf(agent: AgentState, sort: SortKey, worst: ReadonlyMap<string, Severity>): number | string | null {
  switch (sort) {
    case 'name':
      return agent.name;
    case 'state':
      return stateOrder.indexOf(presenceOf(agent));
    case 'incidents':
      return agent.openIncidents === 0 ? 0 : severityOrder.indexOf(worst.get(agent.id)) * 1e6 + agent.openIncidents;
    case 'pending':
      return agent.pendingRecords;
    case 'seen':
      return agent.lastSeenMs;
    default:
      return agent.vitals[sort];
  }
}

/** What is not known comes last, whichever way the others go. */
function compare(a: number | string | null, b: number | string | null, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'string' && typeof b === 'string') return sign * a.localeCompare(b, 'en', { numeric: true });
  return sign * (Number(a) - Number(b));
}
