/**
 * Part of the executables: loads an addon that is embedded in them. The dynamic loader wants a file, so the addon is
 * written once to `native/` in the data directory, under a name that holds its hash, and loaded from there. Not to a
 * temporary directory, which is often memory or mounted noexec; only where the data directory does not take it.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRawAsset } from 'node:sea';

/** Only who runs the program may read what it loads. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o500;

/**
 * @param asset name of the embedded asset, which is also the file's: `classic-level-<hash>.node`
 * Throws where no directory takes the file, with what each of them said.
 */
export function loadEmbeddedAddon(asset: string): unknown {
  const bytes = Buffer.from(getRawAsset(asset) as ArrayBuffer);
  const problems: string[] = [];
  for (const directory of stateDirectories()) {
    try {
      const native = join(directory, 'native');
      return load(placed(native, asset, bytes));
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  const temporary = mkdtempSync(join(tmpdir(), 'picket-'));
  try {
    return load(placed(temporary, asset, bytes));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    throw new Error(`no directory takes the embedded database library: ${problems.join('; ')}`);
  } finally {
    // Once it is loaded, its name is not needed any more.
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** `PICKET_STATE` is set by main.ts, which knows the data directory; children of the program inherit it. */
function stateDirectories(): string[] {
  return [process.env.PICKET_STATE, process.env.STATE_DIRECTORY?.split(':')[0]].filter(
    (directory): directory is string => directory !== undefined && directory !== '',
  );
}

function placed(directory: string, name: string, bytes: Buffer): string {
  const path = join(directory, name);
  if (isThere(path, bytes)) return path;
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  removeOthers(directory, name);
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', FILE_MODE);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  return path;
}

/** Compared whole: a file that a power cut or a failing disk changed is written anew, not loaded. */
function isThere(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

/** Those of other versions, and what a killed process left. */
function removeOthers(directory: string, name: string): void {
  const family = name.slice(0, name.lastIndexOf('-') + 1);
  for (const other of readdirSync(directory)) {
    if (other.startsWith(family) && other !== name) rmSync(join(directory, other), { force: true });
  }
}

function load(path: string): unknown {
  const loaded = { exports: {} as unknown };
  process.dlopen(loaded, path);
  return loaded.exports;
}
