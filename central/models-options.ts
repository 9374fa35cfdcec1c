/** What the models' service is given by the wiring. */
import type { Timers } from '../shared/clock.ts';
import { DAY_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { CentralKeys } from './keys.ts';
import type { RolloutOptions } from './rollout/service.ts';
import type { AgentId, Store } from './store/store.ts';
import { FLEET_OF_HOURS } from './train/hours.ts';
import type { TrainingOptions } from './train/kind.ts';
import type { RoundOptions } from './train/round.ts';
import type { TrainingTimes } from './train/schedule.ts';
import type { Trainings } from './train/trainings.ts';
import { zoneNamed, zoneOffsets } from './train/zone.ts';

/** Zone offsets that a model carries into its future. */
const ZONE_AHEAD_MS = 800 * DAY_MS;
/** And into its past: a month of hours, of a machine that was away for as long. */
const ZONE_BEHIND_MS = 62 * DAY_MS;

/**
 * Findings a machine-day that a model of windows may make: a twentieth of the one that a machine may show (decision 0018);
 * its detectors at full rate have the rest. What holds the models to it: docs/models.md.
 */
export const MODEL_FINDINGS_PER_DAY = 0.05;

export interface ModelsOptions extends Pick<RoundOptions<unknown>, 'knowledge' | 'meanings'> {
  readonly store: Store;
  readonly keys: CentralKeys;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly random: () => number;
  readonly log: Log;
  /** Publishes retained on the agent's down/desired. */
  readonly publishDesired: (agent: AgentId, bytes: Uint8Array) => Promise<void>;
  /** Agents that `trainNow()` trains. */
  readonly agents: () => readonly AgentId[];
  /** A version of the agent changed its state. */
  readonly changed: (agent: AgentId, version: number) => void;
  /** Findings a machine-day that the window models may make; default 1. */
  readonly findingsPerDay?: number;
  /** From how little to learn, how much to hold out, and when. */
  readonly training?: TrainingTimes;
  /** Who trains; default: this thread. */
  readonly trainings?: Trainings;
  /** How new models are rolled out; not said: at once, to the machine that they are for. */
  readonly rollout?: Pick<RolloutOptions, 'times' | 'audit' | 'cohortOf'>;
}

/** How an agent's models are trained, with windows of this length: by the machine's own clock, not the central's. */
export async function trainingOf(options: ModelsOptions, agent: AgentId, windowMs: number): Promise<TrainingOptions> {
  const zone = zoneNamed((await options.store.document(agent, 'inventory'))?.json);
  const nowMs = options.nowMs();
  return {
    windowMs,
    zone: zoneOffsets(zone, nowMs - ZONE_BEHIND_MS, nowMs + ZONE_AHEAD_MS),
    findingsPerDay: options.findingsPerDay ?? MODEL_FINDINGS_PER_DAY,
    manyMachines: options.agents().length >= FLEET_OF_HOURS,
    ...options.training,
  };
}
