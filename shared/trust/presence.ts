/** What an agent (or its will, by the broker) says on up/presence, from outside. */
import type { Presence } from './messages.ts';
import { invalid, objectOf, parseJson, textOf } from './strict.ts';

const HEX16 = /^[0-9a-f]{32}$/;
const PRESENCE_BYTES = 512;

/** Throws `payload.invalid`, `payload.too_large`. */
export function parsePresence(bytes: Uint8Array): Presence {
  const json = objectOf(parseJson(bytes, PRESENCE_BYTES, 'presence'), 'presence');
  const { online } = json;
  if (typeof online !== 'boolean') invalid('presence.online', 'is neither true nor false');
  return {
    online,
    boot: textOf(json.boot, 'presence.boot', 32, HEX16),
    epoch: textOf(json.epoch, 'presence.epoch', 32, HEX16),
  };
}
