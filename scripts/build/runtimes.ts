/** The Node that is inside of an executable: from the packages of scripts/runtimes, without its symbols. */
import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hostTarget, type Target } from './targets.ts';

const runtimes = join(import.meta.dirname, '..', 'runtimes');

/** The version that scripts/runtimes names, without the `v`. */
export async function runtimeVersion(): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(join(runtimes, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const versions = new Set(Object.values(dependencies));
  const [version] = versions;
  if (version === undefined || versions.size !== 1) throw new Error('scripts/runtimes must name one version of Node');
  // What is embedded is prepared by the Node that runs this, and only the same version reads it.
  if (process.versions.node !== version) {
    throw new Error(`building needs Node ${version}, this is ${process.versions.node}: run it with \`npm run build\``);
  }
  return version;
}

/**
 * Path of the target's Node, stripped if that is possible here: stripping afterwards breaks it.
 * @param cache directory that keeps it between builds
 */
export async function runtimeOf(target: Target, version: string, cache: string): Promise<string> {
  const source = join(runtimes, 'node_modules', `node-${target.name}`, 'bin', 'node');
  await installRuntimes();
  const stripped = join(cache, `node-${version}-${target.name}-stripped`);
  if (await exists(stripped)) return stripped;
  const temporary = `${stripped}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  await copyFile(source, temporary);
  await chmod(temporary, 0o755);
  const tools = target.name === hostTarget ? [...target.strips, 'strip'] : target.strips;
  for (const tool of tools) {
    // Sorted out of the way of the clock: the result is a function of the input.
    if (!(await run(tool, ['--enable-deterministic-archives', '--strip-all', temporary]))) continue;
    await rename(temporary, stripped);
    return stripped;
  }
  await rm(temporary);
  console.error(
    `warning: no strip for ${target.name} (Debian: binutils, binutils-aarch64-linux-gnu): the executable is 17 MB larger, and its bytes are others`,
  );
  return source;
}

/**
 * Installs the packages of scripts/runtimes where they are missing. They appear there whole, by one rename: two builds
 * may begin at the same time, and one must not run what the other still writes.
 * @throws where npm fails
 */
export async function installRuntimes(): Promise<void> {
  const packages = join(runtimes, 'node_modules');
  if (await exists(packages)) return;
  console.error('installing the runtimes (npm ci, about 100 MB) …');
  const work = await mkdtemp(join(runtimes, '.installing-'));
  try {
    for (const name of ['.npmrc', 'package.json', 'package-lock.json'])
      await copyFile(join(runtimes, name), join(work, name));
    const ok = await run(
      'npm',
      ['ci', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      work,
    );
    if (!ok)
      throw new Error('npm ci of scripts/runtimes failed: see the lines above; the registry must be reachable once');
    await rename(join(work, 'node_modules'), packages).catch(async (error: unknown) => {
      // Another build was quicker.
      if (!(await exists(packages))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** False where it is missing or fails; what it says goes to standard error. */
function run(command: string, args: readonly string[], cwd?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2], ...(cwd === undefined ? {} : { cwd }) });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}
