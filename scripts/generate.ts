/**
 * Writes every generated file; with `--check` compares instead and fails on a difference, so that what is committed
 * is always what the sources say.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateConfigDocs } from './generate/config.ts';
import { generateRuleDocs } from './generate/rules.ts';
import { generateWire } from './generate/wire.ts';

const root = dirname(import.meta.dirname);
const generators = [generateWire, generateConfigDocs, generateRuleDocs];

const check = process.argv.includes('--check');
let stale = 0;
for (const generate of generators) {
  for (const [path, content] of await generate()) {
    const file = join(root, path);
    const current = await readFile(file, 'utf8').catch(() => null);
    if (current === content) continue;
    if (check) {
      console.error(`${path} is not what its source says; run: npm run generate`);
      stale++;
    } else {
      await writeFile(file, content);
      console.log(`wrote ${path}`);
    }
  }
}
process.exit(stale === 0 ? 0 : 1);
