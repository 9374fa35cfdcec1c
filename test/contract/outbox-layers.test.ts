/** The journal and the database behind it against a map in memory, through checkpoints, kills and damage. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Journal } from '../../agent/outbox/journal.ts';
import { endOfKeys, metaKey, recordKey } from '../../agent/outbox/layout.ts';
import type { Database } from '../../agent/outbox/level-handle.ts';
import { LevelLayers } from '../../agent/outbox/level-layers.ts';
import { MemoryShelf } from '../../agent/outbox/memory.ts';
import type { Op, Step } from '../../agent/outbox/shelf.ts';
import { compareBytes } from '../../shared/series.ts';

const JOURNAL_BYTES = 64 * 1024;
const CHECKPOINT_BYTES = 6000;
/** Small, so that the database is closed and opened between many of the reads. */
const RENEW_AFTER_BYTES = 2000;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-layers-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function open(directory: string): Promise<LevelLayers> {
  const db: Database = new ClassicLevel<Uint8Array, Uint8Array>(join(directory, 'db'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
    writeBufferSize: 64 * 1024,
  });
  await db.open();
  const layers = new LevelLayers(
    db,
    await Journal.open(join(directory, 'journal'), JOURNAL_BYTES),
    CHECKPOINT_BYTES,
    RENEW_AFTER_BYTES,
  );
  await layers.recover();
  return layers;
}

/** Few keys, so that they meet: records, and rows before and behind them. */
const key = fc.integer({ min: 0, max: 60 }).map((n) => {
  return n > 50 ? metaKey(`.${n}`) : recordKey({ start: 1 + (n % 3), seq: n, recordClass: 'detail' });
});
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key,
      value: fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 60 })).map(([fill, length]) => {
        return new Uint8Array(length).fill(fill);
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('del' as const), key }) },
);
const command = fc.oneof(
  { weight: 8, arbitrary: fc.array(op, { minLength: 1, maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constant('kill' as const) },
  { weight: 1, arbitrary: fc.constant('compact' as const) },
);

type Reader = Pick<MemoryShelf, 'get' | 'scan' | 'keys'>;
const [first, last] = [Uint8Array.of(0), endOfKeys];

async function seen(of: Reader, from: Uint8Array, step: (n: number, key: Uint8Array) => Step): Promise<string[]> {
  const out: string[] = [];
  await of.scan(from, last, (at, value) => {
    // The journal's own row is no caller's.
    if (Buffer.from(at).toString('latin1') === 'mjournal') return 'on';
    out.push(`${Buffer.from(at).toString('hex')}=${value.length}/${value[0]}`);
    return step(out.length, at);
  });
  return out;
}

it('reads as a map does, whatever is written, killed and compacted', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), key, async (commands, from) => {
      const directory = join(root, String(run++));
      await mkdir(directory);
      const model = new MemoryShelf();
      let layers = await open(directory);
      for (const what of commands) {
        if (what === 'compact') await layers.compact(first, last);
        else if (what === 'kill') {
          await layers.close();
          layers = await open(directory);
        } else {
          // A batch that names a key twice: the later counts, as in LevelDB.
          await layers.write(what);
          await model.write(what);
        }
      }
      const on = (): Step => 'on';
      expect(await seen(layers, first, on)).toEqual(await seen(model, first, on));
      // A place to go on at is later than where the reader is.
      const jump = (n: number, at: Uint8Array): Step => {
        if (n > 12) return 'stop';
        return n % 3 === 2 && compareBytes(from, at) > 0 ? from : 'on';
      };
      expect(await seen(layers, first, jump)).toEqual(await seen(model, first, jump));
      const keys = async (of: Reader) =>
        (await of.keys(first, Uint8Array.of(0x6d), 7)).map((one) => Buffer.from(one).toString('hex'));
      expect(await keys(layers)).toEqual(await keys(model));
      const value = async (of: Reader) => Array.from((await of.get(from)) ?? [-1]);
      expect(await value(layers)).toEqual(await value(model));
      await layers.close();
    }),
    { numRuns: 40, seed: 7, endOnFailure: true },
  );
}, 60_000);

it('shows a reader all that was there when it began, though it moves into the database meanwhile', async () => {
  const layers = await open(root);
  const record = (seq: number): Op => {
    return {
      type: 'put',
      key: recordKey({ start: 1, seq, recordClass: 'detail' }),
      value: new Uint8Array(700).fill(seq),
    };
  };
  for (let seq = 1; seq <= 200; seq++) {
    const reading = seen(layers, first, () => 'on');
    await layers.write([record(seq)]);
    expect((await reading).length).toBeGreaterThanOrEqual(seq - 1);
    expect((await layers.get(record(seq).key))?.[0]).toBe(seq);
  }
  await layers.close();
});

const BATCHES = 6;
const batch = (n: number): Op[] => [{ type: 'put', key: metaKey(`.${n}`), value: new Uint8Array(5000).fill(n) }];

async function journalOf(batches: number): Promise<string> {
  const path = join(root, 'journal');
  const journal = await Journal.open(path, JOURNAL_BYTES);
  await journal.recover(0);
  for (let n = 1; n <= batches; n++) await journal.append(batch(n));
  await journal.close();
  return path;
}

async function recovered(path: string, generation: number): Promise<Op[][]> {
  const journal = await Journal.open(path, JOURNAL_BYTES);
  const batches = await journal.recover(generation);
  await journal.close();
  return batches;
}

it('recovers each whole batch, and nothing that is in the database', async () => {
  const path = await journalOf(BATCHES);
  expect((await stat(path)).size).toBe(JOURNAL_BYTES);
  expect(await recovered(path, 0)).toEqual(Array.from({ length: BATCHES }, (_, i) => batch(i + 1)));
  expect(await recovered(path, 1)).toEqual([]);
  // Of the next generation two batches cover the first ones; those behind them are of the old one.
  const journal = await Journal.open(path, JOURNAL_BYTES);
  await journal.recover(1);
  for (const n of [11, 12]) await journal.append(batch(n));
  await journal.close();
  expect(await recovered(path, 1)).toEqual([batch(11), batch(12)]);
});

it('steps over a batch that is damaged or was torn', async () => {
  const path = await journalOf(BATCHES);
  const bytes = await readFile(path);
  // Batches take two blocks each.
  bytes[2 * 8192 + 3000]! ^= 1;
  bytes.fill(0, 5 * 8192 + 4096);
  await writeFile(path, bytes);
  expect(await recovered(path, 0)).toEqual([1, 2, 4, 5].map(batch));
});
