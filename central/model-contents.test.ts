import { expect, test } from 'vitest';
import { sha256Hex } from '../shared/trust/hash.ts';
import type { ModelVersion } from './api.ts';
import { someModel } from './http/fake-values.ts';
import { ModelContents } from './model-contents.ts';
import { MemoryDocuments } from './store/memory-documents.ts';

test('contents too old to go back to are deleted: not those in use, and these once they are no longer', async () => {
  const documents = new MemoryDocuments();
  const contents = new ModelContents(documents);
  const versions: ModelVersion[] = [];
  // Versions 1 and 7 have the same content.
  for (let version = 1; version <= 9; version++) {
    const [release, content] = [`release ${version}`, `content ${version === 7 ? 1 : version}`].map((text) =>
      Buffer.from(text),
    );
    const [releaseSha256, contentSha256] = [sha256Hex(release!), sha256Hex(content!)];
    await documents.putBlob(releaseSha256, release!);
    await documents.putBlob(contentSha256, content!);
    versions.unshift({ ...someModel, version, releaseSha256, contentSha256 });
  }
  const there = async (of: (model: ModelVersion) => string): Promise<number[]> => {
    const found = await Promise.all(versions.map(async (model) => (await documents.getBlob(of(model))) !== null));
    return versions.flatMap(({ version }, i) => (found[i] ? [version] : []));
  };
  await contents.forget(versions, [2, undefined]);
  expect(await there((model) => model.releaseSha256)).toEqual([9, 8, 7, 6, 5, 2]);
  expect(await there((model) => model.contentSha256)).toEqual([9, 8, 7, 6, 5, 2, 1]);
  await contents.forget(versions, [9]);
  expect(await there((model) => model.releaseSha256)).toEqual([9, 8, 7, 6, 5]);
});
