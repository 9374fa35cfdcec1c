/** A directory in one file: JSON of its files' bytes in base64, gzipped. A journal of fixed size is mostly zeros. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** LevelDB's lock, and its log for people. */
const LEFT_OUT = ['LOCK', 'LOG', 'LOG.old'];

export function packDirectory(directory: string, file: string): void {
  const files: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, name);
    const left = LEFT_OUT.some((out) => name.endsWith(`/${out}`) || name === out);
    if (statSync(path).isFile() && !left) files[name] = readFileSync(path).toString('base64');
  }
  writeFileSync(file, gzipSync(JSON.stringify(files), { level: 9 }), { flag: 'wx' });
}

export function unpackDirectory(file: string, directory: string): void {
  const files = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Record<string, string>;
  for (const [name, base64] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), Buffer.from(base64, 'base64'));
  }
}
