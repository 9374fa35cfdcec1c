/**
 * A schema describes one configuration value: its type, bounds, default and doc. It is the only source of defaults,
 * documentation, the sample file and the JSON Schema for editors.
 */
import type { ErrorCode } from '../errors.ts';

/** Where in the document a problem lies: keys and indices from the root. */
export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  readonly message: string;
  readonly code: ErrorCode;
}

export interface Schema<T> {
  /** Returns the value with defaults filled in, or pushes problems and returns undefined. */
  parse(input: unknown, path: Path, problems: Problem[]): T | undefined;
  /** JSON Schema (draft 2020-12) of it. */
  toJsonSchema(): Record<string, unknown>;
  readonly doc: string;
  /** What stands when nothing is said; undefined where a value is required. */
  readonly fallback: T | undefined;
}
