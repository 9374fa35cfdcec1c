/**
 * Faults that are made for real on this machine. Each lies in a file of its own: what is normal begins before anybody
 * learns (`setUp`), then the fault begins and ends. Root is needed for most of them.
 */
import { execFileSync } from 'node:child_process';
import type { SeriesKey } from '../../../shared/series.ts';
import type { Program } from '../processes.ts';
import type { System } from '../system.ts';

export interface Fault {
  readonly name: string;
  setUp(workshop: Workshop): Made | Promise<Made>;
}

/** A fault that can begin now. */
export interface Made {
  /** Inputs that see it, and little else, with their settings. */
  readonly inputs: Readonly<Record<string, object>>;
  /** What an agent that reads all that it usually reads must be told to see it as well. */
  readonly needs?: Readonly<Record<string, object>>;
  /** What the agent's command begins with where it is to run somewhere else. */
  readonly through?: readonly string[];
  /** More of that agent's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  begin(): void | Promise<void>;
  end(): void | Promise<void>;
  /** Whether somebody who reads that this series left the expected knows what is wrong. */
  isCause(key: SeriesKey): boolean;
}

/** How often the agents of a test read; they learn by readings, not by time. */
export const quick = { interval: '200ms' };

/** Within its session. */
export const soon: readonly string[] = ['nice', '-n', '-19'];

/**
 * Of a program that has its turn however loaded the machine is. Where the scheduler groups by session (sched(7), "The
 * autogroup feature"), niceness counts within a session alone: it has one of its own, which is as urgent.
 */
export const atOnce: readonly string[] = [
  ...['setsid', 'sh', '-c', '{ echo -19 > /proc/self/autogroup; } 2> /dev/null; exec "$@"', 'at-once'],
  ...soon,
];

/** What a fault is made with; it is all taken away at the end. */
export class Workshop {
  readonly system: System;
  readonly #undo: (() => void)[] = [];

  constructor(system: System) {
    this.system = system;
  }

  /** Does this at the end, the last one first. */
  defer(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** A script for Node, as a program of its own. */
  script(name: string, script: string, ...args: readonly string[]): Program {
    return this.system.start(name, [process.execPath, '-e', script, ...args]);
  }

  /** Ends all programs, then undoes what was done; what fails stops nothing. */
  async close(): Promise<void> {
    await this.system.end();
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        undo();
      } catch (error) {
        console.error(error);
      }
    }
  }
}

/** Runs a program of the system; says what it said where it fails. */
export function sh(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
