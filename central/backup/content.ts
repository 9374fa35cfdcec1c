/**
 * What of a central is in its backup: all of the store at one moment, the files of its data directory by which it is
 * what it is (CA, signing keys, admin token), and copies of the files elsewhere that its configuration names.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PicketError } from '../../shared/errors.ts';
import type { CentralConfig } from '../config.ts';
import { AGENTS } from '../fleet.ts';
import type { LevelStore } from '../store/level.ts';
import { type BroughtFile, dataFiles, type FileName, MAX_VALUE_BYTES } from './entries.ts';
import type { ScryptCost } from './format.ts';
import { writeBackup } from './write.ts';

export interface BackupSource {
  readonly config: CentralConfig;
  /** The file that the configuration came from; null where there is none. */
  readonly configFile: string | null;
  readonly store: Pick<LevelStore, 'everything' | 'documents'>;
  readonly version: string;
  readonly nowMs: () => number;
  /** What a try of a passphrase costs; tests make it small. */
  readonly scryptCost?: ScryptCost;
}

/** The bytes of a backup; the store is read as it is when the first of them is taken. */
export async function* makeBackup(source: BackupSource, passphrase: string): AsyncGenerator<Buffer> {
  // The store first: a password that a broker's file has too many harms nobody, one too few locks an agent out.
  const agents = (await source.store.documents.list(AGENTS)).length;
  const { format, pairs, close } = await source.store.everything();
  try {
    const files = await readFiles(source);
    const about = { version: source.version, madeMs: source.nowMs(), storeFormat: format, agents };
    async function* content() {
      for (const { name, value } of files) yield { kind: 'file' as const, name, value };
      for await (const [key, value] of pairs) yield { kind: 'pair' as const, key, value };
    }
    yield* writeBackup(about, passphrase, content(), source.scryptCost);
  } finally {
    await close();
  }
}

async function readFiles({ config, configFile }: BackupSource): Promise<{ name: FileName; value: Buffer }[]> {
  const { broker, tls } = config;
  const brought: readonly (readonly [BroughtFile, string | null | undefined])[] = [
    ['restored/central.yaml', configFile],
    ['restored/broker-passwords', broker.kind === 'external' ? broker.passwords : null],
    ['restored/broker-ca.pem', broker.kind === 'external' ? broker.ca : null],
    ['restored/certificate.pem', typeof tls === 'object' ? tls.certificate : null],
    ['restored/certificate-key.pem', typeof tls === 'object' ? tls.key : null],
    ['restored/certificate-ca.pem', typeof tls === 'object' ? tls.ca : null],
  ];
  const wanted = [...dataFiles.map((name) => [name, join(config.data, name)] as const), ...brought];
  const out: { name: FileName; value: Buffer }[] = [];
  for (const [name, path] of wanted) {
    const value = path === null || path === undefined ? null : await readIfThere(path);
    if (value !== null) out.push({ name, value });
  }
  if (!out.some(({ name }) => name === 'keys/keys.json')) {
    throw new PicketError(
      'config.unreadable',
      `${join(config.data, 'keys/keys.json')} is missing: no central ran here.`,
    );
  }
  return out;
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= MAX_VALUE_BYTES) return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PicketError('config.unreadable', `backup: cannot read ${path}: ${messageOf(error)}.`, {}, error);
  }
  throw new PicketError('payload.too_large', `backup: ${path} is larger than ${MAX_VALUE_BYTES} bytes.`);
}
