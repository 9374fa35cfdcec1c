/**
 * The half of the agent that speaks with its central, once the machine is enrolled.
 *
 *     outbox ─► publisher ─► link ─► up/records          down/ack ─► publisher ─► outbox
 *     apply ─► up/reported, up/get                       down/desired, chunk, command ─► apply ─► models, live
 */
import type { Clock, Instant, Timers } from '../../shared/clock.ts';
import { configurationForm } from '../../shared/config/managed.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import type { Command, Presence, Reported } from '../../shared/trust/messages.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { allDownTopics, downTopic, type UpChannel, upTopic } from '../../shared/wire/topics.ts';
import type { ApplyReport, ApplyStore } from '../apply/options.ts';
import { ApplyStage } from '../apply.ts';
import type { Exports } from '../by-hand/exports.ts';
import type { AgentConfig } from '../config.ts';
import type { ConfigurationStage } from '../configuration/stage.ts';
import { type Link, openLink } from '../link.ts';
import { LiveStage } from '../live.ts';
import { ownMemory } from '../memory.ts';
import { supportedSlots } from '../models/slots.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { Publisher } from '../publish.ts';
import type { UplinkBudget } from '../uplink/budget.ts';
import { LineMeter } from '../uplink/meter.ts';
import type { UtcEstimate } from '../utc.ts';
import type { Keeper } from './meta.ts';
import { affordableModels, backlogRate, liveShare, mayConnect } from './metered.ts';
import type { Sensing } from './sensing.ts';

/** A record that follows another within this time may travel with it. */
const GATHER_MS = 50;
/** Each byte that is sent has gone through several buffers. */
const RECLAIM_BYTES = 512 * 1024;
/** What is reported is said again as often: its figures change, and QoS 1 is no promise that anybody heard it. */
const REPORT_MS = 5 * 60_000;
/** Under a budget the publisher looks again as often. */
const WAKE_MS = 30_000;

export interface UplinkOptions {
  readonly enrolment: Enrolment;
  readonly config: AgentConfig;
  readonly version: string;
  readonly bootId: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly utc: UtcEstimate;
  readonly outbox: Outbox;
  readonly keeper: Keeper;
  readonly applyStore: ApplyStore;
  readonly sensing: Sensing;
  /** Null: no bound. */
  readonly budget: UplinkBudget | null;
  readonly incarnation: string | null;
  /** What was exported by hand: an answer to what was sent later counts for more than its reply. */
  readonly exports: Exports;
  readonly log: Log;
  readonly warnings: () => readonly string[];
  /** Undefined: this agent takes no configuration. */
  readonly configuration: ConfigurationStage | undefined;
  /** What a model on trial may take is held against; not said: this process, which is then this agent's alone. */
  readonly memory?: typeof ownMemory;
}

export class Uplink {
  readonly #options: UplinkOptions;
  readonly #publisher: Publisher;
  readonly #apply: ApplyStage;
  readonly #live: LiveStage;
  readonly #link: Link;
  readonly #report: (report: ApplyReport) => void;
  readonly #meter = new LineMeter();
  #countedBytes = 0;
  /** Of which it was said what it gives up. */
  #reportedPlan: unknown;
  #wokenMs = 0;
  /** It was connected since its start. */
  #reached = false;
  #reportedMs = 0;
  readonly agent: string;
  readonly broker: string;
  #gathering = false;
  #unreclaimedBytes = 0;
  connectedSinceMs: number | null = null;
  lastAckMs: number | null = null;

  constructor(options: UplinkOptions) {
    const { enrolment, config, bootId, clock, timers, utc, outbox, keeper, sensing, budget, log } = options;
    const { configuration, memory = ownMemory } = options;
    this.#options = options;
    const prefix = config.connection.prefix ?? enrolment.prefix;
    const { agent } = enrolment;
    this.agent = agent;
    this.broker = config.connection.broker ?? enrolment.broker;
    const send = (channel: UpChannel, payload: Uint8Array, qos: 0 | 1 = 1, retain = false): Promise<void> =>
      this.#link.publish(upTopic(prefix, agent, channel), payload, { qos, retain });
    const quietly = (sending: Promise<void>): void => {
      sending.catch((error: unknown) => log.debug({ problem: messageOf(error) }, 'message waits for the connection'));
    };

    this.#publisher = new Publisher({
      agent,
      bootId,
      outbox,
      clock,
      timers,
      log,
      backlogBytesPerS: backlogRate(budget, config.backlogRate),
      ...(budget === null ? {} : { allows: (recordClass, lane) => budget.allows(recordClass, lane) }),
      send: (payload) => {
        this.#unreclaimedBytes += payload.length;
        if (this.#unreclaimedBytes > RECLAIM_BYTES) {
          this.#unreclaimedBytes = 0;
          memory.reclaimBuffers();
        }
        return send('records', payload);
      },
      heard: (centralMs, sentMonotonicMs) => {
        this.lastAckMs = clock.monotonicMs();
        budget?.answered();
        utc.heard(centralMs, sentMonotonicMs, this.lastAckMs);
        keeper.centralMs(utc.latestCentralMs);
        options.exports.heard(sentMonotonicMs);
      },
      incarnation: options.incarnation,
      believe: (incarnation) => {
        keeper.incarnation(incarnation);
        // This central has not heard what the one before was told; nor has one that came to the broker after us.
        this.#report(this.#apply.status());
      },
    });
    this.#live = new LiveStage({
      log,
      numberOf: (id) => sensing.registry.numberOf(id),
      latest: (series) => sensing.intake.latest[series] ?? Number.NaN,
      held: (series, fromMs, toMs) => heldInUtc(sensing, series, fromMs, toMs),
      send: (payload) => send('live', payload, 0),
      raw: config.raw,
      ...(budget === null ? {} : { share: liveShare(budget, clock) }),
    });
    this.#apply = new ApplyStage({
      agent,
      rootKey: enrolment.rootKey,
      enrolledKeys: enrolment.keys,
      store: options.applyStore,
      timers,
      log,
      supports: configuration?.managed === true ? [...supportedSlots, configurationForm] : supportedSlots,
      centralMs: () => utc.latestCentralMs,
      utcMs: () => sensing.now().utcMs,
      requestChunk: (sha256, index) => quietly(send('get', encodeJson({ sha256, index }))),
      report: (report) => this.#report(report),
      ...(budget === null ? {} : { affordable: affordableModels(budget, clock, timers) }),
      activate: (slot, content, { note }, again) => {
        if (isConfiguration(slot)) return configuration?.activate(content, again === true);
        sensing.slots.activate(slot, content);
        sensing.changes.applied('model', `${slot} was applied (${note})`, clock.monotonicMs());
      },
      share: (notificationsPerWeek) => sensing.budget.notices.setShare(notificationsPerWeek),
      running: (slot) => isConfiguration(slot) && configuration?.running(),
      deactivate: (slot) => {
        if (isConfiguration(slot)) configuration?.deactivate();
        else sensing.slots.deactivate(slot);
      },
      beside: sensing.slots,
      memory,
      command: (command) => this.#do(command),
    });
    // One epoch for the will, the greeting and the goodbye of a connection, though another may begin meanwhile: an
    // offline of another epoch than the online's is ignored.
    let epoch = outbox.epoch();
    this.#report = (report) => {
      this.#reportedMs = clock.monotonicMs();
      this.#reportedPlan = budget?.plan;
      quietly(send('reported', encodeJson(this.#reported(report))));
    };
    const presence = (online: boolean): Uint8Array => encodeJson({ online, boot: bootId, epoch } satisfies Presence);
    const will = (): Uint8Array => {
      epoch = outbox.epoch();
      return presence(false);
    };
    this.#link = openLink(
      {
        url: this.broker,
        clientId: agent,
        username: enrolment.username,
        password: enrolment.password,
        ca: enrolment.ca,
        latestCentralMs: () => utc.latestCentralMs,
        subscribe: allDownTopics(prefix, agent),
        will: { topic: upTopic(prefix, agent, 'presence'), payload: will },
        log,
        ...(budget === null
          ? {}
          : { keepaliveS: budget.keepaliveS, mayConnect: mayConnect(budget, clock), meter: this.#meter }),
      },
      {
        connected: () => {
          this.connectedSinceMs = clock.monotonicMs();
          this.#reached = true;
          quietly(send('presence', presence(true), 1, true));
          this.#publisher.connected();
          this.#apply.connected();
        },
        disconnected: () => {
          this.connectedSinceMs = null;
          this.#publisher.disconnected();
        },
        message: (topic, payload) => this.#receive(prefix, topic, payload),
      },
    );
    this.#goodbye = () => ({ topic: upTopic(prefix, agent, 'presence'), payload: presence(false) });
  }

  readonly #goodbye: () => { topic: string; payload: Uint8Array };

  /** Runs the last good models from the disk. */
  start(): Promise<void> {
    const { configuration, sensing } = this.#options;
    configuration?.watch({
      reached: () => this.#reached,
      inputs: () => sensing.runner.health(),
      broken: (reason) => this.#apply.broken(configurationForm.kind, reason),
    });
    return this.#apply.start();
  }

  /** A record became durable. Several that follow each other closely travel in one envelope. */
  wake(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#options.timers.after(GATHER_MS, () => {
      this.#gathering = false;
      this.#publisher.wake();
    });
  }

  /** The outbox shows other records than before. */
  lookAgain(): void {
    this.#publisher.lookAgain();
  }

  tick(now: Instant): void {
    this.#live.tick(now);
    this.#count(now);
    const { budget } = this.#options;
    const reportMs = budget?.reportEveryMs(REPORT_MS) ?? REPORT_MS;
    const old = now.monotonicMs - this.#reportedMs > reportMs || this.#reportedPlan !== budget?.plan;
    if (this.#link.connected && old) this.#report(this.#apply.status());
  }

  /** What went over the line since the last tick; where nothing more may go, the line is given up. */
  #count({ monotonicMs }: Instant): void {
    const { budget } = this.#options;
    if (budget === null) return;
    this.#countLine();
    if (budget.exhausted && this.#link.connected) this.#link.drop();
    // What was held may go now.
    if (monotonicMs - this.#wokenMs < WAKE_MS) return;
    this.#wokenMs = monotonicMs;
    this.#publisher.wake();
  }

  #countLine(): void {
    const { bytes } = this.#meter;
    this.#options.budget?.count(bytes - this.#countedBytes);
    this.#countedBytes = bytes;
  }

  /** Something that is reported has changed, and the central should know now. */
  reportAgain(): void {
    if (this.#link.connected) this.#report(this.#apply.status());
  }

  /** What is applied, for the status. */
  applied(): ApplyReport {
    return this.#apply.status();
  }

  /** For what comes by hand. */
  get publisher(): Publisher {
    return this.#publisher;
  }

  get apply(): ApplyStage {
    return this.#apply;
  }

  /** The message of up/reported as it would go out now. */
  reported(): Uint8Array {
    return encodeJson(this.#reported(this.#apply.status()));
  }

  get counts(): Publisher['counts'] {
    return this.#publisher.counts;
  }

  async stop(): Promise<void> {
    this.#publisher.disconnected();
    await this.#link.close(this.#goodbye());
    this.#countLine();
    await this.#apply.stop();
  }

  #receive(prefix: string, topic: string, payload: Uint8Array): void {
    const { log, enrolment } = this.#options;
    const { agent } = enrolment;
    switch (topic) {
      case downTopic(prefix, agent, 'ack'):
        this.#publisher.acknowledged(payload).catch((error: unknown) => {
          log.warn({ problem: messageOf(error) }, 'acknowledgement refused');
        });
        return;
      case downTopic(prefix, agent, 'desired'):
        if (payload.length > 0) this.#apply.desired(payload);
        return;
      case downTopic(prefix, agent, 'chunk'):
        this.#apply.chunk(payload);
        return;
      case downTopic(prefix, agent, 'command'):
        this.#apply.commandReceived(payload);
        return;
      default:
        log.warn({ topic: topic.slice(0, 100) }, 'message on a topic that is not known; ignored');
    }
  }

  #do({ id, madeMs, expiresMs, what }: Command): void {
    const { sensing } = this.#options;
    const now = sensing.now();
    if ('watch' in what) this.#live.watch(id, what.watch, expiresMs - madeMs, now);
    else if ('fetch' in what) void this.#live.fetch(id, what.fetch.series, what.fetch.fromMs, what.fetch.toMs, now);
    else sensing.mutes.command(id, { madeMs, expiresMs }, what, now);
  }

  #reported(report: ApplyReport): Reported {
    const { version, outbox, sensing, budget, warnings, configuration } = this.#options;
    const { pendingRecords, diskBytes, lostRecords } = outbox.stats();
    return {
      agentVersion: version,
      ...report,
      health: {
        'picket.series': sensing.registry.size,
        'picket.outbox.pending': pendingRecords,
        'picket.outbox.size': diskBytes,
        'picket.outbox.lost': lostRecords,
        'process.memory.usage': process.memoryUsage.rss(),
        ...sensing.budget.figures(),
        ...(budget === null
          ? {}
          : { 'picket.uplink.used': budget.usedBytes, 'picket.uplink.limit': budget.limitBytes! }),
      },
      warnings: warnings().slice(0, 32),
      mutes: sensing.mutes.list(),
      ...(configuration === undefined ? {} : { configuration: configuration.report() }),
    };
  }
}

const isConfiguration = (slot: string): boolean => slot === configurationForm.kind;

function heldInUtc(sensing: Sensing, series: number, fromMs: number, toMs: number) {
  const now = sensing.now();
  const offsetMs = now.utcMs - now.monotonicMs;
  const { timesMs, values } = sensing.recent.range(series, fromMs - offsetMs, toMs - offsetMs);
  return { timesMs: timesMs.map((ms) => ms + offsetMs), values };
}
