/** Documents and blobs in memory; kept as text, so that nobody changes by accident what another has read. */
import { checkBlob, checkName } from './documents.ts';
import type { Documents } from './store.ts';

export class MemoryDocuments implements Documents {
  readonly #documents = new Map<string, Map<string, string>>();
  readonly #blobs = new Map<string, Uint8Array>();

  async get<T>(namespace: string, key: string): Promise<T | null> {
    checkName(namespace, key);
    const text = this.#documents.get(namespace)?.get(key);
    return text === undefined ? null : (JSON.parse(text) as T);
  }

  async put(namespace: string, key: string, value: unknown): Promise<void> {
    await this.putAll([{ namespace, key, value }]);
  }

  async putAll(changes: readonly { namespace: string; key: string; value: unknown }[]): Promise<void> {
    for (const { namespace, key } of changes) checkName(namespace, key);
    for (const { namespace, key, value } of changes) {
      const documents = this.#documents.get(namespace) ?? new Map<string, string>();
      this.#documents.set(namespace, documents);
      if (value === null || value === undefined) documents.delete(key);
      else documents.set(key, JSON.stringify(value));
    }
  }

  async list<T>(
    namespace: string,
    range: { after?: string; limit?: number; reverse?: boolean } = {},
  ): Promise<readonly { key: string; value: T }[]> {
    checkName(namespace, range.after ?? '');
    const reverse = range.reverse === true;
    const keys = [...(this.#documents.get(namespace)?.keys() ?? [])].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    if (reverse) keys.reverse();
    const beyond = (key: string, after: string): boolean => {
      const order = Buffer.compare(Buffer.from(key), Buffer.from(after));
      return reverse ? order < 0 : order > 0;
    };
    const wanted = keys.filter((key) => range.after === undefined || beyond(key, range.after)).slice(0, range.limit);
    return wanted.map((key) => ({ key, value: JSON.parse(this.#documents.get(namespace)!.get(key)!) as T }));
  }

  async getBlob(hash: string): Promise<Uint8Array | null> {
    return this.#blobs.get(hash)?.slice() ?? null;
  }

  async putBlob(hash: string, bytes: Uint8Array): Promise<void> {
    checkBlob(hash, bytes);
    this.#blobs.set(hash, bytes.slice());
  }

  async deleteBlob(hash: string): Promise<void> {
    this.#blobs.delete(hash);
  }
}
