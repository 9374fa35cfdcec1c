/**
 * What is read together, and what the device refuses of it. A refused block is halved; what is refused alone is bad, by
 * itself, and is asked for again now and then: a device may be given its module later.
 */
import { type Block, blocksOf, split } from './blocks.ts';
import { ModbusException } from './connection.ts';
import type { Entry } from './settings.ts';

const retryRefusedMs = 60_000;

export interface Reading {
  ask(block: Block): Promise<Buffer>;
  /** An entry's value lies in the data, `address - block.address` registers or bits from its start. */
  take(entry: Entry, data: Buffer, block: Block): void;
  /** The device refuses this entry; said at each reading. */
  refuse(entry: Entry, exception: ModbusException): void;
  /** Before each further request. */
  between(): Promise<void>;
  /** Whether there is time left to find out what of a block is refused; what is not found out now is left for later. */
  mayAskMore(): boolean;
}

export class Plan {
  #blocks: readonly Block[];
  readonly #refused = new Map<Entry, { readonly exception: ModbusException; againMs: number }>();

  constructor(entries: readonly Entry[], gap: number) {
    this.#blocks = blocksOf(entries, gap);
  }

  /** Whether the device answers to any of it. */
  get answers(): boolean {
    return this.#blocks.length > 0;
  }

  /** Reads all. Rejects where the device does not answer or answers rubbish. */
  async read(reading: Reading, nowMs: number): Promise<void> {
    const waiting = [...this.#blocks, ...this.#dueAgain(nowMs)];
    const kept: Block[] = [];
    let parted = false;
    let first = true;
    for (let block = waiting.shift(); block !== undefined; block = waiting.shift()) {
      if (parted && !reading.mayAskMore()) {
        kept.push(block);
        continue;
      }
      if (!first) await reading.between();
      first = false;
      try {
        const data = await reading.ask(block);
        for (const entry of block.entries) {
          this.#refused.delete(entry);
          reading.take(entry, data, block);
        }
        kept.push(block);
      } catch (error) {
        if (!(error instanceof ModbusException)) throw error;
        parted = true;
        if (block.entries.length > 1) waiting.unshift(...split(block));
        else this.#refused.set(block.entries[0]!, { exception: error, againMs: nowMs + retryRefusedMs });
      }
    }
    this.#blocks = kept;
    for (const [entry, { exception }] of this.#refused) reading.refuse(entry, exception);
  }

  #dueAgain(nowMs: number): Block[] {
    const due = [...this.#refused].filter(([, { againMs }]) => nowMs >= againMs).map(([entry]) => entry);
    return due.flatMap((entry) => blocksOf([entry], 0));
  }
}
