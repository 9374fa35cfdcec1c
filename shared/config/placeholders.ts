/**
 * `${secret:name}` in a configuration: stands for a value that only the machine has. It is allowed where the schema says
 * that a value is secret and nowhere else: such a value is in no message, no series' name and no report, so that nobody
 * who writes a configuration can have one told.
 */
import type { JsonObject } from '../trust/strict.ts';
import type { Path, Problem } from './schema.ts';

const PLACEHOLDER = /\$\{secret:([^}]*)\}/g;
export const SECRET_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Placeholders of one configuration. */
const MOST = 256;

type Json = Readonly<Record<string, unknown>>;

interface Placeholder {
  readonly path: Path;
  readonly name: string;
}

/** All of them, with their places. */
export function placeholdersOf(values: unknown): readonly Placeholder[] {
  const found: Placeholder[] = [];
  const walk = (value: unknown, path: Path): void => {
    if (found.length >= MOST) return;
    if (typeof value === 'string') {
      for (const [, name] of value.matchAll(PLACEHOLDER)) found.push({ path, name: name! });
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(item, [...path, index]);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    }
  };
  walk(values, []);
  return found;
}

/** Those that are wrong: in a place that is no secret, or with a name that cannot be one. */
export function placeholderProblems(values: unknown, jsonSchema: Json): readonly Problem[] {
  return placeholdersOf(values).flatMap(({ path, name }): Problem[] => {
    const fail = (message: string): Problem[] => [{ path, code: 'config.invalid', message }];
    if (!SECRET_NAME.test(name)) {
      return fail('`secret:NAME`: a name has letters, digits, `-` and `_`, at most 64 of them.');
    }
    return isSecret(jsonSchema, path)
      ? []
      : fail(
          `\`\${secret:${name}}\` is not allowed here: this value is shown and told; only passwords and keys are not.`,
        );
  });
}

/** The values with each placeholder replaced; `secretOf` throws where there is no such secret. */
export function withSecrets(values: JsonObject, secretOf: (name: string) => string): JsonObject {
  const resolved = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(PLACEHOLDER, (_, name: string) => secretOf(name));
    if (Array.isArray(value)) return value.map(resolved);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item)]));
  };
  return resolved(values) as JsonObject;
}

function isSecret(schema: Json, path: Path): boolean {
  let level: Json[] = [schema];
  for (const part of path) level = level.flatMap(alternatives).flatMap((each) => childOf(each, part));
  return level.flatMap(alternatives).some((each) => each.writeOnly === true);
}

function alternatives(schema: Json): Json[] {
  const of = (['anyOf', 'oneOf'] as const).flatMap((name) => (schema[name] as Json[] | undefined) ?? []);
  return [schema, ...of.flatMap(alternatives)];
}

function childOf(schema: Json, part: string | number): Json[] {
  if (typeof part === 'number') return schema.items === undefined ? [] : [schema.items as Json];
  const properties = (schema.properties as Json | undefined) ?? {};
  if (Object.hasOwn(properties, part)) return [properties[part] as Json];
  const others = schema.additionalProperties;
  return typeof others === 'object' && others !== null ? [others as Json] : [];
}
