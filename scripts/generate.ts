/**
 * Writes every generated file; with `--check` compares instead and fails on a difference, so that what is committed
 * is always what the sources say.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateConfigDocs } from './generate/config.ts';
import { generateRuleDocs } from './generate/rules.ts';
import { generateWire } from './generate/wire.ts';

const root = dirname(import.meta.dirname);
const generators = [generateWire, generateConfigDocs, generateRuleDocs];

/** Documents as the formatter has them, which looks at all that is committed. */
function formatted(path: string, content: string): string {
  if (!path.startsWith('docs/') && !path.endsWith('.json')) return content;
  const biome = join(root, 'node_modules', '.bin', 'biome');
  return execFileSync(biome, ['format', `--stdin-file-path=${path}`], { cwd: root, input: content, encoding: 'utf8' });
}

const check = process.argv.includes('--check');
let stale = 0;
for (const generate of generators) {
  for (const [path, source] of await generate()) {
    const content = formatted(path, source);
    const file = join(root, path);
    const current = await readFile(file, 'utf8').catch(() => null);
    if (current === content) continue;
    if (check) {
      console.error(`${path} is not what its source says; run: npm run generate`);
      stale++;
    } else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      console.log(`wrote ${path}`);
    }
  }
}
process.exit(stale === 0 ? 0 : 1);
