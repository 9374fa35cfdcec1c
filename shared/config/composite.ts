/** Schemas made of schemas: objects, lists, maps, choices. What is unknown in them is an error, never ignored. */
import { requireDoc, showValue } from './scalars.ts';
import type { OptionalSchema, Path, Problem, Schema, ValueOf } from './schema.ts';
import { suggestion } from './suggest.ts';

/** Entries of one list or map, where nothing else is said. */
const defaultMaxEntries = 256;

type Keys = Readonly<Record<string, Schema<unknown>>>;
type OptionalKeys<K extends Keys> = { [P in keyof K]: K[P] extends OptionalSchema<unknown> ? P : never }[keyof K];
type Flat<T> = { [P in keyof T]: T[P] };

/** The type of an object schema's values. */
export type ObjectValue<K extends Keys> = Flat<
  { readonly [P in Exclude<keyof K, OptionalKeys<K>>]: ValueOf<K[P]> } & {
    readonly [P in OptionalKeys<K>]?: ValueOf<K[P]>;
  }
>;

export interface ObjectSchema<T> extends Schema<T> {
  /** The keys in the order in which they are documented. */
  readonly keys: Keys;
}

export interface ObjectOptions<K extends Keys> {
  readonly doc: string;
  readonly keys: K;
  /** Rules between keys; `fail` takes the key that a position is shown for. Called only when each key is right. */
  readonly check?: (value: ObjectValue<K>, fail: (key: keyof K & string, message: string) => void) => void;
}

/**
 * An object with these keys and no others. Where every key has a default or is optional, the object itself may be left
 * out.
 */
export function object<K extends Keys>(options: ObjectOptions<K>): ObjectSchema<ObjectValue<K>> {
  requireDoc(options.doc);
  const names = Object.keys(options.keys);
  const parse = (input: unknown, path: Path, problems: Problem[]): ObjectValue<K> | undefined => {
    const source =
      input === undefined || input === null ? {} : asRecord(input, path, problems, 'a mapping of keys to values');
    if (source === undefined) return undefined;
    const before = problems.length;
    for (const name of Object.keys(source)) {
      if (Object.hasOwn(options.keys, name)) continue;
      const message = `${showValue(name)} is not a key that is known here.${suggestion(name, names)}`;
      problems.push({ path: [...path, name], code: 'config.invalid', message, atKey: true });
    }
    const entries: [string, unknown][] = [];
    for (const name of names) {
      const given = Object.hasOwn(source, name) ? source[name] : undefined;
      const value = options.keys[name]!.parse(given, [...path, name], problems);
      if (value !== undefined) entries.push([name, value]);
    }
    if (problems.length > before) return undefined;
    const value = Object.fromEntries(entries) as ObjectValue<K>;
    options.check?.(value, (key, message) => problems.push({ path: [...path, key], code: 'config.invalid', message }));
    return problems.length > before ? undefined : value;
  };
  const toJsonSchema = (): Record<string, unknown> => {
    const properties = Object.fromEntries(names.map((name) => [name, options.keys[name]!.toJsonSchema()]));
    const required = names.filter((name) => isRequired(options.keys[name]!));
    return {
      type: 'object',
      description: options.doc,
      properties,
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: false,
    };
  };
  return { doc: options.doc, keys: options.keys, fallback: parse({}, [], []), parse, toJsonSchema };
}

function isRequired(schema: Schema<unknown>): boolean {
  return schema.fallback === undefined && !('optional' in schema);
}

/** May be left out of its object; nothing takes its place then. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return {
    doc: schema.doc,
    optional: true,
    fallback: undefined,
    parse: (input, path, problems) =>
      input === undefined || input === null ? undefined : schema.parse(input, path, problems),
    toJsonSchema: () => schema.toJsonSchema(),
  };
}

/** Only the machine's own file says it: nothing that comes over the channel does (see `managed.ts`). */
export function localOnly<S extends Schema<unknown>>(schema: S): S {
  return { ...schema, toJsonSchema: () => ({ ...schema.toJsonSchema(), 'x-local': true }) };
}

export interface ListOptions<T> {
  readonly doc: string;
  readonly of: Schema<T>;
  readonly min?: number;
  readonly max?: number;
  /** Left out: the list is required. Written as in a file. */
  readonly default?: readonly unknown[];
  readonly example?: readonly unknown[];
  /** A text by which two entries are the same, which is a mistake; for example the name of a device. */
  readonly unique?: (entry: T) => string;
}

/** A list of values of one kind. */
export function listOf<T>(options: ListOptions<T>): Schema<readonly T[]> {
  requireDoc(options.doc);
  const min = options.min ?? 0;
  const max = options.max ?? defaultMaxEntries;
  const parse = (input: unknown, path: Path, problems: Problem[]): readonly T[] | undefined => {
    const fail = (message: string): undefined => void problems.push({ path, code: 'config.invalid', message });
    if (input === undefined || input === null) {
      return fallback ?? fail(`is missing: must be a list. ${options.doc}`);
    }
    if (!Array.isArray(input))
      return fail(`${showValue(input)} is not allowed: must be a list (\`- …\` on lines of their own).`);
    if (input.length < min) return fail(`the list has ${input.length} entries: must have at least ${min}.`);
    if (input.length > max) return fail(`the list has ${input.length} entries: must have at most ${max}.`);
    const before = problems.length;
    const list: T[] = [];
    const seen = new Map<string, number>();
    for (const [index, entry] of input.entries()) {
      // A parser may give a default for nothing; an empty entry of a list is a slip.
      if (entry === null || entry === undefined) {
        problems.push({
          path: [...path, index],
          code: 'config.invalid',
          message: 'the entry is empty: fill it in or take it out.',
        });
        continue;
      }
      const value = options.of.parse(entry, [...path, index], problems);
      if (value === undefined) continue;
      const identity = options.unique?.(value);
      const other = identity === undefined ? undefined : seen.get(identity);
      if (identity !== undefined && other !== undefined) {
        const message = `${showValue(identity)} is there already, as entry ${other + 1}: each must be there once.`;
        problems.push({ path: [...path, index], code: 'config.invalid', message });
      } else if (identity !== undefined) seen.set(identity, index);
      list.push(value);
    }
    return problems.length > before ? undefined : list;
  };
  const fallback = parsedDefault(options.doc, options.default, parse);
  const toJsonSchema = (): Record<string, unknown> => ({
    type: 'array',
    description: options.doc,
    items: options.of.toJsonSchema(),
    ...(min > 0 ? { minItems: min } : {}),
    maxItems: max,
    ...(options.default === undefined ? {} : { default: options.default }),
    ...(options.example === undefined ? {} : { examples: [options.example] }),
  });
  return { doc: options.doc, fallback, parse, toJsonSchema };
}

export interface MapOptions<T> {
  readonly doc: string;
  readonly of: Schema<T>;
  /** What the keys are, in words, and their pattern. */
  readonly key: { readonly values: string; readonly pattern: RegExp };
  readonly max?: number;
  /** Left out: the map is required. Written as in a file. */
  readonly default?: Readonly<Record<string, unknown>>;
  readonly example?: Readonly<Record<string, unknown>>;
}

/** A mapping from names that the operator chooses to values of one kind. */
export function mapOf<T>(options: MapOptions<T>): Schema<Readonly<Record<string, T>>> {
  requireDoc(options.doc);
  const max = options.max ?? defaultMaxEntries;
  const parse = (input: unknown, path: Path, problems: Problem[]): Readonly<Record<string, T>> | undefined => {
    if (input === undefined || input === null) {
      if (fallback !== undefined) return fallback;
      problems.push({ path, code: 'config.invalid', message: `is missing: must be a mapping. ${options.doc}` });
      return undefined;
    }
    const source = asRecord(input, path, problems, 'a mapping of names to values');
    if (source === undefined) return undefined;
    const names = Object.keys(source);
    if (names.length > max) {
      problems.push({
        path,
        code: 'config.invalid',
        message: `there are ${names.length} entries: must be at most ${max}.`,
      });
      return undefined;
    }
    const before = problems.length;
    const entries: [string, T][] = [];
    for (const name of names) {
      if (!options.key.pattern.test(name)) {
        const message = `${showValue(name)} is not allowed as a name: must be ${options.key.values}.`;
        problems.push({ path: [...path, name], code: 'config.invalid', message, atKey: true });
        continue;
      }
      const value = options.of.parse(source[name], [...path, name], problems);
      if (value !== undefined) entries.push([name, value]);
    }
    return problems.length > before ? undefined : Object.fromEntries(entries);
  };
  const fallback = parsedDefault(options.doc, options.default, parse);
  const toJsonSchema = (): Record<string, unknown> => ({
    type: 'object',
    description: options.doc,
    propertyNames: { pattern: options.key.pattern.source, 'x-values': options.key.values },
    additionalProperties: options.of.toJsonSchema(),
    maxProperties: max,
    ...(options.default === undefined ? {} : { default: options.default }),
    ...(options.example === undefined ? {} : { examples: [options.example] }),
  });
  return { doc: options.doc, fallback, parse, toJsonSchema };
}

type Variants = Readonly<Record<string, ObjectSchema<object>>>;

/** `{ kind: 'external', … }` for each variant. */
export type UnionValue<D extends string, V extends Variants> = {
  [N in keyof V & string]: Flat<{ readonly [P in D]: N } & ValueOf<V[N]>>;
}[keyof V & string];

export interface UnionOptions<D extends string, V extends Variants> {
  readonly doc: string;
  /** The key that says which variant it is; no variant has it among its own keys. */
  readonly discriminator: D;
  readonly variants: V;
  /** The variant that stands when nothing is said; left out: required. */
  readonly default?: keyof V & string;
}

/** One of several objects, told apart by one key. */
export function unionOf<const D extends string, V extends Variants>(
  options: UnionOptions<D, V>,
): Schema<UnionValue<D, V>> {
  requireDoc(options.doc);
  const names = Object.keys(options.variants);
  const known = names.map((name) => `\`${name}\``).join(', ');
  const parse = (input: unknown, path: Path, problems: Problem[]): UnionValue<D, V> | undefined => {
    const source =
      input === undefined || input === null
        ? {}
        : asRecord(input, path, problems, `a mapping with the key \`${options.discriminator}\``);
    if (source === undefined) return undefined;
    const given = Object.hasOwn(source, options.discriminator) ? source[options.discriminator] : undefined;
    const name = given ?? options.default;
    if (typeof name !== 'string' || !Object.hasOwn(options.variants, name)) {
      const shown = name === undefined ? 'is missing' : `${showValue(name)} is not allowed`;
      const near = typeof name === 'string' ? suggestion(name, names) : '';
      const message = `${shown}: must be one of ${known}.${near.startsWith(' Did') ? near : ''}`;
      problems.push({ path: [...path, options.discriminator], code: 'config.invalid', message });
      return undefined;
    }
    const { [options.discriminator]: _, ...rest } = source;
    const value = options.variants[name]!.parse(rest, path, problems);
    return value === undefined
      ? undefined
      : ({ [options.discriminator]: name, ...value } as unknown as UnionValue<D, V>);
  };
  const toJsonSchema = (): Record<string, unknown> => ({
    description: options.doc,
    oneOf: names.map((name) => {
      const variant = options.variants[name]!.toJsonSchema();
      const required = [
        ...(name === options.default ? [] : [options.discriminator]),
        ...((variant.required as string[] | undefined) ?? []),
      ];
      const properties = { [options.discriminator]: { const: name }, ...(variant.properties as object) };
      return { ...variant, properties, ...(required.length > 0 ? { required } : {}) };
    }),
    ...(options.default === undefined ? {} : { default: { [options.discriminator]: options.default } }),
  });
  return {
    doc: options.doc,
    fallback: options.default === undefined ? undefined : parse({}, [], []),
    parse,
    toJsonSchema,
  };
}

export interface EitherOptions<A, B> {
  readonly doc: string;
  /** For texts, numbers and booleans. */
  readonly word: Schema<A>;
  /** For mappings and lists. */
  readonly structure: Schema<B>;
}

/** A word or a structure: `tls: auto`, or `tls: {certificate: …, key: …}`. The word's default is the default. */
export function eitherOf<A, B>(options: EitherOptions<A, B>): Schema<A | B> {
  requireDoc(options.doc);
  return {
    doc: options.doc,
    fallback: options.word.fallback,
    parse: (input, path, problems) =>
      typeof input === 'object' && input !== null
        ? options.structure.parse(input, path, problems)
        : options.word.parse(input, path, problems),
    toJsonSchema: () => {
      const { default: written, ...word } = options.word.toJsonSchema();
      return {
        description: options.doc,
        anyOf: [word, options.structure.toJsonSchema()],
        ...(written === undefined ? {} : { default: written }),
      };
    },
  };
}

/** The input as an object whose own keys can be listed, or a problem. A schema goes no deeper than it is written. */
function asRecord(
  input: unknown,
  path: Path,
  problems: Problem[],
  wanted: string,
): Record<string, unknown> | undefined {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  problems.push({ path, code: 'config.invalid', message: `${showValue(input)} is not allowed: must be ${wanted}.` });
  return undefined;
}

function parsedDefault<T>(doc: string, written: unknown, parse: Schema<T>['parse']): T | undefined {
  if (written === undefined) return undefined;
  const problems: Problem[] = [];
  const value = parse(written, [], problems);
  if (problems[0] !== undefined) throw new Error(`default of "${doc}": ${problems[0].message}`);
  return value;
}
