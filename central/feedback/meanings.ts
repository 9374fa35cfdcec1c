/** Series of a machine that say something else since some time, as the last training found them; kept over a restart. */
import { listAll } from '../manifests.ts';
import type { AgentId, Documents } from '../store/store.ts';
import { type SeriesChange, wordsOfChange } from '../train/meaning.ts';
import type { ToldChange } from './api.ts';

const CHANGES = 'series-changes';
/** Of one machine; a device that was replaced changes all of its series at once. */
const MOST = 200;

export class Meanings {
  readonly #documents: Documents;
  readonly #changes = new Map<AgentId, readonly ToldChange[]>();

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async start(): Promise<void> {
    for await (const { key, value } of listAll<readonly ToldChange[]>(this.#documents, CHANGES)) {
      this.#changes.set(key, value);
    }
  }

  of(agent: AgentId): readonly ToldChange[] {
    return this.#changes.get(agent) ?? [];
  }

  /** What a training found, all of it: what is no longer in the history that it learns from is told no more. */
  async noted(agent: AgentId, changes: readonly SeriesChange[]): Promise<void> {
    const told = changes
      .map(({ series, key, ...change }): ToldChange => ({ series, key, ...change, text: wordsOfChange(change) }))
      .sort((a, b) => b.atMs - a.atMs || (a.series < b.series ? -1 : 1))
      .slice(0, MOST);
    if (JSON.stringify(told) === JSON.stringify(this.of(agent))) return;
    await this.#documents.put(CHANGES, agent, told.length === 0 ? null : told);
    if (told.length === 0) this.#changes.delete(agent);
    else this.#changes.set(agent, told);
  }
}
