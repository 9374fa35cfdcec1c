/**
 * What a backup's chunks hold: entries, one after the other, none across two chunks.
 *
 *     u8 kind, u32 length of the name, u32 length of the value, name, value
 *
 *     1 file   name: one of `fileNames`
 *     2 pair   name: a key of the store (store/level.ts), value: its value
 *     3 end    no name; JSON of the totals: the last entry of the last chunk
 *
 * No path is ever taken from a file: names of files are looked up in the table here, and keys of the store begin with a
 * space that this version knows.
 */
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { objectOf, parseJson } from '../../shared/trust/strict.ts';
import { spaces } from '../store/keys.ts';
import { damaged } from './format.ts';

/** Of the data directory: they come back where they were. */
export const dataFiles = [
  'keys/root.pem',
  'keys/model.pem',
  'keys/model-old.pem',
  'keys/model-next.pem',
  'keys/configuration.pem',
  'keys/configuration-old.pem',
  'keys/configuration-next.pem',
  'keys/rollout.pem',
  'keys/rollout-old.pem',
  'keys/rollout-next.pem',
  'keys/command.pem',
  'keys/command-old.pem',
  'keys/command-next.pem',
  'keys/keys.json',
  'tls/ca.key',
  'tls/ca.pem',
  'tls/server.key',
  'tls/server.pem',
  'admin.token',
] as const;

/** From elsewhere on the machine: they come back below `DATA/restored`, for the operator to put where they belong. */
export const broughtFiles = [
  'restored/central.yaml',
  'restored/broker-passwords',
  'restored/broker-ca.pem',
  'restored/certificate.pem',
  'restored/certificate-key.pem',
  'restored/certificate-ca.pem',
] as const;

export type DataFile = (typeof dataFiles)[number];
export type BroughtFile = (typeof broughtFiles)[number];
export type FileName = DataFile | BroughtFile;

const fileNames: ReadonlySet<string> = new Set([...dataFiles, ...broughtFiles]);
const keySpaces: ReadonlySet<number> = new Set(Object.values(spaces).map((space) => space.charCodeAt(0)));
const META = Buffer.from('meta/');

/** A key holds a namespace and a name of a document at most. */
const MAX_KEY_BYTES = 16 * 1024;
/** Blobs are the largest values (`limits.blobBytes`); a file of a hundred thousand passwords is 16 MB. */
export const MAX_VALUE_BYTES = 32 * 1024 * 1024;
export const ENTRY_HEAD_BYTES = 9;
const FILE = 1;
const PAIR = 2;
const END = 3;

export interface Totals {
  readonly files: number;
  readonly pairs: number;
  /** Of keys and values. */
  readonly bytes: number;
}

export type Entry =
  | { readonly kind: 'file'; readonly name: FileName; readonly value: Buffer }
  | { readonly kind: 'pair'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'end'; readonly totals: Totals };

/** The entry's bytes, in parts. Throws `payload.too_large`. */
export function encodeEntry(entry: Entry): Buffer[] {
  if (entry.kind === 'file') return framed(FILE, Buffer.from(entry.name), entry.value);
  if (entry.kind === 'pair') return framed(PAIR, entry.key, entry.value);
  return framed(END, Buffer.alloc(0), Buffer.from(JSON.stringify(entry.totals)));
}

function framed(kind: number, name: Buffer, value: Buffer): Buffer[] {
  if (name.length > MAX_KEY_BYTES || value.length > MAX_VALUE_BYTES) {
    const what = name
      .subarray(0, 40)
      .toString('latin1')
      .replace(/[^\x20-\x7e]/g, '.');
    throw new PicketError(
      'payload.too_large',
      `backup: the entry ${what} has ${name.length} + ${value.length} bytes; a backup takes ${MAX_VALUE_BYTES}.`,
    );
  }
  const head = Buffer.alloc(ENTRY_HEAD_BYTES);
  head[0] = kind;
  head.writeUInt32BE(name.length, 1);
  head.writeUInt32BE(value.length, 5);
  return [head, name, value];
}

/** The entries of a chunk. Throws `payload.invalid` for anything that this version does not write. */
export function* decodeEntries(chunk: Buffer): Generator<Entry> {
  for (let at = 0; at < chunk.length; ) {
    if (at + ENTRY_HEAD_BYTES > chunk.length) throw damaged('an entry is cut');
    const kind = chunk[at];
    const nameLength = chunk.readUInt32BE(at + 1);
    const valueLength = chunk.readUInt32BE(at + 5);
    const from = at + ENTRY_HEAD_BYTES;
    at = from + nameLength + valueLength;
    if (nameLength > MAX_KEY_BYTES || valueLength > MAX_VALUE_BYTES || at > chunk.length) {
      throw damaged('an entry states a length that it cannot have');
    }
    yield entryOf(kind, chunk.subarray(from, from + nameLength), chunk.subarray(from + nameLength, at));
  }
}

function entryOf(kind: number | undefined, name: Buffer, value: Buffer): Entry {
  switch (kind) {
    case FILE: {
      const text = name.toString('latin1');
      if (!fileNames.has(text)) throw damaged('it holds a file that no central writes');
      return { kind: 'file', name: text as FileName, value };
    }
    case PAIR:
      if (!isKey(name)) throw damaged('it holds a key that no store has');
      return { kind: 'pair', key: name, value };
    case END:
      return { kind: 'end', totals: totalsOf(value) };
    default:
      throw damaged(`it holds an entry of the unknown kind ${kind}`);
  }
}

function isKey(key: Buffer): boolean {
  return key.subarray(0, META.length).equals(META) || (key.length > 0 && keySpaces.has(key[0]!));
}

function totalsOf(value: Buffer): Totals {
  const { files, pairs, bytes } = objectOf(parseJson(value, limits.controlBytes, 'totals'), 'totals');
  return { files: Number(files), pairs: Number(pairs), bytes: Number(bytes) };
}
