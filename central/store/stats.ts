/** What the store on LevelDB says of itself: its size, and how long the disk will last. */
import { statfs } from 'node:fs/promises';
import { HOUR_MS } from '../../shared/limits.ts';
import { readAgents } from './agents.ts';
import { countSeries } from './catalogue.ts';
import type { Database } from './database.ts';
import { startingWith } from './keys.ts';
import type { RetentionOptions } from './retention.ts';
import type { StoreStats } from './store.ts';
import { hourEndMs } from './time.ts';
import { daysLeft, type WireCount } from './usage.ts';

export async function statsOf(database: Database, wire: WireCount, retention: RetentionOptions): Promise<StoreStats> {
  const diskBytes = await database.diskBytes();
  const { bavail, bsize } = await statfs(database.directory);
  const freeBytes = bavail * bsize;
  const agents = await readAgents(database);
  let series = 0;
  let oldestMs: number | null = null;
  for (const { number } of agents) {
    series += await countSeries(database, number);
    for await (const key of database.keys(startingWith('coverage', number), { limit: 1 })) {
      oldestMs = Math.min(oldestMs ?? Number.POSITIVE_INFINITY, hourEndMs(key.readUInt32BE(5)) - HOUR_MS);
    }
  }
  const bounded =
    retention.maxBytes === null ? freeBytes : Math.min(freeBytes, Math.max(0, retention.maxBytes - diskBytes));
  return {
    diskBytes,
    wireBytes: wire.totalBytes,
    freeBytes,
    daysLeft: daysLeft(wire, diskBytes, bounded),
    agents: agents.length,
    series,
    oldestMs,
  };
}
