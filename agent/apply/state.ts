/** What the apply stage keeps on disk, read back as carefully as if it came from outside. */
import { limits } from '../../shared/limits.ts';
import { envelopeOf } from '../../shared/trust/envelope.ts';
import type { ManifestRelease, RevertedRelease, SignedEnvelope } from '../../shared/trust/messages.ts';
import { REPORTED_REVERTED, REVERTED_TEXT } from '../../shared/trust/reported.ts';
import {
  integerOf,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  parseJson,
  textOf,
} from '../../shared/trust/strict.ts';

const SLOTS = 16;
const SHA256 = /^[0-9a-f]{64}$/;

export interface AppliedRelease {
  readonly releaseSha256: string;
  readonly contentSha256: string;
  readonly appliedMs: number;
}

interface Trial {
  readonly releaseSha256: string;
  readonly starts: number;
  /** Memory in use before it first ran; null where it was not counted. */
  readonly beforeBytes: number | null;
}

export interface ApplyState {
  /** Id of the root key, and the agent, that all below was signed for. */
  readonly root: string;
  readonly agent: string;
  /** Version of the highest manifest that was ever accepted. */
  readonly floor: number;
  /** Of the desired manifest's bytes; it comes again with each connection. */
  readonly manifestSha256: string | null;
  readonly desired: {
    readonly cohorts: readonly string[];
    readonly releases: readonly ManifestRelease[];
    readonly shadows: readonly ManifestRelease[];
  } | null;
  readonly keys: SignedEnvelope | null;
  /** Share of the fleet's notifications; null before a manifest said one. */
  readonly notificationsPerWeek: number | null;
  readonly slots: Readonly<
    Record<string, { readonly current: AppliedRelease; readonly previous: AppliedRelease | null }>
  >;
  /** What runs beside, by slot. */
  readonly shadows: Readonly<Record<string, AppliedRelease>>;
  /** What is on trial, by slot, with the starts of the process since it last was quiet. */
  readonly trials: Readonly<Record<string, Trial>>;
  /** What this agent took back, newest first: it runs none of them again. */
  readonly reverted: readonly RevertedRelease[];
}

export function emptyApplyState(root: string, agent: string): ApplyState {
  return {
    root,
    agent,
    floor: 0,
    manifestSha256: null,
    desired: null,
    keys: null,
    notificationsPerWeek: null,
    slots: {},
    shadows: {},
    trials: {},
    reverted: [],
  };
}

/** Throws `payload.invalid`, `payload.too_large`. */
export function readApplyState(bytes: Uint8Array): ApplyState {
  const json = objectOf(parseJson(bytes, 4 * limits.controlBytes, 'apply state'), 'apply state');
  const slots = Object.entries(objectOf(json.slots, 'slots')).slice(0, SLOTS);
  return {
    root: textOf(json.root, 'root', 16),
    agent: textOf(json.agent, 'agent', 64),
    floor: integerOf(json.floor, 'floor'),
    manifestSha256: json.manifestSha256 === null ? null : textOf(json.manifestSha256, 'manifestSha256', 64, SHA256),
    desired: json.desired === null ? null : readDesired(objectOf(json.desired, 'desired')),
    keys: json.keys === null ? null : envelopeOf(json.keys, 'keys'),
    notificationsPerWeek:
      json.notificationsPerWeek === undefined || json.notificationsPerWeek === null
        ? null
        : numberOf(json.notificationsPerWeek, 'notificationsPerWeek', 0),
    slots: Object.fromEntries(
      slots.map(([slot, value]) => {
        const { current, previous } = objectOf(value, `slots.${slot}`);
        return [slot, { current: readApplied(current), previous: previous === null ? null : readApplied(previous) }];
      }),
    ),
    // Versions of before had no trials.
    shadows: Object.fromEntries(entriesOf(json.shadows, 'shadows').map(([slot, value]) => [slot, readApplied(value)])),
    trials: Object.fromEntries(
      entriesOf(json.trials, 'trials').map(([slot, value]) => {
        const trial = objectOf(value, `trials.${slot}`);
        const releaseSha256 = textOf(trial.releaseSha256, 'releaseSha256', 64, SHA256);
        const beforeBytes = (trial.beforeBytes ?? null) === null ? null : numberOf(trial.beforeBytes, 'beforeBytes', 0);
        return [slot, { releaseSha256, starts: integerOf(trial.starts, 'starts'), beforeBytes }];
      }),
    ),
    reverted: listOf(json.reverted ?? [], 'reverted', REPORTED_REVERTED, (item, at) => {
      const one = objectOf(item, at);
      return {
        slot: textOf(one.slot, `${at}.slot`, 65),
        releaseSha256: textOf(one.releaseSha256, `${at}.releaseSha256`, 64, SHA256),
        reason: textOf(one.reason, `${at}.reason`, REVERTED_TEXT),
        atMs: numberOf(one.atMs, `${at}.atMs`),
      };
    }),
  };
}

function readDesired(json: JsonObject): NonNullable<ApplyState['desired']> {
  return {
    cohorts: listOf(json.cohorts, 'cohorts', SLOTS, (item, at) => textOf(item, at, 64)),
    releases: listOf(json.releases, 'releases', SLOTS, readRelease),
    shadows: listOf(json.shadows ?? [], 'shadows', SLOTS, readRelease),
  };
}

function readRelease(item: unknown, at: string): ManifestRelease {
  const entry = objectOf(item, at);
  return {
    slot: textOf(entry.slot, `${at}.slot`, 65),
    releaseSha256: textOf(entry.releaseSha256, `${at}.releaseSha256`, 64, SHA256),
    releaseBytes: integerOf(entry.releaseBytes, `${at}.releaseBytes`),
  };
}

function entriesOf(value: unknown, where: string): [string, unknown][] {
  return Object.entries(objectOf(value ?? {}, where)).slice(0, SLOTS);
}

function readApplied(value: unknown): AppliedRelease {
  const json = objectOf(value, 'applied');
  return {
    releaseSha256: textOf(json.releaseSha256, 'releaseSha256', 64, SHA256),
    contentSha256: textOf(json.contentSha256, 'contentSha256', 64, SHA256),
    appliedMs: numberOf(json.appliedMs, 'appliedMs'),
  };
}
