/**
 * The central, wired. Top-down:
 *
 *     broker ─► channel ─┬─ records ──► ingest ─► store ─► acknowledgement
 *                        ├─ presence, reported ─► fleet, models
 *                        ├─ get ──► models ─► chunk            models ─► desired (retained)
 *                        └─ live ─► live values                live ───► command
 *     http, pages ◄── store, fleet, models, live, bus
 *     alerts ◄── news of incidents in the store, fleet; ─► webhooks, mail, heartbeat
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Server as SecureServer } from 'node:https';
import { formatAddress } from '../shared/address.ts';
import { messageOf, PicketError } from '../shared/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../shared/limits.ts';
import { sparingLog } from '../shared/sparing-log.ts';
import type { Command } from '../shared/trust/messages.ts';
import { downTopic } from '../shared/wire/topics.ts';
import { notingCarried, openNotifier } from './alerts/open.ts';
import { pageAssets } from './assets.ts';
import { createAudit } from './audit.ts';
import { makeBackup } from './backup/content.ts';
import { readOrigin } from './backup/origin.ts';
import { type Broker, startBroker } from './broker.ts';
import { NotificationShares } from './budget/shares.ts';
import { createBus } from './bus.ts';
import { Channel } from './channel.ts';
import type { CentralTime, RunningCentral, StartOptions } from './commands/context.ts';
import { Redating } from './dating/redating.ts';
import type { BootRow } from './dating/row.ts';
import { BootOffsets } from './dating.ts';
import { createExchange } from './exchange/exchange.ts';
import { openFleet } from './fleet.ts';
import { ForecastChild } from './forecast/child.ts';
import { ForecastService } from './forecast/service.ts';
import { openAuth } from './http/auth.ts';
import { createServer } from './http/server.ts';
import { IdentityWatch } from './identity.ts';
import { Ingest } from './ingest.ts';
import { openKeys, signCommand } from './keys.ts';
import { type CentralLinkHandlers, connectExternal } from './link.ts';
import { CentralLive } from './live.ts';
import { ModelsService } from './models.ts';
import { CentralMutes } from './mutes.ts';
import { ownCommand } from './own-command.ts';
import { ensureAdminToken } from './state-files.ts';
import { openLevelStore } from './store/level.ts';
import { Strangers } from './strangers.ts';
import { TrainingPool } from './train/thread/pool.ts';
import { vitalsOf } from './vitals.ts';
import { brokerPasswords, brokerUrl, externalCa, openTls, reachable, usesTls } from './wiring/addresses.ts';
import { committed, followVitals } from './wiring/committed.ts';
import { openConfigurations } from './wiring/configuration.ts';
import { openFeedback } from './wiring/feedback.ts';
import { followKeys } from './wiring/keys.ts';
import { repeater } from './wiring/repeat.ts';

const MAINTAIN_MS = 10 * MINUTE_MS;
const RENEW_MS = 12 * HOUR_MS;

const realTime: CentralTime = {
  nowMs: Date.now,
  timers: {
    after: (delayMs, callback) => setTimeout(callback, delayMs),
    cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
  },
};

export async function startCentral({
  config,
  configFile = null,
  version,
  log: wholeLog,
  time: { nowMs, timers } = realTime,
}: StartOptions): Promise<RunningCentral> {
  const log = sparingLog(wholeLog, nowMs);
  const { data, mqtt } = config;
  const { prefix } = mqtt;
  await mkdir(data, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new PicketError('store.failed', `cannot make the data directory ${data}: ${messageOf(error)}`, {}, error);
  });

  const keys = await openKeys(`${data}/keys`, nowMs);
  const tls = await openTls(config, nowMs);
  const adminToken = await ensureAdminToken(data);
  const store = await openLevelStore(`${data}/store`, {
    retention: {
      minutesMs: config.retention.minutes,
      hoursMs: config.retention.hours,
      maxBytes: config.retention.size,
    },
  });
  const bus = createBus((error) => log.error({ problem: messageOf(error) }, 'a listener failed'));
  const audit = createAudit(store.documents, nowMs);

  // What enrolments say of this central is known once its listeners have their ports.
  const addresses = { broker: '', pages: '', ca: null as string | null, command: (_token: string): string => '' };
  const { broker: chosen } = config;
  const passwords = await brokerPasswords(config);
  const fleet = await openFleet({
    store,
    bus,
    nowMs,
    central: () => ({ broker: addresses.broker, prefix, ca: addresses.ca, rootKey: keys.rootKey, keys: keys.keyList }),
    command: (token) => addresses.command(token),
    ...(passwords === null ? {} : { credentials: passwords }),
    onError: (error) =>
      log.warn({ problem: messageOf(error) }, 'the state of the fleet could not be written; tried again'),
  });

  const publish = (
    agent: string,
    channel: Parameters<typeof downTopic>[2],
    payload: Uint8Array,
    qos: 0 | 1 = 1,
    retain = false,
  ) => link.publish(downTopic(prefix, agent, channel), payload, { qos, retain });
  const sendCommand = (command: Command): Promise<void> =>
    publish(command.agent, 'command', signCommand(keys, command));
  const live = new CentralLive({ nowMs, timers, log, audit, send: sendCommand });
  const mutes = new CentralMutes({ documents: store.documents, nowMs, timers, log, send: sendCommand });
  const { judges, learning, planned, watched } = await openFeedback({ store, fleet, nowMs, timers, log, audit });
  const { cohorts } = judges;
  const models = new ModelsService({
    store,
    keys,
    nowMs,
    timers,
    random: Math.random,
    log,
    ...learning,
    trainings: new TrainingPool({ store, ...learning, timers: realTime.timers }),
    publishDesired: (agent, bytes) => publish(agent, 'desired', bytes, 1, true),
    agents: watched,
    changed: (agent, modelVersion) => {
      fleet.onModels(agent, { running: models.running(agent), desired: models.desired(agent) });
      bus.publish({ type: 'model', agent, version: modelVersion });
    },
    training: {
      minimumWindows: config.training.minimumWindows,
      holdOut: config.training.holdOut,
      firstAfterMs: config.training.firstAfter,
      intervalMs: config.training.interval,
    },
    rollout: {
      audit,
      // Those that are like no other are tried together, as a fleet without cohorts is.
      cohortOf: (agent) => cohorts.nameOf(agent) ?? 'alone',
      times: { shadowMs: config.rollout.shadow, canaryMs: config.rollout.canary, share: config.rollout.share },
    },
  });
  cohorts.onPlaced((agent, cohort) => models.dayOne(agent, cohort, cohorts.peersOf(agent)));
  const about = { config, store, keys, fleet, models, nowMs, timers, log, audit };
  const configurations = openConfigurations({ ...about, cohortOf: (agent) => cohorts.nameOf(agent) });
  const runningKeys = followKeys({ keys, fleet, models, configurations, nowMs, log, audit });
  const shares = new NotificationShares({
    store,
    bus,
    agents: () => fleet.agents(),
    publish: (agent, perWeek) => models.share(agent, perWeek),
    perWeek: config.budget.notificationsPerWeek,
    nowMs,
    timers,
    log,
  });
  const forecaster = new ForecastChild(ownCommand('make-forecasts'));
  const forecasts = new ForecastService({
    store,
    agents: watched,
    ...learning,
    outlook: (task) => forecaster.outlook(task),
    idle: () => forecaster.end(),
    nowMs,
    timers,
    log,
  });
  const strangers = new Strangers({ log, nowMs, origin: await readOrigin(store.documents) });
  const known = (agent: string) => {
    const found = fleet.agent(agent);
    if (found === null) strangers.knocked(agent);
    return found;
  };
  const vitals = followVitals({ store, fleet, log });
  const identity = new IdentityWatch({
    store,
    audit,
    bus,
    nowMs,
    log,
    show: (agent, flags) => fleet.onFlags(agent, flags),
  });
  fleet.onHandedOver((agent) => void identity.handedOver(agent));
  const offsets = new BootOffsets(async (agent) => (await store.boots(agent)) as readonly BootRow[]);
  const redating = new Redating({
    store,
    offsets,
    timers,
    nowMs,
    log,
    agents: () => fleet.agents().map(({ id }) => id),
    moved: (agent) => {
      vitals(agent);
      // Who it is was judged by certain times alone: now there are more of them.
      void identity.look(agent);
    },
  });
  const ingest = new Ingest({
    store,
    offsets,
    incarnation: randomBytes(16).toString('hex'),
    nowMs,
    log,
    knows: (agent) => known(agent)?.retiredMs === null,
    sendAck: (agent, payload) => publish(agent, 'ack', payload),
    committed: (envelope, records, result) =>
      committed(
        {
          store,
          fleet,
          models,
          cohorts,
          bus,
          audit,
          nowMs,
          log,
          vitals,
          identity: (agent) => void identity.look(agent),
        },
        envelope,
        records,
        result,
      ),
  });
  const channel = new Channel({
    prefix,
    log,
    nowMs,
    records: (agent, payload) => void ingest.receive(agent, payload),
    presence: (agent, presence) => {
      fleet.onPresence(agent, presence);
      void configurations.onPresence(agent, presence);
      if (presence.online) mutes.online(agent);
    },
    reported: (agent, reported) => {
      fleet.onReported(agent, reported);
      void models.onReported(agent, reported).then(() => configurations.onReported(agent, reported));
      void runningKeys.reported(agent, reported);
      mutes.reported(agent, reported);
      shares.reported(agent, reported.manifestVersion);
    },
    live: (agent, payload) => live.receive(agent, payload),
    chunk: (agent, sha256, index) => models.chunk(agent, sha256, index),
    sendChunk: (agent, payload) => publish(agent, 'chunk', payload),
  });

  const alerts = await openNotifier({ config, store, fleet, nowMs, log, url: () => addresses.pages, planned });
  const handlers: CentralLinkHandlers = {
    connected: () => {
      alerts.brokerConnected();
      void models.republish().catch((error) => log.warn({ problem: messageOf(error) }, 'manifests wait'));
    },
    lost: () => alerts.brokerLost(),
    message: (topic, payload) => channel.receive(topic, payload),
  };
  const broker: Broker | null =
    chosen.kind === 'external'
      ? null
      : await startBroker(
          {
            ...mqtt.listen,
            prefix,
            tls: usesTls(config, 'mqtt') ? (tls?.current() ?? null) : null,
            authenticate: (username, password) => {
              known(username);
              return fleet.authenticate(username, password);
            },
            log,
          },
          handlers,
        );
  const ca = chosen.kind === 'external' ? await externalCa(config) : usesTls(config, 'mqtt') ? tls!.current().ca : null;
  const link =
    broker ??
    connectExternal(
      {
        url: chosen.kind === 'external' ? chosen.url : '',
        clientId: `picket-central-${randomBytes(4).toString('hex')}`,
        username: (chosen.kind === 'external' && chosen.username) || null,
        password: (chosen.kind === 'external' && chosen.password) || null,
        ca,
        prefix,
        log,
      },
      handlers,
    );
  fleet.onDropped((agent) => {
    broker?.drop(agent);
  });
  await models.start();
  await configurations.start();
  await mutes.start();
  await shares.start();
  await forecasts.start();
  redating.start();
  await identity.start(fleet.agents().map(({ id }) => id));
  for (const { id } of fleet.agents()) {
    fleet.onVitals(id, vitalsOf(await store.latest(id)));
    fleet.onModels(id, { running: models.running(id), desired: models.desired(id) });
  }

  const auth = await openAuth({ documents: store.documents, nowMs, adminToken });
  const httpTls = usesTls(config, 'http') ? tls?.current() : undefined;
  const server = await createServer({
    services: {
      store,
      fleet,
      models,
      identity,
      live,
      mutes,
      configurations,
      ...judges,
      keys: runningKeys,
      bus,
      audit,
      nowMs,
      version,
      alerts,
      budget: () => shares.state(),
      forecasts,
      exchange: notingCarried(createExchange({ documents: store.documents, fleet, ingest, models }), alerts),
      caFingerprint: tls?.current().fingerprint ?? null,
      strangers: () => strangers.list().filter(({ agent }) => fleet.agent(agent) === null),
      backup: (passphrase) => makeBackup({ config, configFile, store, version, nowMs }, passphrase),
      counters: () => ({ ...ingest.counts, connections: broker?.connections() ?? 0 }),
    },
    auth,
    caPem: tls?.current().ca ?? null,
    assets: await pageAssets(),
    ...(httpTls === undefined ? {} : { tls: httpTls }),
  });
  const { listen } = config.http;
  await server.listen({ host: listen.host, port: listen.port }).catch((error: unknown) => {
    const problem = (error as NodeJS.ErrnoException).code ?? messageOf(error);
    throw new PicketError('listen.failed', `http.listen: ${formatAddress(listen)}: ${problem}`, {}, error);
  });
  const bound = server.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port;
  const scheme = httpTls === undefined ? 'http' : 'https';
  const url = config.publicUrl ?? `${scheme}://${formatAddress({ host: reachable(listen.host), port })}`;
  const mqttAddress = broker === null ? null : formatAddress({ host: reachable(mqtt.listen.host), port: broker.port });
  addresses.pages = url;
  addresses.broker = chosen.kind === 'external' ? chosen.url : brokerUrl(config, broker!.port, url);
  addresses.ca = ca;
  const fingerprint = httpTls === undefined ? '' : ` --ca-fingerprint ${tls?.current().fingerprint}`;
  addresses.command = (token) => `picket-agent enrol ${url} --token ${token}${fingerprint}`;

  await alerts.start();
  const stopping = new AbortController();
  const repeat = repeater(timers, log, stopping.signal);
  const endMaintaining = repeat(MAINTAIN_MS, async () => {
    await store.maintain(nowMs(), stopping.signal);
  });
  const endRenewing = repeat(RENEW_MS, async () => {
    if (tls === null || !(await tls.renewIfDue())) return;
    broker?.renew(tls.current());
    if (httpTls !== undefined) (server.server as SecureServer).setSecureContext(tls.current());
    log.info({}, 'the server certificate is new; agents trust it by the CA that they pinned');
  });

  return {
    url,
    mqtt: mqttAddress,
    ca: httpTls === undefined ? null : httpTls.ca,
    user: auth.user,
    newPassword: auth.newPassword,
    async stop() {
      stopping.abort();
      endMaintaining();
      endRenewing();
      live.close();
      await mutes.close();
      await server.close();
      await link.close();
      await ingest.drain();
      await alerts.close();
      await redating.stop();
      await shares.close();
      await forecasts.close();
      await cohorts.close();
      await configurations.close();
      await models.close();
      await identity.close();
      await fleet.close();
      await store.close();
    },
  };
}
