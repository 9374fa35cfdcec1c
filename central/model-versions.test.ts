import { describe, expect, it } from 'vitest';
import type { ModelVersion } from './api.ts';
import type { EvaluationReport } from './evaluate/api.ts';
import { ModelVersions } from './model-versions.ts';
import { MemoryDocuments } from './store/memory-documents.ts';

async function grown(to: number, waiting: number, inUse: number): Promise<ModelVersions> {
  const documents = new MemoryDocuments();
  const versions = new ModelVersions(documents, () => {});
  const report = { figures: 'many' } as unknown as EvaluationReport;
  for (let version = 1; version <= to; version++) {
    const model = { version, agent: 'a1', state: version === waiting ? 'challenger' : 'published' } as ModelVersion;
    await documents.putAll(versions.changes(model, report));
  }
  await versions.thin('a1', [inUse]);
  return versions;
}

async function known(versions: ModelVersions, upTo: number, what: 'get' | 'report'): Promise<number[]> {
  const numbers = Array.from({ length: upTo }, (_, i) => i + 1);
  const found = await Promise.all(numbers.map((number) => versions[what](number)));
  return numbers.filter((_, i) => found[i] !== null);
}

const from = (first: number, to: number): number[] => Array.from({ length: to - first + 1 }, (_, i) => first + i);

describe('old versions', () => {
  it('of an agent are forgotten with their reports', async () => {
    const versions = await grown(540, 0, 0);
    expect(await known(versions, 540, 'get')).toEqual(from(41, 540));
    expect(await known(versions, 540, 'report')).toEqual(from(41, 540));
    expect((await versions.list('a1')).map(({ version }) => version)).toEqual(from(41, 540).reverse());
    expect(await versions.next()).toBe(541);
  });

  it('are kept while they run or wait for their signature', async () => {
    const versions = await grown(540, 9, 5);
    expect(await known(versions, 540, 'get')).toEqual([5, 9, ...from(41, 540)]);
    expect(await known(versions, 540, 'report')).toEqual([5, 9, ...from(41, 540)]);
  });
});
