/** The real HTTP side of the central over a world that never was: what the pages are tested against. */
import { join } from 'node:path';
import type { AgentState, CentralServices, EnrolmentToken, LiveTick, Models, MuteOrder } from '../../../central/api.ts';
import { createBus } from '../../../central/bus.ts';
import type { ToldChange } from '../../../central/feedback/api.ts';
import { Labels } from '../../../central/feedback/labels.ts';
import { Maintenance } from '../../../central/feedback/maintenance.ts';
import { type Assets, assetOf } from '../../../central/http/assets.ts';
import { openAuth } from '../../../central/http/auth.ts';
import { ADMIN_TOKEN, cheapHash, fakeServices, PASSWORD } from '../../../central/http/fakes.ts';
import { createServer } from '../../../central/http/server.ts';
import type { CoverageDay, CoverageSpan } from '../../../central/store/store.ts';
import { webFiles } from '../../../scripts/build/web.ts';
import { PicketError } from '../../../shared/errors.ts';
import { DAY_MS, MINUTE_MS } from '../../../shared/limits.ts';
import type { Mute } from '../../../shared/mute.ts';
import { World, worldAgents, worldModel, worldSeries } from './world.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const windowMs = { minute: MINUTE_MS, hour: 3_600_000, day: DAY_MS } as const;

export interface FakeCentral {
  readonly url: string;
  readonly password: string;
  readonly world: World;
  agents: AgentState[];
  readonly services: CentralServices;
  /** Requests that were answered, `GET /path`. */
  readonly requests: string[];
  /** Answers nothing with these words in its path until it is cleared: as if that part had failed. */
  failing: string;
  /** Machines in trouble have a second incident: of a rule, a forecast and a group. */
  otherIncidents: boolean;
  /** Series of every machine that say something else. */
  seriesChanges: readonly ToldChange[];
  close(): Promise<void>;
}

export interface FakeOptions {
  readonly agents: number;
  readonly port?: number;
  /** How often live values come; a second of the machine each time. */
  readonly tickMs?: number;
  readonly assets?: Assets;
  /** In place of models that stand still. */
  readonly models?: Models;
}

/** The pages, built once for all tests of a file. */
export async function builtPages(): Promise<Assets> {
  return new Map([...(await webFiles())].map(([path, bytes]) => [path, assetOf(path, bytes)]));
}

export async function startFakeCentral(options: FakeOptions): Promise<FakeCentral> {
  const nowMs = (): number => Date.now();
  const world = new World(nowMs());
  const bus = createBus();
  const tokens: EnrolmentToken[] = [];
  let versions = [4, 5, 6, 7];
  const base = fakeServices().services;
  const withIncident = (id: string): boolean => (fake.agents.find((agent) => agent.id === id)?.openIncidents ?? 0) > 0;
  const incidentsOf = (id: string) => [
    ...(withIncident(id)
      ? [world.incident(id, 'open'), ...(fake.otherIncidents ? [world.otherIncident(id)] : [])]
      : []),
    world.incident(id, 'closed', nowMs() - 3 * 3_600_000, 9),
  ];
  const guard = <T>(name: string, value: T): T => {
    if (fake.failing !== '' && name.includes(fake.failing))
      throw new PicketError('store.failed', 'The store is not well.');
    return value;
  };

  const orders: MuteOrder[] = [];
  const setMutes = (agent: string, mutes: readonly Mute[]): void => {
    fake.agents = fake.agents.map((one) =>
      one.id === agent && one.reported !== null ? { ...one, reported: { ...one.reported, mutes } } : one,
    );
    bus.publish({ type: 'agent', agent });
  };

  const siteOf = (agent: string): string => fake.agents.find(({ id }) => id === agent)?.site ?? '';
  const services: CentralServices = {
    ...base,
    feedback: new Labels({
      store: { documents: base.store.documents, incidents: (query) => services.store.incidents(query) },
      nowMs,
    }),
    maintenance: new Maintenance({ documents: base.store.documents, siteOf, nowMs }),
    meanings: { of: () => fake.seriesChanges },
    nowMs,
    bus,
    fleet: {
      ...base.fleet,
      agents: () => guard('agents', fake.agents),
      agent: (id) => fake.agents.find((agent) => agent.id === id) ?? null,
      async createToken({ note, site, tags, maxUses, expiresMs }) {
        const record = { id: `t${tokens.length}`, note, site, tags, uses: 0, maxUses, expiresMs, revoked: false };
        tokens.push(record);
        return {
          token: 'secret',
          record,
          command: `picket-agent enrol ${fake.url} --token xQ4v7cNqYb2mT9sLr0KfWzEd --ca-fingerprint 3f9a…`,
        };
      },
      tokens: async () => tokens,
      async revokeToken(id) {
        const at = tokens.findIndex((token) => token.id === id);
        if (at >= 0) tokens[at] = { ...tokens[at]!, revoked: true };
      },
    },
    store: {
      ...base.store,
      latest: async () => guard('series', world.latest(nowMs())),
      query: async (_agent, series, range, resolution) =>
        guard(
          'summaries',
          series.flatMap((id) => {
            const endMs = Math.min(range.toMs, Math.floor(nowMs() / MINUTE_MS) * MINUTE_MS);
            return world.columns(id, range.fromMs, endMs, windowMs[resolution]) ?? [];
          }),
        ),
      incidents: async ({ agent, state }) =>
        (agent === undefined ? fake.agents.map(({ id }) => id) : [agent])
          .flatMap(incidentsOf)
          .filter((incident) => state === undefined || incident.state === state),
      events: async () => [
        {
          series: 'a'.repeat(16),
          key: { name: 'system.network.link', unit: '', attributes: { 'network.interface.name': 'wlan0' } },
          atMs: nowMs() - 40 * MINUTE_MS,
          from: 'up',
          to: 'down',
        },
      ],
      document: async (_agent, name) =>
        name === 'inventory'
          ? { timeMs: nowMs(), json: inventory }
          : name === 'top'
            ? { timeMs: nowMs(), json: top }
            : null,
      ledger: async () => [ledgerRow('a', 1, 4_000, 0, 12), ledgerRow('b', 2, 11_520, 3, 0)],
      coverage: async () =>
        Array.from({ length: 8 }, (_, day) => coverageDay((Math.floor(nowMs() / DAY_MS) - day) * DAY_MS, day)),
      ledgerTotals: async () => ({
        epochs: 2,
        made: 15_535,
        committed: 15_520,
        quarantined: 0,
        pending: 3,
        lost: 12,
        lostByCause: { overflow: 12 },
        duplicates: 14,
        conflicts: 0,
      }),
      stats: async () => ({
        diskBytes: 812_000_000,
        wireBytes: 640_000_000,
        freeBytes: 91_000_000_000,
        daysLeft: 412,
        agents: fake.agents.length,
        series: worldSeries.length * fake.agents.length,
        oldestMs: world.startMs,
      }),
    },
    models: options.models ?? {
      ...base.models,
      list: async (agent) => versions.map((version) => worldModel(agent ?? 'pump-1', version, nowMs())),
      get: async (version) => worldModel('pump-1', version, nowMs()),
      band: async (_agent, id, timesMs) => {
        const series = worldSeries.find((one) => one.id === id);
        if (series === undefined) return null;
        const half = Math.max(series.swing * 0.6, Math.abs(series.level) * 0.01);
        const ends = (sign: number) => timesMs.map((ms) => Math.max(0, world.expected(series, ms) + sign * half));
        return { version: 7, timesMs, low: ends(-1), high: ends(1) };
      },
      async trainNow(agent) {
        const id = agent ?? 'pump-1';
        const version = versions.at(-1)! + 1;
        versions = [...versions, version];
        fake.agents = fake.agents.map((one) =>
          one.id === id ? { ...one, modelVersion: version, desiredVersion: version } : one,
        );
        bus.publish({ type: 'model', agent: id, version });
        return [{ ...worldModel(id, version, nowMs()), state: 'published', reason: 'It is better.' }];
      },
    },
    identity: {
      async dismiss(agent, flag) {
        fake.agents = fake.agents.map((one) =>
          one.id === agent ? { ...one, flags: one.flags.filter(({ id }) => id !== flag) } : one,
        );
        bus.publish({ type: 'agent', agent });
      },
    },
    mutes: {
      ...base.mutes,
      orders: (agent) => orders.filter(({ id }) => id.startsWith(`${agent}/`)),
      async mute(agent, { forMs, rule, series, reason, by }) {
        const madeMs = nowMs();
        const id = `${agent}/${orders.length}`;
        const plain = { id, rule, series, reason, by };
        const order = { ...plain, madeMs, endsMs: madeMs + forMs, forMs, problem: null, settledMs: null };
        // One that is there does it at once; one that is offline hears of it later.
        const online = fake.agents.find((one) => one.id === agent)?.presence === 'online';
        orders.push({ ...order, state: online ? 'done' : 'waiting' });
        if (online) setMutes(agent, [{ ...plain, fromMs: madeMs, untilMs: madeMs + forMs }]);
        return orders.at(-1)!;
      },
      async unmute(agent) {
        setMutes(agent, []);
        return (await base.mutes.unmute(agent, { rule: null, series: null, by: '' })) satisfies MuteOrder;
      },
    },
    live: {
      watch(_agent, series, { onTick }, signal) {
        const wanted = worldSeries.filter(({ id }) => series.includes(id));
        const tick = (): void => {
          const atMs = nowMs();
          const values = wanted.map((one) => world.value(one, atMs));
          onTick({ timeMs: atMs, series: wanted.map(({ id }) => id), values } satisfies LiveTick);
        };
        const timer = setInterval(tick, options.tickMs ?? 1000);
        signal.addEventListener('abort', () => clearInterval(timer), { once: true });
      },
      fetch: async (_agent, series, { fromMs, toMs }) =>
        worldSeries
          .filter(({ id }) => series.includes(id))
          .map((one) => {
            const timesMs: number[] = [];
            for (let ms = Math.ceil(fromMs / 1000) * 1000; ms <= Math.min(toMs, nowMs()); ms += 1000) timesMs.push(ms);
            return { series: one.id, timesMs, values: timesMs.map((ms) => world.value(one, ms)) };
          }),
    },
  };
  const requests: string[] = [];
  const fake: FakeCentral = {
    url: '',
    password: PASSWORD,
    world,
    agents: worldAgents(options.agents, nowMs()),
    services,
    requests,
    failing: '',
    otherIncidents: false,
    seriesChanges: [],
    close: async () => {
      await app.close();
    },
  };
  await services.store.documents.put('admin', 'admin', cheapHash);
  const auth = await openAuth({ documents: services.store.documents, nowMs, adminToken: ADMIN_TOKEN });
  const app = await createServer({ services, auth, assets: options.assets ?? (await builtPages()) });
  app.server.on('request', (request) => requests.push(`${request.method} ${request.url}`));
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  Object.assign(fake, { url });
  return fake;
}

function ledgerRow(letter: string, start: number, committed: number, pending: number, lost: number) {
  return {
    epoch: letter.repeat(32),
    parent: start === 1 ? null : 'a'.repeat(32),
    start,
    volatile: false,
    made: committed + pending + lost,
    committed,
    quarantined: 0,
    pending,
    lost,
    lostByCause: lost === 0 ? {} : { overflow: lost },
    duplicates: 7,
    conflicts: 0,
    settled: start === 1,
    boot: letter === 'a' ? '1'.repeat(32) : '2'.repeat(32),
    firstMs: Date.now() - (9 - 4 * start) * DAY_MS,
    lastMs: Date.now() - (2 - start) * 4 * DAY_MS,
  };
}

/** Today so far; five days ago a power cut and an overflow; else whole days. */
function coverageDay(dayMs: number, ago: number): CoverageDay {
  const spans: CoverageSpan[] = [];
  const add = (minutes: number, state: CoverageSpan['state'], cause: CoverageSpan['cause'] = null): void => {
    const fromMs = spans.at(-1)?.toMs ?? dayMs;
    spans.push({ fromMs, toMs: fromMs + minutes * MINUTE_MS, state, cause });
  };
  if (ago === 0) {
    add(700, 'covered');
    add(3, 'pending');
  } else if (ago === 5) {
    add(600, 'covered');
    add(60, 'missing', 'power_cut');
    add(500, 'covered');
    add(30, 'missing', 'overflow');
    add(250, 'covered');
  } else add(1440, 'covered');
  const minutes = (state: CoverageSpan['state']): number =>
    spans.reduce((sum, span) => sum + (span.state === state ? (span.toMs - span.fromMs) / MINUTE_MS : 0), 0);
  return {
    dayMs,
    covered: minutes('covered'),
    pending: minutes('pending'),
    missing: minutes('missing'),
    missingByCause: ago === 5 ? { power_cut: 60, overflow: 30 } : {},
    spans,
  };
}

const inventory = {
  system: { manufacturer: 'Raspberry Pi Ltd', model: 'Compute Module 4', serial: '10000000a1b2c3d4' },
  os: { distro: 'Debian GNU/Linux', release: '12', kernel: '6.1.0-18-arm64', arch: 'arm64' },
  cpu: { brand: 'Cortex-A72', cores: 4, speedMax: 1.5 },
  memory: { totalBytes: 16 * 2 ** 30 },
  disks: [{ device: 'nvme0n1', type: 'NVMe', sizeBytes: 512e9 }],
  time: { zone: 'Europe/Berlin' },
};

const entry = (pid: number, name: string, cpu: number, memoryBytes: number, io: number | null) => ({
  pid,
  name,
  cpu,
  memoryBytes,
  ioBytesPerSecond: io,
});
const processes = [
  entry(812, 'historian', 0.42, 9.1e8, 2.1e6),
  entry(1204, 'node', 0.17, 2.2e8, 40_000),
  entry(640, 'postgres', 0.08, 6.4e8, 900_000),
  entry(1, 'systemd', 0.01, 1.2e7, null),
];
const top = { atMs: 0, spanMs: 60_000, byCpu: processes, byMemory: processes, byIo: processes.slice(0, 3) };

// Run by hand, to look at the pages: node test/browser/support/fake-central.ts [machines] [port]
if (process.argv[1] === join(ROOT, 'test/browser/support/fake-central.ts')) {
  const central = await startFakeCentral({ agents: Number(process.argv[2] ?? 3), port: Number(process.argv[3] ?? 0) });
  console.log(`ready ${central.url} user admin password ${central.password}`);
}
