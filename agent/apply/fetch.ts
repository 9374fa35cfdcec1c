/**
 * Fetches blobs by hash, one chunk after another: up/get asks, down/chunk answers. At a bounded rate, asked again with
 * growing pauses when no answer comes, and resumed where it stood when the connection is back. Its size is the signed
 * one, its hash is checked before it is handed out; a blob with another hash is fetched once more from the start.
 */
import type { Timers } from '../../shared/clock.ts';
import { PicketError } from '../../shared/errors.ts';
import { ChunkAssembler } from '../../shared/trust/chunks.ts';
import type { Chunk } from '../../shared/wire/live.ts';

const REQUEST_PAUSE_MS = 100;
const FIRST_TIMEOUT_MS = 5000;
const LONGEST_TIMEOUT_MS = 300_000;
const TRIES = 2;

export interface FetchOptions {
  readonly timers: Timers;
  /** Publishes a request on up/get; may fail silently while there is no connection. */
  readonly requestChunk: (sha256: string, index: number) => void;
}

export class BlobFetcher {
  readonly #options: FetchOptions;
  #assembler: ChunkAssembler | null = null;
  /** Ends the wait for an answer; an error ends this try. */
  #wake: ((problem?: unknown) => void) | null = null;

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  /** An answer came. One that is not asked for is passed over. */
  accept(chunk: Chunk): void {
    if (this.#assembler === null || chunk.hash !== this.#assembler.hash) return;
    try {
      if (this.#assembler.accept(chunk)) this.#wake?.();
    } catch (error) {
      this.#wake?.(error);
    }
  }

  /** The connection is there (again): what was asked for before is asked for now. */
  connected(): void {
    this.#wake?.();
  }

  /** The blob. Throws `blob.mismatch`, `payload.too_large`, and the signal's reason when it is aborted. */
  async fetch(sha256: string, sizeBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const assembler = new ChunkAssembler(sha256, sizeBytes);
    this.#assembler = assembler;
    try {
      for (let tries = 1; ; tries++) {
        try {
          await this.#collect(assembler, signal);
          return assembler.finish();
        } catch (error) {
          signal.throwIfAborted();
          const mismatch = error instanceof PicketError && error.code === 'blob.mismatch';
          if (!mismatch || tries >= TRIES) throw error;
          assembler.reset();
        }
      }
    } finally {
      this.#assembler = null;
    }
  }

  async #collect(assembler: ChunkAssembler, signal: AbortSignal): Promise<void> {
    let timeoutMs = FIRST_TIMEOUT_MS;
    while (!assembler.complete) {
      signal.throwIfAborted();
      const index = assembler.next();
      const answered = this.#wait(timeoutMs, signal);
      this.#options.requestChunk(assembler.hash, index);
      await answered;
      const progress = assembler.next() !== index;
      timeoutMs = progress ? FIRST_TIMEOUT_MS : Math.min(LONGEST_TIMEOUT_MS, timeoutMs * 2);
      if (progress && !assembler.complete) await this.#pause(signal);
    }
  }

  /** Until an answer, the connection, the timeout or the abort; rejects when the answer can't be right. */
  #wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { timers } = this.#options;
      const end = (problem?: unknown): void => {
        timers.cancel(timer);
        signal.removeEventListener('abort', aborted);
        this.#wake = null;
        if (problem === undefined) resolve();
        else reject(problem);
      };
      const aborted = (): void => end();
      const timer = timers.after(timeoutMs, () => end());
      signal.addEventListener('abort', aborted, { once: true });
      this.#wake = end;
    });
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const { timers } = this.#options;
      const end = (): void => {
        timers.cancel(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = timers.after(REQUEST_PAUSE_MS, end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
