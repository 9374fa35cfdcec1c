/**
 * What a machine trades its token for: the two messages of an enrolment, spoken over HTTP once, and kept by the agent
 * in `enrolment.json`. The answer comes from outside and decides whom the agent trusts, so every field is checked.
 */
import { PicketError } from '../errors.ts';
import { ID_PATTERN, limits } from '../limits.ts';
import { envelopeOf } from './envelope.ts';
import type { SignedEnvelope } from './messages.ts';

export interface EnrolmentRequest {
  readonly token: string;
  readonly name?: string;
  readonly site?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** All that an agent needs to connect and to trust; written to its state directory with mode 0600. */
export interface Enrolment {
  readonly agent: string;
  readonly name: string;
  /** `mqtt://host:port` or `mqtts://host:port` */
  readonly broker: string;
  readonly prefix: string;
  readonly username: string;
  readonly password: string;
  /** PEM of the CA to pin; null on loopback without TLS. */
  readonly ca: string | null;
  /** raw ed25519 root public key, base64 */
  readonly rootKey: string;
  /** The list of keys in force when it was enrolled; not said by a central that came before it. */
  readonly keys?: SignedEnvelope;
}

/** No field of an enrolment but the CA is longer. */
const maxFieldLength = 1024;

/** Topic levels without wildcards: `picket/1`. */
export const PREFIX_PATTERN = /^[A-Za-z0-9_.-]{1,64}(\/[A-Za-z0-9_.-]{1,64}){0,7}$/;
/** `mqtt://host:port`, with an IPv6 address in brackets. */
export const BROKER_PATTERN = /^mqtts?:\/\/([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$/;
/** 32 bytes in base64. */
const KEY_PATTERN = /^[A-Za-z0-9+/]{43}=$/;

/** Checks an enrolment from a file or the network; throws `payload.invalid` naming the field. */
export function parseEnrolment(json: unknown, where: string): Enrolment {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new PicketError('payload.invalid', `${where} is no enrolment: not a JSON object.`);
  }
  const source = json as Record<string, unknown>;
  const field = (name: keyof Enrolment, pattern?: RegExp): string => {
    const value = Object.hasOwn(source, name) ? source[name] : undefined;
    if (typeof value !== 'string' || value === '' || value.length > maxFieldLength || pattern?.test(value) === false) {
      throw new PicketError(
        'payload.invalid',
        `${where} is no enrolment: \`${name}\` is missing or not what it must be.`,
      );
    }
    return value;
  };
  const ca = Object.hasOwn(source, 'ca') ? source.ca : null;
  if (
    ca !== null &&
    (typeof ca !== 'string' || ca.length > limits.controlBytes || !ca.includes('-----BEGIN CERTIFICATE-----'))
  ) {
    throw new PicketError('payload.invalid', `${where} is no enrolment: \`ca\` is neither null nor a PEM certificate.`);
  }
  return {
    agent: field('agent', ID_PATTERN),
    name: field('name'),
    broker: field('broker', BROKER_PATTERN),
    prefix: field('prefix', PREFIX_PATTERN),
    username: field('username'),
    password: field('password'),
    ca,
    rootKey: field('rootKey', KEY_PATTERN),
    ...(Object.hasOwn(source, 'keys') ? { keys: envelopeOf(source.keys, `${where}: \`keys\``) } : {}),
  };
}
