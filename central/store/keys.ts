/**
 * Keys of the database: one byte that names the space, then big-endian numbers and fixed-length parts, so that byte
 * order is the order wanted. The table of all spaces is at the head of `level.ts`.
 */
import type { Range } from './database.ts';
import type { EpochId } from './store.ts';

export const spaces = {
  agent: 'a',
  series: 's',
  table: 't',
  epoch: 'e',
  run: 'q',
  window: 'w',
  rollup: 'r',
  chunk: 'c',
  hour: 'h',
  day: 'd',
  coverage: 'g',
  dirty: 'y',
  dirtyDay: 'k',
  event: 'v',
  incident: 'i',
  incidentTime: 'j',
  evidence: 'x',
  latest: 'o',
  unknown: 'u',
  quarantine: 'z',
  gap: 'm',
  proof: 'p',
  settled: 'l',
  volatile: 'V',
  identity: 'f',
  boot: 'B',
  filed: 'F',
  rebuild: 'R',
  coMoments: 'C',
  document: 'n',
  blob: 'b',
} as const;
export type Space = keyof typeof spaces;

/** Spaces whose keys go on with the agent's number. */
export const agentSpaces = [
  'series',
  'table',
  'epoch',
  'run',
  'window',
  'rollup',
  'chunk',
  'hour',
  'day',
  'coverage',
  'dirty',
  'dirtyDay',
  'event',
  'incident',
  'evidence',
  'latest',
  'unknown',
  'quarantine',
  'gap',
  'proof',
  'settled',
  'volatile',
  'identity',
  'boot',
  'filed',
  'rebuild',
  'coMoments',
] as const satisfies readonly Space[];
export type AgentSpace = (typeof agentSpaces)[number];

/** A part of a key: u32, u48 (in an object, as it is rarer), or bytes. */
export type Part = number | { readonly u48: number } | Uint8Array;

export const formatKey = Buffer.from('meta/format');
export const wireKey = Buffer.from('meta/wire');
export const thinnedKey = Buffer.from('meta/thinned');

function build(space: Space, parts: readonly Part[]): Buffer {
  let size = 1;
  for (const part of parts) size += typeof part === 'number' ? 4 : part instanceof Uint8Array ? part.length : 6;
  const out = Buffer.allocUnsafe(size);
  out[0] = spaces[space].charCodeAt(0);
  let at = 1;
  for (const part of parts) {
    if (typeof part === 'number') at = out.writeUInt32BE(part, at);
    else if (part instanceof Uint8Array) {
      out.set(part, at);
      at += part.length;
    } else at = out.writeUIntBE(part.u48, at, 6);
  }
  return out;
}

export function agentKey(id: string): Buffer {
  return build('agent', [Buffer.from(id)]);
}

export function keyOf(space: AgentSpace, agent: number, ...parts: Part[]): Buffer {
  return build(space, [agent, ...parts]);
}

export function incidentTimeKey(openedMs: number, agent: number, epoch: EpochId, seq: number): Buffer {
  return build('incidentTime', [{ u48: Math.floor(openedMs) }, agent, epochBytes(epoch), { u48: seq }]);
}

export function documentKey(namespace: string, key: string): Buffer {
  return build('document', [Buffer.from(`${namespace}\0${key}`)]);
}

export function blobKey(hash: string): Buffer {
  return build('blob', [Buffer.from(hash, 'hex')]);
}

export function epochBytes(epoch: EpochId): Buffer {
  return Buffer.from(epoch, 'hex');
}

/** All keys that begin with these parts. */
export function startingWith(space: Space, ...parts: Part[]): Range {
  const gte = build(space, parts);
  return { gte, lt: after(gte) };
}

/** Keys from those that begin with `from` up to those before the ones that begin with `to` (exclusive). */
export function between(space: Space, parts: readonly Part[], from: Part, to: Part): Range {
  return { gte: build(space, [...parts, from]), lt: build(space, [...parts, to]) };
}

/** The first key after all that begin with these bytes. */
export function after(prefix: Buffer): Buffer {
  const out = Buffer.from(prefix);
  for (let i = out.length - 1; i >= 0; i--) {
    if (out[i]! < 255) {
      out[i]!++;
      return out.subarray(0, i + 1);
    }
  }
  throw new RangeError('no key is after this prefix');
}
