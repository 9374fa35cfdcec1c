/**
 * What went over the uplink in the last 30 days, in slots of six hours, and how much may still go.
 *
 * Rolling, not by the calendar: a month that begins on the day of the bill would let twice the budget pass within a few
 * days. 121 slots always cover 30 days wholly, the open one included, so that no 30 days pass the limit while `used`
 * does not. Time is the agent's own count of it (`budget.ts`): it never goes back, however the wall clock is set.
 */
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import { ByteReader, ByteWriter } from '../../shared/wire/bytes.ts';

export const SLOT_MS = 6 * HOUR_MS;
export const MONTH_MS = 30 * DAY_MS;
const SLOTS = MONTH_MS / SLOT_MS + 1;
const VERSION = 1;

export class Month {
  /** The oldest first; the last is open. */
  readonly #slots = new Float64Array(SLOTS);
  #newest: number;
  #used = 0;

  constructor(nowMs: number) {
    this.#newest = Math.floor(nowMs / SLOT_MS);
  }

  spend(sizeBytes: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#slots[SLOTS - 1] = this.#slots[SLOTS - 1]! + sizeBytes;
    this.#used += sizeBytes;
  }

  used(nowMs: number): number {
    this.#advance(nowMs);
    return this.#used;
  }

  /**
   * Bytes that may go now beside a steady need, so that no 30 days will pass the limit: the least, over the coming 30
   * days, of what the limit leaves above what will not be forgotten by then and the need until then. Below 0: the need
   * is too high. The first day is left out: a slot that was full must not stop what can be made up for in time.
   */
  spare(limitBytes: number, needBytesPerS: number, nowMs: number): number {
    this.#advance(nowMs);
    let remaining = this.#used;
    let least = Number.POSITIVE_INFINITY;
    for (let ahead = 1; ahead < SLOTS; ahead++) {
      remaining -= this.#slots[ahead - 1]!;
      const aheadMs = ahead * SLOT_MS;
      if (aheadMs < DAY_MS) continue;
      least = Math.min(least, limitBytes - remaining - (needBytesPerS * aheadMs) / 1000);
    }
    return least;
  }

  encode(): Uint8Array {
    const writer = new ByteWriter(SLOTS * 4 + 16);
    writer.byte(VERSION);
    writer.float64(this.#newest);
    for (const slot of this.#slots) writer.varint(Math.ceil(slot));
    return writer.finish();
  }

  /** Throws `payload.invalid`. */
  static decode(bytes: Uint8Array): Month {
    const reader = new ByteReader(bytes, 'uplink month');
    if (reader.byte() !== VERSION) reader.fail('its layout is unknown');
    const newest = reader.float64();
    if (!Number.isSafeInteger(newest) || newest < 0) reader.fail('its time is none');
    const month = new Month(newest * SLOT_MS);
    for (let i = 0; i < SLOTS; i++) month.#slots[i] = reader.varint();
    reader.end();
    month.#used = month.#slots.reduce((sum, slot) => sum + slot, 0);
    return month;
  }

  #advance(nowMs: number): void {
    const slot = Math.floor(nowMs / SLOT_MS);
    const by = Math.min(SLOTS, slot - this.#newest);
    if (by <= 0) return;
    this.#slots.copyWithin(0, by);
    this.#slots.fill(0, SLOTS - by);
    this.#newest = slot;
    this.#used = this.#slots.reduce((sum, bytes) => sum + bytes, 0);
  }
}
