/**
 * What an agent believes: pure decisions over signed documents (design, "Models": signed in two layers).
 *
 *   root key (pinned) ── signs ──► key list ──► rollout key ── signs ──► manifest (version floor, names releases)
 *                                           ├─► model key   ── signs ──► release  (names content by hash)
 *                                           ├─► configuration key ─► release of that kind
 *                                           └─► command key ── signs ──► command
 *
 * Each function returns a document that is parsed, bounded and fit for this agent, or throws with the code and the
 * reason that the central will show. Expiry is judged by the latest central time ever heard; without one (`nowMs`
 * null) the version floor alone decides.
 */
import { PicketError } from '../errors.ts';
import { DAY_MS, HOUR_MS, ID_PATTERN, limits } from '../limits.ts';
import { readMuteRequest, readUnmute } from '../mute.ts';
import { envelopeOf } from './envelope.ts';
import { isoTime, verifyBy } from './key-list.ts';
import {
  type Command,
  type KeyList,
  type Manifest,
  type ManifestRelease,
  payloadTypes,
  type Release,
  type SignedEnvelope,
} from './messages.ts';
import { constantOf, integerOf, invalid, listOf, numberOf, objectOf, parseJson, textOf } from './strict.ts';

/** No fleet's budget is larger. */
const MOST_PER_WEEK = 10_000;
const COHORTS_PER_AGENT = 16;
const RELEASES_PER_MANIFEST = 16;
/** A release is a page of JSON; its content is another blob. */
export const RELEASE_BYTES = 16 * 1024;
/** A command lives for minutes: done ids need not be remembered for longer. */
export const COMMAND_LIFE_MS = HOUR_MS;
/** The longest span that `fetch` may ask for. */
const FETCH_SPAN_MS = DAY_MS;

const SHA256_PATTERN = /^[0-9a-f]{64}$/;
const SLOT_PATTERN = /^[a-z0-9]{1,32}(\/[a-z0-9-]{1,32})?$/;
const TARGET_PATTERN = /^(agent|cohort):[A-Za-z0-9_-]{1,64}$/;
const SERIES_PATTERN = /^[0-9a-f]{16}$/;

/** What an agent can run; the shape of `Reported.supports`. */
export interface Supported {
  readonly kind: string;
  readonly major: number;
  readonly featureVersion: number;
}

export interface ManifestContext {
  readonly agent: string;
  /** Version of the highest manifest that was ever accepted; 0 before the first. */
  readonly floor: number;
  readonly keys: KeyList;
  readonly nowMs: number | null;
}

export interface ReleaseContext {
  readonly agent: string;
  /** Of the manifest. */
  readonly cohorts: readonly string[];
  readonly keys: KeyList;
  readonly supports: readonly Supported[];
  readonly nowMs: number | null;
}

/** The key list that a manifest carries, before anything of it is believed; null where it has none. */
export function carriedKeys(manifest: SignedEnvelope): SignedEnvelope | null {
  const bytes = Buffer.from(manifest.payload, 'base64');
  const json = objectOf(parseJson(bytes, limits.controlBytes, 'manifest'), 'manifest');
  return json.keys === undefined ? null : envelopeOf(json.keys, 'manifest.keys');
}

/**
 * A manifest for this agent, above its floor, not expired, signed by a rollout key. `signed` hears of one the signature
 * of which holds before the rest is judged.
 */
export function verifyManifest(
  envelope: SignedEnvelope,
  context: ManifestContext,
  signed?: (manifest: Manifest) => void,
): Manifest {
  const payload = verifyBy(envelope, payloadTypes.manifest, context.keys, ['rollout'], context.nowMs);
  const manifest = parseManifest(payload);
  signed?.(manifest);
  const name = `manifest ${manifest.version}`;
  if (manifest.agent !== context.agent) {
    throw new PicketError('manifest.misaddressed', `${name} is for agent ${manifest.agent}, not for ${context.agent}`);
  }
  if (manifest.version <= context.floor) {
    throw new PicketError('manifest.not_newer', `${name} is not above the floor ${context.floor}`);
  }
  if (context.nowMs !== null && manifest.notAfterMs < context.nowMs) {
    throw new PicketError('manifest.expired', `${name} expired at ${isoTime(manifest.notAfterMs)}`);
  }
  return manifest;
}

/** Whose signature a release of this kind needs. */
export function roleOfRelease(kind: string): 'model' | 'configuration' {
  return kind === 'config' || kind.startsWith('config/') ? 'configuration' : 'model';
}

/** A release for this agent that its manifest names and that it can run, signed by a key for its kind. */
export function verifyRelease(envelope: SignedEnvelope, entry: ManifestRelease, context: ReleaseContext): Release {
  const { keys, nowMs } = context;
  const payload = verifyBy(envelope, payloadTypes.release, keys, ['model', 'configuration'], nowMs);
  const release = parseRelease(payload);
  // What it is decides who may say so.
  verifyBy(envelope, payloadTypes.release, keys, [roleOfRelease(release.kind)], nowMs);
  const name = `release ${entry.releaseSha256.slice(0, 12)}`;
  if (release.kind !== entry.slot) {
    throw new PicketError('manifest.misaddressed', `${name} is of kind ${release.kind}, not for slot ${entry.slot}`);
  }
  const targets = [`agent:${context.agent}`, ...context.cohorts.map((cohort) => `cohort:${cohort}`)];
  if (!targets.includes(release.target)) {
    throw new PicketError('manifest.misaddressed', `${name} is for ${release.target}, not for ${targets.join(' or ')}`);
  }
  const runs = context.supports.some(
    (can) => can.kind === release.kind && can.major === release.major && can.featureVersion === release.featureVersion,
  );
  if (!runs) {
    throw new PicketError(
      'manifest.unsupported',
      `${name} needs ${release.kind} ${release.major} on features ${release.featureVersion}, which this agent lacks`,
    );
  }
  return release;
}

/** A release that was verified when it came, read again from this agent's own disk. */
export function readRelease(envelope: SignedEnvelope): Release {
  return parseRelease(Buffer.from(envelope.payload, 'base64'));
}

/** A command for this agent that has not expired, signed by a command key. Doing it once is the caller's part. */
export function verifyCommand(
  envelope: SignedEnvelope,
  context: { readonly agent: string; readonly keys: KeyList; readonly nowMs: number },
): Command {
  const payload = verifyBy(envelope, payloadTypes.command, context.keys, ['command'], context.nowMs);
  const command = parseCommand(payload);
  const name = `command ${command.id}`;
  if (command.agent !== context.agent) {
    throw new PicketError('manifest.misaddressed', `${name} is for agent ${command.agent}, not for ${context.agent}`);
  }
  if (command.expiresMs <= context.nowMs) {
    throw new PicketError('manifest.expired', `${name} expired at ${isoTime(command.expiresMs)}`);
  }
  if (command.expiresMs > context.nowMs + COMMAND_LIFE_MS) {
    throw new PicketError('payload.invalid', `${name} lives longer than ${COMMAND_LIFE_MS / HOUR_MS} h from now`);
  }
  return command;
}

function parseManifest(payload: Uint8Array): Manifest {
  const json = objectOf(parseJson(payload, limits.controlBytes, 'manifest'), 'manifest');
  const releases = releasesOf(json.releases, 'manifest.releases');
  return {
    manifest: constantOf(json.manifest, 'manifest.manifest', 1),
    agent: textOf(json.agent, 'manifest.agent', 64, ID_PATTERN),
    version: integerOf(json.version, 'manifest.version', 1),
    madeMs: integerOf(json.madeMs, 'manifest.madeMs'),
    notAfterMs: integerOf(json.notAfterMs, 'manifest.notAfterMs'),
    cohorts: listOf(json.cohorts, 'manifest.cohorts', COHORTS_PER_AGENT, (item, at) =>
      textOf(item, at, 64, ID_PATTERN),
    ),
    releases,
    ...(json.shadows === undefined ? {} : { shadows: releasesOf(json.shadows, 'manifest.shadows') }),
    ...(json.notificationsPerWeek === undefined
      ? {}
      : {
          notificationsPerWeek: numberOf(json.notificationsPerWeek, 'manifest.notificationsPerWeek', 0, MOST_PER_WEEK),
        }),
    ...(json.keys === undefined ? {} : { keys: envelopeOf(json.keys, 'manifest.keys') }),
  };
}

function releasesOf(value: unknown, where: string): readonly ManifestRelease[] {
  const releases = listOf(value, where, RELEASES_PER_MANIFEST, (item, at) => {
    const entry = objectOf(item, at);
    return {
      slot: textOf(entry.slot, `${at}.slot`, 65, SLOT_PATTERN),
      releaseSha256: textOf(entry.releaseSha256, `${at}.releaseSha256`, 64, SHA256_PATTERN),
      releaseBytes: integerOf(entry.releaseBytes, `${at}.releaseBytes`, 1, RELEASE_BYTES),
    };
  });
  if (new Set(releases.map((entry) => entry.slot)).size !== releases.length) invalid(where, 'names a slot twice');
  return releases;
}

function parseRelease(payload: Uint8Array): Release {
  const json = objectOf(parseJson(payload, RELEASE_BYTES, 'release'), 'release');
  return {
    release: constantOf(json.release, 'release.release', 1),
    kind: textOf(json.kind, 'release.kind', 65, SLOT_PATTERN),
    major: integerOf(json.major, 'release.major', 0, 1000),
    featureVersion: integerOf(json.featureVersion, 'release.featureVersion', 0, 1000),
    windowMs: integerOf(json.windowMs, 'release.windowMs', 0, DAY_MS),
    target: textOf(json.target, 'release.target', 71, TARGET_PATTERN),
    contentSha256: textOf(json.contentSha256, 'release.contentSha256', 64, SHA256_PATTERN),
    contentBytes: integerOf(json.contentBytes, 'release.contentBytes', 1, limits.blobBytes),
    madeMs: integerOf(json.madeMs, 'release.madeMs'),
    note: textOf(json.note, 'release.note', 1000),
  };
}

function parseCommand(payload: Uint8Array): Command {
  const json = objectOf(parseJson(payload, limits.controlBytes, 'command'), 'command');
  return {
    command: constantOf(json.command, 'command.command', 1),
    id: textOf(json.id, 'command.id', 64, ID_PATTERN),
    agent: textOf(json.agent, 'command.agent', 64, ID_PATTERN),
    madeMs: integerOf(json.madeMs, 'command.madeMs'),
    expiresMs: integerOf(json.expiresMs, 'command.expiresMs'),
    what: parseWhat(objectOf(json.what, 'command.what')),
  };
}

function parseWhat(what: Readonly<Record<string, unknown>>): Command['what'] {
  if (what.watch !== undefined) return { watch: seriesList(what.watch, 'command.what.watch') };
  if (what.mute !== undefined) return { mute: readMuteRequest(what.mute, 'command.what.mute') };
  if (what.unmute !== undefined) return { unmute: readUnmute(what.unmute, 'command.what.unmute') };
  if (what.fetch === undefined) {
    throw new PicketError('manifest.unsupported', `the command asks for ${Object.keys(what).join(', ').slice(0, 80)}`);
  }
  const fetch = objectOf(what.fetch, 'command.what.fetch');
  const fromMs = integerOf(fetch.fromMs, 'command.what.fetch.fromMs');
  return {
    fetch: {
      series: seriesList(fetch.series, 'command.what.fetch.series'),
      fromMs,
      toMs: integerOf(fetch.toMs, 'command.what.fetch.toMs', fromMs, fromMs + FETCH_SPAN_MS),
    },
  };
}

function seriesList(value: unknown, where: string): readonly string[] {
  return listOf(value, where, limits.watchedSeries, (item, at) => textOf(item, at, 16, SERIES_PATTERN));
}
