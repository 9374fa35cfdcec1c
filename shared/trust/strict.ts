/**
 * Reads JSON from outside. The size is held against a bound before anything is decoded, the depth before anything is
 * built; every field is read by a function that names it when it is wrong. Fields that are not known are passed over:
 * a newer version may have added them.
 */
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** JSON of at most `maxBytes` and `limits.nestingDepth`. Throws `payload.too_large`, `payload.invalid`. */
export function parseJson(bytes: Uint8Array, maxBytes: number, what: string): unknown {
  if (bytes.length > maxBytes) {
    throw new PicketError('payload.too_large', `${what} has ${bytes.length} bytes; ${maxBytes} are allowed`);
  }
  checkDepth(bytes, what);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new PicketError('payload.invalid', `${what} is not JSON in UTF-8`, {}, cause);
  }
}

export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function checkDepth(bytes: Uint8Array, what: string): void {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limits.nestingDepth) invalid(what, `is nested deeper than ${limits.nestingDepth}`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}

export function invalid(where: string, problem: string): never {
  throw new PicketError('payload.invalid', `${where} ${problem}`);
}

export function objectOf(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid(where, 'is not an object');
  return value as JsonObject;
}

/** A list of at most `max` items, each read by `read`. */
export function listOf<T>(value: unknown, where: string, max: number, read: (item: unknown, where: string) => T): T[] {
  if (!Array.isArray(value)) invalid(where, 'is not a list');
  if (value.length > max) invalid(where, `has ${value.length} items; ${max} are allowed`);
  return value.map((item, index) => read(item, `${where}[${index}]`));
}

/** A text of at most `max` UTF-16 units that matches the pattern. */
export function textOf(value: unknown, where: string, max: number, pattern?: RegExp): string {
  if (typeof value !== 'string') invalid(where, 'is not a text');
  if (value.length > max) invalid(where, `has ${value.length} characters; ${max} are allowed`);
  if (pattern !== undefined && !pattern.test(value))
    invalid(where, `"${value.slice(0, 80)}" does not match ${pattern}`);
  return value;
}

/** A safe integer within the bounds. */
export function integerOf(value: unknown, where: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) invalid(where, 'is not a whole number');
  if (value < min || value > max) invalid(where, `is ${value}; ${min} to ${max} is allowed`);
  return value;
}

/** A finite number within the bounds. */
export function numberOf(value: unknown, where: string, min = -Number.MAX_VALUE, max = Number.MAX_VALUE): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) invalid(where, 'is not a finite number');
  if (value < min || value > max) invalid(where, `is ${value}; ${min} to ${max} is allowed`);
  return value;
}

export function booleanOf(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') invalid(where, 'is neither true nor false');
  return value;
}

/** Exactly this value. */
export function constantOf<T extends string | number>(value: unknown, where: string, expected: T): T {
  if (value !== expected) invalid(where, `is ${JSON.stringify(value)?.slice(0, 80)}; ${expected} is understood`);
  return expected;
}
