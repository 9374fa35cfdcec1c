/**
 * The central: the real ingest and store. Its process ends before a commit or right after it, and starts again on what
 * it had, on an older copy, or on nothing. Whatever it commits and says is held against the truth at once.
 */

import { type BootRow, utcAt } from '../../../central/dating/row.ts';
import { BootOffsets } from '../../../central/dating.ts';
import { Ingest } from '../../../central/ingest.ts';
import { MemoryStore } from '../../../central/store/memory.ts';
import type { Batch, CommitResult, Store } from '../../../central/store/store.ts';
import { decodeAck, settledBy } from '../../../shared/wire/envelope.ts';
import { contains, countSeqs, subtract, unite } from '../../../shared/wire/ranges.ts';
import type { Simulated } from '../simulated.ts';
import { textOf } from './image.ts';
import type { Trace } from './trace.ts';
import { nameOf, type Truth } from './truth.ts';

export interface CentralMood {
  /** A commit takes up to this. */
  commitMs: number;
  /** Shares of commits, 0…1: its disk takes nothing; the process ends before it; right after it. */
  fails: number;
  endsBefore: number;
  endsAfter: number;
  /** Share of tables that come damaged, so that summaries come before them. */
  tablesLost: number;
}

export const goodCentral: CentralMood = { commitMs: 5, fails: 0, endsBefore: 0, endsAfter: 0, tablesLost: 0 };

/** Between looks at what is to be filed under another time. */
const REFILE_MS = 15_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export interface CentralParts {
  readonly world: Simulated;
  readonly truth: Truth;
  readonly trace: Trace;
  readonly send: (agent: string, payload: Uint8Array) => void;
}

export class SimCentral {
  readonly #parts: CentralParts;
  mood: CentralMood = { ...goodCentral };
  store = new MemoryStore();
  incarnation = '';
  up = false;
  duplicates = 0;
  /** It was restored or emptied: what it had committed may be gone. */
  setBack = false;
  #ingest!: Ingest;
  #life = 0;
  /** All that was committed to the store that it has now, in order: an older copy is the first of these. */
  #batches: Batch[] = [];

  constructor(parts: CentralParts) {
    this.#parts = parts;
    this.start();
  }

  start(): void {
    if (this.up) return;
    const { world, trace } = this.#parts;
    const life = ++this.#life;
    const alive = (): boolean => this.#life === life;
    this.up = true;
    this.incarnation = world.hex(16);
    trace.note(`central starts as ${this.incarnation.slice(0, 8)}`);
    const { incarnation } = this;
    const store: Store = this.store;
    const offsets = new BootOffsets(async (agent) => (await store.boots(agent)) as readonly BootRow[]);
    const refile = async (): Promise<void> => {
      if (!alive()) return;
      for (const due of offsets.due(world.clock.wallMs())) {
        const refiling = { utcMs: (ms: number) => utcAt(due.knots, ms) ?? 0, dated: due.dated };
        const moved = await store.refile(due.agent, due.bootId, refiling, new AbortController().signal);
        trace.note(`central files ${moved} records of a boot anew`);
        offsets.refiled(due);
      }
      world.timers.after(REFILE_MS, () => void refile());
    };
    world.timers.after(REFILE_MS, () => void refile());
    this.#ingest = new Ingest({
      store: { commit: (batch: Batch) => this.#commit(batch, alive) } as unknown as Store,
      offsets,
      incarnation,
      nowMs: () => world.clock.wallMs(),
      log: quiet,
      knows: () => true,
      sendAck: async (agent, payload) => {
        if (!alive()) return;
        const ack = decodeAck(payload);
        const settled = await store.settled(agent, ack.epoch);
        const early = subtract(settledBy(ack), settled);
        if (early.length > 0)
          this.#parts.truth.problem(`${agent} ${ack.epoch.slice(0, 8)}/${early} acknowledged early`);
        if (alive()) this.#parts.send(agent, payload);
      },
      committed: () => {},
    });
  }

  receive(agent: string, payload: Uint8Array): void {
    if (this.up) void this.#ingest.receive(agent, payload);
  }

  end(): void {
    if (!this.up) return;
    this.#parts.trace.note('central ends');
    this.#life++;
    this.up = false;
  }

  /** Its store is as it was some commits ago (a backup), or empty. */
  async setBackTo(share: number): Promise<void> {
    const { trace, truth } = this.#parts;
    this.end();
    this.setBack = true;
    this.#batches = this.#batches.slice(0, Math.floor(this.#batches.length * share));
    trace.note(`central is set back to ${this.#batches.length} commits`);
    const batches = this.#batches;
    this.store = new MemoryStore();
    this.#batches = [];
    truth.stored = new Map();
    for (const batch of batches) await this.#store(batch);
  }

  async #commit(batch: Batch, alive: () => boolean): Promise<CommitResult> {
    const { world } = this.#parts;
    const never = new Promise<CommitResult>(() => {});
    await new Promise<void>((resolve) => world.timers.after(world.next() * this.mood.commitMs, resolve));
    // What ended before its commit committed nothing, and never answers.
    if (!alive()) return never;
    const { fails, endsBefore, endsAfter, tablesLost } = this.mood;
    if (world.chance(fails)) throw new Error('the disk takes nothing');
    if (batch.records.some(({ content }) => isUnanswered(content))) throw new Error('a defect');
    if (world.chance(endsBefore)) {
      this.#endForAWhile();
      return never;
    }
    const lost = world.chance(tablesLost);
    const records = lost ? batch.records.filter(({ content }) => content.kind !== 'table') : batch.records;
    const result = await this.#store({ ...batch, records });
    if (world.chance(endsAfter)) {
      this.#endForAWhile();
      return never;
    }
    return result;
  }

  #endForAWhile(): void {
    const { world } = this.#parts;
    this.end();
    world.timers.after(world.next() * 10_000, () => this.start());
  }

  /** The real commit, and what it says against what is true. */
  async #store(batch: Batch): Promise<CommitResult> {
    const { truth, trace } = this.#parts;
    const { agent, epoch: epochId } = batch;
    const before = await this.store.settled(agent, epochId);
    const result = await this.store.commit(batch);
    this.#batches.push(batch);
    this.duplicates += result.duplicates;
    const epoch = truth.of(agent, epochId);
    const fresh = new Set<number>();
    for (const { seq, record, content } of batch.records) {
      const key = `${epochId}/${seq}`;
      const bytes = textOf(record);
      if (!epoch.payloads.get(seq)?.includes(bytes)) truth.problem(`${nameOf(epoch, seq)} arrived as nobody made it`);
      const stored = truth.stored.get(key);
      if (stored === undefined && contains(result.settled, seq)) {
        truth.stored.set(key, bytes);
        fresh.add(seq);
      } else if (stored !== undefined && stored !== bytes && !result.conflicts.includes(seq)) {
        truth.problem(`${nameOf(epoch, seq)} came with another payload, and it was not noticed`);
      } else if (stored === undefined && content.kind !== 'summary' && content.kind !== 'rollup') {
        truth.problem(`${nameOf(epoch, seq)} is in a commit and not settled`);
      }
    }
    const now = subtract(result.settled, before);
    if (countSeqs(now) !== fresh.size || result.stored !== fresh.size) {
      truth.problem(
        `${nameOf(epoch, 0)}: ${result.stored} stored, ${fresh.size} are new, ${countSeqs(now)} newly settled`,
      );
    }
    epoch.committed = unite(epoch.committed, result.settled);
    trace.note(`central commits ${fresh.size} of ${batch.records.length} records of ${epochId.slice(0, 8)}`);
    return result;
  }
}

/** A record over which the central itself fails each time. */
function isUnanswered(content: { readonly kind: string; readonly json?: unknown }): boolean {
  return content.kind === 'document' && (content.json as { content?: string }).content === 'unanswered';
}
