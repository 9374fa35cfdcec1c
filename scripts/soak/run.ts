/** Runs one scenario: makes its context, keeps what it states, cleans up after it. */

import type { Program, RunOptions } from '../../test/support/processes.ts';
import { type LedgerAnswer, System } from '../../test/support/system.ts';
import type { Figures, Scenario, SoakContext } from './scenario.ts';

/** Of each program that is shown after a failure. */
const SHOWN_CHARACTERS = 1_500;
/** The newest ones. */
const SHOWN_PROGRAMS = 4;
const SEEN_CHARACTERS = 2_000;

export interface Goal {
  readonly goal: string;
  readonly met: boolean;
  readonly seen: string;
  /** It depends on how fast the machine is and what else it does. */
  readonly timed: boolean;
}

export interface Outcome {
  readonly scenario: string;
  readonly times: number;
  readonly seed: number;
  readonly durationS: number;
  readonly injected: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
  /** By the names that the scenario gave. */
  readonly ledgers: Readonly<Record<string, LedgerSums>>;
  readonly figures: Figures;
  /** The ends of what the programs printed; empty where every goal was met. */
  readonly logs: readonly string[];
}

/** The sums over an agent's epochs. */
export type LedgerSums = LedgerAnswer['totals'] & { readonly epochs: number };

export interface RunSettings {
  readonly times?: number;
  readonly seed?: number;
  readonly progress?: (text: string) => void;
}

/** Undoes the scenario that is under way, for an end by a signal. */
let undo: () => Promise<void> = async () => {};

/** Ends and unmounts what the scenario that is under way has started and mounted. */
export function abandonScenario(): Promise<void> {
  return undo();
}

/** Never rejects: what the scenario throws is among its goals, as missed. */
export async function runScenario(scenario: Scenario, settings: RunSettings = {}): Promise<Outcome> {
  const { times = scenario.times, seed = Math.floor(Math.random() * 2 ** 31), progress = () => {} } = settings;
  const system = new WatchedSystem();
  const injected: Record<string, number> = {};
  const goals: Goal[] = [];
  const ledgers: Record<string, LedgerSums> = {};
  const cleanups: (() => void | Promise<void>)[] = [];
  const context: SoakContext = {
    times,
    random: seeded(seed),
    system,
    inject: (what, count = 1) => {
      injected[what] = (injected[what] ?? 0) + count;
    },
    expect: (goal, met, seen = '') => goals.push({ goal, met, seen: shown(seen), timed: false }),
    expectWithin: (goal, limitMs, tookMs) =>
      goals.push({ goal, met: tookMs <= limitMs, seen: `${tookMs} ms`, timed: true }),
    ledger: async (name, central, agent) => {
      const { rows, totals } = await central.ledger(agent);
      ledgers[name] = { epochs: rows.length, ...totals };
    },
    progress,
    defer: (cleanup) => cleanups.push(cleanup),
  };
  const startMs = performance.now();
  let figures: Figures = {};
  const attempt = async (goal: string, step: () => unknown): Promise<void> => {
    try {
      await step();
    } catch (error) {
      const seen = shown(error instanceof Error ? (error.stack ?? error.message) : error);
      goals.push({ goal, met: false, seen, timed: false });
    }
  };
  undo = async () => {
    undo = async () => {};
    await attempt('ends its programs', () => system.end());
    for (const cleanup of cleanups.splice(0).reverse()) await attempt('cleans up', cleanup);
    await attempt('deletes its directories', () => system.close());
  };
  await attempt('runs to its end', async () => {
    figures = await scenario.run(context);
  });
  const durationS = Math.round((performance.now() - startMs) / 100) / 10;
  const logs = goals.every(({ met }) => met) ? [] : system.lastWords();
  await undo();
  return { scenario: scenario.name, times, seed, durationS, injected, goals, ledgers, figures, logs };
}

/** Remembers the newest programs, ended or not, for what they said last. */
class WatchedSystem extends System {
  #newest: Program[] = [];

  override start(name: string, command: readonly string[], options: RunOptions = {}): Program {
    const program = super.start(name, command, options);
    this.#newest = [...this.#newest.slice(1 - SHOWN_PROGRAMS), program];
    return program;
  }

  lastWords(): string[] {
    return this.#newest.map(({ name, stdout, stderr }) => {
      const end = (text: string): string => text.slice(-SHOWN_CHARACTERS).trim();
      return `${name}:\n${end(stdout)}\n${end(stderr)}`;
    });
  }
}

function shown(seen: unknown): string {
  return (typeof seen === 'string' ? seen : JSON.stringify(seen)).slice(0, SEEN_CHARACTERS);
}

/** A small generator of uniform numbers (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
