/** Documents and blobs of the central itself; every write is synced before its promise resolves. */
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { Database, Operation } from './database.ts';
import { after, blobKey, documentKey } from './keys.ts';
import type { Documents } from './store.ts';

/** Throws `usage.invalid`: a name with a zero byte would run into its neighbour's. */
export function checkName(namespace: string, key: string): void {
  if (namespace === '' || namespace.includes('\0') || key.includes('\0')) {
    throw new PicketError('usage.invalid', `"${namespace}" and "${key}" can't name a document`);
  }
}

/** Throws `blob.mismatch` or `payload.too_large`. */
export function checkBlob(hash: string, bytes: Uint8Array): void {
  if (bytes.length > limits.blobBytes) {
    throw new PicketError('payload.too_large', `a blob of ${bytes.length} bytes; at most ${limits.blobBytes}`);
  }
  if (sha256Hex(bytes) !== hash) throw new PicketError('blob.mismatch', `a blob does not have the hash ${hash}`);
}

export class LevelDocuments implements Documents {
  readonly #database: Database;
  readonly #write: (operations: Operation[]) => Promise<void>;

  /** @param write writes at once, synced, in turn with all other writes */
  constructor(database: Database, write: (operations: Operation[]) => Promise<void>) {
    this.#database = database;
    this.#write = write;
  }

  async get<T>(namespace: string, key: string): Promise<T | null> {
    checkName(namespace, key);
    const value = await this.#database.get(documentKey(namespace, key));
    return value === undefined ? null : (JSON.parse(value.toString()) as T);
  }

  async put(namespace: string, key: string, value: unknown): Promise<void> {
    await this.putAll([{ namespace, key, value }]);
  }

  async putAll(changes: readonly { namespace: string; key: string; value: unknown }[]): Promise<void> {
    const operations = changes.map(({ namespace, key, value }): Operation => {
      checkName(namespace, key);
      const at = documentKey(namespace, key);
      if (value === null || value === undefined) return { type: 'del', key: at };
      return { type: 'put', key: at, value: Buffer.from(JSON.stringify(value)) };
    });
    if (operations.length > 0) await this.#write(operations);
  }

  async list<T>(
    namespace: string,
    range: { after?: string; limit?: number; reverse?: boolean } = {},
  ): Promise<readonly { key: string; value: T }[]> {
    checkName(namespace, range.after ?? '');
    const prefix = documentKey(namespace, '');
    let { gte, lt } = { gte: prefix, lt: after(prefix) };
    if (range.after !== undefined) {
      const at = documentKey(namespace, range.after);
      if (range.reverse === true) lt = at;
      else gte = Buffer.concat([at, Buffer.of(0)]);
    }
    const options = {
      ...(range.limit !== undefined && { limit: range.limit }),
      ...(range.reverse !== undefined && { reverse: range.reverse }),
    };
    const out: { key: string; value: T }[] = [];
    for await (const [key, value] of this.#database.entries({ gte, lt }, options)) {
      out.push({ key: key.subarray(prefix.length).toString(), value: JSON.parse(value.toString()) as T });
    }
    return out;
  }

  async getBlob(hash: string): Promise<Uint8Array | null> {
    if (!/^[0-9a-f]{64}$/.test(hash)) return null;
    return (await this.#database.get(blobKey(hash))) ?? null;
  }

  async putBlob(hash: string, bytes: Uint8Array): Promise<void> {
    checkBlob(hash, bytes);
    await this.#write([{ type: 'put', key: blobKey(hash), value: bytes }]);
  }

  async deleteBlob(hash: string): Promise<void> {
    if (/^[0-9a-f]{64}$/.test(hash)) await this.#write([{ type: 'del', key: blobKey(hash) }]);
  }
}
