/** Certificates in files: PEM with one or many, or DER; and which files a pattern names. */
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { PicketError } from '../../../shared/errors.ts';
import { globMatches } from '../../../shared/rules/glob.ts';

const MOST_BYTES = 1024 * 1024;
/** Of one file; a bundle of all authorities of the world is of no interest here. */
const MOST_CERTIFICATES = 16;
/** Names in one folder that a pattern is held against. */
const MOST_NAMES = 2000;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a text, or in bytes that are one. Throws `input.failed` where there is none that can be read. */
export function certificatesIn(bytes: Buffer, where: string): readonly X509Certificate[] {
  const blocks = bytes.toString('latin1').match(PEM)?.slice(0, MOST_CERTIFICATES) ?? [bytes];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw new PicketError('input.failed', `${where} holds no certificate that can be read.`);
  }
}

/** Reads a file, if it is no larger than any certificate's. Throws `input.failed` or `input.permission`. */
export async function readCertificates(path: string): Promise<readonly X509Certificate[]> {
  let bytes: Buffer;
  try {
    const { size } = await fs.stat(path);
    if (size > MOST_BYTES) throw new PicketError('input.failed', `${path} has ${size} bytes: at most ${MOST_BYTES}.`);
    bytes = await fs.readFile(path);
  } catch (error) {
    if (error instanceof PicketError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const denied = code === 'EACCES' || code === 'EPERM';
    throw new PicketError(denied ? 'input.permission' : 'input.failed', `${path} cannot be read: ${code}.`, {}, error);
  }
  return certificatesIn(bytes, path);
}

/** The files that a pattern names, below a root; `*` stands for any text within a name. */
export async function filesOf(root: string, pattern: string, most: number): Promise<readonly string[]> {
  let found: string[] = [''];
  for (const part of pattern.split('/').filter((each) => each !== '')) {
    const next: string[] = [];
    for (const folder of found) {
      if (next.length >= most) break;
      if (part.includes('*')) {
        const names = await fs.readdir(join(root, folder)).catch(() => []);
        const fitting = names.slice(0, MOST_NAMES).filter((name) => globMatches(part.replaceAll('|', '?'), name));
        next.push(...fitting.sort().map((name) => `${folder}/${name}`));
      } else next.push(`${folder}/${part}`);
    }
    found = next.slice(0, most);
  }
  if (!pattern.includes('*')) return found;
  // Of a pattern only what is there; a file that is named and is not there is a failure.
  const there = await Promise.all(
    found.map((path) =>
      fs.access(join(root, path)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.filter((_, i) => there[i]);
}
