/**
 * When to train: first when an agent has a few windows, then at intervals that grow with its history, up to some hours.
 * Rounds run one after another, or as many at once as there are threads for them; those of one agent never together.
 * What is asked for twice is done once.
 */
import type { Timers } from '../../shared/clock.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { AgentId } from '../store/store.ts';

export interface ScheduleOptions {
  readonly timers: Timers;
  /** Trains one agent; its failures are its own business. */
  readonly train: (agent: AgentId) => Promise<void>;
  /** Rounds of different agents that may run together; default 1. */
  readonly atOnce?: number;
  /** Windows before the first training; default 4. */
  readonly firstWindows?: number;
  /** Time that these must cover; default none. */
  readonly firstAfterMs?: number;
  /** Default 4 minutes. */
  readonly shortestMs?: number;
  /** Default 6 hours. */
  readonly longestMs?: number;
}

/** A window comes in several messages; they are given this long to arrive. */
const SETTLE_MS = 2000;

interface Progress {
  /** Ends of the windows before the first training. */
  readonly first: Set<number>;
  firstMs: number;
  /** Newest window when it was trained last; null before. */
  trainedMs: number | null;
  waiting: boolean;
}

/** A model and its manifest are some tens of kilobytes: of a machine that pays for its line it is trained less often. */
const metered: readonly { readonly belowBytes: number; readonly everyMs: number }[] = [
  { belowBytes: 10e6, everyMs: 7 * DAY_MS },
  { belowBytes: 100e6, everyMs: 2 * DAY_MS },
];

/** The least time between two trainings under a budget of so many bytes a month; undefined: as of all others. */
export function slowestTraining(bytesPerMonth: number | undefined): number | undefined {
  if (bytesPerMonth === undefined) return undefined;
  return metered.find(({ belowBytes }) => bytesPerMonth < belowBytes)?.everyMs;
}

export class TrainingSchedule {
  readonly #options: Required<ScheduleOptions>;
  readonly #agents = new Map<AgentId, Progress>();
  readonly #timers = new Set<unknown>();
  readonly #slowest = new Map<AgentId, number>();
  /** The last that was asked for of each of the turns, and the agents that wait or run in it. */
  readonly #turns: { done: Promise<void>; readonly agents: Map<AgentId, number> }[];
  #closed = false;

  constructor(options: ScheduleOptions) {
    this.#options = {
      firstWindows: 4,
      firstAfterMs: 0,
      shortestMs: 4 * MINUTE_MS,
      longestMs: 6 * HOUR_MS,
      atOnce: 1,
      ...options,
    };
    this.#turns = Array.from({ length: this.#options.atOnce }, () => ({ done: Promise.resolve(), agents: new Map() }));
  }

  /** What is known of an agent from before: it was trained on this span. */
  restore(agent: AgentId, fromMs: number, toMs: number): void {
    this.#agents.set(agent, { first: new Set(), firstMs: fromMs, trainedMs: toMs, waiting: false });
  }

  /** What the agent's uplink may take a month; undefined: no bound. */
  metered(agent: AgentId, bytesPerMonth: number | undefined): void {
    const everyMs = slowestTraining(bytesPerMonth);
    if (everyMs === undefined) this.#slowest.delete(agent);
    else this.#slowest.set(agent, everyMs);
  }

  /** A window of the agent was committed. */
  windowCommitted(agent: AgentId, endMs: number, nominalMs = MINUTE_MS): void {
    let progress = this.#agents.get(agent);
    if (progress === undefined) {
      progress = { first: new Set(), firstMs: endMs, trainedMs: null, waiting: false };
      this.#agents.set(agent, progress);
    }
    progress.firstMs = Math.min(progress.firstMs, endMs);
    if (progress.waiting || this.#closed || !this.#isDue(agent, progress, endMs, nominalMs)) return;
    progress.waiting = true;
    const due = progress;
    const timer = this.#options.timers.after(SETTLE_MS, () => {
      this.#timers.delete(timer);
      const ended = (): void => {
        due.waiting = false;
        due.trainedMs = Math.max(endMs, due.trainedMs ?? endMs);
        due.first.clear();
      };
      this.run(agent).then(ended, ended);
    });
    this.#timers.add(timer);
  }

  #isDue(agent: AgentId, progress: Progress, endMs: number, nominalMs: number): boolean {
    if (progress.trainedMs === null) {
      progress.first.add(endMs);
      const { firstWindows, firstAfterMs } = this.#options;
      const { size } = progress.first;
      return size >= firstWindows && size * nominalMs >= firstAfterMs;
    }
    const { shortestMs, longestMs } = this.#options;
    // As much again as there is, so that each model learns from twice the history of the one before.
    const history = progress.trainedMs - progress.firstMs;
    const slowestMs = this.#slowest.get(agent) ?? longestMs;
    return endMs - progress.trainedMs >= Math.min(slowestMs, Math.max(shortestMs, history));
  }

  /** Trains after what was asked for before in the same turn; resolves when it is done. */
  run(agent: AgentId): Promise<void> {
    const waiting = ({ agents }: { readonly agents: ReadonlyMap<AgentId, number> }): number =>
      [...agents.values()].reduce((sum, count) => sum + count, 0);
    const turn =
      this.#turns.find(({ agents }) => agents.has(agent)) ??
      this.#turns.reduce((shortest, one) => (waiting(one) < waiting(shortest) ? one : shortest));
    turn.agents.set(agent, (turn.agents.get(agent) ?? 0) + 1);
    const done = turn.done
      .then(() => (this.#closed ? undefined : this.#options.train(agent)))
      .finally(() => {
        const left = turn.agents.get(agent)! - 1;
        if (left === 0) turn.agents.delete(agent);
        else turn.agents.set(agent, left);
      });
    turn.done = done.catch(() => {});
    return done;
  }

  /** Nothing begins any more; resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) this.#options.timers.cancel(timer);
    this.#timers.clear();
    await Promise.all(this.#turns.map(({ done }) => done));
  }
}

/** From how little to learn, how much to hold out, and when. */
export interface TrainingTimes {
  readonly minimumWindows: number;
  readonly holdOut: number;
  /** How long after an agent's first window its first model is trained. */
  readonly firstAfterMs: number;
  /** The longest time between two trainings. */
  readonly intervalMs: number;
}

/** The first training waits for what it needs: windows to learn from, some to hold out, and the first, which is cut. */
export function scheduleFor(
  times: TrainingTimes,
): Pick<ScheduleOptions, 'firstWindows' | 'firstAfterMs' | 'longestMs'> {
  const needed = Math.ceil(times.minimumWindows / (1 - times.holdOut) - 1e-9) + 1;
  return {
    firstWindows: needed,
    firstAfterMs: times.firstAfterMs,
    longestMs: times.intervalMs,
  };
}
