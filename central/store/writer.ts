/**
 * All writes, one after the other. Batches that wait while one write is on its way to the disk are merged into the
 * next, so that many agents share one sync. A write that failed is told to all who took part, what was kept in memory
 * is thrown away, and the next one begins from what is on the disk.
 */
import { Agents } from './agents.ts';
import type { SeriesInterner } from './catalogue.ts';
import { Plan, planCommit } from './commit.ts';
import type { Database, Operation } from './database.ts';
import { checkBatch } from './decide.ts';
import { wireKey } from './keys.ts';
import type { Batch, CommitResult } from './store.ts';
import { addWire, emptyWire, parseWire, type WireCount } from './usage.ts';

/** Batches in one write, and their bytes on the wire: bounds the time that a caller waits, and memory. */
const GROUP_BATCHES = 256;
const GROUP_BYTES = 4 * 1024 * 1024;

type Job =
  | {
      readonly kind: 'commit';
      readonly batch: Batch;
      readonly resolve: (result: CommitResult) => void;
      readonly reject: (error: unknown) => void;
    }
  | {
      readonly kind: 'write';
      readonly operations: Operation[];
      readonly resolve: () => void;
      readonly reject: (error: unknown) => void;
    }
  | {
      readonly kind: 'task';
      readonly run: () => Promise<void>;
      readonly resolve: () => void;
      readonly reject: (error: unknown) => void;
    };

export class Writer {
  readonly agents: Agents;
  readonly #database: Database;
  readonly #onWritten: (plan: Plan) => void;
  readonly #onFailure: () => void;
  readonly #jobs: Job[] = [];
  #running: Promise<void> | null = null;
  #wire: WireCount = emptyWire;
  #wireRead = false;

  /**
   * @param onWritten told of what was planned when it is durable
   * @param onFailure told that a write failed and memory may be ahead of the disk
   */
  constructor(database: Database, interner: SeriesInterner, onWritten: (plan: Plan) => void, onFailure: () => void) {
    this.#database = database;
    this.#onWritten = onWritten;
    this.#onFailure = onFailure;
    this.agents = new Agents(interner);
  }

  /** Throws `payload.invalid`, `store.failed` or `disk.full`; then nothing of the batch may be acknowledged. */
  commit(batch: Batch): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      checkBatch(batch);
      this.#add({ kind: 'commit', batch, resolve, reject });
    });
  }

  /** One atomic, synced write in turn with the others. */
  write(operations: Operation[]): Promise<void> {
    return new Promise((resolve, reject) => this.#add({ kind: 'write', operations, resolve, reject }));
  }

  /** Runs while nothing else is written. */
  exclusive(run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => this.#add({ kind: 'task', run, resolve, reject }));
  }

  /** Bytes that came over the wire. */
  async wire(): Promise<WireCount> {
    if (!this.#wireRead) {
      this.#wire = parseWire(await this.#database.get(wireKey));
      this.#wireRead = true;
    }
    return this.#wire;
  }

  /** Resolves when all that was asked for is done. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#jobs.length > 0) {
        const [job] = this.#jobs;
        if (job?.kind === 'task') {
          this.#jobs.shift();
          await job.run().then(job.resolve, (error: unknown) => {
            this.#forget();
            job.reject(error);
          });
        } else await this.#runGroup(this.#takeGroup());
      }
    } finally {
      // In the same turn as the last look at the jobs: one that comes after it starts anew.
      this.#running = null;
    }
  }

  #takeGroup(): Job[] {
    let batches = 0;
    let bytes = 0;
    while (batches < this.#jobs.length && batches < GROUP_BATCHES && bytes < GROUP_BYTES) {
      const job = this.#jobs[batches]!;
      if (job.kind === 'task') break;
      bytes += job.kind === 'commit' ? job.batch.sizeBytes : 0;
      batches++;
    }
    return this.#jobs.splice(0, batches);
  }

  async #runGroup(jobs: readonly Job[]): Promise<void> {
    const plan = new Plan();
    const results: CommitResult[] = [];
    let wire: WireCount;
    try {
      wire = await this.wire();
      for (const job of jobs) {
        if (job.kind === 'commit') {
          results.push(await planCommit(this.#database, this.agents, plan, job.batch));
          wire = addWire(wire, job.batch.receivedMs, job.batch.sizeBytes);
        } else if (job.kind === 'write') {
          plan.operations.push(...job.operations);
          plan.durable = true;
        }
      }
      if (wire !== this.#wire) plan.put(wireKey, Buffer.from(JSON.stringify(wire)));
    } catch (error) {
      this.#forget();
      // One batch must not take the others down with it.
      if (jobs.length > 1) for (const job of jobs) await this.#runGroup([job]);
      else jobs[0]?.reject(error);
      return;
    }
    try {
      await this.#database.write(plan.operations, plan.durable);
    } catch (error) {
      this.#forget();
      for (const job of jobs) job.reject(error);
      return;
    }
    this.#wire = wire;
    for (const agent of plan.touched) this.agents.trim(agent);
    this.#onWritten(plan);
    let at = 0;
    for (const job of jobs) {
      if (job.kind === 'commit') job.resolve(results[at++]!);
      else job.resolve();
    }
  }

  #forget(): void {
    this.agents.reset();
    this.#wireRead = false;
    this.#onFailure();
  }
}
