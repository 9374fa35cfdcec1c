import { expect, test } from 'vitest';
import { MemoryDocuments } from './store/memory-documents.ts';
import { TokenBook } from './tokens.ts';

test('a secret never looks like an option of a command line', async () => {
  const book = await TokenBook.open(new MemoryDocuments());
  const wanted = { note: '', site: '', tags: {}, maxUses: 1, expiresMs: 1, replaces: null };
  const secrets = Array.from({ length: 2_000 }, () => book.make(wanted, 0).secret);
  expect(secrets.filter((secret) => secret.startsWith('-'))).toEqual([]);
});
