/** Envelopes that were sent and wait for their answer. */
import type { Timers } from '../../shared/clock.ts';
import type { Entry } from '../outbox/outbox.ts';

export interface Flight {
  readonly epoch: string;
  /** Empty in an envelope that only asks whether anybody answers. */
  readonly seqs: readonly number[];
  /** Its one record has not been answered so often that it goes alone. */
  readonly alone: boolean;
  /** Of the envelope that was sent right behind one that is alone; whether that was answered. */
  witness: number;
  witnessed: boolean;
  /** Resolves when it waits no more. */
  readonly over: Promise<void>;
}

interface Waiting extends Flight {
  readonly timer: unknown;
  readonly land: () => void;
}

export class Flights {
  readonly #timers: Timers;
  readonly #byNumber = new Map<number, Waiting>();
  readonly #seqs = new Set<string>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Those with records. */
  get count(): number {
    let count = 0;
    for (const { seqs } of this.#byNumber.values()) if (seqs.length > 0) count++;
    return count;
  }

  get aloneFlies(): boolean {
    for (const { alone } of this.#byNumber.values()) if (alone) return true;
    return false;
  }

  holds({ epoch, seq }: Entry): boolean {
    return this.#seqs.has(`${epoch}/${seq}`);
  }

  /** Envelope `n` waits from now on; after `timeoutMs` without an answer `late` is called once. */
  start(
    n: number,
    epoch: string,
    batch: readonly Entry[],
    alone: boolean,
    timeoutMs: number,
    late: () => void,
  ): Flight {
    const { promise: over, resolve: land } = Promise.withResolvers<void>();
    const seqs = batch.map(({ seq }) => seq);
    const timer = this.#timers.after(timeoutMs, late);
    const flight: Waiting = { epoch, seqs, alone, witness: 0, witnessed: false, timer, over, land };
    this.#byNumber.set(n, flight);
    for (const seq of seqs) this.#seqs.add(`${epoch}/${seq}`);
    return flight;
  }

  /** It waits no more, whatever the reason; undefined where it did not. */
  land(n: number): Flight | undefined {
    const flight = this.#byNumber.get(n);
    if (flight === undefined) return undefined;
    this.#byNumber.delete(n);
    this.#timers.cancel(flight.timer);
    for (const seq of flight.seqs) this.#seqs.delete(`${flight.epoch}/${seq}`);
    flight.land();
    return flight;
  }

  landAll(): void {
    for (const n of [...this.#byNumber.keys()]) this.land(n);
  }

  /** Envelope `n` was answered: what was sent right before it has been dealt with. */
  answered(n: number): void {
    for (const flight of this.#byNumber.values()) if (flight.witness === n) flight.witnessed = true;
  }
}
