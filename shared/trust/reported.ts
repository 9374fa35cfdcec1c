/** What agents say on up/reported and up/get, from outside: bounded and checked before the central believes a field. */
import { limits } from '../limits.ts';
import { muteLimits, readMute } from '../mute.ts';
import { envelopeOf } from './envelope.ts';
import type { BesideReport, ChunkRequest, Reported, ReportedConfiguration, ReportedKeyList } from './messages.ts';
import { integerOf, listOf, numberOf, objectOf, parseJson, textOf } from './strict.ts';

/** Refusals that an agent reports, newest first. */
export const REPORTED_REFUSALS = 20;
const REPORTED_SLOTS = 64;
/** Comparisons of models at once; as many as an agent has slots. */
const REPORTED_BESIDE = 16;
/** Releases that an agent took back and remembers. */
export const REPORTED_REVERTED = 16;
/** Longest reason for it. */
export const REVERTED_TEXT = 300;
const REPORTED_COMMANDS = 256;
const REPORTED_FIGURES = 128;
const REPORTED_WARNINGS = 64;
const TEXT = 600;
const SHA256_PATTERN = /^[0-9a-f]{64}$/;

/** Throws `payload.too_large`, `payload.invalid`. */
export function parseReported(bytes: Uint8Array): Reported {
  const json = objectOf(parseJson(bytes, limits.controlBytes, 'reported'), 'reported');
  const health = Object.entries(objectOf(json.health ?? {}, 'reported.health')).slice(0, REPORTED_FIGURES);
  return {
    agentVersion: textOf(json.agentVersion, 'reported.agentVersion', 64),
    manifestVersion: integerOf(json.manifestVersion, 'reported.manifestVersion'),
    applied: listOf(json.applied, 'reported.applied', REPORTED_SLOTS, (item, at) => {
      const applied = objectOf(item, at);
      return {
        slot: textOf(applied.slot, `${at}.slot`, 65),
        releaseSha256: textOf(applied.releaseSha256, `${at}.releaseSha256`, 64, SHA256_PATTERN),
        appliedMs: numberOf(applied.appliedMs, `${at}.appliedMs`),
      };
    }),
    supports: listOf(json.supports, 'reported.supports', REPORTED_SLOTS, (item, at) => {
      const can = objectOf(item, at);
      return {
        kind: textOf(can.kind, `${at}.kind`, 65),
        major: integerOf(can.major, `${at}.major`),
        featureVersion: integerOf(can.featureVersion, `${at}.featureVersion`),
      };
    }),
    refusals: listOf(json.refusals, 'reported.refusals', REPORTED_REFUSALS, (item, at) => {
      const refusal = objectOf(item, at);
      return {
        what: textOf(refusal.what, `${at}.what`, 128),
        code: textOf(refusal.code, `${at}.code`, 64),
        message: textOf(refusal.message, `${at}.message`, TEXT),
        atMs: numberOf(refusal.atMs, `${at}.atMs`),
      };
    }),
    commandsDone: listOf(json.commandsDone, 'reported.commandsDone', REPORTED_COMMANDS, (id, at) => textOf(id, at, 64)),
    ...(json.beside === undefined
      ? {}
      : { beside: listOf(json.beside, 'reported.beside', REPORTED_BESIDE, readBeside) }),
    ...(json.reverted === undefined
      ? {}
      : {
          reverted: listOf(json.reverted, 'reported.reverted', REPORTED_REVERTED, (item, at) => {
            const one = objectOf(item, at);
            return {
              slot: textOf(one.slot, `${at}.slot`, 65),
              releaseSha256: textOf(one.releaseSha256, `${at}.releaseSha256`, 64, SHA256_PATTERN),
              reason: textOf(one.reason, `${at}.reason`, REVERTED_TEXT),
              atMs: numberOf(one.atMs, `${at}.atMs`),
            };
          }),
        }),
    health: Object.fromEntries(
      health.map(([name, value]) => [name.slice(0, 64), numberOf(value, `reported.health.${name.slice(0, 64)}`)]),
    ),
    warnings: listOf(json.warnings, 'reported.warnings', REPORTED_WARNINGS, (warning, at) => textOf(warning, at, TEXT)),
    ...(json.mutes === undefined ? {} : { mutes: listOf(json.mutes, 'reported.mutes', muteLimits.most, readMute) }),
    ...(json.keyList === undefined ? {} : { keyList: readKeyList(json.keyList, 'reported.keyList') }),
    ...(json.configuration === undefined
      ? {}
      : { configuration: readConfiguration(json.configuration, 'reported.configuration') }),
  };
}

function readConfiguration(value: unknown, where: string): ReportedConfiguration {
  const json = objectOf(value, where);
  return {
    managed: json.managed === true,
    version: integerOf(json.version, `${where}.version`),
    trial: json.trial === true,
    left: listOf(json.left, `${where}.left`, REPORTED_WARNINGS, (key, at) => textOf(key, at, 128)),
    ...(json.problem === undefined ? {} : { problem: textOf(json.problem, `${where}.problem`, TEXT) }),
  };
}

function readBeside(item: unknown, at: string): BesideReport {
  const json = objectOf(item, at);
  const count = (name: string): number => integerOf(json[name], `${at}.${name}`);
  const figure = (name: string): number => numberOf(json[name], `${at}.${name}`, 0);
  return {
    slot: textOf(json.slot, `${at}.slot`, 65),
    mainSha256: textOf(json.mainSha256, `${at}.mainSha256`, 64, SHA256_PATTERN),
    besideSha256: textOf(json.besideSha256, `${at}.besideSha256`, 64, SHA256_PATTERN),
    windows: count('windows'),
    agreed: count('agreed'),
    mainFindings: count('mainFindings'),
    besideFindings: count('besideFindings'),
    mainOutside: count('mainOutside'),
    besideOutside: count('besideOutside'),
    mainBits: figure('mainBits'),
    besideBits: figure('besideBits'),
    mainMs: figure('mainMs'),
    besideMs: figure('besideMs'),
    ...(json.dropped === undefined ? {} : { dropped: textOf(json.dropped, `${at}.dropped`, REVERTED_TEXT) }),
  };
}

function readKeyList(value: unknown, where: string): ReportedKeyList {
  const json = objectOf(value, where);
  return {
    version: integerOf(json.version, `${where}.version`, 1),
    sha256: textOf(json.sha256, `${where}.sha256`, 64, SHA256_PATTERN),
    ...(json.envelope === undefined ? {} : { envelope: envelopeOf(json.envelope, `${where}.envelope`) }),
  };
}

/** Throws `payload.too_large`, `payload.invalid`. */
export function parseChunkRequest(bytes: Uint8Array): ChunkRequest {
  const json = objectOf(parseJson(bytes, 1024, 'chunk request'), 'chunk request');
  return {
    sha256: textOf(json.sha256, 'chunk request.sha256', 64, SHA256_PATTERN),
    index: integerOf(json.index, 'chunk request.index', 0, Math.ceil(limits.blobBytes / limits.chunkBytes)),
  };
}
