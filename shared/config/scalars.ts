/**
 * Schemas of single values. Each has a doc (one or two sentences for the operator), bounds, and either a default or it
 * is required. A default is held against its own bounds when the schema is made, so that a wrong one fails every test.
 */
import type { Path, Problem, Schema } from './schema.ts';
import { suggestion } from './suggest.ts';
import { bytesPattern, durationPattern, parseBytes, parseDuration } from './units.ts';

/** A text in a configuration; long enough for a path or a URL. */
const maxTextLength = 1024;

interface Common<T> {
  readonly doc: string;
  /** Left out: the value is required. */
  readonly default?: T;
  /** How it looks in the sample file when there is no default. */
  readonly example?: T;
}

interface ScalarParts<T> {
  readonly doc: string;
  /** What is allowed, in words, as in "must be …". */
  readonly values: string;
  /** Default as it is written in a file. */
  readonly written: unknown;
  readonly example: unknown;
  readonly json: Record<string, unknown>;
  /** Secret values never come back in a message. */
  readonly secret?: boolean;
  /** The value, or why it is none (the end of "… is wrong: "), or `{}` where "must be" says it all. */
  readonly read: (input: unknown) => Reading<T>;
}

type Reading<T> = { readonly value: T; readonly reason?: never } | { readonly value?: never; readonly reason?: string };

/** The base of every schema of a single value. */
function scalar<T>(parts: ScalarParts<T>): Schema<T> {
  requireDoc(parts.doc);
  const parse = (input: unknown, path: Path, problems: Problem[]): T | undefined => {
    // A key with nothing behind it is YAML's null: the same as not there.
    if (input === undefined || input === null) {
      if (fallback !== undefined) return fallback;
      problems.push({ path, code: 'config.invalid', message: `is missing: must be ${parts.values}.` });
      return undefined;
    }
    const result = parts.read(input);
    if (result.value !== undefined) return result.value;
    const shown = parts.secret ? 'the value' : showValue(input);
    const reason = result.reason === undefined ? '' : ` ${result.reason}`;
    problems.push({
      path,
      code: 'config.invalid',
      message: `${shown} is not allowed: must be ${parts.values}.${reason}`,
    });
    return undefined;
  };
  let fallback: T | undefined;
  if (parts.written !== undefined) {
    const problems: Problem[] = [];
    fallback = parse(parts.written, [], problems);
    if (problems[0] !== undefined) throw new Error(`default of "${parts.doc}": ${problems[0].message}`);
  }
  const json: Record<string, unknown> = { ...parts.json, description: parts.doc, 'x-values': parts.values };
  if (parts.written !== undefined) json.default = parts.written;
  if (parts.example !== undefined) json.examples = [parts.example];
  return { doc: parts.doc, fallback, parse, toJsonSchema: () => ({ ...json }) };
}

/** Throws where a schema has no doc: what is not explained cannot be configured. */
export function requireDoc(doc: string): void {
  if (doc.trim() === '') throw new Error('a schema needs a doc');
}

/** A value as a message shows it: short, on one line, and never a whole structure. */
export function showValue(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object' && input !== null) return 'a mapping';
  if (typeof input !== 'string') return String(input);
  return JSON.stringify(input.length > 60 ? `${input.slice(0, 60)}…` : input);
}

export interface StringOptions extends Common<string> {
  /** Default 1: an empty text is a mistake nearly always. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Must match from start to end; `values` then says in words what that means. */
  readonly pattern?: RegExp;
  readonly values?: string;
  /** The password or key of something: no message and no document shows it. */
  readonly secret?: boolean;
}

/** A text on one line. */
export function string(options: StringOptions): Schema<string> {
  const minLength = options.minLength ?? 1;
  const maxLength = options.maxLength ?? maxTextLength;
  const json: Record<string, unknown> = { type: 'string', minLength, maxLength };
  if (options.pattern !== undefined) json.pattern = options.pattern.source;
  if (options.secret) json.writeOnly = true;
  return scalar<string>({
    doc: options.doc,
    values: options.values ?? (minLength > 0 ? 'a text' : 'a text (may be empty)'),
    written: options.default,
    example: options.example,
    json,
    secret: options.secret ?? false,
    read: (input) => {
      if (typeof input === 'number' || typeof input === 'boolean')
        return { reason: 'Put it in quotes to make it a text.' };
      if (typeof input !== 'string') return {};
      if (input.length < minLength)
        return { reason: input === '' ? 'It is empty.' : `It has fewer than ${minLength} characters.` };
      if (input.length > maxLength) return { reason: `It has more than ${maxLength} characters.` };
      if (hasControlCharacter(input)) return { reason: 'It has a line break or another control character in it.' };
      if (options.pattern !== undefined && !options.pattern.test(input)) return {};
      return { value: input };
    },
  });
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** A password, a token, a key: never shown in a message. */
export function secret(options: StringOptions): Schema<string> {
  return string({ ...options, secret: true });
}

export interface TextOptions<T> {
  readonly doc: string;
  /** What the text must be, in words. */
  readonly values: string;
  readonly default?: string;
  readonly example?: string;
  /** For editors. */
  readonly pattern?: string;
  /** The value of a text, or null where it has none; a thrown error's message is the reason. */
  readonly parse: (text: string) => T | null;
}

/** A text with a meaning (an address, a zone, a level) that is parsed into something else. */
export function text<T>(options: TextOptions<T>): Schema<T> {
  return scalar<T>({
    doc: options.doc,
    values: options.values,
    written: options.default,
    example: options.example,
    json: { type: 'string', ...(options.pattern === undefined ? {} : { pattern: options.pattern }) },
    read: (input) => {
      if (typeof input !== 'string' || input.length > maxTextLength) return {};
      try {
        const value = options.parse(input);
        return value === null ? {} : { value };
      } catch (error) {
        return { reason: error instanceof Error ? error.message : String(error) };
      }
    },
  });
}

export interface NumberOptions extends Common<number> {
  readonly min?: number;
  readonly max?: number;
  /** For people: `%`, `°C`. */
  readonly unit?: string;
}

/** Any finite number. */
export function number(options: NumberOptions): Schema<number> {
  return numeric('number', 'a number', options, Number.isFinite);
}

/** A whole number. */
export function integer(options: NumberOptions): Schema<number> {
  return numeric('integer', 'a whole number', options, Number.isSafeInteger);
}

function numeric(
  type: string,
  noun: string,
  options: NumberOptions,
  isKind: (value: number) => boolean,
): Schema<number> {
  const { min, max } = options;
  const json: Record<string, unknown> = { type };
  if (min !== undefined) json.minimum = min;
  if (max !== undefined) json.maximum = max;
  return scalar<number>({
    doc: options.doc,
    values: `${noun}${bounds(min, max, String)}${options.unit === undefined ? '' : ` (${options.unit})`}`,
    written: options.default,
    example: options.example,
    json,
    read: (input) => {
      if (typeof input === 'string' && input.trim() !== '' && isKind(Number(input)))
        return { reason: 'Write it without quotes.' };
      if (typeof input !== 'number' || !isKind(input)) return {};
      return (min !== undefined && input < min) || (max !== undefined && input > max) ? {} : { value: input };
    },
  });
}

function bounds<T>(min: T | undefined, max: T | undefined, show: (value: T) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${show(min)} to ${show(max)}`;
  if (min !== undefined) return ` of at least ${show(min)}`;
  return max === undefined ? '' : ` of at most ${show(max)}`;
}

/** `true` or `false`; YAML 1.1's yes and no are texts and are refused. */
export function boolean(options: Common<boolean>): Schema<boolean> {
  return scalar<boolean>({
    doc: options.doc,
    values: '`true` or `false`',
    written: options.default,
    example: options.example,
    json: { type: 'boolean' },
    read: (input) => (typeof input === 'boolean' ? { value: input } : {}),
  });
}

export interface OneOfOptions<T extends string | number> extends Common<NoInfer<T>> {
  readonly values: readonly T[];
}

/** One of a few words or numbers. */
export function oneOf<const T extends string | number>(options: OneOfOptions<T>): Schema<T> {
  const names = options.values.map(String);
  return scalar<T>({
    doc: options.doc,
    values: names.length === 1 ? `\`${names[0]}\`` : `one of ${names.map((name) => `\`${name}\``).join(', ')}`,
    written: options.default,
    example: options.example,
    json: { enum: [...options.values] },
    read: (input) => {
      const value = options.values.find((known) => known === input);
      if (value !== undefined) return { value };
      if (typeof input !== 'string') return {};
      const near = suggestion(input, names);
      return near.startsWith(' Did') ? { reason: near.trim() } : {};
    },
  });
}

export interface UnitOptions {
  readonly doc: string;
  /** As it is written: `10s`, `64MB`. */
  readonly default?: string;
  readonly example?: string;
  readonly min?: string;
  readonly max?: string;
}

/** A length of time as people write it; the value is in milliseconds. Bare numbers are refused: of what unit? */
export function duration(options: UnitOptions): Schema<number> {
  return withUnit(options, 'a duration', 'such as `10s`, `5m`, `1h30m` or `14d`', durationPattern, parseDuration);
}

/** A size as people write it; the value is in bytes. */
export function bytes(options: UnitOptions): Schema<number> {
  return withUnit(options, 'a size', 'such as `512kB`, `64MB` or `4GiB`', bytesPattern, parseBytes);
}

function withUnit(
  options: UnitOptions,
  noun: string,
  examples: string,
  pattern: string,
  read: (text: string) => number | null,
): Schema<number> {
  const bound = (written: string | undefined): number | undefined => {
    if (written === undefined) return undefined;
    const value = read(written);
    if (value === null) throw new Error(`bound of "${options.doc}": ${written} is not ${noun}`);
    return value;
  };
  const min = bound(options.min);
  const max = bound(options.max);
  // Shown as they are written: 64MB is not 62500KiB.
  return scalar<number>({
    doc: options.doc,
    values: `${noun}${bounds(options.min, options.max, String)}`,
    written: options.default,
    example: options.example,
    // Bounds as they are written: who checks by this document alone needs them.
    json: {
      type: 'string',
      pattern,
      'x-unit': noun,
      ...(options.min === undefined ? {} : { 'x-min': options.min }),
      ...(options.max === undefined ? {} : { 'x-max': options.max }),
    },
    read: (input) => {
      if (typeof input === 'number') return { reason: `It has no unit: write it ${examples}.` };
      const value = typeof input === 'string' ? read(input) : null;
      if (value === null) return { reason: `Write it ${examples}.` };
      return (min !== undefined && value < min) || (max !== undefined && value > max) ? {} : { value };
    },
  });
}
