/**
 * Files of /sys whose reading may wait for a device (a sensor behind a slow bus, a battery's controller, a disk's
 * temperature): read on the thread pool, through a handle that stays open.
 */
import fs from 'node:fs/promises';
import { isGone, readError } from './reader.ts';

/** One value each; sysfs gives at most a page. */
const maxValueBytes = 256;

export class SlowFile {
  readonly path: string;
  #handle: fs.FileHandle | null = null;
  #buffer: Buffer | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** The file's text without blanks at its ends; null where it is not there or its device has no value now. */
  async text(): Promise<string | null> {
    try {
      this.#handle ??= await fs.open(this.path, 'r');
      this.#buffer ??= Buffer.alloc(maxValueBytes);
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, maxValueBytes, 0);
      return this.#buffer.toString('utf8', 0, bytesRead).trim();
    } catch (error) {
      await this.close();
      if (isGone(error)) return null;
      throw readError(this.path, error);
    }
  }

  /** Its number; NaN where it has none. */
  async number(): Promise<number> {
    const text = await this.text();
    return text === null || !/^-?\d+(?:\.\d+)?$/.test(text) ? Number.NaN : Number(text);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }
}

/** A file that is read once; null where it is not there. */
export async function readOnce(path: string): Promise<string | null> {
  const file = new SlowFile(path);
  try {
    return await file.text();
  } finally {
    await file.close();
  }
}

/** Names in a folder, sorted; none where it is not there. */
export async function namesIn(path: string, most: number): Promise<readonly string[]> {
  try {
    return (await fs.readdir(path)).sort(byNumbersInside).slice(0, most);
  } catch (error) {
    if (isGone(error)) return [];
    throw readError(path, error);
  }
}

/** `hwmon2` before `hwmon10`. */
function byNumbersInside(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
