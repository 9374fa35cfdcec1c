/** The journal on a disk that fails: in the middle of a write, in one of its blocks, and when it is full. */
import { type FileHandle, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Journal } from '../../agent/outbox/journal.ts';
import { metaKey } from '../../agent/outbox/layout.ts';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import type { Outbox } from '../../agent/outbox/outbox.ts';
import type { Op } from '../../agent/outbox/shelf.ts';
import { baseOptions, countingRandom, everything, ManualTime, numberOf, record } from './outbox.harness.ts';

const MB = 1024 * 1024;
const JOURNAL_BYTES = 64 * 1024;
const BLOCK_BYTES = 4096;

let root: string;
let path: string;
/** What every open file is an instance of: errors are put in here. */
let files: FileHandle;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-journal-'));
  path = join(root, 'journal');
  const any = await open(root, 'r');
  files = Object.getPrototypeOf(any);
  await any.close();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

const batch = (n: number): Op[] => [{ type: 'put', key: metaKey(`.${n}`), value: new Uint8Array(3000).fill(n) }];
const failure = (code: string) => Object.assign(new Error(`${code}: as the test says`), { code });

async function journalOf(batches: number): Promise<Journal> {
  const journal = await Journal.open(path, JOURNAL_BYTES);
  await journal.recover(0);
  for (let n = 1; n <= batches; n++) await journal.append(batch(n));
  return journal;
}

type Write = (buffer: Uint8Array, offset: number, length: number, position: number) => Promise<unknown>;

it('makes a batch durable whose write had failed, or been killed, before it goes by it', async () => {
  const journal = await journalOf(2);
  // What the disk has; the file is what the kernel has in memory, and shows as if it were written.
  const disk = await readFile(path);
  const write = files.write as unknown as Write;
  vi.spyOn(files, 'write').mockImplementationOnce(async function (this: FileHandle, ...args: unknown[]) {
    await write.apply(this, args as Parameters<Write>);
    throw failure('ENOSPC');
  } as never);
  await expect(journal.append(batch(3))).rejects.toThrow('ENOSPC');
  await journal.close();

  vi.spyOn(files, 'write').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
    const [bytes, from, length, at] = args as Parameters<Write>;
    disk.set(bytes.subarray(from, from + length), at);
    return write.apply(this, args as Parameters<Write>);
  } as never);
  const again = await Journal.open(path, JOURNAL_BYTES);
  expect(await again.recover(0)).toEqual([1, 2, 3].map(batch));
  await again.append(batch(4));
  await again.close();
  vi.restoreAllMocks();

  // The power goes.
  await writeFile(path, disk);
  const last = await Journal.open(path, JOURNAL_BYTES);
  expect(await last.recover(0)).toEqual([1, 2, 3, 4].map(batch));
  await last.close();
});

it('goes by what it holds where the disk is too full for a larger one', async () => {
  const time = new ManualTime();
  const options = { ...baseOptions(time, countingRandom()), directory: join(root, 'outbox') };
  const put = (outbox: Outbox, n: number) => outbox.append(record('detail', n), 'detail', { urgent: true });
  const numbers = async (outbox: Outbox) =>
    (await everything(outbox)).filter(({ recordClass }) => recordClass === 'detail').map(numberOf);
  const small = await openLevelOutbox({ ...options, limitBytes: 8 * MB });
  for (const n of [1, 2, 3]) await put(small, n);
  await small.close();

  // The journal of a limit of 64 MB is twice as large.
  const write = files.write as unknown as Write;
  vi.spyOn(files, 'write').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
    if ((args as Parameters<Write>)[3] >= MB / 2) throw failure('ENOSPC');
    return write.apply(this, args as Parameters<Write>);
  } as never);
  const full = await openLevelOutbox(options);
  await time.until(full.audited());
  expect(await numbers(full)).toEqual([1, 2, 3]);
  await put(full, 4);
  await full.close();
  vi.restoreAllMocks();

  const larger = await openLevelOutbox(options);
  await time.until(larger.audited());
  expect(await numbers(larger)).toEqual([1, 2, 3, 4]);
  await larger.close();
});

/** Reads of these blocks of the journal fail, as those of a worn card. */
function wear(isBad: (block: number) => boolean): void {
  const read = files.read as unknown as Write;
  vi.spyOn(files, 'read').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
    const [, , length, at] = args as Parameters<Write>;
    for (let block = Math.floor(at / BLOCK_BYTES); block * BLOCK_BYTES < at + length; block++) {
      if (isBad(block)) throw failure('EIO');
    }
    return read.apply(this, args as Parameters<Write>);
  } as never);
}

it('steps over a block that can not be read, and does not take a failing disk for an empty one', async () => {
  await (await journalOf(5)).close();
  wear((block) => block === 2);
  const journal = await Journal.open(path, JOURNAL_BYTES);
  expect(await journal.recover(0)).toEqual([1, 2, 4, 5].map(batch));
  await journal.close();
  vi.restoreAllMocks();
  wear(() => true);
  const failing = await Journal.open(path, JOURNAL_BYTES);
  await expect(failing.recover(0)).rejects.toThrow('EIO');
  await failing.close();
});

it('goes on behind a block that can not be written', async () => {
  const write = files.write as unknown as Write;
  const wornAt = (...blocks: number[]) =>
    vi.spyOn(files, 'write').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
      if (blocks.includes((args as Parameters<Write>)[3] / BLOCK_BYTES)) throw failure('EIO');
      return write.apply(this, args as Parameters<Write>);
    } as never);
  const journal = await journalOf(2);
  wornAt(2);
  await journal.append(batch(3));
  await journal.close();
  vi.restoreAllMocks();
  // The last one's own block is worn when it is to be written again.
  wornAt(3);
  const again = await Journal.open(path, JOURNAL_BYTES);
  expect(await again.recover(0)).toEqual([1, 2, 3].map(batch));
  await again.append(batch(4));
  await again.close();
  vi.restoreAllMocks();
  const last = await Journal.open(path, JOURNAL_BYTES);
  // Twice is as good as once.
  expect(await last.recover(0)).toEqual([1, 2, 3, 3, 4].map(batch));
  await last.close();
  wornAt(...Array.from({ length: JOURNAL_BYTES / BLOCK_BYTES }, (_, block) => block));
  const failing = await Journal.open(path, JOURNAL_BYTES);
  await expect(failing.recover(0)).rejects.toThrow('EIO');
  await failing.close();
});
