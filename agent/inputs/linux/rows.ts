/**
 * Files with a row for each device (diskstats, net/dev): which row is whose is remembered by position and compared as
 * bytes, so that a sample makes no strings; devices that came or went are seen at once.
 */
import type { SampleSink } from '../input.ts';
import type { Scanner } from './reader.ts';

/** More rows than this are left out; a host with so many devices wants a narrower configuration. */
const maxRows = 1024;

export interface RowOptions<R> {
  /** A new device; null leaves it out. */
  readonly appear: (name: string, sink: SampleSink) => R | null;
  /** A device that is gone. */
  readonly vanish: (row: R, sink: SampleSink) => void;
}

export class RememberedRows<R> {
  readonly #options: RowOptions<R>;
  readonly #names: Buffer[] = [];
  readonly #rows: (R | null)[] = [];
  readonly #known = new Map<string, R | null>();
  #count = 0;
  #changed = false;

  constructor(options: RowOptions<R>) {
    this.#options = options;
  }

  /** Before the first row of a file. */
  begin(): void {
    this.#count = 0;
    this.#changed = false;
  }

  /** What is kept for the device whose name of `length` bytes is at the cursor; null where it is left out. */
  row(scanner: Scanner, length: number, sink: SampleSink): R | null {
    const index = this.#count;
    if (index >= maxRows) return null;
    this.#count++;
    const name = this.#names[index];
    if (name !== undefined && name.length === length && scanner.startsWith(name)) return this.#rows[index]!;
    return this.#settle(index, scanner.text(length), sink);
  }

  /** After the last row: what was not seen has vanished. */
  end(sink: SampleSink): void {
    if (!this.#changed && this.#count === this.#names.length) return;
    this.#names.length = this.#count;
    this.#rows.length = this.#count;
    const present = new Set(this.#names.map((name) => name.toString()));
    for (const [name, row] of this.#known) {
      if (present.has(name)) continue;
      this.#known.delete(name);
      if (row !== null) this.#options.vanish(row, sink);
    }
  }

  #settle(index: number, name: string, sink: SampleSink): R | null {
    this.#changed = true;
    let row = this.#known.get(name);
    if (row === undefined) {
      row = this.#options.appear(name, sink);
      this.#known.set(name, row);
    }
    this.#names[index] = Buffer.from(name);
    this.#rows[index] = row;
    return row;
  }
}

/** Whether a name fits one of the patterns, in which `*` stands for any text. */
export function namePattern(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*');
    return new RegExp(`^${escaped}$`, 's');
  });
  return (name) => expressions.some((expression) => expression.test(name));
}
