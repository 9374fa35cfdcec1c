/** Where the pages come from: embedded in the executable, or the directory that the build wrote. */
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { type Assets, assetOf, readAssets } from './http/assets.ts';

/** The pages as one asset of the executable: JSON, path to base64. */
const EMBEDDED = 'web.json';

export async function pageAssets(): Promise<Assets> {
  if (isSea()) {
    const files = JSON.parse(getAsset(EMBEDDED, 'utf8')) as Record<string, string>;
    return new Map(Object.entries(files).map(([path, text]) => [path, assetOf(path, Buffer.from(text, 'base64'))]));
  }
  return await readAssets(process.env.PICKET_ASSETS ?? join(import.meta.dirname, '..', '.build', 'web'));
}
