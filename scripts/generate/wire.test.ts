import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateWire } from './wire.ts';

const root = join(import.meta.dirname, '..', '..');

test('the committed code is what edge.proto gives, each time the same, and names no path of this machine', async () => {
  const [first, second] = await Promise.all([generateWire(), generateWire()]);
  expect([...first.keys()]).toEqual(['shared/wire/gen/edge.js', 'shared/wire/gen/edge.d.ts']);
  for (const [path, content] of first) {
    expect(second.get(path)).toBe(content);
    expect(readFileSync(join(root, path), 'utf8') === content, `${path} is up to date; if not, npm run generate`).toBe(
      true,
    );
    expect(content).not.toContain(root);
  }
}, 30_000);
