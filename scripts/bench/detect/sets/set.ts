/** What the command line hands to a set, and what a set hands back. */
import type { Figures } from '../table.ts';

export interface SetOptions {
  /** Folder that holds the data sets. */
  readonly dir: string;
  /** Only files whose name contains it; empty: all. */
  readonly filter: string;
  /** False ones that nobody minds on a machine: a week in `clean`, a day in all other sets. */
  readonly budget: number;
  /** Folder to write results to that NAB's own scorer takes. */
  readonly writeNab?: string | undefined;
}

export interface SetResult {
  readonly tables: Readonly<Record<string, Readonly<Record<string, Figures>>>>;
  /** Of the agent's engine, for `--json`. */
  readonly figures: Figures;
}
