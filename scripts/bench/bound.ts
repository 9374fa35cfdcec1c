/** 30 days of outage on a real disk with a clock that runs as fast as the disk lets it: the bytes on disk, the ledger. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOutage } from '../../test/support/outbox-bound.ts';

const MB = 1024 * 1024;
const LIMIT_BYTES = 64 * MB;
const DAYS = 30;
const DAY_MINUTES = 1440;

export async function run(): Promise<Record<string, number>> {
  const directory = await mkdtemp(join(process.env.PICKET_BENCH_DIR ?? tmpdir(), 'picket-bound-'));
  const startMs = performance.now();
  try {
    const outage = await runOutage(join(directory, 'outbox'), LIMIT_BYTES, DAYS * DAY_MINUTES);
    const { made, held } = outage;
    return {
      days: DAYS,
      limit_mb: LIMIT_BYTES / MB,
      highest_disk_mb: outage.highestBytes / MB,
      highest_to_limit: outage.highestBytes / LIMIT_BYTES,
      looks_at_disk: outage.looks,
      first_loss_day: (outage.firstLossMinute ?? Number.NaN) / DAY_MINUTES,
      made_detail: made.detail,
      held_detail: held.detail,
      lost_detail: made.detail - held.detail,
      made_rollup: made.rollup,
      held_rollup: held.rollup,
      lost_rollup: made.rollup - held.rollup,
      made_incident: made.incident,
      held_incident: held.incident,
      lost_incident: made.incident - held.incident,
      gap_records: outage.gapRecords,
      neither_held_nor_named: outage.unaccounted,
      both_held_and_named: outage.twice,
      minutes_per_s: (DAYS * DAY_MINUTES * 1000) / (performance.now() - startMs),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
