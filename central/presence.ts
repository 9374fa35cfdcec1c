/**
 * What is known of each agent now: presence, last sign of life, what it reported, what it still holds. Lives in memory;
 * the parts that a page wants after a restart are written now and then.
 */
import type { Presence, Reported } from '../shared/trust/messages.ts';
import type { AgentFlag, AgentState } from './api.ts';
import type { AgentId, Documents, StoredIncident } from './store/store.ts';

const STATES = 'agent-state';
/** Incidents that are remembered for one agent; closed ones are forgotten first. */
const MAX_INCIDENTS = 2_000;

type Vitals = AgentState['vitals'];
const noVitals: Vitals = { cpu: null, memory: null, disk: null, load1: null };

interface Known {
  presence: AgentState['presence'];
  /** Epoch of the last presence that said online; an offline of another epoch is old news. */
  epoch: string | null;
  lastSeenMs: number | null;
  pendingRecords: number;
  reported: Reported | null;
  modelVersion: number | null;
  desiredVersion: number | null;
  vitals: Vitals;
  flags: readonly AgentFlag[];
  /** Latest revision of each incident, by `epoch/seq`. */
  readonly incidents: Map<string, { revision: number; open: boolean }>;
}

type Persistent = Pick<Known, 'lastSeenMs' | 'pendingRecords' | 'reported'>;

/** The part of an agent's state that is not its record. */
export type LiveState = Omit<AgentState, 'id' | 'name' | 'site' | 'tags' | 'enrolledMs' | 'retiredMs'>;

export class LiveStates {
  readonly #states = new Map<AgentId, Known>();
  readonly #changed = new Set<AgentId>();
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** Reads what was written at an earlier run. */
  async load(): Promise<void> {
    for (const { key, value } of await this.#documents.list<Persistent>(STATES)) {
      Object.assign(this.#of(key), value);
    }
  }

  /** Writes what changed since the last call. */
  async flush(): Promise<void> {
    const changes = [...this.#changed].map((agent) => {
      const { lastSeenMs, pendingRecords, reported } = this.#of(agent);
      return { namespace: STATES, key: agent, value: { lastSeenMs, pendingRecords, reported } satisfies Persistent };
    });
    if (changes.length === 0) return;
    this.#changed.clear();
    try {
      await this.#documents.putAll(changes);
    } catch (error) {
      for (const { key } of changes) this.#changed.add(key);
      throw error;
    }
  }

  read(agent: AgentId): LiveState {
    const known = this.#states.get(agent) ?? newKnown();
    let openIncidents = 0;
    for (const { open } of known.incidents.values()) if (open) openIncidents++;
    const { presence, lastSeenMs, pendingRecords, flags, reported, modelVersion, desiredVersion, vitals } = known;
    const models = { modelVersion, desiredVersion };
    return { presence, lastSeenMs, pendingRecords, openIncidents, flags, reported, ...models, vitals };
  }

  /** True when it changed anything. */
  presence(agent: AgentId, presence: Presence, nowMs: number): boolean {
    const known = this.#of(agent);
    if (!presence.online && known.epoch !== null && known.epoch !== presence.epoch) return false;
    const before = known.presence;
    known.presence = presence.online ? 'online' : 'offline';
    if (presence.online) {
      known.epoch = presence.epoch;
      // A retained offline is old; only an online says that it lives.
      this.#seen(agent, known, nowMs);
    }
    return known.presence !== before;
  }

  reported(agent: AgentId, reported: Reported, nowMs: number): void {
    const known = this.#of(agent);
    known.reported = reported;
    this.#seen(agent, known, nowMs);
  }

  envelope(agent: AgentId, receivedMs: number, pending: number): void {
    const known = this.#of(agent);
    known.pendingRecords = pending;
    this.#seen(agent, known, receivedMs);
  }

  incident(incident: StoredIncident): void {
    const { incidents } = this.#of(incident.agent);
    const key = `${incident.epoch}/${incident.seq}`;
    const before = incidents.get(key);
    if (before !== undefined && before.revision >= incident.revision) return;
    incidents.set(key, { revision: incident.revision, open: incident.state === 'open' });
    if (incidents.size <= MAX_INCIDENTS) return;
    for (const [old, { open }] of incidents) {
      if (open) continue;
      incidents.delete(old);
      return;
    }
    incidents.delete(incidents.keys().next().value!);
  }

  set(agent: AgentId, change: Partial<Pick<Known, 'vitals' | 'modelVersion' | 'desiredVersion' | 'flags'>>): void {
    Object.assign(this.#of(agent), change);
  }

  /** The identity ended or moved to other hardware: what its old machine said is over. */
  disconnected(agent: AgentId): void {
    const known = this.#of(agent);
    known.presence = 'offline';
    known.epoch = null;
  }

  #seen(agent: AgentId, known: Known, atMs: number): void {
    known.lastSeenMs = Math.max(known.lastSeenMs ?? 0, atMs);
    this.#changed.add(agent);
  }

  #of(agent: AgentId): Known {
    let known = this.#states.get(agent);
    if (known === undefined) {
      known = newKnown();
      this.#states.set(agent, known);
    }
    return known;
  }
}

function newKnown(): Known {
  return {
    presence: 'unknown',
    epoch: null,
    lastSeenMs: null,
    pendingRecords: 0,
    reported: null,
    modelVersion: null,
    desiredVersion: null,
    vitals: noVitals,
    flags: [],
    incidents: new Map(),
  };
}
