/** Schemas of the keys. */
import { flag, integer, list, object, oneOf, text, timeMs, timeMsOrNull } from './schema-parts.ts';

const role = oneOf('root', 'model', 'configuration', 'rollout', 'command');

export const envelopeSchema = object({
  payloadType: { ...text, maxLength: 128 },
  payload: { ...text, description: 'base64 of the exact bytes that are signed' },
  signatures: { ...list(object({ keyid: { ...text, maxLength: 16 }, sig: { ...text, maxLength: 128 } })), maxItems: 8 },
});

export const keysSchemas = {
  KeysState: object({
    version: { ...integer, description: 'of the list in force' },
    madeMs: timeMsOrNull,
    keys: list(
      object({
        role: text,
        keyid: text,
        publicKey: { ...text, description: 'raw ed25519 public key, base64' },
        state: oneOf('in force', 'joining', 'leaving', 'waiting', 'expired'),
        here: { ...flag, description: 'the private part is in the data directory' },
        notBeforeMs: timeMsOrNull,
        notAfterMs: timeMsOrNull,
        acceptedBy: { ...integer, description: 'machines whose list has it' },
      }),
    ),
    machines: { ...integer, description: 'that ever reported' },
    behind: list(object({ agent: text, version: { type: ['integer', 'null'] } }), 'machines that have an older list'),
    waiting: object({ list: flag, releases: integer }),
  }),
  KeysRequest: object({
    madeMs: timeMs,
    items: list(object({ payloadType: text, payload: text, keyids: list(text), about: text })),
  }),
} as const;

export const rotateBody = object(
  {
    role,
    now: { ...flag, description: 'drop the key before it at once' },
    publicKey: { ...text, maxLength: 64, description: 'of a key that was made elsewhere' },
    notAfterMs: timeMs,
  },
  ['now', 'publicKey', 'notAfterMs'],
);
export const offlineBody = object({ role });
