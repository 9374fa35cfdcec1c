import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../shared/limits.ts';
import { chunkCount, chunkOf } from '../../shared/trust/chunks.ts';
import type { ExchangeMessage } from '../../shared/trust/exchange.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { type Ack, encodeAck } from '../../shared/wire/envelope.ts';
import { encodeChunk } from '../../shared/wire/live.ts';
import { incoming } from './incoming.ts';
import { keepPending, pendingVersion, takePending } from './pending.ts';

const series = 'ab'.repeat(16);
const about: ExchangeMessage = { kind: 'about', bytes: encodeJson({ series, number: 3, madeMs: 1000 }) };
const blob = Uint8Array.from({ length: limits.chunkBytes * 2 + 5 }, (_, i) => i & 255);

function chunksOf(bytes: Uint8Array, hash = sha256Hex(bytes)): ExchangeMessage[] {
  return Array.from({ length: chunkCount(bytes.length) }, (_, i) => ({
    kind: 'chunk' as const,
    bytes: encodeChunk({ ...chunkOf(bytes, hash, i)!, hash }),
  }));
}

function manifestOf(version: number): Uint8Array {
  const payload = Buffer.from(JSON.stringify({ version })).toString('base64');
  return encodeJson({ payloadType: 'application/vnd.picket.manifest+json', payload, signatures: [] });
}

const ackOf = (need: readonly string[] = []): ExchangeMessage => ({
  kind: 'ack',
  bytes: encodeAck({
    incarnation: '1'.repeat(32),
    epoch: 'e'.repeat(32),
    n: 0,
    sentMonotonicMs: 0,
    centralMs: 1000,
    contiguous: 5,
    settled: [],
    full: true,
    need,
    renewEpoch: false,
  }),
});

/** Takes the messages in; tells what came of each. */
async function take(messages: readonly ExchangeMessage[], { floor = 0, takes = true, mayReplace = true } = {}) {
  const did: string[] = [];
  const status = { manifestVersion: floor, applied: [], supports: [], refusals: [], commandsDone: [] };
  const result = await incoming(
    (async function* () {
      yield* messages;
    })(),
    {
      exports: {
        mayReplace: () => mayReplace,
        taken: (number: number, need: readonly string[]) => did.push(`taken ${number} ${need.join()}`),
      } as never,
      apply: {
        desired: () => did.push('desired'),
        lookAgain: () => did.push('look again'),
        idle: async () => {},
        status: () => status,
      },
      store: { putBlob: async (hash, bytes) => void did.push(`blob ${hash.slice(0, 6)} ${bytes.length}`) },
      settle: async (acks: readonly Ack[], may: boolean) => {
        did.push(`settle ${acks.length} ${may}`);
        return takes;
      },
      heard: (centralMs) => did.push(`heard ${centralMs}`),
      pendingRecords: () => 0,
    },
  );
  return { did, result };
}

test('acknowledgements first, then blobs, then the manifest that names them', async () => {
  const desired: ExchangeMessage = { kind: 'desired', bytes: manifestOf(2) };
  const { did, result } = await take([about, ackOf(['00112233aabbccdd']), ackOf(), ...chunksOf(blob), desired]);
  const name = `blob ${sha256Hex(blob).slice(0, 6)} ${blob.length}`;
  expect(did).toEqual(['heard 1000', 'settle 2 true', name, 'desired', 'taken 3 00112233aabbccdd', 'look again']);
  expect(result).toMatchObject({ outdated: false, blobs: 1 });
});

test('what is older than what is known is not handed over', async () => {
  const desired: ExchangeMessage = { kind: 'desired', bytes: manifestOf(2) };
  const { did, result } = await take([about, ackOf(), desired], { floor: 2, takes: false, mayReplace: false });
  expect(did).toEqual(['heard 1000', 'settle 1 false']);
  expect(result.outdated).toBe(true);
});

test('a blob that lacks a piece is none, and one with another hash is refused', async () => {
  const [first, , last] = chunksOf(blob);
  const other = Uint8Array.of(1, 2, 3);
  const { did } = await take([about, first!, last!, ...chunksOf(other)]);
  expect(did).toEqual(['heard 1000', `blob ${sha256Hex(other).slice(0, 6)} 3`, 'look again']);
  await expect(take([about, ...chunksOf(other, sha256Hex(blob))])).rejects.toMatchObject({ code: 'blob.mismatch' });
});

test('nothing is taken before it is known which export is answered', async () => {
  await expect(take([ackOf()])).rejects.toMatchObject({ code: 'payload.invalid' });
  await expect(take([{ kind: 'about', bytes: encodeJson({ series }) }])).rejects.toMatchObject({
    code: 'payload.invalid',
  });
  expect((await take([])).did).toEqual([]);
});

test('a manifest waits on the disk for the agent’s start, and is handed over once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'picket-pending-'));
  try {
    const seen: string[] = [];
    const apply = { desired: (bytes: Uint8Array) => void seen.push(sha256Hex(bytes)), idle: async () => {} };
    expect(await pendingVersion(folder)).toBe(0);
    await takePending(folder, apply);
    await keepPending(folder, manifestOf(7));
    expect(await pendingVersion(folder)).toBe(7);
    await takePending(folder, apply);
    await takePending(folder, apply);
    expect(seen).toEqual([sha256Hex(manifestOf(7))]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
