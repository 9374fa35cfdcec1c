/** Configurations of machines: what pages, commands and the HTTP API see of them. */

import type { Origin } from '../../shared/config/managed.ts';
import type { LocatedProblem } from '../../shared/config/yaml.ts';
import type { JsonObject } from '../../shared/trust/strict.ts';
import type { AgentId } from '../store/store.ts';

/** `all`, `cohort:NAME` or `agent:ID`: whom a layer is for. */
export type Scope = string;

export interface ConfigurationMember {
  readonly agent: AgentId;
  readonly canary: boolean;
  /** When it was said to the machine; null: not yet. */
  readonly toldMs: number | null;
  readonly appliedMs: number | null;
  /** Since when it is not connected; null: it is. */
  readonly awayMs: number | null;
  /** Starts of the agent since it was told. */
  readonly starts: number;
  /** Why it is no part of this any more; the machine goes on with what it had. */
  readonly lost: string | null;
}

export interface ConfigurationRollout {
  readonly scope: Scope;
  readonly version: number;
  /** Version that it takes the place of; 0: none. */
  readonly from: number;
  readonly stage: 'canary' | 'all' | 'done' | 'reverted';
  readonly startedMs: number;
  readonly sinceMs: number;
  readonly pausedMs: number | null;
  readonly reason: string;
  readonly times: ConfigurationTimes;
  readonly members: Readonly<Record<AgentId, ConfigurationMember>>;
}

export interface ConfigurationTimes {
  /** How long a machine is to be well with it. */
  readonly settleMs: number;
  /** In which a machine is to come back with it. */
  readonly backMs: number;
  /** Of the machines, those that it reaches first. */
  readonly share: number;
}

export interface ConfigurationVersion {
  readonly scope: Scope;
  readonly version: number;
  /** YAML, as it was written. */
  readonly text: string;
  readonly author: string;
  readonly comment: string;
  readonly atMs: number;
}

export interface ConfigurationLayer {
  readonly scope: Scope;
  /** Number of the newest version, for the next change; 0: there is none. */
  readonly newest: number;
  /** In force where the rollout has not come. 0: nothing. */
  readonly stable: number;
  /** The version that is to be in force, to be shown and changed; null where there is none. */
  readonly wanted: ConfigurationVersion | null;
  /** The last one. */
  readonly rollout: ConfigurationRollout | null;
}

/** What one machine is to go by. */
export interface AgentConfiguration {
  readonly agent: AgentId;
  readonly cohort: string;
  /** Whether the machine takes configurations, as far as it said. */
  readonly state: 'none' | 'unsupported' | 'not managed' | 'waits for key' | 'sent' | 'trial' | 'applied' | 'refused';
  /** Version of what it is to go by; 0: nothing. */
  readonly version: number;
  /** Version of what it goes by; 0: nothing, or it did not say. */
  readonly running: number;
  /** Version of each layer of it. */
  readonly layers: Readonly<Record<Scope, number>>;
  /** All layers together, and where each value comes from. */
  readonly values: JsonObject;
  readonly origins: readonly Origin[];
  /** Keys that the machine's own file keeps. */
  readonly left: readonly string[];
  /** Why it refused or took back what it was sent last; null: it did not. */
  readonly problem: string | null;
}

export interface ConfigurationChange {
  readonly text: string;
  readonly comment: string;
  /** Number of the newest version that the writer saw. */
  readonly seen: number;
}

export type ConfigurationOrder = 'pause' | 'resume' | 'promote' | 'rollback';

export interface Configurations {
  layers(): Promise<readonly ConfigurationLayer[]>;
  layer(scope: Scope): Promise<ConfigurationLayer>;
  /** Newest first. */
  versions(scope: Scope): Promise<readonly ConfigurationVersion[]>;
  /** What is wrong with a text, with line and column. */
  check(scope: Scope, text: string): readonly LocatedProblem[];
  /** Throws `config.invalid`, `conflict`. */
  change(scope: Scope, change: ConfigurationChange, by: string): Promise<ConfigurationLayer>;
  /** A new version with the text of an older one. Throws `not_found`. */
  revert(scope: Scope, version: number, by: string): Promise<ConfigurationLayer>;
  /** Throws `conflict`. */
  order(scope: Scope, order: ConfigurationOrder, by: string): Promise<ConfigurationLayer>;
  agent(agent: AgentId): Promise<AgentConfiguration>;
}
