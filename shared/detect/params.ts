/** Parameters that are numbers, as every detector here has them, from JSON that nobody vouches for. */
import { PicketError } from '../errors.ts';

/** Bounds of each field, both included. */
export type Bounds<P> = { readonly [K in keyof P]: readonly [low: number, high: number] };

/**
 * Reads an object of numbers; what is missing takes its default. Throws `payload.invalid` naming the field that is
 * unknown, no number or out of its bounds.
 */
export function parseNumbers<P extends object>(kind: string, json: unknown, defaults: P, bounds: Bounds<P>): P {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new PicketError('payload.invalid', `parameters of ${kind}: an object is wanted`);
  }
  const out: Record<string, number> = {};
  for (const [name, value] of Object.entries(defaults)) out[name] = value as number;
  for (const [name, value] of Object.entries(json)) {
    const bound = Object.hasOwn(bounds, name) ? bounds[name as keyof P] : undefined;
    if (bound === undefined) throw new PicketError('payload.invalid', `parameters of ${kind}: unknown field ${name}`);
    if (typeof value !== 'number' || !(value >= bound[0] && value <= bound[1])) {
      throw new PicketError(
        'payload.invalid',
        `parameters of ${kind}: ${name} is ${JSON.stringify(value)?.slice(0, 50)}, wanted ${bound[0]} to ${bound[1]}`,
      );
    }
    out[name] = value;
  }
  return out as P;
}
