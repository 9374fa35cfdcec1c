/** The agent's enrolment on disk: `enrolment.json` in the data directory, mode 0600. */
import { join } from 'node:path';
import { PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { type Enrolment, parseEnrolment } from '../shared/trust/enrolment.ts';
import { readBounded, writeAtomically } from './state/files.ts';

export function enrolmentPath(dataDir: string): string {
  return join(dataDir, 'enrolment.json');
}

/** Null where the machine is not enrolled; throws `payload.invalid` or `config.unreadable`. */
export async function readEnrolment(dataDir: string): Promise<Enrolment | null> {
  return readAt(enrolmentPath(dataDir));
}

/** One that was carried here by hand; throws `config.unreadable` where there is none. */
export async function readEnrolmentFile(path: string): Promise<Enrolment> {
  const enrolment = await readAt(path);
  if (enrolment === null) throw new PicketError('config.unreadable', `there is no file ${path}.`);
  return enrolment;
}

async function readAt(path: string): Promise<Enrolment | null> {
  const text = await readBounded(path, limits.controlBytes);
  if (text === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PicketError('payload.invalid', `${path} is damaged: it is not JSON. Enrol the machine again.`, {}, error);
  }
  return parseEnrolment(json, path);
}

/** Throws `store.failed` or `disk.full`. */
export async function writeEnrolment(dataDir: string, enrolment: Enrolment): Promise<void> {
  const text = `${JSON.stringify(enrolment, null, 2)}\n`;
  await writeAtomically(enrolmentPath(dataDir), text, { mode: 0o600, durable: true });
}
