/**
 * What the HTTP side needs of the rest of the central. `central.ts` wires the implementations; routes see these alone.
 */

import type { MuteRequest } from '../shared/mute.ts';
import type { SeriesId } from '../shared/series.ts';
import type { Enrolment, EnrolmentRequest } from '../shared/trust/enrolment.ts';
import type { Reported } from '../shared/trust/messages.ts';
import type { Alerts } from './alerts/api.ts';
import type { BudgetState } from './budget/api.ts';
import type { Cohorts } from './cohorts/api.ts';
import type { Configurations } from './configuration/api.ts';
import type { EvaluationReport } from './evaluate/api.ts';
import type { Exchange } from './exchange/contract.ts';
import type { Feedback, MaintenancePlan, SeriesMeanings } from './feedback/api.ts';
import type { Forecasts } from './forecast/api.ts';
import type { KeysService } from './keys/api.ts';
import type { AgentId, IdentityFinding, Store, StoredIncident } from './store/store.ts';

export interface AgentRecord {
  readonly id: AgentId;
  readonly name: string;
  readonly site: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly enrolledMs: number;
  /** Retired agents keep their history and cannot connect. */
  readonly retiredMs: number | null;
}

/** What speaks against one machine behind this identity, until somebody dismisses it. */
export interface AgentFlag extends IdentityFinding {
  readonly id: string;
  /** What is the case, and what to do, in sentences. */
  readonly text: string;
  readonly advice: string;
}

export interface Identity {
  /** Throws `not_found`. */
  dismiss(agent: AgentId, flag: string): Promise<void>;
}

export interface AgentState extends AgentRecord {
  /** `unknown` after a start of the central until presence arrives. */
  readonly presence: 'online' | 'offline' | 'unknown';
  readonly lastSeenMs: number | null;
  readonly pendingRecords: number;
  readonly openIncidents: number;
  readonly flags: readonly AgentFlag[];
  readonly reported: Reported | null;
  /** Version number of the model that it runs, and of the one it is to run; null where none. */
  readonly modelVersion: number | null;
  readonly desiredVersion: number | null;
  /** Name of its cohort, null where it is alone; in answers of the API alone. */
  readonly cohort?: string | null;
  /** A few current values for the fleet page; NaN-free. */
  readonly vitals: {
    readonly cpu: number | null;
    readonly memory: number | null;
    readonly disk: number | null;
    readonly load1: number | null;
  };
}

export interface EnrolmentToken {
  readonly id: string;
  readonly note: string;
  readonly site: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly uses: number;
  readonly maxUses: number;
  readonly expiresMs: number;
  readonly revoked: boolean;
}

export type { Enrolment, EnrolmentRequest };

export interface Fleet {
  agents(): readonly AgentState[];
  agent(id: AgentId): AgentState | null;
  /** Throws `token.invalid`. */
  enrol(request: EnrolmentRequest): Promise<Enrolment>;
  createToken(options: {
    note: string;
    site: string;
    tags: Record<string, string>;
    maxUses: number;
    expiresMs: number;
  }): Promise<{ token: string; record: EnrolmentToken; command: string }>;
  tokens(): Promise<readonly EnrolmentToken[]>;
  revokeToken(id: string): Promise<void>;
  update(id: AgentId, change: { name?: string; site?: string; tags?: Record<string, string> }): Promise<void>;
  retire(id: AgentId): Promise<void>;
  /** A token with which new hardware takes over the identity; the old credentials end when it is used. */
  replace(id: AgentId): Promise<{ token: string; command: string }>;
}

export interface ModelVersion {
  readonly version: number;
  readonly kind: string;
  readonly agent: AgentId;
  readonly trainedMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly series: number;
  readonly releaseSha256: string;
  readonly contentSha256: string;
  readonly contentBytes: number;
  readonly state:
    | 'challenger'
    | 'rejected'
    | 'staged'
    | 'published'
    | 'applied'
    | 'refused'
    | 'reverted'
    | 'superseded';
  /** Why it has the state; the comparison in words. */
  readonly reason: string;
  readonly evaluation: Evaluation | null;
  /** How much of its training time the central had; versions of before it was counted have none. */
  readonly window?: TrainingWindow;
}

/** What machines say of a new model and the old one, in the same windows of single series. */
export interface RolloutFigures {
  readonly windows: number;
  readonly agreed: number;
  readonly newFindings: number;
  readonly oldFindings: number;
  /** Windows with a finding, be it new or one that lasts. */
  readonly newOutside: number;
  readonly oldOutside: number;
  readonly newMs: number;
  readonly oldMs: number;
}

export interface RolloutMember {
  readonly agent: AgentId;
  readonly version: number;
  /** What it runs otherwise; null: nothing. */
  readonly oldVersion: number | null;
  /** Whether it can run two models at once. */
  readonly compares: boolean;
  readonly canary: boolean;
  readonly applied: boolean;
  /** Why it is no part of this any more; null while it is. */
  readonly out: string | null;
  /** It is out because the version is no good there. */
  readonly lost: boolean;
  readonly figures: RolloutFigures | null;
}

/** New models on their way to the machines of a cohort. */
export interface Rollout {
  readonly id: number;
  readonly slot: string;
  readonly cohort: string;
  readonly stage: 'shadow' | 'canary' | 'all' | 'done' | 'reverted';
  readonly startedMs: number;
  /** When the stage began. */
  readonly sinceMs: number;
  /** Null while it is not paused. */
  readonly pausedMs: number | null;
  /** Why it has the stage, or is paused. */
  readonly reason: string;
  readonly times: { readonly shadowMs: number; readonly canaryMs: number; readonly share: number };
  readonly members: Readonly<Record<AgentId, RolloutMember>>;
}

/** What keeps a machine on a version. */
export interface ModelPin {
  readonly agent: AgentId;
  readonly slot: string;
  readonly version: number;
  readonly by: string;
  readonly sinceMs: number;
}

/** A rollout with some of its members, and how many there are. */
export interface ListedRollout extends Rollout {
  readonly counts: {
    readonly machines: number;
    /** Of the canary, and still in it. */
    readonly canary: number;
    /** That ran the new version at some time. */
    readonly applied: number;
    readonly out: number;
  };
}

export type RolloutOrder = 'pause' | 'resume' | 'promote' | 'rollback';

export interface Rollouts {
  /** Newest first. */
  list(): readonly Rollout[];
  pins(): readonly ModelPin[];
  /** Throws `not_found`, and `conflict` where it changes nothing. */
  order(id: number, order: RolloutOrder, by: string): Promise<Rollout>;
  /** Keeps a machine on a version that it had. Throws `not_found`, `conflict`. */
  pin(version: number, by: string): Promise<ModelPin>;
  /** Throws `not_found`. */
  unpin(agent: AgentId, slot: string, by: string): Promise<void>;
}

/** The time that a version was trained on, in minutes: one that was not covered then and is now came later. */
export interface TrainingWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly expectedMinutes: number;
  /** Covered when it was trained. */
  readonly presentMinutes: number;
  readonly lateMinutes: number;
}

/** Champion against challenger on held-out time. */
export interface Evaluation {
  readonly heldOutFromMs: number;
  readonly heldOutToMs: number;
  readonly windows: number;
  readonly challenger: EvaluationFigures;
  /** Null for the first model: it is held against "no band" and must only be calibrated. */
  readonly champion: EvaluationFigures | null;
}

export interface EvaluationFigures {
  /** Share of held-out windows inside the expected band. */
  readonly coverage: number;
  /** Mean pinball loss of the band's ends, in units of each series' scale. */
  readonly pinball: number;
  /** Findings a machine-day on held-out time. */
  readonly findingsPerDay: number;
}

export interface Band {
  readonly version: number;
  readonly timesMs: readonly number[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

export interface Models {
  list(agent?: AgentId): Promise<readonly ModelVersion[]>;
  get(version: number): Promise<ModelVersion | null>;
  /** How it was judged; null where that was not kept. */
  report(version: number): Promise<EvaluationReport | null>;
  /** What the running model expects of a series at these times; null where it has none. */
  band(agent: AgentId, series: SeriesId, timesMs: readonly number[]): Promise<Band | null>;
  /** Trains now, for one agent or all; resolves with what came of it. */
  trainNow(agent?: AgentId): Promise<readonly ModelVersion[]>;
  readonly rollouts: Rollouts;
}

/** Full-rate values as they come, outside the ledger. */
export interface LiveTick {
  readonly timeMs: number;
  readonly series: readonly SeriesId[];
  readonly values: readonly (number | null)[];
}

export interface FetchedSeries {
  readonly series: SeriesId;
  readonly timesMs: readonly number[];
  readonly values: readonly (number | null)[];
}

export interface LiveWatcher {
  /** Who looks, for the audit. */
  readonly by: string;
  readonly onTick: (tick: LiveTick) => void;
  /** The agent will not: `raw.refused` where its configuration forbids it. */
  readonly onRefused: (problem: Error) => void;
}

export interface LiveValues {
  /** Makes the agent stream the series until the signal aborts; renews the command while it lasts. */
  watch(agent: AgentId, series: readonly SeriesId[], watcher: LiveWatcher, signal: AbortSignal): void;
  /** Full-rate values that the agent holds; throws `agent.offline`, `raw.refused`. @param by who asks, for the audit */
  fetch(
    agent: AgentId,
    series: readonly SeriesId[],
    range: { readonly fromMs: number; readonly toMs: number },
    by: string,
  ): Promise<readonly FetchedSeries[]>;
}

export type FleetEvent =
  | { readonly type: 'agent'; readonly agent: AgentId }
  | { readonly type: 'summary'; readonly agent: AgentId; readonly timeMs: number }
  | { readonly type: 'incident'; readonly incident: StoredIncident }
  /** What people say of its incidents is another. */
  | { readonly type: 'label'; readonly agent: AgentId }
  | { readonly type: 'flag'; readonly agent: AgentId; readonly flag: string }
  | { readonly type: 'model'; readonly agent: AgentId; readonly version: number };

export interface Bus {
  publish(event: FleetEvent): void;
  /** Returns what ends the subscription. */
  subscribe(listener: (event: FleetEvent) => void): () => void;
}

/** Who did what, when; kept for ever, oldest first. */
export interface AuditEntry {
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly detail: string;
}

export interface Audit {
  add(entry: Omit<AuditEntry, 'atMs'>): Promise<void>;
  list(limit: number, before?: number): Promise<readonly AuditEntry[]>;
}

/** An agent that knocks and is not enrolled here. */
export interface Stranger {
  readonly agent: string;
  readonly firstMs: number;
  readonly lastMs: number;
  /** What may have happened, and what to do. */
  readonly advice: string;
}

/** What a machine was asked for, and what became of it. */
export interface MuteOrder {
  readonly id: string;
  readonly madeMs: number;
  /** After it the order is worth nothing any more. */
  readonly endsMs: number;
  /** How long it is to be silent; null: its silence is to end. */
  readonly forMs: number | null;
  readonly rule: string | null;
  readonly series: string | null;
  readonly reason: string;
  readonly by: string;
  /** `waiting`: the machine has not said that it heard of it. */
  readonly state: 'waiting' | 'done' | 'refused' | 'expired';
  /** Why it was refused. */
  readonly problem: string | null;
  readonly settledMs: number | null;
}

export interface Mutes {
  /** Throws `conflict` where too many wait. */
  mute(agent: AgentId, request: MuteRequest): Promise<MuteOrder>;
  unmute(agent: AgentId, what: { rule: string | null; series: string | null; by: string }): Promise<MuteOrder>;
  /** Those that wait, and those that were settled in the last minutes. */
  orders(agent: AgentId): readonly MuteOrder[];
}

export interface CentralServices {
  readonly store: Store;
  readonly fleet: Fleet;
  readonly models: Models;
  /** Which machines behave alike. */
  readonly cohorts: Cohorts;
  readonly identity: Identity;
  readonly live: LiveValues;
  readonly mutes: Mutes;
  readonly configurations: Configurations;
  /** What operators say of incidents. */
  readonly feedback: Feedback;
  readonly maintenance: MaintenancePlan;
  readonly meanings: SeriesMeanings;
  readonly keys: KeysService;
  /** Who is told of what, and who is overdue. */
  readonly alerts: Alerts;
  /** What was spent of the budgets of false alarms. */
  readonly budget: () => BudgetState;
  /** When resources come to their end. */
  readonly forecasts: Forecasts;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly nowMs: () => number;
  readonly version: string;
  /** What is carried by hand. */
  readonly exchange: Exchange;
  /** SHA-256 fingerprint of the CA, or null without TLS. */
  readonly caFingerprint: string | null;
  /** Agents that knock and are not enrolled. */
  readonly strangers: () => readonly Stranger[];
  /** The bytes of a backup under this passphrase. */
  readonly backup: (passphrase: string) => AsyncIterable<Uint8Array>;
  /** Counters of ingest and broker for /metrics. */
  readonly counters: () => Readonly<Record<string, number>>;
}
