/** A backup as a stream of bytes: bounded memory, whatever the size of the store. */
import { packPayload } from '../../shared/transport/compress.ts';
import { type Entry, encodeEntry, type Totals } from './entries.ts';
import { type BackupHeader, beginBackup, type ScryptCost, sealChunk } from './format.ts';

/** Plain bytes of a chunk; a larger value has one of its own. Compressing one takes two milliseconds. */
const CHUNK_BYTES = 512 * 1024;

export type BackupContent = AsyncIterable<Exclude<Entry, { kind: 'end' }>>;

/** The file's bytes, piece by piece; made as fast as they are taken. */
export async function* writeBackup(
  about: Omit<BackupHeader, 'scrypt'>,
  passphrase: string,
  content: BackupContent,
  cost?: ScryptCost,
): AsyncGenerator<Buffer> {
  const { bytes: first, keys } = await beginBackup(about, passphrase, cost);
  yield first;
  let parts: Buffer[] = [];
  let size = 0;
  let index = 0;
  const chunk = (last: boolean): Buffer => {
    const sealed = sealChunk(keys, index++, last, packPayload(Buffer.concat(parts)));
    parts = [];
    size = 0;
    return sealed;
  };
  const totals = { files: 0, pairs: 0, bytes: 0 } satisfies Totals;
  for await (const entry of content) {
    const encoded = encodeEntry(entry);
    const length = encoded.reduce((sum, part) => sum + part.length, 0);
    if (size > 0 && size + length > CHUNK_BYTES) yield chunk(false);
    parts.push(...encoded);
    size += length;
    totals[entry.kind === 'file' ? 'files' : 'pairs']++;
    totals.bytes += length;
  }
  parts.push(...encodeEntry({ kind: 'end', totals }));
  yield chunk(true);
}
