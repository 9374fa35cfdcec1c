/** Releases and their contents: from this disk where they are whole, else from the central; verified before any use. */
import { PicketError } from '../../shared/errors.ts';
import { parseEnvelope } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { KeyList, ManifestRelease, Release } from '../../shared/trust/messages.ts';
import { RELEASE_BYTES, readRelease, verifyRelease } from '../../shared/trust/verify.ts';
import type { BlobFetcher } from './fetch.ts';
import type { ApplyOptions, ApplyStore } from './options.ts';
import type { AppliedRelease } from './state.ts';

export class ReleaseFiles {
  readonly #options: ApplyOptions;
  readonly #fetcher: BlobFetcher;

  constructor(options: ApplyOptions, fetcher: BlobFetcher) {
    this.#options = options;
    this.#fetcher = fetcher;
  }

  /** What was taken before. Throws `blob.mismatch` where it is no longer whole on this disk. */
  read(applied: Pick<AppliedRelease, 'releaseSha256'>): Promise<{ content: Uint8Array; release: Release }> {
    return readKept(this.#options.store, applied);
  }

  /** What the manifest names, verified; it lies on the disk then, with its content. */
  async take(
    entry: ManifestRelease,
    context: { readonly cohorts: readonly string[]; readonly keys: KeyList },
    signal: AbortSignal,
  ): Promise<{ applied: AppliedRelease; content: Uint8Array; release: Release }> {
    const { agent, store, supports, centralMs } = this.#options;
    const bytes = await this.#obtain(entry.releaseSha256, entry.releaseBytes, signal);
    const envelope = parseEnvelope(bytes, 'release', RELEASE_BYTES * 2);
    const release = verifyRelease(envelope, entry, { ...context, agent, supports, nowMs: centralMs() });
    const content = await this.#obtain(release.contentSha256, release.contentBytes, signal);
    await store.putBlob(entry.releaseSha256, bytes);
    await store.putBlob(release.contentSha256, content);
    const { releaseSha256 } = entry;
    const { contentSha256 } = release;
    return { applied: { releaseSha256, contentSha256, appliedMs: this.#options.utcMs() }, release, content };
  }

  async #obtain(sha256: string, sizeBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const held = await keptBlob(this.#options.store, sha256);
    if (held !== null && held.length === sizeBytes) return held;
    await this.#options.affordable?.(sizeBytes, signal);
    return await this.#fetcher.fetch(sha256, sizeBytes, signal);
  }
}

/** A release that was taken before, and its content. Throws `blob.mismatch` where it is no longer whole on this disk. */
export async function readKept(
  store: Pick<ApplyStore, 'getBlob'>,
  { releaseSha256 }: Pick<AppliedRelease, 'releaseSha256'>,
): Promise<{ content: Uint8Array; release: Release }> {
  const envelope = await keptBlob(store, releaseSha256);
  const release = envelope && readRelease(parseEnvelope(envelope, 'release', RELEASE_BYTES * 2));
  const content = release && (await keptBlob(store, release.contentSha256));
  if (!content) {
    throw new PicketError('blob.mismatch', `the content of ${releaseSha256} is no longer whole on this disk`);
  }
  return { content, release };
}

/** A blob of the disk, if it is still what its name says. */
async function keptBlob(store: Pick<ApplyStore, 'getBlob'>, sha256: string): Promise<Uint8Array | null> {
  const bytes = await store.getBlob(sha256);
  return bytes !== null && sha256Hex(bytes) === sha256 ? bytes : null;
}
