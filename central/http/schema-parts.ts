/** What the schemas of the API are made of. */

export type Schema = Readonly<Record<string, unknown>>;

/** An object with exactly these properties; those in `optional` may be absent. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false };
}

export const list = (items: Schema, description?: string): Schema => ({
  type: 'array',
  items,
  ...(description !== undefined && { description }),
});
export const mapOf = (value: Schema): Schema => ({ type: 'object', additionalProperties: value });
export const oneOf = (...values: (string | null)[]): Schema => ({
  type: values.includes(null) ? ['string', 'null'] : 'string',
  enum: values,
});
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const number: Schema = { type: 'number' };
export const integer: Schema = { type: 'integer' };
export const numberOrNull: Schema = { type: ['number', 'null'] };
export const timeMs: Schema = { type: 'number', description: 'Unix time in milliseconds, UTC' };
export const timeMsOrNull: Schema = {
  type: ['number', 'null'],
  description: 'Unix time in milliseconds, UTC, or null',
};
export const anything: Schema = { description: 'Any JSON value' };

export const agentId: Schema = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: "An agent's id" };
export const seriesId: Schema = { type: 'string', pattern: '^[0-9a-f]{16}$', description: "A series' id" };
export const epochId: Schema = { type: 'string', pattern: '^[0-9a-f]{32}$', description: "An epoch's id" };
/** What people write: a name, a note. No control characters. */
export const shortText: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
};
export const freeText: Schema = { type: 'string', maxLength: 256, pattern: '^[^\\u0000-\\u001f\\u007f]*$' };
export const tags: Schema = {
  type: 'object',
  maxProperties: 32,
  propertyNames: { maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f]+$' },
  additionalProperties: freeText,
};
