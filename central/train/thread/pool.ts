/**
 * Training beside ingestion: rounds are done in threads of lowest priority, which decode the history themselves. This
 * thread hands them what lies on the disk, one request of a thread at a time, and so never waits for a model.
 *
 *   models ── round ─► pool ── work ─► thread: read, preprocess, train, evaluate
 *                        ◄── calls: read (pages of a snapshot), latest, coverage, what operators said ──┘
 *
 * A thread that dies, or takes too long, fails the round that it was at and no other; a new one takes its place. Threads
 * are gone, with their memory, while nothing is to be trained.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { Timers } from '../../../shared/clock.ts';
import { PicketError } from '../../../shared/errors.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import type { ReadRequest, ReadServer } from '../../store/remote.ts';
import type { Store } from '../../store/store.ts';
import type { RoundResult } from '../round.ts';
import type { RoundRequest, RoundSources, Trainings } from '../trainings.ts';
import { errorOf, type FromThread, failureOf, type Services, type ToThread, type Work } from './messages.ts';
import type { WorkerScript } from './worker.ts';

/** More would keep the disk from those who take records in. Of the processors they have what nobody else wants (`worker.ts`). */
const MOST_THREADS = 2;
/** Objects of one thread; columns of the history lie beside them, and are bounded by what a round reads at once. */
const HEAP_MB = 192;
const YOUNG_MB = 16;
/** A round takes a second or so; of 2,000 series with two weeks of minutes each, minutes. */
const LONGEST_MS = 15 * MINUTE_MS;
const IDLE_MS = MINUTE_MS;
const SCRIPT: WorkerScript = 'central/train/thread/worker.ts';

export interface PoolOptions {
  readonly store: Pick<Store, Exclude<keyof RoundSources['store'], 'query' | 'coMoments'>> & {
    readServer(): ReadServer;
  };
  readonly knowledge: NonNullable<RoundSources['knowledge']>;
  readonly meanings: NonNullable<RoundSources['meanings']>;
  readonly timers: Timers;
  /** Default: as many as there are processors, two at most. */
  readonly threads?: number;
  readonly heapMb?: number;
  readonly longestMs?: number;
}

interface Job {
  readonly work: Work;
  readonly what: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class TrainingPool implements Trainings {
  readonly atOnce: number;
  readonly #options: PoolOptions;
  readonly #threads = new Set<TrainingThread>();
  readonly #waiting: Job[] = [];
  readonly #ending = new Set<Promise<void>>();
  #idleTimer: unknown = null;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.atOnce = options.threads ?? Math.min(MOST_THREADS, availableParallelism());
    // A bound of the whole process (`--max-old-space-size`) would stand above that of each thread; this one has its own.
    setFlagsFromString('--max-old-space-size=0');
  }

  windowLength(agent: string): Promise<number> {
    return this.#add({ do: 'windowLength', agent }, agent) as Promise<number>;
  }

  async round(request: RoundRequest, signal: AbortSignal): Promise<RoundResult | null> {
    signal.throwIfAborted();
    return (await this.#add({ do: 'round', request }, request.agent, signal)) as RoundResult | null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.timers.cancel(this.#idleTimer);
    for (const job of this.#waiting.splice(0)) job.reject(stopped());
    for (const thread of this.#threads) this.#end(thread, stopped());
    await Promise.all(this.#ending);
  }

  #add(work: Work, agent: string, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      const job = { work, what: `training of ${agent}`, resolve, reject };
      signal?.addEventListener('abort', () => this.#giveUp(job), { once: true });
      this.#waiting.push(job);
      this.#next();
    });
  }

  #giveUp(job: Job): void {
    const at = this.#waiting.indexOf(job);
    if (at >= 0) this.#waiting.splice(at, 1);
    for (const thread of this.#threads) if (thread.job === job) this.#end(thread, stopped());
    job.reject(stopped());
  }

  #next(): void {
    while (this.#waiting.length > 0 && !this.#closed) {
      const free = [...this.#threads].find(({ job }) => job === null) ?? this.#start();
      if (free === null) return;
      this.#options.timers.cancel(this.#idleTimer);
      this.#idleTimer = null;
      const job = this.#waiting.shift()!;
      const { longestMs = LONGEST_MS, timers } = this.#options;
      const late = new PicketError('internal', `${job.what} took longer than ${longestMs / 1000} s and was ended`);
      const timer = timers.after(longestMs, () => this.#end(free, late));
      free.do(job, () => {
        timers.cancel(timer);
        this.#next();
        this.#restLater();
      });
    }
  }

  #start(): TrainingThread | null {
    if (this.#threads.size >= this.atOnce) return null;
    const thread = new TrainingThread(this.#options, (problem) => this.#end(thread, problem));
    this.#threads.add(thread);
    return thread;
  }

  #end(thread: TrainingThread, problem: Error): void {
    if (!this.#threads.delete(thread)) return;
    const ended = thread.end(problem).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
    this.#next();
  }

  #restLater(): void {
    if (this.#closed || this.#idleTimer !== null || [...this.#threads].some(({ job }) => job !== null)) return;
    this.#idleTimer = this.#options.timers.after(IDLE_MS, () => {
      this.#idleTimer = null;
      for (const thread of this.#threads) this.#end(thread, stopped());
    });
  }
}

function stopped(): PicketError {
  return new PicketError('internal', 'training was stopped');
}

class TrainingThread {
  readonly #worker: Worker;
  readonly #services: Services;
  readonly #reads: ReadServer;
  job: Job | null = null;
  #over: () => void = () => {};
  #works = 0;
  #ended = false;

  constructor({ store, knowledge, meanings, heapMb = HEAP_MB }: PoolOptions, died: (problem: PicketError) => void) {
    this.#reads = store.readServer();
    this.#services = {
      latest: (agent) => store.latest(agent),
      coverage: (agent, range) => store.coverage(agent, range),
      knowledge,
      meanings,
      read: (request: ReadRequest) => this.#reads.answer(request),
    };
    this.#worker = startWorker({
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (message: FromThread) => this.#heard(message));
    const why = (cause: string): PicketError =>
      new PicketError('internal', `${this.job?.what ?? 'training'} failed, and is tried again later: ${cause}`);
    this.#worker.on('error', (error: Error & { code?: string }) => {
      const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      died(why(full ? `it needed more than ${heapMb} MB` : `its thread ended: ${error.message}`));
    });
    this.#worker.on('exit', () => died(why('its thread ended')));
  }

  /** @param over called when it may do something else */
  do(job: Job, over: () => void): void {
    this.job = job;
    this.#over = over;
    this.#tell({ type: 'work', id: ++this.#works, work: job.work });
  }

  /** Resolves when the thread is gone and holds nothing of the store any more. */
  async end(problem: Error): Promise<void> {
    this.#ended = true;
    this.#finish((job) => job.reject(problem));
    await this.#worker.terminate();
    await this.#reads.close();
  }

  #heard(message: FromThread): void {
    if (message.type === 'call') {
      void this.#serve(message);
    } else if (message.id === this.#works) {
      if (message.type === 'done') this.#finish((job) => job.resolve(message.result));
      else this.#finish((job) => job.reject(errorOf(message.failure)));
    }
  }

  #finish(settle: (job: Job) => void): void {
    const { job } = this;
    if (job === null) return;
    this.job = null;
    settle(job);
    this.#over();
  }

  async #serve({ call, service, args }: Extract<FromThread, { type: 'call' }>): Promise<void> {
    try {
      const answer = this.#services[service] as (...args: readonly unknown[]) => Promise<unknown>;
      const value = await answer(...args);
      this.#tell({ type: 'answer', call, value }, buffersOf(value));
    } catch (error) {
      this.#tell({ type: 'unanswered', call, failure: failureOf(error) });
    }
  }

  #tell(message: ToThread, give: readonly ArrayBuffer[] = []): void {
    if (!this.#ended) this.#worker.postMessage(message, give);
  }
}

/** Pages are given away, not copied. */
function buffersOf(value: unknown): ArrayBuffer[] {
  const bytes = (value as { readonly bytes?: unknown } | null | undefined)?.bytes;
  return bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}

/** From the sources, or from within the executable, which has no files. */
function startWorker(options: WorkerOptions): Worker {
  if (isSea()) return new Worker(getAsset(`${SCRIPT}.js`, 'utf8'), { ...options, eval: true });
  return new Worker(join(import.meta.dirname, 'worker.ts'), options);
}
