/** An outage of days with room for hours: the size on disk is never passed, and what does not fit is named. */
import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runOutage } from '../support/outbox-bound.ts';
import { OutboxLife } from '../support/outbox-life.ts';

const LIMIT_BYTES = 8 * 1024 * 1024;
const MINUTES = 1.5 * 1440;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-bound-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

it('stays below its size on disk, lets detail go before anything else, and names all that goes', async () => {
  const outage = await runOutage(join(root, 'outbox'), LIMIT_BYTES, MINUTES);
  expect(outage.looks).toBeGreaterThan(MINUTES / 20);
  expect(outage.highestBytes).toBeLessThanOrEqual(LIMIT_BYTES);
  const { made, held } = outage;
  expect(made).toMatchObject({ rollup: MINUTES / 60, incident: 6 });
  expect(held).toMatchObject({ rollup: made.rollup, incident: made.incident });
  // Twice as much is made as there is room for, and half of the room is used at least.
  expect(held.detail).toBeLessThan(made.detail / 2);
  expect(held.detail * 5000).toBeGreaterThan(LIMIT_BYTES / 4);
  expect({ unaccounted: outage.unaccounted, twice: outage.twice }).toEqual({ unaccounted: 0, twice: 0 });
  expect(outage.gapRecords).toBeLessThanOrEqual(2);
}, 120_000);

it('keeps what LevelDB writes for people small, and counts what it takes', async () => {
  const life = await OutboxLife.open(join(root, 'outbox'), LIMIT_BYTES, 0);
  const path = join(root, 'outbox', 'format-1', 'LOG');
  await appendFile(path, Buffer.alloc(LIMIT_BYTES));
  // Enough for the size to be measured again.
  for (let minute = 0; minute < 300; minute++) await life.minute();
  expect((await stat(path)).blocks * 512).toBeLessThan(LIMIT_BYTES / 8);
  expect(life.outbox.stats()).toMatchObject({ lostRecords: 0 });
  expect(life.outbox.stats().diskBytes).toBeLessThan(LIMIT_BYTES / 2);
  await life.outbox.close();
});
