/** Cohorts as the rest of the central sees them: machines that behave alike. */
import type { AgentId } from '../store/store.ts';

/** Why a machine is where it is. `first`: placed from little data, looked at again when there is more. */
export type PlacedBy = 'hand' | 'clusters' | 'first';

export interface CohortMember {
  readonly agent: AgentId;
  readonly by: PlacedBy;
  /** Unix ms since when it has been there. */
  readonly sinceMs: number;
  /** How far it is from the others of its cohort; above 1 it would not be put there. Null while nobody measured it. */
  readonly distance: number | null;
  /** Another cohort that is nearer, and in how many rounds in a row it has been; it moves after some. */
  readonly leaning: { readonly cohort: string | null; readonly rounds: number } | null;
}

/** What the machines of a cohort have in common, and what sets them apart. */
export interface CohortTrait {
  readonly what: string;
  /** Of this cohort, in words. */
  readonly here: string;
  /** Of the whole fleet, in words; empty where it says nothing. */
  readonly elsewhere: string;
}

export interface Cohort {
  /** Never changes; releases and documents go by it. */
  readonly id: string;
  readonly name: string;
  /** The name was given by hand: it is never made anew. */
  readonly namedByHand: boolean;
  readonly sinceMs: number;
  readonly traits: readonly CohortTrait[];
  readonly members: readonly CohortMember[];
}

export interface CohortsState {
  /** By name. */
  readonly cohorts: readonly Cohort[];
  /** Machines that are like no other, and why: `alone`, or too young to say. */
  readonly alone: readonly { readonly agent: AgentId; readonly why: 'alone' | 'young' }[];
  /** When all were looked at last; null: not yet. */
  readonly roundMs: number | null;
}

export interface Cohorts {
  state(): CohortsState;
  /** Name of the machine's cohort; null where it is alone. */
  nameOf(agent: AgentId): string | null;
  /** The machines of its cohort, itself left out. */
  peersOf(agent: AgentId): readonly AgentId[];
  /** Looks at all machines now. */
  round(): Promise<CohortsState>;
  /** Puts a machine into a cohort by hand, where it stays; null: it is left to the clusters again. Throws `usage.invalid`. */
  set(agent: AgentId, name: string | null, by: string): Promise<void>;
  /** Throws `not_found`, `conflict`, `usage.invalid`. */
  rename(name: string, to: string, by: string): Promise<void>;
}
