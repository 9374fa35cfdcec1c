/**
 * A schema out of the JSON Schema that `toJsonSchema` made of one: for a program that knows another program's
 * configuration by that document alone. It says the same of a value in the same words, but for rules between keys, which
 * no document holds. What it parses is for nothing but the problems that it finds.
 */

import { showValue } from './scalars.ts';
import type { Schema } from './schema.ts';
import {
  boolean,
  bytes,
  duration,
  integer,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  optional,
  secret,
  string,
  text,
} from './types.ts';

type Json = Readonly<Record<string, unknown>>;

/** @param managed a layer over a machine's own file: keys that are local only are refused, none is required */
export function schemaFromJson(json: Json, managed: boolean): Schema<unknown> {
  if (managed && json['x-local'] === true) return refused(json);
  const choices = json.anyOf as Json[] | undefined;
  if (choices !== undefined) return choice(json, choices, managed);
  if (json.enum !== undefined) return oneOf({ doc: docOf(json), values: json.enum as string[] }) as Schema<unknown>;
  switch (json.type) {
    case 'object':
      return json.properties === undefined ? mapping(json, managed) : record(json, managed);
    case 'array':
      return listOf({
        doc: docOf(json),
        of: schemaFromJson(json.items as Json, managed),
        ...numberAt(json, 'minItems', 'min'),
        ...numberAt(json, 'maxItems', 'max'),
      });
    case 'boolean':
      return boolean({ doc: docOf(json) });
    case 'number':
    case 'integer': {
      const bounds = { ...numberAt(json, 'minimum', 'min'), ...numberAt(json, 'maximum', 'max') };
      const options = { doc: docOf(json), ...unitOf(json), ...bounds };
      return json.type === 'number' ? number(options) : integer(options);
    }
    case 'string':
      return words(json);
    default:
      return anything(json);
  }
}

function docOf(json: Json): string {
  return typeof json.description === 'string' && json.description !== '' ? json.description : '…';
}

function numberAt<T extends string>(json: Json, from: string, to: T): { [K in T]?: number } {
  return (typeof json[from] === 'number' ? { [to]: json[from] } : {}) as { [K in T]?: number };
}

/** What stands in parentheses at the end of "a number from … to … (°C)". */
function unitOf(json: Json): { unit?: string } {
  const unit = /\(([^()]*)\)$/.exec(String(json['x-values'] ?? ''))?.[1];
  return unit === undefined ? {} : { unit };
}

function words(json: Json): Schema<unknown> {
  const doc = docOf(json);
  const values = typeof json['x-values'] === 'string' ? { values: json['x-values'] } : {};
  if (json['x-unit'] !== undefined) {
    const at = (name: 'x-min' | 'x-max', to: 'min' | 'max') =>
      typeof json[name] === 'string' ? { [to]: json[name] } : {};
    const bounds = { doc, ...at('x-min', 'min'), ...at('x-max', 'max') };
    return json['x-unit'] === 'a duration' ? duration(bounds) : bytes(bounds);
  }
  const pattern = typeof json.pattern === 'string' ? new RegExp(json.pattern) : null;
  if (json.minLength === undefined) {
    const parse = (value: string) => (pattern === null || pattern.test(value) ? value : null);
    return text({ doc, values: String(json['x-values'] ?? 'a text'), parse });
  }
  const lengths = { ...numberAt(json, 'minLength', 'minLength'), ...numberAt(json, 'maxLength', 'maxLength') };
  const options = { doc, ...values, ...lengths, ...(pattern === null ? {} : { pattern }) };
  return json.writeOnly === true ? secret(options) : string(options);
}

function record(json: Json, managed: boolean): Schema<unknown> {
  const required = (json.required as string[] | undefined) ?? [];
  const keys = Object.entries(json.properties as Record<string, Json>).map(([name, child]) => {
    const schema = schemaFromJson(child, managed);
    // Not even `null` may be said of what is local only.
    const judged = managed ? child['x-local'] === true : required.includes(name);
    return [name, judged ? schema : optional(schema)];
  });
  return object({ doc: docOf(json), keys: Object.fromEntries(keys) as Record<string, Schema<unknown>> });
}

function mapping(json: Json, managed: boolean): Schema<unknown> {
  const names = json.propertyNames as Json | undefined;
  const of = json.additionalProperties;
  if (names === undefined || typeof of !== 'object' || of === null) return anything(json);
  return mapOf({
    doc: docOf(json),
    of: schemaFromJson(of as Json, managed),
    key: { values: String(names['x-values'] ?? 'names'), pattern: new RegExp(String(names.pattern ?? '')) },
    ...numberAt(json, 'maxProperties', 'max'),
  });
}

/** The first form that is of the value's type judges it. */
function choice(json: Json, choices: readonly Json[], managed: boolean): Schema<unknown> {
  const forms = choices.map((form) => ({ form, schema: schemaFromJson(form, managed) }));
  const words = String(json['x-values'] ?? forms.map(({ form }) => String(form['x-values'] ?? form.type)).join(' or '));
  return {
    ...anything(json),
    parse(input, path, problems) {
      if (input === undefined || input === null) return input;
      const found = forms.find(({ form }) => fits(form, input));
      if (found !== undefined) return found.schema.parse(input, path, problems);
      problems.push({ path, code: 'config.invalid', message: `${showValue(input)} is not allowed: must be ${words}.` });
      return undefined;
    },
  };
}

function fits(form: Json, input: unknown): boolean {
  if (form.enum !== undefined) return typeof input !== 'object';
  switch (form.type) {
    case 'array':
      return Array.isArray(input);
    case 'object':
      return typeof input === 'object' && !Array.isArray(input);
    case 'integer':
      return typeof input === 'number';
    case undefined:
      return true;
    default:
      return typeof input === form.type;
  }
}

function refused(json: Json): Schema<unknown> {
  return {
    ...anything(json),
    parse(input, path, problems) {
      if (input === undefined) return undefined;
      const message = "is local only: say it in the machine's own file.";
      problems.push({ path, code: 'config.invalid', message, atKey: true });
      return undefined;
    },
  };
}

/** What this version cannot read the rules of is judged by the program that it is for. */
function anything(json: Json): Schema<unknown> {
  return { doc: docOf(json), fallback: undefined, parse: (input) => input, toJsonSchema: () => ({ ...json }) };
}
