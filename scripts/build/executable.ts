/**
 * Packs a script and its assets into a copy of Node ("single executable application"), by the code of pkg. It would
 * download Node; it finds it in the cache that is laid out for it here instead, so that a build needs no network.
 *
 * The same inputs give the same bytes: all that goes into the file is a name without the build's directory, or content.
 */
import { copyFile, link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { log } from '@yao-pkg/pkg/lib-es5/log.js';
import * as pkg from '@yao-pkg/pkg/lib-es5/sea.js';
import type { Target } from './targets.ts';

/** The part of pkg that is used, with the fields of Node's own configuration that its types leave out. */
type PackSea = (
  entry: string,
  options: {
    readonly seaConfig: Readonly<Record<string, unknown>>;
    readonly targets: readonly Readonly<Record<string, string>>[];
    readonly signature: boolean;
  },
) => Promise<void>;

/** CommonJS with a `default` of its own: what Node imports as the default holds it once more. */
const packSea = (pkg.default as unknown as { readonly default: PackSea }).default;

export interface Contents {
  readonly script: string;
  readonly assets: ReadonlyMap<string, Uint8Array>;
  readonly flags: readonly string[];
}

/**
 * Writes the executable `output` (absolute).
 * @param work an empty directory of this build's own; it becomes HOME and TMPDIR of this process
 */
export async function pack(
  { script, assets, flags }: Contents,
  { name, arch }: Target,
  node: { readonly path: string; readonly version: string },
  work: string,
  output: string,
): Promise<void> {
  await mkdir(work, { recursive: true });
  await seedCache(work, name, node);
  await writeFile(join(work, 'main.js'), script);
  const entries: [string, string][] = [];
  for (const [asset, bytes] of [...assets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = join(work, `asset-${entries.length}`);
    await writeFile(path, bytes);
    entries.push([asset, path]);
  }
  // It tells of downloads and extractions that do not take place.
  log.info = () => {};
  process.env.HOME = work;
  process.env.TMPDIR = work;
  const temporary = join(work, 'executable');
  const options = {
    // pkg works in a directory that it makes in TMPDIR. The script's path goes into the file: said from there, it is
    // the same in every build.
    seaConfig: {
      main: '../main.js',
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      // It would save 5 ms, and makes other bytes in each build.
      useCodeCache: false,
      execArgv: [...flags],
      assets: Object.fromEntries(entries),
    },
    targets: [{ nodeRange: `node${node.version}`, platform: 'linux', arch, output: temporary }],
    signature: false,
  };
  await packSea(join(work, 'main.js'), options);
  await rename(temporary, output);
}

/** As pkg would have left it after a download. */
async function seedCache(
  home: string,
  target: string,
  { path, version }: { readonly path: string; readonly version: string },
): Promise<void> {
  const cache = join(home, '.pkg-cache', 'sea');
  const name = `node-v${version}-${target}`;
  const bin = join(cache, name, 'bin');
  await mkdir(bin, { recursive: true });
  const node = join(bin, 'node');
  await rm(node, { force: true });
  await link(path, node).catch(() => copyFile(path, node));
  for (const mark of [`${node}.ok`, join(cache, `${name}.tar.gz`), join(cache, `${name}.tar.gz.ok`)]) {
    await writeFile(mark, '');
  }
}
