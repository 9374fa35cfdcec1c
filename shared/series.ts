/**
 * What a series is: a metric name with unit and attributes. Its identity is the first 8 bytes of SHA-256 over name,
 * unit and byte-sorted attributes, without `host.*` (see `trust/hash.ts`), so that it is equal on all agents, in the
 * store, in models and in the API.
 */
export interface SeriesKey {
  /** OpenTelemetry's name, or the operator's for a device: `system.cpu.utilization`. */
  readonly name: string;
  /** UCUM: `1`, `By`, `By/s`, `Cel`. */
  readonly unit: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** 16 lower-case hex digits. */
export type SeriesId = string;

/** A small number that an agent gives a series while it runs; index into every typed array of the hot path. */
export type SeriesNumber = number;

/** Quality of a value, as OPC UA and Sparkplug have it, in three steps. */
export const Quality = { good: 0, stale: 1, bad: 2 } as const;
export type Quality = (typeof Quality)[keyof typeof Quality];

/** How a raw reading becomes the series' value. */
export interface SeriesDefinition extends SeriesKey {
  /**
   * `gauge`: the reading times `scale`. `counter`: the rate a second of the reading times `scale`; `unit` is then the
   * unit of the rate (`By/s`), and resets and wraps are told apart by preprocess.
   */
  readonly kind: 'gauge' | 'counter';
  /** Factor from the raw reading's unit to `unit`; default 1. */
  readonly scale?: number;
  /** Where a counter wraps, in bits of the raw reading: 32 or 64; default 64. */
  readonly wrapBits?: 32 | 64;
  /** Physical bounds of the value; outside them the quality is bad. */
  readonly min?: number;
  readonly max?: number;
  /** True where a steady value is the rule (a total, a limit, a state): stuck says nothing then. */
  readonly steady?: boolean;
  /** A share of a resource at which nothing of it is left: 1 where it says what is used, 0 where it says what is free. */
  readonly full?: 0 | 1;
  /**
   * Of a stock, which fills or empties over time (a disk, a battery, a tank; not a rate such as time in use): the value
   * at which it is full, and at which nothing of it is left. Where one is said it is told ahead when it is reached.
   */
  readonly fullAt?: number;
  readonly emptyAt?: number;
  /** Seconds that are left of something which ends by itself (a certificate): its own forecast. */
  readonly countdown?: true;
  /**
   * Worked out from other series, or from the clock (a time since): told and held against rules, but neither detectors
   * nor models judge it.
   */
  readonly derived?: true;
  /** How often it is expected, in milliseconds; default the input's interval. */
  readonly intervalMs?: number;
}

/** The bytes that the identity is a hash of: name, unit, attributes; each length-prefixed, so that nothing runs over. */
export function canonicalSeriesBytes(key: SeriesKey): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [encoder.encode(key.name), encoder.encode(key.unit)];
  const attributes = Object.entries(key.attributes)
    .filter(([name]) => !name.startsWith('host.'))
    .map(([name, value]) => [encoder.encode(name), encoder.encode(value)] as const)
    .sort((a, b) => compareBytes(a[0], b[0]));
  for (const [name, value] of attributes) parts.push(name, value);
  const size = parts.reduce((sum, part) => sum + 2 + part.length, 0);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint16(at, part.length);
    out.set(part, at + 2);
    at += 2 + part.length;
  }
  return out;
}

/** Byte order of two byte strings, as memcmp and LevelDB have it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** `name{key="value",…}`, for people and messages. */
export function formatSeries(key: SeriesKey): string {
  const attributes = Object.entries(key.attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value}"`);
  return attributes.length === 0 ? key.name : `${key.name}{${attributes.join(',')}}`;
}
