/** An outage of days with room for hours: the size on disk is never passed, and what does not fit is named. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runOutage } from '../support/outbox-bound.ts';

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
