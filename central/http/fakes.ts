/** Services for the tests of the HTTP side: small, in memory, with a clock that the test moves. */

import { scryptSync } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Audit, AuditEntry, CentralServices, FleetEvent, LiveTick, LiveValues, Models } from '../api.ts';
import { createBus } from '../bus.ts';
import { Labels } from '../feedback/labels.ts';
import { Maintenance } from '../feedback/maintenance.ts';
import type { Documents, LedgerTotals, SeriesColumns, Store } from '../store/store.ts';
import { openAuth } from './auth.ts';
import { fakeCohorts } from './fake-cohorts.ts';
import { fakeConfigurations } from './fake-configurations.ts';
import { someReport } from './fake-report.ts';
import { fakeRollouts } from './fake-rollouts.ts';
import {
  EPOCH,
  SERIES,
  START_MS,
  someAgent,
  someAlerts,
  someBudget,
  someChange,
  someEnd,
  someForecast,
  someIncident,
  someKeys,
  someModel,
  someOrder,
  someSeries,
} from './fake-values.ts';
import type { PasswordHash } from './password.ts';
import { createServer, type ServerOptions } from './server.ts';

export const ADMIN_TOKEN = 'an-admin-token-that-is-long-enough-0123';
export const PASSWORD = 'a password of the tests';

/** Documents in a map; `list` sorts by key, `after` is exclusive in either direction. */
export function fakeDocuments(): Documents {
  const spaces = new Map<string, Map<string, string>>();
  const blobs = new Map<string, Uint8Array>();
  const space = (namespace: string) => {
    const found = spaces.get(namespace) ?? new Map<string, string>();
    spaces.set(namespace, found);
    return found;
  };
  const write = (namespace: string, key: string, value: unknown) => {
    if (value === null) space(namespace).delete(key);
    else space(namespace).set(key, JSON.stringify(value));
  };
  return {
    get: async (namespace, key) => JSON.parse(space(namespace).get(key) ?? 'null'),
    put: async (namespace, key, value) => write(namespace, key, value),
    putAll: async (changes) => {
      for (const { namespace, key, value } of changes) write(namespace, key, value);
    },
    list: async (namespace, range = {}) => {
      const sign = range.reverse === true ? -1 : 1;
      return [...space(namespace)]
        .map(([key, value]) => ({ key, value: JSON.parse(value) }))
        .sort((a, b) => (a.key < b.key ? -sign : sign))
        .filter(({ key }) => range.after === undefined || (sign > 0 ? key > range.after : key < range.after))
        .slice(0, range.limit ?? Number.POSITIVE_INFINITY);
    },
    getBlob: async (hash) => blobs.get(hash) ?? null,
    putBlob: async (hash, bytes) => void blobs.set(hash, bytes),
    deleteBlob: async (hash) => void blobs.delete(hash),
  };
}

/** One minute a window, `count` of them from `fromMs` on; the second mean is missing. */
function someColumns(series: string, fromMs: number, count: number): SeriesColumns {
  const values = Float64Array.from({ length: count }, (_, i) => Math.sin(i) * 1e9);
  const mean = values.slice();
  if (count > 1) mean[1] = Number.NaN;
  return {
    series,
    timesMs: Float64Array.from({ length: count }, (_, i) => fromMs + (i + 1) * 60_000),
    lengthsMs: new Float64Array(count).fill(60_000),
    count: new Float64Array(count).fill(60),
    mean,
    deviation: values,
    min: values,
    max: values,
    last: values,
    anomalyShare: values,
    highestScore: values,
  };
}

function fakeStore(documents: Documents): Store {
  const never = async (): Promise<never> => {
    throw new Error('not for this test');
  };
  return {
    documents,
    commit: never,
    settled: never,
    purge: never,
    maintain: never,
    boots: never,
    saveBoots: never,
    refile: never,
    quarantine: async () => [
      { epoch: EPOCH, seq: 9, crc: 7, reason: 'no such field', record: Uint8Array.of(1, 2, 3), timeMs: START_MS },
    ],
    // biome-ignore lint/correctness/useYield: the HTTP side never trains
    summaries: async function* () {
      await never();
    },
    // biome-ignore lint/correctness/useYield: the HTTP side never trains
    coMoments: async function* () {
      await never();
    },
    latest: async () => [someSeries],
    query: async (_agent, series, range, resolution) => {
      const windowMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[resolution];
      const count = Math.floor((range.toMs - range.fromMs) / windowMs);
      return series.map((id) => someColumns(id, range.fromMs, count));
    },
    incidents: async (query) => (query.state === 'closed' ? [] : [someIncident]),
    events: async () => [
      { series: SERIES, key: { name: 'door', unit: '', attributes: {} }, atMs: START_MS, from: null, to: 'open' },
    ],
    document: async (_agent, name) => (name === 'inventory' ? { timeMs: START_MS, json: { cpu: 'any' } } : null),
    evidence: async () => [],
    table: async () => null,
    ledger: async () => [ledgerRow('a', 5, { overflow: 2 }), ledgerRow('b', 7, { overflow: 1, purged: 1 })],
    ledgerTotals: async () => someTotals,
    verifyLedger: async () => ({ epochs: 2, records: 12, thinned: 0, problems: [] }),
    identity: async () => [],
    coverage: async (_agent, range) => [
      {
        dayMs: range.fromMs,
        covered: 1400,
        pending: 0,
        missing: 40,
        missingByCause: { power_cut: 40 },
        spans: [
          { fromMs: range.fromMs, toMs: range.fromMs + 1400 * 60_000, state: 'covered', cause: null },
          {
            fromMs: range.fromMs + 1400 * 60_000,
            toMs: range.fromMs + 1440 * 60_000,
            state: 'missing',
            cause: 'power_cut',
          },
        ],
      },
    ],
    stats: async () => ({
      diskBytes: 1,
      wireBytes: 2,
      freeBytes: 3,
      daysLeft: null,
      agents: 1,
      series: 1,
      oldestMs: null,
    }),
    close: async () => {},
  };
}

const someTotals: LedgerTotals = {
  epochs: 2,
  made: 16,
  committed: 12,
  quarantined: 0,
  pending: 0,
  lost: 4,
  lostByCause: { overflow: 3, purged: 1 },
  duplicates: 2,
  conflicts: 0,
};

function ledgerRow(letter: string, committed: number, lostByCause: Record<string, number>) {
  const lost = Object.values(lostByCause).reduce((sum, count) => sum + count, 0);
  return {
    epoch: letter.repeat(32),
    parent: null,
    start: 1,
    volatile: false,
    made: committed + lost,
    committed,
    quarantined: 0,
    pending: 0,
    lost,
    lostByCause,
    duplicates: 1,
    conflicts: 0,
    settled: false,
    boot: null,
    firstMs: START_MS,
    lastMs: START_MS,
  };
}

export interface Fakes {
  readonly services: CentralServices;
  readonly clock: { nowMs: number };
  readonly audited: AuditEntry[];
  /** Live watches that are open, by agent. */
  readonly watches: Map<string, { onTick: (tick: LiveTick) => void; signal: AbortSignal }>;
}

/** All services; `override` replaces some. */
export function fakeServices(override: Partial<CentralServices> = {}): Fakes {
  const clock = { nowMs: START_MS };
  const documents = fakeDocuments();
  const audited: AuditEntry[] = [];
  const watches: Fakes['watches'] = new Map();
  const audit: Audit = {
    add: async (entry) => void audited.push({ atMs: clock.nowMs, ...entry }),
    list: async (limit) => audited.slice(-limit).reverse(),
  };
  const live: LiveValues = {
    watch: (agent, _series, { onTick }, signal) => {
      watches.set(agent, { onTick, signal });
      signal.addEventListener('abort', () => watches.delete(agent));
    },
    fetch: async (_agent, series) => series.map((id) => ({ series: id, timesMs: [1, 2], values: [1, null] })),
  };
  const models: Models = {
    list: async () => [someModel],
    get: async (version) => (version === someModel.version ? someModel : null),
    report: async (version) => (version === someReport.version ? someReport : null),
    band: async (_agent, series, timesMs) =>
      series === SERIES
        ? { version: 3, timesMs, low: timesMs.map(() => 1), high: timesMs.map(() => Number.NaN) }
        : null,
    trainNow: async () => [someModel],
    rollouts: fakeRollouts(),
  };
  const record = {
    id: 'abcd',
    note: '',
    site: '',
    tags: {},
    uses: 0,
    maxUses: 1,
    expiresMs: START_MS + 1,
    revoked: false,
  };
  const store = override.store ?? fakeStore(documents);
  const nowMs = (): number => clock.nowMs;
  const siteOf = (id: string): string => (id === someAgent.id ? someAgent.site : '');
  const services: CentralServices = {
    store,
    fleet: {
      agents: () => [someAgent],
      agent: (id) => (id === someAgent.id ? someAgent : null),
      enrol: async () => {
        throw new Error('give a fleet to test enrolment');
      },
      createToken: async () => ({ token: 't', record, command: 'picket-agent run' }),
      tokens: async () => [record],
      revokeToken: async () => {},
      update: async () => {},
      retire: async () => {},
      replace: async () => ({ token: 't', command: 'picket-agent run' }),
    },
    models,
    cohorts: fakeCohorts(),
    identity: { dismiss: async () => {} },
    live,
    configurations: fakeConfigurations(),
    mutes: { mute: async () => someOrder, unmute: async () => someOrder, orders: () => [someOrder] },
    feedback: new Labels({ store, nowMs }),
    maintenance: new Maintenance({ documents, siteOf, nowMs }),
    keys: {
      state: async () => someKeys,
      rotate: async () => someKeys,
      setOffline: async () => someKeys,
      request: async () => [],
      take: async () => true,
    },
    meanings: { of: () => [someChange] },
    alerts: { view: () => someAlerts, test: async (name) => (name === 'on-call' ? '200 OK' : null) },
    budget: () => someBudget,
    forecasts: { ofAgent: async () => ({ madeMs: START_MS, forecasts: [someForecast] }), soonest: () => [someEnd] },
    bus: createBus(),
    audit,
    nowMs,
    version: '0.1.0',
    exchange: {
      key: () => new Uint8Array(32),
      records: async () => Uint8Array.of(1),
      reported: async () => {},
      handover: async () => ({ manifest: null, releases: [] }),
      chunk: async (_agent, _sha256, index) => (index === 0 ? Uint8Array.of(2) : null),
    },
    caFingerprint: null,
    strangers: () => [{ agent: 'pump-9', firstMs: START_MS, lastMs: START_MS, advice: 'enrol it again' }],
    backup: async function* () {
      yield Buffer.from('picket-backup');
    },
    counters: () => ({ 'ingest.records': 7 }),
    ...override,
  };
  return { services, clock, audited, watches };
}

/** Costs are part of a stored hash: with the least ones a test does not wait for its log in. */
const cheapCost = { N: 2, r: 1, p: 1 };
const cheapSalt = Buffer.alloc(16, 7);
export const cheapHash: PasswordHash = {
  algorithm: 'scrypt',
  ...cheapCost,
  salt: cheapSalt.toString('base64url'),
  hash: scryptSync(PASSWORD, cheapSalt, 32, cheapCost).toString('base64url'),
};

export interface TestServer extends Fakes {
  readonly app: FastifyInstance;
  readonly password: string;
  /** Logs in; returns the headers of a browser that is logged in. */
  logIn(): Promise<{ cookie: string; 'x-picket-csrf': string }>;
}

/** A server over fakes, with a password and an admin token. */
export async function startTestServer(
  options: Partial<Omit<ServerOptions, 'services' | 'auth'>> & { services?: Partial<CentralServices> } = {},
): Promise<TestServer> {
  const { services: override, ...rest } = options;
  const fakes = fakeServices(override);
  const { services } = fakes;
  const { documents } = services.store;
  await documents.put('admin', 'admin', cheapHash);
  const auth = await openAuth({
    documents,
    nowMs: services.nowMs,
    adminToken: ADMIN_TOKEN,
  });
  const app = await createServer({ services, auth, ...rest });
  return {
    ...fakes,
    app,
    password: PASSWORD,
    async logIn() {
      const answer = await app.inject({
        method: 'POST',
        url: '/api/v1/session',
        payload: { user: 'admin', password: PASSWORD },
      });
      const [cookie] = answer.cookies;
      return { cookie: `${cookie!.name}=${cookie!.value}`, 'x-picket-csrf': answer.json<{ csrf: string }>().csrf };
    },
  };
}

export const fleetEvent: FleetEvent = { type: 'summary', agent: 'pump-7', timeMs: START_MS };
