/**
 * What rules keep over a restart, as JSON in the outbox: what fires, so that it is neither told twice nor forgotten, and
 * which states were once well (`was`). Read back as carefully as if it came from outside.
 */
import { limits } from '../../shared/limits.ts';
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import { listOf, numberOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';

/** Firings that survive; each takes some 300 bytes. */
const MOST_SAVED = 128;
/** The outbox keeps 64 KB under one name. */
const SAVED_BYTES = 60 * 1024;

export interface SavedFiring {
  readonly rule: string;
  readonly id: SeriesId;
  readonly key: SeriesKey;
  /** By the best estimate of UTC: monotonic time begins anew with each boot. */
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly seen: number | null;
  readonly limit: number | null;
}

export interface SavedRules {
  readonly firing: readonly SavedFiring[];
  /** `RULE/SERIES` of states that were well. */
  readonly well: readonly string[];
}

/** In the order that is given, as far as there is room. */
export function encodeRules({ firing, well }: SavedRules): Uint8Array {
  for (let kept = MOST_SAVED; ; kept >>= 1) {
    const saved: SavedRules = { firing: firing.slice(0, kept), well: well.slice(0, 2 * kept) };
    const bytes = new TextEncoder().encode(JSON.stringify(saved));
    if (bytes.length <= SAVED_BYTES || kept === 0) return bytes;
  }
}

/** Throws `payload.invalid`, `payload.too_large`. */
export function decodeRules(bytes: Uint8Array): SavedRules {
  const json = objectOf(parseJson(bytes, SAVED_BYTES, 'rules'), 'rules');
  return {
    firing: listOf(json.firing, 'rules.firing', MOST_SAVED, (item, at) => {
      const firing = objectOf(item, at);
      return {
        rule: textOf(firing.rule, `${at}.rule`, 64),
        id: textOf(firing.id, `${at}.id`, 16, /^[0-9a-f]{16}$/),
        key: readKey(firing.key, `${at}.key`),
        sinceMs: numberOf(firing.sinceMs, `${at}.sinceMs`),
        lastMs: numberOf(firing.lastMs, `${at}.lastMs`),
        seen: firing.seen === null ? null : numberOf(firing.seen, `${at}.seen`),
        limit: firing.limit === null ? null : numberOf(firing.limit, `${at}.limit`),
      };
    }),
    well: listOf(json.well, 'rules.well', 2 * MOST_SAVED, (item, at) => textOf(item, at, 100)),
  };
}

function readKey(value: unknown, at: string): SeriesKey {
  const key = objectOf(value, at);
  const attributes = Object.entries(objectOf(key.attributes, `${at}.attributes`)).slice(0, limits.attributesPerSeries);
  return {
    name: textOf(key.name, `${at}.name`, limits.seriesTextBytes),
    unit: textOf(key.unit, `${at}.unit`, limits.seriesTextBytes),
    attributes: Object.fromEntries(attributes.map(([name, text]) => [name, textOf(text, at, limits.seriesTextBytes)])),
  };
}
