/**
 * The registry of the fleet: identities with their credentials, the tokens that make them, and the state of each
 * agent. Every change of an identity is one atomic write; changes come one after the other, so that a token is never
 * used once too often.
 *
 *     token ── enrol ──► identity + password ── retire ──► history only
 *                            └── replace ──► token ── enrol ──► same identity, new password; the old one is dead
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { PicketError } from '../shared/errors.ts';
import { DAY_MS, ID_PATTERN } from '../shared/limits.ts';
import type { Presence, Reported } from '../shared/trust/messages.ts';
import type { AgentFlag, AgentRecord, AgentState, Bus, Enrolment, EnrolmentRequest, Fleet } from './api.ts';
import { LiveStates } from './presence.ts';
import type { AgentId, Store, StoredIncident } from './store/store.ts';
import { hashOf, publicToken, TOKENS, TokenBook } from './tokens.ts';

/** Namespace of their documents. */
export const AGENTS = 'agent';
const PASSWORD_BYTES = 32;
/** Of an id: what the name gives, then random letters and digits without those that look alike. */
const ID_NAME_LENGTH = 40;
const ID_ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
const ID_RANDOM_LENGTH = 6;
const MAX_TEXT = 256;
const MAX_NAME = 128;
const MAX_TAGS = 32;
const MAX_TAG_NAME = 64;
const REPLACE_TOKEN_MS = 7 * DAY_MS;
const FORGET_TOKEN_MS = 90 * DAY_MS;
const FLUSH_MS = 30_000;
const MAX_KNOWN_INCIDENTS = 10_000;

interface StoredAgent extends AgentRecord {
  /** SHA-256 of the password, hex; it has 256 random bits, so a plain hash is enough. */
  readonly credential: string;
}

export interface FleetOptions {
  readonly store: Pick<Store, 'documents' | 'incidents'>;
  readonly bus: Bus;
  readonly nowMs: () => number;
  /** What every enrolment says of this central. */
  readonly central: () => Pick<Enrolment, 'broker' | 'prefix' | 'ca' | 'rootKey' | 'keys'>;
  /** One command to paste on the machine. */
  readonly command: (token: string) => string;
  /** Where the fleet's credentials are kept beside the store, for a broker of its own: changed before they count. */
  readonly credentials?: {
    set(agent: AgentId, password: string): Promise<void>;
    remove(agent: AgentId): Promise<void>;
  };
  /** Told when the state could not be written; it is tried again. */
  readonly onError?: (error: unknown) => void;
}

export interface FleetRegistry extends Fleet {
  /** The agent of these MQTT credentials; null when they are wrong or the agent is retired. */
  authenticate(username: string, password: string): AgentId | null;
  /** SHA-256 of an agent's password, hex, for what only this agent is to read; null where there is no such agent. */
  credential(agent: AgentId): string | null;
  /** Calls the listener when an identity's credentials end, so that the broker drops its connection. */
  onDropped(listener: (agent: AgentId) => void): void;
  onPresence(agent: AgentId, presence: Presence): void;
  onReported(agent: AgentId, reported: Reported): void;
  onEnvelope(agent: AgentId, about: { readonly receivedMs: number; readonly pending: number }): void;
  onVitals(agent: AgentId, vitals: AgentState['vitals']): void;
  onIncident(incident: StoredIncident): void;
  /** The flags that are open now. */
  onFlags(agent: AgentId, flags: readonly AgentFlag[]): void;
  /** Calls the listener when an identity was given to other hardware. */
  onHandedOver(listener: (agent: AgentId) => void): void;
  onModels(agent: AgentId, versions: { readonly running: number | null; readonly desired: number | null }): void;
  /** Writes what is only in memory yet. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the registry over the store's documents. */
export async function openFleet(options: FleetOptions): Promise<FleetRegistry> {
  const { store, bus, nowMs } = options;
  const { documents } = store;
  const agents = new Map<AgentId, StoredAgent>();
  for (const { key, value } of await documents.list<StoredAgent>(AGENTS)) agents.set(key, value);
  const tokens = await TokenBook.open(documents);
  const states = new LiveStates(documents);
  await states.load();
  // Closed ones as well: an agent may send an early revision of one again, and it must not open it anew.
  const range = { fromMs: 0, toMs: nowMs() + 365 * DAY_MS, limit: MAX_KNOWN_INCIDENTS };
  const known = [...(await store.incidents(range)), ...(await store.incidents({ ...range, state: 'open' }))];
  for (const incident of known) states.incident(incident);

  const droppedListeners = new Set<(agent: AgentId) => void>();
  const handOverListeners = new Set<(agent: AgentId) => void>();
  const flushing = setInterval(() => void states.flush().catch(options.onError ?? (() => {})), FLUSH_MS);
  flushing.unref();
  let changes: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = changes.then(work);
    changes = result.catch(() => {});
    return result;
  };

  const stateOf = (agent: StoredAgent): AgentState => ({ ...recordOf(agent), ...states.read(agent.id) });
  const required = (id: AgentId): StoredAgent => {
    const agent = agents.get(id);
    if (agent === undefined) throw new PicketError('agent.unknown', `There is no agent ${id}.`);
    return agent;
  };
  /** Unknown agents are ignored: only those that enrolled have a state. */
  const quietly = (id: AgentId, change: () => void): void => {
    if (agents.has(id)) change();
  };
  const changed = (id: AgentId, change: () => boolean | undefined): void => {
    if (agents.has(id) && change() !== false) bus.publish({ type: 'agent', agent: id });
  };
  const drop = (id: AgentId): void => {
    states.disconnected(id);
    for (const listener of droppedListeners) listener(id);
    bus.publish({ type: 'agent', agent: id });
  };
  const save = async (agent: StoredAgent): Promise<void> => {
    await documents.put(AGENTS, agent.id, agent);
    agents.set(agent.id, agent);
  };

  async function enrol(request: EnrolmentRequest): Promise<Enrolment> {
    const token = tokens.usable(request.token, nowMs());
    const before = token.replaces === null ? null : required(token.replaces);
    if (before?.retiredMs != null) throw new PicketError('token.invalid', `The agent ${before.id} is retired.`);
    const password = randomBytes(PASSWORD_BYTES).toString('base64url');
    const name = checkedText('name', request.name ?? before?.name ?? 'agent', MAX_NAME) || 'agent';
    const agent: StoredAgent = {
      id: before?.id ?? newId(name, agents),
      name,
      site: checkedText('site', request.site ?? before?.site ?? token.site, MAX_TEXT),
      tags: checkedTags({ ...token.tags, ...before?.tags, ...request.tags }),
      enrolledMs: before?.enrolledMs ?? nowMs(),
      retiredMs: null,
      credential: hashOf(password),
    };
    // An identity is handed over once: other tokens for the same one end with this.
    const rivals = token.replaces === null ? [] : tokens.all().filter((other) => other.replaces === token.replaces);
    const ended = rivals.filter(({ id }) => id !== token.id).map((rival) => ({ ...rival, revoked: true }));
    const spent = [...ended, { ...token, uses: token.uses + 1 }];
    await options.credentials?.set(agent.id, password);
    await documents.putAll([
      { namespace: AGENTS, key: agent.id, value: agent },
      ...spent.map((value) => ({ namespace: TOKENS, key: value.id, value })),
    ]);
    agents.set(agent.id, agent);
    for (const one of spent) tokens.set(one);
    if (before === null) bus.publish({ type: 'agent', agent: agent.id });
    else {
      drop(agent.id);
      for (const listener of handOverListeners) listener(agent.id);
    }
    return { agent: agent.id, name, username: agent.id, password, ...options.central() };
  }

  async function createToken(wanted: Parameters<TokenBook['make']>[0]) {
    const forgotten = tokens.endedBefore(nowMs() - FORGET_TOKEN_MS);
    for (const token of forgotten) tokens.remove(token);
    const { secret, stored } = tokens.make(wanted, nowMs());
    await documents.putAll([
      { namespace: TOKENS, key: stored.id, value: stored },
      ...forgotten.map(({ id }) => ({ namespace: TOKENS, key: id, value: null })),
    ]);
    tokens.set(stored);
    return { token: secret, record: publicToken(stored), command: options.command(secret) };
  }

  return {
    agents: () => [...agents.values()].map(stateOf),
    agent: (id) => {
      const agent = agents.get(id);
      return agent === undefined ? null : stateOf(agent);
    },
    enrol: (request) => inTurn(() => enrol(request)),
    createToken: (wanted) =>
      inTurn(() => {
        const site = checkedText('site', wanted.site, MAX_TEXT);
        const note = checkedText('note', wanted.note, MAX_TEXT);
        return createToken({ ...wanted, site, note, tags: checkedTags(wanted.tags), replaces: null });
      }),
    tokens: async () => tokens.all().map(publicToken),
    revokeToken: (id) =>
      inTurn(async () => {
        const token = tokens.byId(id);
        if (token === null) throw new PicketError('not_found', `There is no token ${id}.`);
        const revoked = { ...token, revoked: true };
        await documents.put(TOKENS, id, revoked);
        tokens.set(revoked);
      }),
    update: (id, change) =>
      inTurn(async () => {
        const before = required(id);
        await save({
          ...before,
          name: change.name === undefined ? before.name : checkedText('name', change.name, MAX_NAME) || before.name,
          site: change.site === undefined ? before.site : checkedText('site', change.site, MAX_TEXT),
          tags: change.tags === undefined ? before.tags : checkedTags(change.tags),
        });
        bus.publish({ type: 'agent', agent: id });
      }),
    retire: (id) =>
      inTurn(async () => {
        const before = required(id);
        if (before.retiredMs !== null) return;
        await options.credentials?.remove(id);
        await save({ ...before, retiredMs: nowMs() });
        drop(id);
      }),
    replace: (id) =>
      inTurn(async () => {
        const agent = required(id);
        if (agent.retiredMs !== null) {
          throw new PicketError('agent.retired', `The agent ${id} is retired; enrol a new one.`);
        }
        const { site, tags } = agent;
        const expiresMs = nowMs() + REPLACE_TOKEN_MS;
        const made = await createToken({ note: `replaces ${id}`, site, tags, maxUses: 1, expiresMs, replaces: id });
        return { token: made.token, command: made.command };
      }),
    authenticate(username, password) {
      const agent = agents.get(username);
      // An unknown name takes as long as a wrong password.
      const expected = Buffer.from(agent?.credential ?? hashOf(''), 'hex');
      const right = timingSafeEqual(createHash('sha256').update(password).digest(), expected);
      return agent !== undefined && agent.retiredMs === null && right ? agent.id : null;
    },
    credential: (id) => agents.get(id)?.credential ?? null,
    onDropped: (listener) => void droppedListeners.add(listener),
    onPresence: (id, presence) => changed(id, () => states.presence(id, presence, nowMs())),
    onReported: (id, reported) => changed(id, () => void states.reported(id, reported, nowMs())),
    // No news for the pages: the summary that it brings is one, and envelopes come by the dozen.
    onEnvelope: (id, { receivedMs, pending }) => quietly(id, () => states.envelope(id, receivedMs, pending)),
    onVitals: (id, vitals) => quietly(id, () => states.set(id, { vitals: plainVitals(vitals) })),
    onIncident: (incident) => changed(incident.agent, () => void states.incident(incident)),
    onFlags: (id, flags) =>
      changed(id, () => {
        const ids = (of: readonly AgentFlag[]): string => of.map((flag) => flag.id).join();
        const differ = ids(states.read(id).flags) !== ids(flags);
        states.set(id, { flags });
        return differ;
      }),
    onHandedOver: (listener) => void handOverListeners.add(listener),
    onModels: (id, { running, desired }) =>
      changed(id, () => void states.set(id, { modelVersion: running, desiredVersion: desired })),
    flush: () => states.flush(),
    async close() {
      clearInterval(flushing);
      await changes;
      await states.flush();
    },
  };
}

function recordOf({ id, name, site, tags, enrolledMs, retiredMs }: StoredAgent): AgentRecord {
  return { id, name, site, tags, enrolledMs, retiredMs };
}

/** From the name, as far as an id may have it, and random letters; never one that there is or was. */
function newId(name: string, taken: ReadonlyMap<AgentId, unknown>): AgentId {
  const base = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .slice(0, ID_NAME_LENGTH)
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
  for (;;) {
    const random = Array.from(randomBytes(ID_RANDOM_LENGTH), (byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join('');
    const id = `${base || 'agent'}-${random}`;
    if (ID_PATTERN.test(id) && !taken.has(id)) return id;
  }
}

function checkedText(what: string, text: string, most: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (text.length > most || /[\u0000-\u001f\u007f]/.test(text)) {
    throw new PicketError(
      'payload.invalid',
      `The ${what} is longer than ${most} characters or has control characters.`,
    );
  }
  return text.trim();
}

function checkedTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) throw new PicketError('payload.invalid', `There are more than ${MAX_TAGS} tags.`);
  for (const [name, value] of entries) {
    if (checkedText('tag', name, MAX_TAG_NAME) === '') throw new PicketError('payload.invalid', 'A tag has no name.');
    checkedText(`tag ${name}`, value, MAX_TEXT);
  }
  return Object.fromEntries(entries);
}

function plainVitals(vitals: AgentState['vitals']): AgentState['vitals'] {
  const plain = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);
  return { cpu: plain(vitals.cpu), memory: plain(vitals.memory), disk: plain(vitals.disk), load1: plain(vitals.load1) };
}
