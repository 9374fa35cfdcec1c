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
  /** What is wrong is the key, not its value: a position names the key. */
  readonly atKey?: boolean;
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

/** A schema whose value may be left out of an object without a default taking its place (see `optional`). */
export interface OptionalSchema<T> extends Schema<T> {
  readonly optional: true;
}

/** The type of a schema's values. */
export type ValueOf<S> = S extends Schema<infer T> ? T : never;

/**
 * Parses a value with a schema: what is right, or all that is wrong. At most `maxProblems` are told; who has more than
 * that has another kind of file.
 */
export function parseValue<T>(
  schema: Schema<T>,
  input: unknown,
): { ok: true; value: T } | { ok: false; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const value = schema.parse(input, [], problems);
  if (problems.length > 0 || value === undefined) return { ok: false, problems: problems.slice(0, maxProblems) };
  return { ok: true, value };
}

export const maxProblems = 50;

/** `inputs.modbus[1].port`, for people. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}
