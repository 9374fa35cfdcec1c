/**
 * The builders of schemas, in one place to import from. A schema is the only source of a value's type, bounds, default
 * and documentation:
 *
 *     const config = object({
 *       doc: 'A Modbus TCP device.',
 *       keys: {
 *         host: string({ doc: 'Its name or address.', example: '192.0.2.7' }),              // no default: required
 *         port: integer({ doc: 'Its TCP port.', min: 1, max: 65535, default: 502 }),
 *         interval: duration({ doc: 'How often it is read.', default: '10s', min: '100ms', max: '1h' }), // ms
 *         unit: optional(integer({ doc: 'Unit id, behind a gateway.', min: 0, max: 247 })), // may be absent
 *       },
 *     });
 *     type Config = ValueOf<typeof config>;  // { readonly host: string; readonly port: number; … readonly unit?: number }
 */
export * from './composite.ts';
export {
  boolean,
  bytes,
  duration,
  integer,
  number,
  oneOf,
  secret,
  string,
  text,
} from './scalars.ts';
export type { ValueOf } from './schema.ts';
