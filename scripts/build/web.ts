/**
 * The pages as files: bundled and minified by esbuild, names of scripts and styles carrying a hash of what is in them,
 * so that browsers may keep them for ever. The same sources give the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const pages = join(root, 'central', 'web');

/** All files of the pages by their path below the address: `/index.html`, `/main-ABCDEFGH.js`. Sorted by path. */
export async function webFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: join(pages, 'main.tsx'), out: 'main' },
      { in: join(pages, 'theme-first.ts'), out: 'theme-first' },
    ],
    bundle: true,
    splitting: true,
    write: false,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
    charset: 'utf8',
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outdir: '/',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  });
  const files = new Map<string, Uint8Array>();
  const named = new Map<string, string>();
  const add = (path: string, bytes: Uint8Array): void => {
    files.set(path, bytes);
    named.set(path.replace(/-[A-Z0-9]{8}(?=\.\w+$)/, ''), path);
  };
  for (const { path, contents } of result.outputFiles) add(`/${basename(path)}`, contents);
  const icon = await readFile(join(pages, 'icon.svg'));
  add(`/icon-${hashOf(icon)}.svg`, icon);
  const html = (await readFile(join(pages, 'index.html'), 'utf8')).replace(/\{\{([^}]+)\}\}/g, (_, name: string) => {
    const path = named.get(name);
    if (path === undefined) throw new Error(`index.html names ${name}, which is not built`);
    return path;
  });
  files.set('/index.html', new TextEncoder().encode(html));
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Writes the pages into a directory, which is emptied first. */
export async function buildWeb(outDir: string): Promise<void> {
  const files = await webFiles();
  await rm(outDir, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    const file = join(outDir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}

/** Eight capitals and digits, as esbuild's own. */
function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
}
