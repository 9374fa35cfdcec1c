/** What the detectors have learned, on disk: read at the start, written now and then and at a clean stop. */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';

/** 4,096 series at 16 KB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The part of the detect stage that is kept. */
export interface Learned {
  saveState(): Uint8Array;
  loadState(bytes: Uint8Array): void;
}

export class DetectorFile {
  readonly #path: string;
  readonly #learned: Learned;
  readonly #log: Log;
  #saving: Promise<void> | null = null;

  constructor(path: string, learned: Learned, log: Log) {
    this.#path = path;
    this.#learned = learned;
    this.#log = log;
  }

  /** Nothing there is a first start; what cannot be read is said, and learning starts afresh. */
  async load(): Promise<void> {
    try {
      const { size } = await stat(this.#path);
      if (size > MAX_BYTES) throw new Error(`${size} bytes are too many`);
      const { buffer, byteOffset, length } = await readFile(this.#path);
      // Not as a `Buffer`: its `slice` is no copy, so that what takes a part of it for its own would share, or keep, all.
      this.#learned.loadState(new Uint8Array(buffer, byteOffset, length));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#log.warn(
        { path: this.#path, problem: messageOf(error) },
        'what was learned cannot be read; it starts afresh',
      );
    }
  }

  /** Resolves when it is written, or could not be: then the file before stays. */
  save(): Promise<void> {
    this.#saving ??= this.#write().finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  async #write(): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(this.#learned.saveState());
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      this.#log.warn({ path: this.#path, problem: messageOf(error) }, 'what was learned could not be written');
    }
  }
}
