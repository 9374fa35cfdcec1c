/** What happened in a run, in order: always as a hash, so that two runs can be compared, and as lines where somebody reads. */
import { createHash } from 'node:crypto';

export class Trace {
  readonly lines: string[] = [];
  readonly #hash = createHash('sha256');
  readonly #clock: { readonly now: number };
  readonly #keep: boolean;

  constructor(clock: { readonly now: number }, keep: boolean) {
    this.#clock = clock;
    this.#keep = keep;
  }

  note(what: string, bytes?: Uint8Array): void {
    const line = `${this.#clock.now.toFixed(1).padStart(10)}  ${what}`;
    this.#hash.update(line);
    if (bytes !== undefined) this.#hash.update(bytes);
    if (this.#keep) this.lines.push(line);
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, 32);
  }
}
