/** Reads a backup from end to end, and says what it holds or why it is not to be relied on. */
import { PicketError } from '../../shared/errors.ts';
import { FORMAT } from '../store/format.ts';
import type { FileName, Totals } from './entries.ts';
import type { BackupHeader } from './format.ts';
import { BackupFile } from './read.ts';

export interface Verified {
  readonly header: BackupHeader;
  readonly totals: Totals;
  readonly files: readonly FileName[];
}

/** Reads all of it, and throws where anything is not as it was written or not for this version. */
export async function verifyBackup(file: BackupFile): Promise<Verified> {
  const { header } = file;
  if (header.storeFormat > FORMAT) {
    throw new PicketError(
      'store.newer_format',
      `the backup was made by Picket ${header.version} and holds a store of format ${header.storeFormat}; this version knows ${FORMAT}.`,
    );
  }
  const files: FileName[] = [];
  let pairs = 0;
  let bytes = 0;
  for await (const entry of file.entries()) {
    bytes += entry.value.length;
    if (entry.kind === 'pair') pairs++;
    else files.push(entry.name);
  }
  if (!files.includes('keys/keys.json')) throw new PicketError('payload.invalid', 'the backup holds no keys.');
  return { header, totals: { files: files.length, pairs, bytes }, files };
}

export async function verifyFile(
  path: string,
  passphrase: string,
): Promise<{ readonly verified: Verified; readonly sizeBytes: number }> {
  const file = await BackupFile.open(path, async () => passphrase);
  try {
    return { verified: await verifyBackup(file), sizeBytes: file.sizeBytes };
  } finally {
    await file.close();
  }
}
