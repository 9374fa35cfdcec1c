/** The contract of a soak's scenarios: what a file beside this one exports, and what it is given. */
import type { Central, System } from '../../test/support/system.ts';

/** Numbers carry their unit at the end of their names. */
export type Figures = Readonly<Record<string, number | string>>;

export interface Scenario {
  /** As on the command line. */
  readonly name: string;
  /** What is injected, in one line. */
  readonly doc: string;
  /** What must hold, in words, as the table of goals has it. */
  readonly goal: string;
  /** How often it is injected where nobody says otherwise. */
  readonly times: number;
  /** Injects, looks, and states each goal by `context.expect`. What it throws is a goal that was missed. */
  run(context: SoakContext): Promise<Figures>;
}

export interface SoakContext {
  /** How often to inject. */
  readonly times: number;
  /** In [0, 1); from the seed that is printed. */
  readonly random: () => number;
  /** Programs and directories; everything ends and goes with the scenario, whatever it came to. */
  readonly system: System;
  /** Counts what was done to the system. */
  inject(what: string, count?: number): void;
  /** States a goal; `seen` is printed where it was missed. Said once for the whole run, not for each injection. */
  expect(goal: string, met: boolean, seen?: unknown): void;
  /**
   * States a goal that a slow or busy machine may miss: how long something took, in ms. The soak judges by it; the short
   * forms among the tests do not, as they run beside others.
   */
  expectWithin(goal: string, limitMs: number, tookMs: number): void;
  /** Reads an agent's ledger from the API and prints it in the end; the last one of a name counts. */
  ledger(name: string, central: Central, agent: string): Promise<void>;
  /** How far it is; the line is overwritten on a terminal. */
  progress(text: string): void;
  /** To be done in the end, the last one first, before the directories go (unmounts, for one). */
  defer(cleanup: () => void | Promise<void>): void;
}

/** A number from `low` up to `high`. */
export function between(random: () => number, low: number, high: number): number {
  return low + random() * (high - low);
}
