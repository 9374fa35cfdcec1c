/**
 * `npm run build [-- --target linux-x64|linux-arm64] [--program picket-agent] [--out DIR] [--if-stale]`
 *
 * Makes dist/picket-agent and dist/picket-central, each one file that runs on a Debian without Node; for another
 * machine than this in a folder of its own (dist/linux-arm64/picket-agent). See scripts/README.md.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';
import { pack } from './executable.ts';
import { type Program, programs } from './programs.ts';
import { runtimeOf, runtimeVersion } from './runtimes.ts';
import { fingerprintOf, isFresh, writeStamp } from './stamp.ts';
import { hostTarget, type Target, targets } from './targets.ts';
import { webFiles } from './web.ts';

const root = join(import.meta.dirname, '..', '..');
const scratch = join(root, '.build');

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: hostTarget },
    program: { type: 'string' },
    out: { type: 'string', default: join(root, 'dist') },
    'if-stale': { type: 'boolean', default: false },
  },
});

function chosen<T extends { readonly name: string }>(all: readonly T[], name: string, what: string): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  console.error(`no ${what} ${name}; there are ${all.map((one) => one.name).join(', ')}`);
  process.exit(64);
}

async function addonOf({ addon }: Target): Promise<{ asset: string; bytes: Uint8Array }> {
  const bytes = await readFile(join(root, 'node_modules', 'classic-level', 'prebuilds', addon));
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { asset: `classic-level-${hash}.node`, bytes };
}

/** As central/assets.ts reads them: JSON, path to base64. */
async function pagesAsset(): Promise<Uint8Array> {
  const files: Record<string, string> = {};
  for (const [path, bytes] of await webFiles()) files[path] = Buffer.from(bytes).toString('base64');
  return Buffer.from(JSON.stringify(files));
}

async function buildOne(program: Program, target: Target, version: string, output: string): Promise<void> {
  const startedMs = performance.now();
  const work = join(scratch, `pack-${process.pid}`, program.name);
  await mkdir(work, { recursive: true });
  const addon = await addonOf(target);
  const assets = new Map<string, Uint8Array>([[addon.asset, addon.bytes]]);
  if (program.pages) assets.set('web.json', await pagesAsset());
  const { script, apart } = await bundle(root, program, addon.asset);
  for (const [name, bytes] of apart) assets.set(name, bytes);
  const node = { path: await runtimeOf(target, version, join(scratch, 'runtimes')), version };
  await mkdir(dirname(output), { recursive: true });
  await pack({ script, assets, flags: program.flags }, target, node, work, output);
  const { size } = await stat(output);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `${output}  ${(size / 1e6).toFixed(1)} MB, of it script ${(script.length / 1e6).toFixed(2)} MB (${target.name}, ${seconds} s)`,
  );
}

const target = chosen(targets, values.target, 'target');
const out = resolve(target.name === hostTarget ? values.out : join(values.out, target.name));
const wanted = values.program === undefined ? programs : [chosen(programs, values.program, 'program')];
try {
  const version = await runtimeVersion();
  for (const program of wanted) {
    const output = join(out, program.name);
    const fingerprint = await fingerprintOf(root, program, target);
    if (values['if-stale'] && (await isFresh(output, fingerprint, scratch))) continue;
    await buildOne(program, target, version, output);
    await writeStamp(output, fingerprint, scratch);
  }
} finally {
  await rm(join(scratch, `pack-${process.pid}`), { recursive: true, force: true });
}
