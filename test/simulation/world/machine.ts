/**
 * A machine with the real recorder, outbox and publisher, over its disk and the broker. Its process is killed or its
 * power cut in the middle of anything; nothing of an old life acts afterwards.
 */
import { FailoverOutbox } from '../../../agent/outbox/failover.ts';
import type { AppendOptions, Outbox, RecordClass } from '../../../agent/outbox/outbox.ts';
import { QueueOutbox } from '../../../agent/outbox/queue.ts';
import { Publisher } from '../../../agent/publish.ts';
import { Recorder } from '../../../agent/recorder.ts';
import { UtcEstimate } from '../../../agent/utc.ts';
import { Keeper, remember } from '../../../agent/wiring/meta.ts';
import { limits } from '../../../shared/limits.ts';
import { unpackPayload } from '../../../shared/transport/compress.ts';
import { decodeAck, decodeEnvelope } from '../../../shared/wire/envelope.ts';
import { contains } from '../../../shared/wire/ranges.ts';
import type { RecordKind } from '../../../shared/wire/record.ts';
import { Simulated } from '../simulated.ts';
import type { Client, SimBroker } from './broker.ts';
import { SimDisk } from './disk.ts';
import type { Trace } from './trace.ts';
import type { Truth } from './truth.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
/** As the wiring does (agent/wiring/uplink.ts). */
const GATHER_MS = 50;
const COMMIT_BYTES = 4 * 1024;

export interface MachineSettings {
  readonly limitBytes: number;
  readonly volatileBytes: number;
  readonly keepAcknowledgedMs: number;
  readonly commitIntervalMs: number;
  readonly backlogBytesPerS: number;
  readonly reconnectMs: number;
}

export interface MachineParts {
  readonly name: string;
  readonly agent: string;
  /** Of its own randomness: two machines with one seed draw the same epochs. */
  readonly randomSeed: number;
  readonly settings: MachineSettings;
  readonly world: Simulated;
  readonly broker: SimBroker;
  readonly truth: Truth;
  readonly trace: Trace;
}

/** What runs while the process lives. */
export interface Running {
  readonly outbox: FailoverOutbox;
  readonly publisher: Publisher;
  readonly recorder: Recorder;
}

export class SimMachine implements Client {
  readonly name: string;
  readonly agent: string;
  readonly disk: SimDisk;
  readonly #parts: MachineParts;
  readonly #random: Simulated;
  /** Null while the process does not run, or is not ready yet. */
  running: Running | null = null;
  /** The wall clock is off by this; before it was set after a boot it says 1970. */
  wallOffsetMs = 0;
  /** May connect; where two have one identity, the last act lets them in turn. */
  allowed = true;
  refused = 0;
  #life = 0;
  #up = false;
  #connected = false;
  #bootId: string;
  #bootedMs = 0;
  starts = 0;
  /** Of the envelopes of this process: what they are numbered above, the last, the highest that each central answered. */
  #numberedAbove = 0;
  #lastSent = 0;
  #answered = new Map<string, number>();

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.agent = parts.agent;
    this.#random = new Simulated(parts.randomSeed);
    this.#bootId = this.#random.hex(16);
    const { name, agent, world, truth, trace, settings } = parts;
    this.disk = new SimDisk({ name, agent, world, truth, trace, limitBytes: settings.limitBytes });
  }

  get up(): boolean {
    return this.#up;
  }

  /** A start of the process on whatever the disk holds. */
  start(): void {
    if (this.#up) return;
    this.#up = true;
    this.starts++;
    this.#parts.trace.note(`${this.name} starts`);
    void this.#start(++this.#life);
  }

  /** kill -9, or the power is cut and the machine boots anew. */
  kill(powerCut = false): void {
    const { truth, trace, broker, world } = this.#parts;
    if (powerCut) {
      this.#bootId = this.#random.hex(16);
      this.#bootedMs = world.now;
    }
    if (!this.#up) return;
    trace.note(`${this.name} ${powerCut ? 'has its power cut' : 'is killed'}`);
    this.#life++;
    this.#up = false;
    this.#connected = false;
    this.refused += this.running?.publisher.counts.refused ?? 0;
    this.running = null;
    broker.disconnect(this);
    this.disk.detach(powerCut);
    truth.volatileLost(this.name);
  }

  disconnected(): void {
    if (!this.#connected) return;
    this.#parts.trace.note(`${this.name} is disconnected`);
    this.#connected = false;
    this.#parts.broker.disconnect(this);
    this.running?.publisher.disconnected();
    this.#connectLater();
  }

  acknowledged(payload: Uint8Array): void {
    const { n, incarnation } = decodeAck(payload);
    const answersThisProcess = n > this.#numberedAbove && n <= this.#lastSent;
    if (answersThisProcess) this.#answered.set(incarnation, Math.max(n, this.#answered.get(incarnation) ?? 0));
    this.running?.publisher.acknowledged(payload).catch(() => {});
  }

  /** Another central is believed in only for an answer to something newer than all that was answered before. */
  #believes(incarnation: string): void {
    const highest = Math.max(...this.#answered.values());
    if ((this.#answered.get(incarnation) ?? 0) < highest) {
      this.#parts.truth.problem(`${this.name} believes in ${incarnation.slice(0, 8)} for an old answer`);
    }
  }

  /** Connects at once, where it may. */
  connect(): void {
    const { running } = this;
    if (running === null || this.#connected || !this.allowed) return;
    if (!this.#parts.broker.connect(this)) {
      this.#connectLater();
      return;
    }
    this.#connected = true;
    running.publisher.connected();
  }

  async append(kind: RecordKind, body: Uint8Array, recordClass: RecordClass, options: AppendOptions = {}) {
    return (await this.running?.recorder.append(kind, body, recordClass, options)) ?? null;
  }

  get clock() {
    const { world } = this.#parts;
    return {
      monotonicMs: () => 1_000 + world.now - this.#bootedMs,
      wallMs: () => Math.max(0, world.clock.wallMs() + this.wallOffsetMs),
    };
  }

  async #start(life: number): Promise<void> {
    const { settings, world, truth, broker } = this.#parts;
    const { clock } = this;
    const bootId = this.#bootId;
    const alive = (): boolean => this.#life === life;
    const timers = {
      after: (ms: number, callback: () => void) => world.timers.after(ms, () => alive() && callback()),
      cancel: world.timers.cancel,
    };
    let utc = new UtcEstimate(null);
    let publisher: Publisher | null = null;
    const options = {
      limitBytes: settings.limitBytes,
      volatileBytes: settings.volatileBytes,
      keepAcknowledgedMs: settings.keepAcknowledgedMs,
      commitIntervalMs: settings.commitIntervalMs,
      commitBytes: COMMIT_BYTES,
      clock,
      timers,
      random: (bytes: number) => this.#random.bytes(bytes),
      bootId,
      log: quiet,
      onWorking: () => publisher?.lookAgain(),
      wall: () => {
        const wallMs = clock.wallMs();
        return { wallMs, wallTrusted: utc.wallTrusted(clock.monotonicMs(), wallMs) };
      },
    };
    const openShelf = this.disk.opener();
    const outbox = await FailoverOutbox.over(options, (hooks) =>
      QueueOutbox.open({
        ...options,
        ...hooks,
        openShelf,
        chain: this.disk.chain(),
        volatile: false,
        lossCause: 'overflow',
        ringBytes: settings.volatileBytes,
      }),
    );
    const isVolatile = (epoch: string): boolean =>
      outbox.epochs().find((known) => known.epoch === epoch)?.volatile === true;
    const remembered = await remember(outbox);
    if (!alive()) return;
    utc = new UtcEstimate(remembered.latestCentralMs);
    const keeper = new Keeper(outbox, () => {});
    this.#numberedAbove = Math.floor(clock.monotonicMs() * 1000);
    this.#lastSent = this.#numberedAbove;
    this.#answered = new Map();
    publisher = new Publisher({
      agent: this.agent,
      bootId,
      outbox,
      clock,
      timers,
      log: quiet,
      backlogBytesPerS: settings.backlogBytesPerS,
      send: async (payload) => {
        if (!alive()) return new Promise(() => {});
        this.#inspect(payload, isVolatile);
        return broker.publish(this, payload);
      },
      heard: (centralMs, sentMonotonicMs) => {
        utc.heard(centralMs, sentMonotonicMs, clock.monotonicMs());
        keeper.centralMs(utc.latestCentralMs);
      },
      incarnation: remembered.incarnation,
      believe: (incarnation) => {
        this.#believes(incarnation);
        keeper.incarnation(incarnation);
      },
    });
    let gathering = false;
    const wake = (): void => {
      if (gathering) return;
      gathering = true;
      timers.after(GATHER_MS, () => {
        gathering = false;
        publisher?.wake();
      });
    };
    /** The recorder appends to this: what the outbox answers is held against what is durable. */
    const watched: Pick<Outbox, 'append'> = {
      append: async (record, recordClass, appendOptions) => {
        const key = await outbox.append(record, recordClass, appendOptions);
        if (!alive()) return key;
        if (isVolatile(key.epoch)) this.#boundMemory(outbox);
        truth.appended(this.agent, key.epoch, key.seq, record, isVolatile(key.epoch), this.name);
        return key;
      },
    };
    const recorder = new Recorder({ outbox: watched as Outbox, clock, utc, bootId, log: quiet, appended: wake });
    this.running = { outbox, publisher, recorder };
    this.#parts.trace.note(`${this.name} is ready`);
    this.connect();
  }

  /** What stands in for the disk stays within its bound. */
  #boundMemory(outbox: FailoverOutbox): void {
    const { truth, settings } = this.#parts;
    let sizeBytes = 0;
    for (const { epoch, held, volatile } of outbox.epochs()) {
      const payloads = volatile ? truth.epochs.get(epoch)?.payloads : undefined;
      for (const [seq, [payload]] of payloads ?? []) if (contains(held, seq)) sizeBytes += payload!.length;
    }
    if (sizeBytes <= settings.volatileBytes) return;
    truth.problem(`${this.name}: ${sizeBytes} bytes in memory, ${settings.volatileBytes} are allowed`);
  }

  #connectLater(): void {
    const life = this.#life;
    const { world, settings } = this.#parts;
    world.timers.after((0.2 + world.next()) * settings.reconnectMs, () => {
      if (this.#life === life) this.connect();
    });
  }

  /** Only what is durable leaves the machine, in envelopes that every broker takes. */
  #inspect(payload: Uint8Array, isVolatile: (epoch: string) => boolean): void {
    const { truth } = this.#parts;
    if (payload.length > limits.payloadBytes) truth.problem(`${this.name}: an envelope of ${payload.length} bytes`);
    const { epoch, frames, held, highestSeq, n } = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
    this.#lastSent = n;
    for (const frame of frames) truth.sent(this.agent, epoch, frame, isVolatile(epoch), this.name);
    const known = truth.epochs.get(epoch);
    if (known === undefined || known.volatile !== null) return;
    if (highestSeq > known.highestSeq) {
      truth.problem(
        `${this.name}: says that ${epoch.slice(0, 8)} goes to ${highestSeq}, it goes to ${known.highestSeq}`,
      );
    }
    for (const [from, to] of held) {
      for (let seq = from; seq <= to; seq++) {
        if (!known.payloads.has(seq) && !contains(known.excused, seq)) {
          truth.problem(`${this.name}: says that it holds ${epoch.slice(0, 8)}/${seq}, which nobody made`);
        }
      }
    }
  }
}
