/**
 * Which exports were made of this outbox, so that their replies are taken in the right order, however late they come.
 *
 * A reply may bring another incarnation of the central than the one that is believed in. Over the connection the rule
 * is that an incarnation is adopted only from an answer to what was sent after all that was answered before (design,
 * "Acknowledgement"). A file is answered days later, over restarts and boots, over which the numbers of envelopes do
 * not rise; so exports have a number of their own, kept with the records. A reply may replace the belief only if it
 * answers an export above all that were answered, be it by a reply or by a live answer to something sent later.
 */
import { limits } from '../../shared/limits.ts';
import { integerOf, listOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';
import type { Outbox } from '../outbox/outbox.ts';

const META = 'exports';
const META_BYTES = 8 * 1024;
/** Exports of this process that are remembered with their time. */
const REMEMBERED = 64;

interface Kept {
  /** 32 hex digits, drawn with the first export: an outbox that began anew has another one. */
  readonly series: string;
  /** Of the latest export. */
  readonly number: number;
  /** Exports up to this one replace no belief any more. */
  readonly answered: number;
  /** Hashes of tables that the central asked for by hand. */
  readonly need: readonly string[];
}

export interface ExportsOptions {
  readonly outbox: Pick<Outbox, 'getMeta' | 'setMeta' | 'flush'>;
  readonly random: (bytes: number) => Uint8Array;
  /** A value could not be kept. */
  readonly failed: (error: unknown) => void;
}

export class Exports {
  readonly #options: ExportsOptions;
  #kept: Kept | null;
  /** Of this process, with the monotonic time of their making. */
  #made: { readonly number: number; readonly atMs: number }[] = [];
  /** The latest export of the processes before. */
  readonly #before: number;

  private constructor(options: ExportsOptions, kept: Kept | null) {
    this.#options = options;
    this.#kept = kept;
    this.#before = kept?.number ?? 0;
  }

  static async open(options: ExportsOptions): Promise<Exports> {
    const bytes = await options.outbox.getMeta(META).catch(() => null);
    return new Exports(options, bytes === null ? null : readKept(bytes));
  }

  /** Tables that the next export brings though they were acknowledged. */
  get need(): readonly string[] {
    return this.#kept?.need ?? [];
  }

  /** Counts an export; resolves with what its file says when that is durable. */
  async begin(nowMs: number): Promise<{ readonly series: string; readonly number: number }> {
    const { random, outbox } = this.#options;
    const series = this.#kept?.series ?? Buffer.from(random(16)).toString('hex');
    const number = (this.#kept?.number ?? 0) + 1;
    this.#kept = { series, number, answered: this.#kept?.answered ?? 0, need: this.need };
    this.#made = [...this.#made.slice(-REMEMBERED + 1), { number, atMs: nowMs }];
    const kept = outbox.setMeta(META, encode(this.#kept));
    await outbox.flush();
    await kept;
    return { series, number };
  }

  /** The central answered over the connection what was sent at this monotonic time of this process. */
  heard(sentMs: number): void {
    if (this.#kept === null || this.#kept.answered >= this.#kept.number) return;
    let answered = Math.max(this.#kept.answered, this.#before);
    for (const { number, atMs } of this.#made) if (atMs < sentMs) answered = Math.max(answered, number);
    if (answered !== this.#kept.answered) this.#keep({ answered });
  }

  /** Whether a reply to this export may bring another incarnation. */
  mayReplace(series: string, number: number): boolean {
    return this.#kept !== null && series === this.#kept.series && number > this.#kept.answered;
  }

  /** The reply to this export was taken in, with the tables that it asks for. */
  taken(number: number, need: readonly string[]): void {
    if (this.#kept === null) return;
    const answered = Math.max(number, this.#kept.answered);
    this.#keep({ answered, need: need.slice(0, limits.needsPerAck) });
  }

  #keep(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept!, ...change };
    this.#options.outbox.setMeta(META, encode(this.#kept)).catch(this.#options.failed);
  }
}

function encode(kept: Kept): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(kept));
}

/** Null where it cannot be read: a new series begins. */
function readKept(bytes: Uint8Array): Kept | null {
  try {
    const json = objectOf(parseJson(bytes, META_BYTES, META), META);
    return {
      series: textOf(json.series, 'series', 32, /^[0-9a-f]{32}$/),
      number: integerOf(json.number, 'number'),
      answered: integerOf(json.answered, 'answered'),
      need: listOf(json.need, 'need', limits.needsPerAck, (item, at) => textOf(item, at, 16, /^[0-9a-f]{16}$/)),
    };
  } catch {
    return null;
  }
}
