/**
 * The content of a `model/group` release: the groups of one machine. Little-endian, groups sorted by name:
 *
 *   "PGM" 1 | varint windowMs | varint groups, then for each:
 *     varint length of name, name (UTF-8) | varint series | 8 bytes id each, rising
 *     | float64 rows | float64 mean each | float64 scale each | float32 eigenvalue each, the greatest first
 *     | float32 loadings, a row for each eigenvalue | 2 tails (T², SPE) of 4 × float32 | float32 capBits, findingBits
 *
 * A group of 64 series is 18 KB. What the central evaluates is what `decode` gives, rounding included.
 */
import { checkGroupModel, type GroupModelParams, MOST_MODEL_GROUPS } from '../detect/group-model.ts';
import { MOST_GROUP_SERIES, parseGroupReference } from '../detect/group-reference.ts';
import type { SeasonalTail } from '../detect/seasonal.ts';
import { DAY_MS, limits } from '../limits.ts';
import { ByteReader, ByteWriter, fromHex, toHex } from './bytes.ts';

const MAGIC = Uint8Array.of(0x50, 0x47, 0x4d, 1);

/** The one slot of it: a machine's windows have one length. */
export const GROUP_SLOT = 'model/group';

export interface GroupModel {
  readonly windowMs: number;
  readonly groups: ReadonlyMap<string, GroupModelParams>;
}

export function encodeGroupModel({ windowMs, groups }: GroupModel): Uint8Array {
  const writer = new ByteWriter(32 * 1024);
  writer.raw(MAGIC);
  writer.varint(windowMs);
  writer.varint(groups.size);
  for (const name of [...groups.keys()].sort()) {
    const bytes = new TextEncoder().encode(name);
    writer.varint(bytes.length);
    writer.raw(bytes);
    writeGroup(writer, groups.get(name)!);
  }
  return writer.finish();
}

function writeGroup(writer: ByteWriter, { members, reference, t2, spe, capBits, findingBits }: GroupModelParams): void {
  writer.varint(members.length);
  for (const id of members) writer.raw(fromHex(id, 8));
  writer.float64(reference.rows);
  for (const value of [...reference.mean, ...reference.scale]) writer.float64(value);
  for (const value of reference.eigenvalues) writer.float32(value);
  for (const row of reference.loadings) for (const value of row) writer.float32(value);
  for (const tail of [t2, spe]) {
    for (const value of [tail.threshold, tail.share, tail.scale, tail.shape]) writer.float32(value);
  }
  writer.float32(capBits);
  writer.float32(findingBits);
}

/** A model from outside: bounded, each group within the bounds of `checkGroupModel`. Throws `payload.invalid`. */
export function decodeGroupModel(bytes: Uint8Array): GroupModel {
  const reader = new ByteReader(bytes, 'group model');
  const magic = reader.raw(MAGIC.length);
  if (!MAGIC.every((byte, i) => magic[i] === byte)) reader.fail('this is not a group model of format 1');
  const windowMs = reader.varint(DAY_MS);
  if (windowMs < 1000) reader.fail(`a window of ${windowMs} ms`);
  const groups = new Map<string, GroupModelParams>();
  const count = reader.varint(MOST_MODEL_GROUPS);
  for (let i = 0; i < count; i++) {
    const name = new TextDecoder().decode(reader.raw(reader.varint(limits.seriesTextBytes)));
    if (groups.has(name)) reader.fail('a group twice');
    const params = readGroup(reader);
    checkGroupModel(params, `group model, group ${i}`);
    groups.set(name, params);
  }
  reader.end();
  return { windowMs, groups };
}

function readGroup(reader: ByteReader): GroupModelParams {
  const size = reader.varint(MOST_GROUP_SERIES);
  const list = (read: () => number): number[] => Array.from({ length: size }, read);
  const double = (): number => reader.float64();
  const single = (): number => reader.float32();
  const members = Array.from({ length: size }, () => toHex(reader.raw(8)));
  const rows = reader.float64();
  const mean = list(double);
  const scale = list(double);
  const eigenvalues = list(single);
  const loadings = Array.from({ length: size }, () => list(single));
  const reference = parseGroupReference({ rows, mean, scale, eigenvalues, loadings });
  return { members, reference, t2: readTail(reader), spe: readTail(reader), capBits: single(), findingBits: single() };
}

function readTail(reader: ByteReader): SeasonalTail {
  return {
    threshold: reader.float32(),
    share: reader.float32(),
    scale: reader.float32(),
    shape: reader.float32(),
  };
}
