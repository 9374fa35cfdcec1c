/** Contents of models, which are blobs: decoded ones are kept in memory, those too old to go back to are deleted. */
import type { SeriesId } from '../shared/series.ts';
import type { ModelVersion } from './api.ts';
import type { Documents } from './store/store.ts';
import type { ModelKind } from './train/kind.ts';

/** Versions of an agent the content of which is kept for a rollback. */
const KEPT_CONTENTS = 5;
/** Decoded models in memory. */
const CACHED_MODELS = 8;

export class ModelContents {
  readonly #documents: Documents;
  readonly #decoded = new Map<string, ReadonlyMap<SeriesId, unknown>>();

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** What an agent makes of the content; null where it is not here any more. */
  async parameters(kind: ModelKind<unknown>, contentSha256: string): Promise<ReadonlyMap<SeriesId, unknown> | null> {
    const cached = this.#decoded.get(contentSha256);
    if (cached !== undefined) return cached;
    const content = await this.#documents.getBlob(contentSha256);
    const series = content && kind.decode(content);
    if (series === null) return null;
    if (this.#decoded.size >= CACHED_MODELS) this.#decoded.delete(this.#decoded.keys().next().value!);
    this.#decoded.set(contentSha256, series);
    return series;
  }

  /**
   * Deletes the contents of versions that are too old, unless one that is kept has the same. One that was in use when it
   * became too old goes with a later release.
   * @param released versions of one slot of an agent, newest first
   */
  async forget(released: readonly ModelVersion[], inUse: readonly (number | undefined)[]): Promise<void> {
    const kept = released.filter((model, i) => i < KEPT_CONTENTS || inUse.includes(model.version));
    const contents = new Set(kept.map(({ contentSha256 }) => contentSha256));
    for (const old of released) {
      if (kept.includes(old) || (await this.#documents.getBlob(old.releaseSha256)) === null) continue;
      await this.#documents.deleteBlob(old.releaseSha256);
      if (!contents.has(old.contentSha256)) await this.#documents.deleteBlob(old.contentSha256);
    }
  }
}
