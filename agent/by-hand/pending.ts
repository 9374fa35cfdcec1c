/** A manifest that came by hand while the agent did not run: it waits in the data directory for the next start. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../shared/limits.ts';
import { parseEnvelope } from '../../shared/trust/dsse.ts';
import { integerOf, objectOf, parseJson } from '../../shared/trust/strict.ts';
import { readBounded, writeAtomically } from '../state/files.ts';

function pendingPath(dataDir: string): string {
  return join(dataDir, 'desired.json');
}

/** Throws `disk.full`, `store.failed`. */
export async function keepPending(dataDir: string, manifest: Uint8Array): Promise<void> {
  const text = new TextDecoder().decode(manifest);
  await writeAtomically(pendingPath(dataDir), text, { mode: 0o600, durable: true });
}

/** The version of a manifest by its own word, not verified; null where it says none. */
export function statedVersion(manifest: Uint8Array): number | null {
  try {
    const payload = Buffer.from(parseEnvelope(manifest, 'manifest').payload, 'base64');
    const { version } = objectOf(parseJson(payload, limits.controlBytes, 'manifest'), 'manifest');
    return integerOf(version, 'manifest.version');
  } catch {
    return null;
  }
}

/** Of the manifest that waits; 0 where none does. */
export async function pendingVersion(dataDir: string): Promise<number> {
  const text = await readBounded(pendingPath(dataDir), limits.controlBytes).catch(() => null);
  return text === null ? 0 : (statedVersion(new TextEncoder().encode(text)) ?? 0);
}

/** Hands the manifest that waits to who verifies and applies it. One that is older than what is in force is refused there. */
export async function takePending(
  dataDir: string,
  apply: { desired(bytes: Uint8Array): void; idle(): Promise<void> },
): Promise<void> {
  const text = await readBounded(pendingPath(dataDir), limits.controlBytes);
  if (text === null) return;
  apply.desired(new TextEncoder().encode(text));
  await apply.idle();
  await rm(pendingPath(dataDir), { force: true });
}
