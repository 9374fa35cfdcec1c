/**
 * When a record was made, in the central's time. For each boot of an agent an offset from its monotonic clock is
 * fitted from live envelopes: the smallest difference between arrival and sending is the one with the least delay on
 * the way. It is the smallest of the last one to two hours, since an oscillator that runs 20 ppm slow is off by a
 * minute after a month. Order of belief: live offset; trusted wall time; the wall time as it is, marked as a guess.
 */
import { HOUR_MS } from '../shared/limits.ts';
import type { EdgeRecord } from '../shared/wire/record.ts';

/** Boots of one agent whose offsets are kept in memory. */
const BOOTS = 64;

interface Offset {
  /** Smallest of the hour before, and of the hour that began at `sinceMs`. */
  readonly beforeMs: number;
  readonly nowMs: number;
  readonly sinceMs: number;
}

export interface Dated {
  readonly timeMs: number;
  readonly dated: boolean;
}

export class BootOffsets {
  readonly #byAgent = new Map<string, Map<string, Offset>>();

  /** An envelope of this boot was sent at `sentMonotonicMs` and came at `receivedMs`. */
  heard(agent: string, bootId: string, sentMonotonicMs: number, receivedMs: number): void {
    let boots = this.#byAgent.get(agent);
    if (boots === undefined) {
      boots = new Map();
      this.#byAgent.set(agent, boots);
    }
    const offsetMs = receivedMs - sentMonotonicMs;
    const known = boots.get(bootId);
    boots.delete(bootId);
    if (known === undefined) boots.set(bootId, { beforeMs: offsetMs, nowMs: offsetMs, sinceMs: receivedMs });
    else if (Math.abs(receivedMs - known.sinceMs) > HOUR_MS) {
      boots.set(bootId, { beforeMs: known.nowMs, nowMs: offsetMs, sinceMs: receivedMs });
    } else boots.set(bootId, { ...known, nowMs: Math.min(known.nowMs, offsetMs) });
    if (boots.size > BOOTS) boots.delete(boots.keys().next().value!);
  }

  /** UTC minus monotonic time of a boot, or null where none of its envelopes was ever heard live. */
  offsetMs(agent: string, bootId: string): number | null {
    const offset = this.#byAgent.get(agent)?.get(bootId);
    return offset === undefined ? null : Math.min(offset.beforeMs, offset.nowMs);
  }

  /** @param monotonicMs the time of interest, default that of the record's making */
  date(agent: string, record: EdgeRecord, monotonicMs = record.monotonicMs, wallMs = record.wallMs): Dated {
    const offsetMs = this.offsetMs(agent, record.bootId);
    if (offsetMs !== null) return { timeMs: Math.round(monotonicMs + offsetMs), dated: true };
    return { timeMs: wallMs, dated: record.wallTrusted === 'yes' };
  }
}
