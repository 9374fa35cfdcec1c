/** The fleet as the pages know it: loaded once, then kept true by the stream of events. */
import type { AgentState, Stranger } from '../api.ts';
import type { StoredIncident, StoreStats } from '../store/store.ts';
import { get, learnTime, reconnects } from './api.ts';
import { type Cell, cell } from './cell.ts';
import { openStream } from './stream.ts';

export interface Status {
  readonly version: string;
  readonly nowMs: number;
  readonly caFingerprint: string | null;
  readonly streams: number;
  readonly store: StoreStats;
  readonly counters: Readonly<Record<string, number>>;
  readonly strangers: readonly Stranger[];
}

export type FleetNews =
  | { readonly type: 'agent' | 'summary'; readonly agent: string }
  | { readonly type: 'incident'; readonly agent: string }
  | { readonly type: 'model'; readonly agent: string };

export interface Fleet {
  /** `undefined` until loaded. */
  readonly agents: Cell<readonly AgentState[] | undefined>;
  readonly incidents: Cell<readonly StoredIncident[] | undefined>;
  readonly status: Cell<Status | undefined>;
  readonly error: Cell<unknown>;
  readonly onNews: (listener: (news: FleetNews) => void) => () => void;
  readonly reload: () => void;
  readonly end: () => void;
}

/** Machines that changed are asked for together, this long after the first. */
const GATHER_MS = 700;
/** From so many changed machines on, the whole list costs less. */
const MANY = 6;
/** The whole list of a large fleet is not asked for more often. */
const WHOLE_PAUSE_MS = 5_000;
const STATUS_MS = 60_000;

export function openFleet(): Fleet {
  const agents = cell<readonly AgentState[] | undefined>(undefined);
  const incidents = cell<readonly StoredIncident[] | undefined>(undefined);
  const status = cell<Status | undefined>(undefined);
  const error = cell<unknown>(undefined);
  const listeners = new Set<(news: FleetNews) => void>();
  const changed = new Set<string>();
  let gathering = 0;
  let wholeAtMs = 0;
  let incidentsTimer = 0;
  let ended = false;

  async function loadAgents(): Promise<void> {
    wholeAtMs = Date.now();
    changed.clear();
    agents.set((await get<{ agents: readonly AgentState[] }>('/agents')).agents);
  }
  async function loadIncidents(): Promise<void> {
    incidents.set((await get<{ incidents: readonly StoredIncident[] }>('/incidents?state=open&limit=200')).incidents);
  }
  async function loadStatus(): Promise<void> {
    const found = await get<Status>('/status');
    learnTime(found.nowMs);
    status.set(found);
  }
  async function attempt(work: () => Promise<void>): Promise<void> {
    if (ended) return;
    try {
      await work();
      if (work !== loadIncidents && work !== loadStatus) error.set(undefined);
    } catch (problem) {
      // Without incidents or status the machines are still worth to be seen.
      if (work !== loadIncidents && work !== loadStatus) error.set(problem);
    }
  }
  function reload(): void {
    void attempt(loadAgents);
    void attempt(loadIncidents);
    void attempt(loadStatus);
  }

  async function gather(): Promise<void> {
    gathering = 0;
    const before = agents.get();
    const ids = [...changed];
    if (before === undefined || ids.length >= MANY || ids.some((id) => !before.some((agent) => agent.id === id))) {
      const waitMs = wholeAtMs + WHOLE_PAUSE_MS - Date.now();
      if (waitMs <= 0) await attempt(loadAgents);
      else gathering = window.setTimeout(() => void gather(), waitMs);
      return;
    }
    changed.clear();
    await attempt(async () => {
      const found = await Promise.all(ids.map((id) => get<AgentState>(`/agents/${id}`)));
      const byId = new Map(found.map((agent) => [agent.id, agent]));
      agents.set((agents.get() ?? []).map((agent) => byId.get(agent.id) ?? agent));
    });
  }

  const tell = (news: FleetNews): void => {
    for (const listener of listeners) listener(news);
    changed.add(news.agent);
    if (gathering === 0) gathering = window.setTimeout(() => void gather(), GATHER_MS);
    if (news.type !== 'incident') return;
    clearTimeout(incidentsTimer);
    incidentsTimer = window.setTimeout(() => void attempt(loadIncidents), GATHER_MS / 2);
  };
  const agentOf = (data: unknown): string => (data as { agent: string }).agent;
  let opened = false;
  const close = openStream('/events', {
    on: {
      agent: (data) => tell({ type: 'agent', agent: agentOf(data) }),
      summary: (data) => tell({ type: 'summary', agent: agentOf(data) }),
      incident: (data) => tell({ type: 'incident', agent: (data as { incident: StoredIncident }).incident.agent }),
      label: (data) => tell({ type: 'incident', agent: agentOf(data) }),
      model: (data) => tell({ type: 'model', agent: agentOf(data) }),
    },
    onOpen() {
      // Events are not sent again: after a break everything may be different.
      if (opened) reload();
      opened = true;
    },
  });
  reload();
  const timer = setInterval(() => void attempt(loadStatus), STATUS_MS);
  const stopReconnects = reconnects.subscribe(reload);
  return {
    agents,
    incidents,
    status,
    error,
    onNews(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    reload,
    end() {
      ended = true;
      close();
      stopReconnects();
      clearInterval(timer);
      clearTimeout(gathering);
      clearTimeout(incidentsTimer);
    },
  };
}
