/** One CommonJS script out of a program's sources and packages: what a packed Node runs. */
import { isBuiltin } from 'node:module';
import { build, type Plugin } from 'esbuild';
import type { Program } from './programs.ts';

export interface Bundle {
  readonly script: string;
  /** What is loaded when it is asked for, under the names of the assets that it is to be embedded as. */
  readonly apart: ReadonlyMap<string, Uint8Array>;
}

/**
 * @param addonAsset name of the asset that classic-level's addon is embedded under
 * Throws where something would be looked for on disk at run time: a packed program finds nothing there.
 */
export async function bundle(root: string, program: Program, addonAsset: string): Promise<Bundle> {
  const replacing = standIns(program.standIns);
  const main = [replacing, embeddedPackages(root, program.apart), embeddedAddon(root, addonAsset)];
  const script = await scriptOf(root, program, program.entry, main);
  const apart = new Map<string, Uint8Array>();
  for (const name of program.apart) {
    apart.set(assetOf(name), Buffer.from(await scriptOf(root, program, name, [replacing])));
  }
  return { script, apart };
}

/** @param entry a source from the root, or a package */
async function scriptOf(root: string, program: Program, entry: string, plugins: Plugin[]): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // Names are kept for stack traces. ASCII keeps it one byte a character in memory.
    minifySyntax: true,
    minifyWhitespace: true,
    charset: 'ascii',
    legalComments: 'none',
    // A packed program can load built-in modules only, all of which `require` knows.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '"/"', 'process.env.NODE_ENV': '"production"' },
    plugins,
    logLevel: 'warning',
  });
  const missing = new Set<string>();
  for (const { imports } of Object.values(result.metafile.outputs)) {
    for (const { path, external } of imports) if (external === true && !isBuiltin(path)) missing.add(path);
  }
  if (missing.size > 0) throw new Error(`${program.name} would look for ${[...missing].join(', ')} at run time`);
  const [output] = result.outputFiles;
  return output!.text;
}

function assetOf(name: string): string {
  return `${name}.js`;
}

/** Packages that are rarely needed: the text of the main script stays in memory for ever, that of an asset does not. */
function embeddedPackages(root: string, names: readonly string[]): Plugin {
  return {
    name: 'embedded-packages',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[a-z]/ }, ({ path }) => (names.includes(path) ? { path, namespace: 'apart' } : undefined));
      onLoad({ filter: /.*/, namespace: 'apart' }, ({ path }) => ({
        contents: `module.exports = require('./scripts/build/embedded-script.ts').loadEmbeddedScript('${assetOf(path)}', require);`,
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}

function standIns(contents: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'stand-ins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[a-z]/ }, ({ path }) =>
        Object.hasOwn(contents, path) ? { path, namespace: 'stand-in' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({ contents: contents[path]!, loader: 'js' }));
    },
  };
}

/** classic-level looks for its addon beside itself; a packed program has it inside. */
function embeddedAddon(root: string, asset: string): Plugin {
  return {
    name: 'embedded-addon',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/binding(\.js)?$/ }, ({ importer }) =>
        /[\\/]classic-level[\\/][^\\/]+$/.test(importer) ? { path: 'classic-level', namespace: 'addon' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'addon' }, () => ({
        contents: `module.exports = require('./scripts/build/native-addon.ts').loadEmbeddedAddon('${asset}');`,
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}
