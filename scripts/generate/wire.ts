/**
 * Generates `shared/wire/gen/edge.js` and `edge.d.ts` from `edge.proto`: static protobufjs code, which needs no
 * `Function()`, is half the size of reflection and starts faster. The files are committed, so that a build needs no
 * generator; `npm run check` generates them again and compares.
 *
 * `node scripts/generate/wire.ts` writes them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pbjs from 'protobufjs-cli/pbjs.js';
import pbts from 'protobufjs-cli/pbts.js';

const root = join(import.meta.dirname, '..', '..');
const schemaPath = 'shared/wire/edge.proto';
const codePath = 'shared/wire/gen/edge.js';
const typesPath = 'shared/wire/gen/edge.d.ts';
const banner = `// Generated from ${schemaPath} by scripts/generate/wire.ts. Do not edit.\n`;

/** What every run of pbjs is told. 64-bit integers stay Long objects: numbers would lose a series id's low bits. */
const staticCode = [
  ...['--target', 'static-module', '--wrap', 'esm', '--root', 'picket', '--dependency', 'protobufjs/minimal.js'],
  ...['--no-verify', '--no-convert', '--no-delimited', '--no-create', '--no-typeurl'],
];

/** The generated files: path from the repository's root → content. Equal for equal input. */
export async function generateWire(): Promise<ReadonlyMap<string, string>> {
  const schema = join(root, schemaPath);
  const scratch = await mkdtemp(join(tmpdir(), 'picket-wire-'));
  try {
    const code = await run(pbjs.main, [...staticCode, '--no-comments', schema]);
    // pbts reads the types out of the comments, which the code that is shipped does not need.
    const commented = join(scratch, 'edge.js');
    await writeFile(commented, await run(pbjs.main, [...staticCode, schema]));
    const types = await run(pbts.main, [commented]);
    return new Map([
      [codePath, banner + code.trimEnd().concat('\n')],
      [typesPath, banner + types.trimEnd().concat('\n')],
    ]);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

type Main = (args: string[], callback: (error: Error | null, output?: string) => void) => unknown;

function run(main: Main, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    main(args, (error, output) => {
      if (error !== null) reject(error);
      else resolve(output ?? '');
    });
  });
}

if (import.meta.main) {
  for (const [path, content] of await generateWire()) await writeFile(join(root, path), content);
}
