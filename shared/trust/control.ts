/** Presence and reported state, JSON on the control topics, read field by field. */
import { limits } from '../limits.ts';
import type { Presence, Reported } from './messages.ts';
import { integerOf, invalid, type JsonObject, listOf, numberOf, objectOf, parseJson, textOf } from './strict.ts';

const HEX16 = /^[0-9a-f]{32}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const PRESENCE_BYTES = 512;
const SLOTS = 16;
const KINDS = 64;
const REFUSALS = 20;
const COMMANDS = 64;
const HEALTH_VALUES = 64;
const WARNINGS = 32;
const WORD = 128;
const SENTENCE = 500;

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

/** Throws `payload.invalid`, `payload.too_large`. */
export function parseReported(bytes: Uint8Array): Reported {
  const json = objectOf(parseJson(bytes, limits.controlBytes, 'reported'), 'reported');
  return {
    agentVersion: textOf(json.agentVersion, 'reported.agentVersion', WORD),
    manifestVersion: integerOf(json.manifestVersion, 'reported.manifestVersion'),
    applied: listOf(json.applied, 'reported.applied', SLOTS, (item, where) => {
      const applied = objectOf(item, where);
      return {
        slot: textOf(applied.slot, `${where}.slot`, WORD),
        releaseSha256: textOf(applied.releaseSha256, `${where}.releaseSha256`, 64, SHA256),
        appliedMs: numberOf(applied.appliedMs, `${where}.appliedMs`),
      };
    }),
    supports: listOf(json.supports, 'reported.supports', KINDS, (item, where) => {
      const kind = objectOf(item, where);
      return {
        kind: textOf(kind.kind, `${where}.kind`, WORD),
        major: integerOf(kind.major, `${where}.major`),
        featureVersion: integerOf(kind.featureVersion, `${where}.featureVersion`),
      };
    }),
    refusals: listOf(json.refusals, 'reported.refusals', REFUSALS, (item, where) => {
      const refusal = objectOf(item, where);
      return {
        what: textOf(refusal.what, `${where}.what`, SENTENCE),
        code: textOf(refusal.code, `${where}.code`, WORD),
        message: textOf(refusal.message, `${where}.message`, SENTENCE),
        atMs: numberOf(refusal.atMs, `${where}.atMs`),
      };
    }),
    commandsDone: listOf(json.commandsDone, 'reported.commandsDone', COMMANDS, (item, where) =>
      textOf(item, where, WORD),
    ),
    health: healthOf(objectOf(json.health, 'reported.health')),
    warnings: listOf(json.warnings, 'reported.warnings', WARNINGS, (item, where) => textOf(item, where, SENTENCE)),
  };
}

function healthOf(json: JsonObject): Reported['health'] {
  const entries = Object.entries(json);
  if (entries.length > HEALTH_VALUES) invalid('reported.health', `has more than ${HEALTH_VALUES} values`);
  return Object.fromEntries(
    entries.map(([name, value]) => [textOf(name, 'reported.health', WORD), numberOf(value, 'reported.health')]),
  );
}
