/**
 * What is signed, and what is said in JSON on the control topics. Signed documents travel in DSSE envelopes
 * (https://github.com/secure-systems-lab/dsse): the signature covers the exact bytes.
 */
import type { Mute, MuteRequest } from '../mute.ts';
import type { SeriesId } from '../series.ts';

/** A DSSE envelope as JSON. */
export interface SignedEnvelope {
  readonly payloadType: string;
  /** base64 of the exact bytes that were signed */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

export const payloadTypes = {
  release: 'application/vnd.picket.release+json',
  manifest: 'application/vnd.picket.manifest+json',
  command: 'application/vnd.picket.command+json',
  keys: 'application/vnd.picket.keys+json',
} as const;

/** Who may sign what: `root` the list of the others, `configuration` releases of that kind, `model` all other releases. */
export type KeyRole = 'root' | 'model' | 'configuration' | 'rollout' | 'command';

export interface PublicKeyEntry {
  /** first 16 hex digits of SHA-256 of the raw public key */
  readonly keyid: string;
  readonly role: KeyRole;
  /** raw ed25519 public key, base64 */
  readonly publicKey: string;
  /** Nothing that it signed is newly accepted before; not said: from ever. */
  readonly notBeforeMs?: number;
  /** Nothing that it signed is newly accepted after; not said: for ever. */
  readonly notAfterMs?: number;
}

/** Signed by the root key, which the agent pins at enrolment. A higher version replaces a lower one. */
export interface KeyList {
  readonly version: number;
  /** When the root signed it: by then no key that it lists is too young. Not said by the first versions of Picket. */
  readonly madeMs?: number;
  readonly keys: readonly PublicKeyEntry[];
}

/** An immutable release: what it is, for whom, and the hash of its content. Signed by a model key. */
export interface Release {
  readonly release: 1;
  /** Which slot of the agent it fills: `model/seasonal`; later `config`. */
  readonly kind: string;
  readonly major: number;
  readonly featureVersion: number;
  readonly windowMs: number;
  /** For which agents: one agent (`agent:ID`) or a cohort (`cohort:NAME`). */
  readonly target: string;
  readonly contentSha256: string;
  readonly contentBytes: number;
  readonly madeMs: number;
  /** For people: what it was trained on. */
  readonly note: string;
}

/** What an agent is to run. Signed by the rollout key; carries the version floor. */
export interface Manifest {
  readonly manifest: 1;
  readonly agent: string;
  readonly version: number;
  readonly madeMs: number;
  readonly notAfterMs: number;
  /** Cohorts that this agent belongs to, against which a release's target is held. */
  readonly cohorts: readonly string[];
  readonly releases: readonly ManifestRelease[];
  /**
   * Releases that are to run beside those of the same slot, to be compared with them: they raise nothing. Agents of
   * before ignore it.
   */
  readonly shadows?: readonly ManifestRelease[];
  /** This agent's share of the notifications that the fleet may spend a week; not said: as before. */
  readonly notificationsPerWeek?: number;
  /** The key list in force, if the agent may have an older one. */
  readonly keys?: SignedEnvelope;
}

export interface ManifestRelease {
  readonly slot: string;
  /** SHA-256 (hex) of the release's signed envelope, fetched as a blob. */
  readonly releaseSha256: string;
  readonly releaseBytes: number;
}

/** Expiring; repeated until reported or expired; done once by its id. */
export interface Command {
  readonly command: 1;
  readonly id: string;
  readonly agent: string;
  readonly madeMs: number;
  readonly expiresMs: number;
  readonly what:
    | { readonly watch: readonly SeriesId[] }
    | { readonly fetch: { readonly series: readonly SeriesId[]; readonly fromMs: number; readonly toMs: number } }
    | { readonly mute: MuteRequest }
    /** Ends all mutes, or those of this rule and these series. */
    | { readonly unmute: { readonly rule: string | null; readonly series: string | null } };
}

/** up/presence, retained and as will. An offline of another epoch is ignored. */
export interface Presence {
  readonly online: boolean;
  readonly boot: string;
  readonly epoch: string;
}

/** up/reported: what is applied and what can be. */
export interface Reported {
  readonly agentVersion: string;
  readonly manifestVersion: number;
  readonly applied: readonly { readonly slot: string; readonly releaseSha256: string; readonly appliedMs: number }[];
  /** Kinds that it can run, with their major versions. */
  readonly supports: readonly { readonly kind: string; readonly major: number; readonly featureVersion: number }[];
  /** The last refusals, newest first, at most 20. */
  readonly refusals: readonly {
    readonly what: string;
    readonly code: string;
    readonly message: string;
    readonly atMs: number;
  }[];
  readonly commandsDone: readonly string[];
  /** What runs beside a model of the same slot, and what both found; not said by agents that cannot. */
  readonly beside?: readonly BesideReport[];
  /** Releases that this agent took back by itself and will not run again, newest first. */
  readonly reverted?: readonly RevertedRelease[];
  readonly health: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  /** What is muted now; not said by agents that cannot. */
  readonly mutes?: readonly Mute[];
  /** The list of keys in force; not said by agents that have none, or that cannot say it. */
  readonly keyList?: ReportedKeyList;
  /** The configuration of the central; not said by agents that take none. */
  readonly configuration?: ReportedConfiguration;
}

/** What an agent goes by of what its central configured. Never a value: they may be secret. */
export interface ReportedConfiguration {
  /** False: the machine's own file takes nothing. */
  readonly managed: boolean;
  /** Version of the configuration in force; 0: none. */
  readonly version: number;
  /** It is new here, and taken back if the agent does not come up with it. */
  readonly trial: boolean;
  /** Keys that the central says and the machine's own file keeps. */
  readonly left: readonly string[];
  /** Why what is on the disk is not in force. */
  readonly problem?: string;
}

/** Two models of one slot on the same windows: `main` may raise findings, `beside` only counts. */
export interface BesideReport {
  readonly slot: string;
  /** The release that runs, and the one beside it. */
  readonly mainSha256: string;
  readonly besideSha256: string;
  /** Windows of single series that both judged. */
  readonly windows: number;
  /** Of which both said the same: a finding, or none. */
  readonly agreed: number;
  /** What each found, or would have: a series that stays outside counts once. */
  readonly mainFindings: number;
  readonly besideFindings: number;
  /** Windows with a finding, be it new or one that lasts. */
  readonly mainOutside: number;
  readonly besideOutside: number;
  readonly mainBits: number;
  readonly besideBits: number;
  /** Time that each took, in all. */
  readonly mainMs: number;
  readonly besideMs: number;
  /** Why the agent ended it; not said while it runs. */
  readonly dropped?: string;
}

export interface RevertedRelease {
  readonly slot: string;
  readonly releaseSha256: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface ReportedKeyList {
  readonly version: number;
  /** Of the list's exact bytes, hex: two lists of one version are told apart by it. */
  readonly sha256: string;
  /** The list itself, while an older or another one was sent: a restored central learns from it what was before. */
  readonly envelope?: SignedEnvelope;
}

/** up/get: asks for one chunk of a blob. */
export interface ChunkRequest {
  readonly sha256: string;
  readonly index: number;
}
