/**
 * One agent, its broker and its central in a simulated world: the real publisher and outbox, the real ingest and store,
 * and between them whatever goes wrong. It holds what passes against the design while it passes (`problems`), and
 * remembers what became durable.
 */
import { MemoryShelf, openMemoryOutbox } from '../../agent/outbox/memory.ts';
import type { AppendOptions, Outbox, RecordClass } from '../../agent/outbox/outbox.ts';
import { Publisher } from '../../agent/publish.ts';
import { BootOffsets } from '../../central/dating.ts';
import { Ingest } from '../../central/ingest.ts';
import { MemoryStore } from '../../central/store/memory.ts';
import type { Batch, CommitResult, Store } from '../../central/store/store.ts';
import { limits } from '../../shared/limits.ts';
import { unpackPayload } from '../../shared/transport/compress.ts';
import { tableHash } from '../../shared/trust/hash.ts';
import { decodeAck, decodeEnvelope, encodeSummary, encodeTable } from '../../shared/wire/codec.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { contains } from '../../shared/wire/ranges.ts';
import { encodeRecord, type RecordKind } from '../../shared/wire/record.ts';
import { emptyColumns } from '../../shared/wire/summary.ts';
import { Simulated } from './simulated.ts';

const bootId = 'b'.repeat(32);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
export const BACKLOG_BYTES_PER_S = 20_000;

export interface Faults {
  /** Shares of messages, 0…1. */
  readonly lost: number;
  readonly doubled: number;
  /** Messages are delayed by up to this, each by another time. */
  readonly delayMs: number;
  /** A commit takes up to this. */
  readonly commitMs: number;
  /** Share of commits of which the central's disk takes none. */
  readonly commitsFail: number;
  /** Share of tables that come damaged, so that summaries come before them. */
  readonly tablesLost: number;
}

export const noFaults: Faults = { lost: 0, doubled: 0, delayMs: 5, commitMs: 5, commitsFail: 0, tablesLost: 0 };

interface Made {
  readonly epoch: string;
  readonly seq: number;
  readonly record: string;
  readonly madeMs: number;
  readonly body: 'good' | 'bad' | 'unanswered';
}

export class ChannelWorld {
  readonly world: Simulated;
  readonly made = new Map<string, Made>();
  /** What was seen that must never be. */
  readonly problems: string[] = [];
  /** What the store took first under each key. */
  stored = new Map<string, string>();
  store = new MemoryStore();
  ingest: Ingest;
  outbox!: Outbox;
  publisher!: Publisher;
  refused = 0;
  /** Of the central's starts, in their order. */
  readonly incarnations: string[] = [];
  /** An answer came over the connection to what was sent then. */
  heard: (sentMs: number) => void = () => {};
  faults: Faults;
  connected = false;
  /** The central's process; false is between its end and its next start. */
  central = true;
  #connectedMs = Number.POSITIVE_INFINITY;
  #backlogBytes = 0;
  #life = 0;
  #centralLife = 0;
  readonly #shelf = new MemoryShelf();

  private constructor(seed: number, faults: Faults) {
    this.world = new Simulated(seed);
    this.faults = faults;
    this.ingest = this.#newIngest();
  }

  static async open(seed: number, faults: Faults): Promise<ChannelWorld> {
    const made = new ChannelWorld(seed, faults);
    await made.startAgent();
    return made;
  }

  /** A start of the agent's process, on the disk of the one before. */
  async startAgent(): Promise<void> {
    const life = ++this.#life;
    const alive = (): boolean => this.#life === life;
    const { world } = this;
    // A process that was killed does nothing any more.
    const timers = {
      after: (ms: number, callback: () => void) => world.timers.after(ms, () => alive() && callback()),
      cancel: world.timers.cancel,
    };
    const outbox = await openMemoryOutbox({
      shelf: this.#shelf,
      limitBytes: 10_000_000,
      keepAcknowledgedMs: 36_000_000,
      commitIntervalMs: 100,
      commitBytes: 64 * 1024,
      clock: world.clock,
      timers,
      random: (bytes) => world.bytes(bytes),
      bootId,
      log: quiet,
      wall: () => ({ wallMs: world.clock.wallMs(), wallTrusted: 'yes' }),
    });
    this.outbox = outbox;
    const remembered = await outbox.getMeta('incarnation');
    this.publisher = new Publisher({
      agent: 'm1',
      bootId,
      outbox,
      clock: world.clock,
      timers,
      log: quiet,
      backlogBytesPerS: BACKLOG_BYTES_PER_S,
      send: async (payload) => {
        if (!this.connected || !alive()) throw new Error('not connected');
        this.#inspect(payload);
        // The broker acknowledges whatever becomes of the message.
        this.#pass(() => {
          if (this.central) void this.ingest.receive('m1', payload);
        });
      },
      heard: (_centralMs, sentMs) => this.heard(sentMs),
      incarnation: remembered === null ? null : new TextDecoder().decode(remembered),
      believe: (incarnation) => void outbox.setMeta('incarnation', new TextEncoder().encode(incarnation)),
    });
    if (this.connected) this.connect();
  }

  /** kill -9, and a start some time later. */
  async killAgent(): Promise<void> {
    this.#life++;
    this.refused += this.publisher.counts.refused;
    await this.startAgent();
  }

  connect(): void {
    this.connected = true;
    this.#connectedMs = this.world.now;
    this.#backlogBytes = 0;
    this.publisher.connected();
  }

  disconnect(): void {
    this.connected = false;
    this.publisher.disconnected();
  }

  /** The central ends in the middle of what it does, and starts again; `emptied` with nothing in its store. */
  restartCentral(emptied = false): void {
    if (emptied) {
      this.store = new MemoryStore();
      this.stored = new Map();
    }
    this.ingest = this.#newIngest();
    this.central = true;
  }

  async append(
    kind: RecordKind,
    body: Uint8Array,
    recordClass: RecordClass,
    options: AppendOptions = {},
    content: Made['body'] = 'good',
  ): Promise<void> {
    const life = this.#life;
    const { outbox, publisher, world } = this;
    const [monotonicMs, wallMs] = [world.clock.monotonicMs(), world.clock.wallMs()];
    const record = encodeRecord({ kind, bootId, monotonicMs, wallMs, wallTrusted: 'yes', body });
    const { epoch, seq } = await outbox.append(record, recordClass, options);
    if (this.#life !== life) return;
    this.made.set(`${epoch}/${seq}`, { epoch, seq, record: hex(record), madeMs: world.now, body: content });
    publisher.wake();
  }

  /** Some record: a document, now and then with a body that is none. */
  appendDocument(recordClass: RecordClass, content: Made['body'] = 'good'): Promise<void> {
    const json = JSON.stringify({ content, noise: this.world.hex(this.world.integer(300)) });
    const body = new TextEncoder().encode(content === 'bad' ? json.slice(1) : json);
    return this.append('top', body, recordClass, {}, content);
  }

  /** The same, resolved when it is durable. */
  async appendDocumentSoon(): Promise<void> {
    const appended = this.appendDocument('detail');
    await this.world.run(this.world.now + 1_000, () => false);
    await appended;
  }

  /** A series table of that name, and a window that names it. */
  async appendWindow(name: string, withTable: boolean): Promise<void> {
    const table = encodeTable([{ name, unit: '1', attributes: {} }]);
    const hash = tableHash(table);
    const columns = emptyColumns(1);
    columns.count[0] = 1;
    columns.mean[0] = columns.min[0] = columns.max[0] = columns.last[0] = this.world.integer(1000);
    const body = encodeSummary({
      table: hash,
      lengthMs: 60_000,
      nominalMs: 60_000,
      endMonotonicMs: this.world.now,
      endWallMs: this.world.clock.wallMs(),
      first: 0,
      columns: encodeColumns(columns),
    });
    const both = withTable ? [this.append('table', table, 'table', { table: hash })] : [];
    await Promise.all([...both, this.append('summary', body, 'detail', { table: hash })]);
  }

  /** Everything that is made, and everything that was, is settled as far as the agent knows. */
  get drained(): boolean {
    return this.outbox.stats().pendingRecords === 0;
  }

  #newIngest(): Ingest {
    const life = ++this.#centralLife;
    const alive = (): boolean => this.#centralLife === life && this.central;
    const { store, world, stored } = this;
    const commit = async (batch: Batch): Promise<CommitResult> => {
      await new Promise<void>((resolve) => world.timers.after(world.next() * this.faults.commitMs, resolve));
      // What ended before its commit committed nothing, and never answers.
      if (!alive()) return new Promise(() => {});
      if (world.chance(this.faults.commitsFail)) throw new Error('the disk takes nothing');
      if (batch.records.some(({ content }) => isUnanswered(content))) throw new Error('a defect');
      const lost = world.chance(this.faults.tablesLost);
      const records = lost ? batch.records.filter(({ content }) => content.kind !== 'table') : batch.records;
      const result = await store.commit({ ...batch, records });
      for (const { seq, record } of records) {
        const key = `${batch.epoch}/${seq}`;
        if (contains(result.settled, seq) && !stored.has(key)) stored.set(key, hex(record));
      }
      return result;
    };
    return new Ingest({
      store: { commit } as unknown as Store,
      offsets: new BootOffsets(),
      incarnation: this.#drawIncarnation(),
      nowMs: () => world.clock.wallMs(),
      log: quiet,
      knows: () => true,
      sendAck: async (_agent, payload) => {
        const ack = decodeAck(payload);
        const settled = await store.settled('m1', ack.epoch);
        for (const [from, to] of [[1, ack.contiguous] as const, ...ack.settled]) {
          for (let seq = from; seq <= to; seq++) {
            if (!contains(settled, seq)) this.problems.push(`${seq} was acknowledged and is not committed`);
          }
        }
        // An acknowledgement of a central that is no more can still be on its way.
        this.#pass(() => {
          if (this.connected) void this.publisher.acknowledged(payload);
        });
      },
      committed: () => {},
    });
  }

  #drawIncarnation(): string {
    this.incarnations.push(this.world.hex(16));
    return this.incarnations.at(-1)!;
  }

  /** A message goes its way: lost, doubled, late. */
  #pass(deliver: () => void): void {
    const { world, faults } = this;
    if (world.chance(faults.lost)) return;
    const copies = world.chance(faults.doubled) ? 2 : 1;
    for (let i = 0; i < copies; i++) world.timers.after(world.next() * faults.delayMs, deliver);
  }

  /** What goes out is in its lane, no larger than allowed, and the backlog no faster. */
  #inspect(payload: Uint8Array): void {
    if (payload.length > limits.payloadBytes) this.problems.push(`an envelope of ${payload.length} bytes`);
    const { epoch, frames, live } = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
    if (!live) {
      this.#backlogBytes += payload.length;
      const seconds = (this.world.now - this.#connectedMs) / 1000 + 1;
      const most = seconds * BACKLOG_BYTES_PER_S + limits.payloadBytes;
      if (this.#backlogBytes > most) this.problems.push(`${this.#backlogBytes} bytes of backlog in ${seconds} s`);
    }
    for (const frame of frames) {
      const { seq } = readFrame(epoch, frame);
      const made = this.made.get(`${epoch}/${seq}`);
      if (made === undefined) continue;
      const old = made.madeMs < this.#connectedMs;
      // A table that is asked for goes at once, however old it is.
      if (live && old && frames.length > 1) this.problems.push(`${seq} is backlog and went as live`);
      if (!live && made.madeMs > this.#connectedMs) this.problems.push(`${seq} is live and went as backlog`);
    }
  }
}

function isUnanswered(content: { readonly kind: string; readonly json?: unknown }): boolean {
  return content.kind === 'document' && (content.json as { content?: string }).content === 'unanswered';
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
