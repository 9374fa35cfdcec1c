/**
 * The pages: from memory (embedded in the executable) or read once from a directory. Files whose name carries a hash
 * are kept for ever by browsers; all others are asked for again each time, by their ETag.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../shared/errors.ts';

/** All pages together; they are held in memory. */
const MAX_BYTES = 16 * 1024 * 1024;
const HASHED_NAME = /[.-][A-Za-z0-9_]{8,}\.(js|css|woff2|svg|png|map)$/;

export interface Asset {
  /** Media type, with charset for text. */
  readonly type: string;
  readonly bytes: Uint8Array;
  /** In quotes, as the header wants it. */
  readonly etag: string;
}

/** By path: `/index.html`. */
export type Assets = ReadonlyMap<string, Asset>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

/** An asset from its bytes; type and ETag are found. */
export function assetOf(path: string, bytes: Uint8Array): Asset {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 27);
  return { type: types[extname(path)] ?? 'application/octet-stream', bytes, etag: `"${hash}"` };
}

/** Reads a directory of pages. Throws `config.unreadable` when it is not there or too large. */
export async function readAssets(directory: string): Promise<Assets> {
  const assets = new Map<string, Asset>();
  let size = 0;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new PicketError('config.unreadable', `The pages in ${directory} cannot be read.`, {}, cause);
  });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    size += bytes.length;
    if (size > MAX_BYTES)
      throw new PicketError('config.unreadable', `${directory} holds more than ${MAX_BYTES} bytes.`);
    const path = file.slice(join(directory, '/').length - 1);
    assets.set(path, assetOf(path, bytes));
  }
  return assets;
}

/** Serves the pages at all paths that nothing else has; paths without a file name are routes of the page itself. */
export function installAssets(app: FastifyInstance, assets: Assets): void {
  app.get('/*', { schema: { hide: true } }, async (request, reply) => {
    const path = pathOf(request.url);
    const asset = assets.get(path) ?? (isPageRoute(path) ? assets.get('/index.html') : undefined);
    if (asset === undefined) throw new PicketError('not_found', `There is nothing at ${path.slice(0, 200)}.`);
    reply.header('etag', asset.etag);
    reply.header('cache-control', HASHED_NAME.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
    if (matches(request.headers['if-none-match'], asset.etag)) return reply.code(304).send();
    return reply.type(asset.type).send(Buffer.from(asset.bytes.buffer, asset.bytes.byteOffset, asset.bytes.byteLength));
  });
}

function pathOf(url: string): string {
  const path = url.split('?', 1)[0]!;
  try {
    return decodeURIComponent(path);
  } catch {
    throw new PicketError('usage.invalid', 'The path is not well encoded.');
  }
}

function isPageRoute(path: string): boolean {
  return !path.startsWith('/api/') && extname(path) === '';
}

/** If-None-Match is a list, compared weakly (RFC 9110, 13.1.2). */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
