/** A machine's season is that of its own clock, wherever the central stands and whatever its clock does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { seasonalLevel } from '../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../shared/limits.ts';
import { history, seededNormal } from '../test/support/history.ts';
import { HistoryStore, LearningCentral } from '../test/support/learning.ts';
import type { SummaryBlock } from './store/store.ts';
import { seasonalModels } from './train/seasonal-kind.ts';
import { zoneOffsets } from './train/zone.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-zone-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Summer time begins in America on 8 March 2026, and ends on 1 November. */
const fromMs = Date.UTC(2026, 2, 3);
const DAYS = 12;
const series = '00000000000000aa';
/** UTC of an hour of a day's clock in New York. */
const summer = (month: number, day: number, hour: number) => Date.UTC(2026, month - 1, day, hour + 4);
const winter = (month: number, day: number, hour: number) => Date.UTC(2026, month - 1, day, hour + 5);
const isSummer = (ms: number) => ms >= Date.UTC(2026, 2, 8, 7);

/** Busy from eight to eight by the clock of New York, where `aheadMs` is 0. */
function shop(seed: number, { size = 1, aheadMs = 0, days = DAYS, beginMs = fromMs } = {}): SummaryBlock[] {
  const normal = seededNormal(seed);
  return [
    history({ series, windows: days * 1440, fromMs: beginMs, spread: size }, (endMs) => {
      const local = endMs - MINUTE_MS / 2 - (isSummer(endMs) ? 4 : 5) * HOUR_MS + aheadMs;
      const hour = (local % DAY_MS) / HOUR_MS;
      return size * ((hour >= 8 && hour < 20 ? 50 : 10) + normal());
    }),
  ];
}

async function modelOf(central: LearningCentral, agent: string) {
  const [model] = await central.models.list(agent);
  const content = await central.store.documents.getBlob(model!.contentSha256);
  return seasonalModels
    .find(({ slot }) => slot === model!.kind)!
    .decode(content!)
    .get(series)!;
}

it('is learned over a change of the clock, and goes on over the next one', async () => {
  const store = new HistoryStore();
  store.blocks.set('shop', shop(1));
  store.inventories.set('shop', { time: { zone: 'America/New_York' } });
  const central = await LearningCentral.start(directory, store);
  central.nowMs = fromMs + DAYS * DAY_MS;
  await central.models.trainNow('shop');
  const model = await modelOf(central, 'shop');
  for (const at of [winter(3, 5, 9), summer(3, 12, 9), summer(7, 1, 9), winter(12, 1, 9)]) {
    expect(seasonalLevel(model, at)).toBeGreaterThan(45);
    expect(seasonalLevel(model, at - 2 * HOUR_MS)).toBeLessThan(15);
  }
  // A quarter of an hour from where the clock moves: an hour is neither lost nor doubled.
  expect(seasonalLevel(model, winter(11, 2, 8) + 15 * MINUTE_MS)).toBeGreaterThan(40);
  expect(seasonalLevel(model, winter(11, 2, 8) - 15 * MINUTE_MS)).toBeLessThan(20);
});

it('is UTC where the machine says no zone', async () => {
  const store = new HistoryStore();
  store.blocks.set('shop', shop(1));
  store.inventories.set('shop', { time: { zone: 'Nowhere/At-all' } });
  const central = await LearningCentral.start(directory, store);
  central.nowMs = fromMs + DAYS * DAY_MS;
  await central.models.trainNow('shop');
  expect((await modelOf(central, 'shop')).zone.offsetMs).toEqual([0]);
});

it('is on day one the course of its cohort by each one its own clock', async () => {
  const store = new HistoryStore();
  // Shops of one chain, of all sizes: three in New York, and a new one in Los Angeles that is open by its own clock.
  const east = ['east-1', 'east-2', 'east-3'];
  for (const [i, agent] of east.entries()) {
    store.blocks.set(agent, shop(i + 1, { size: i + 1 }));
    store.inventories.set(agent, { time: { zone: 'America/New_York' } });
  }
  const sinceMs = fromMs + DAYS * DAY_MS;
  // From eight in the evening in New York on: five in Los Angeles, still open.
  store.blocks.set('west', shop(4, { size: 2, aheadMs: -3 * HOUR_MS, days: 1 / 24, beginMs: sinceMs }));
  store.inventories.set('west', { time: { zone: 'America/Los_Angeles' } });
  const central = await LearningCentral.start(directory, store);
  central.nowMs = sinceMs + HOUR_MS;
  for (const agent of east) await central.models.trainNow(agent);
  await central.models.dayOne('west', 'shops', east);
  const model = await modelOf(central, 'west');
  const west = zoneOffsets('America/Los_Angeles', summer(7, 1, 0), summer(7, 1, 1)).offsetMs[0]!;
  const atWest = (hour: number) => Date.UTC(2026, 6, 1, hour) - west;
  expect(seasonalLevel(model, atWest(10)) / 100).toBeCloseTo(1, 0);
  expect(seasonalLevel(model, atWest(19)) / 100).toBeCloseTo(1, 0);
  expect(seasonalLevel(model, atWest(6))).toBeLessThan(40);
  expect(seasonalLevel(model, atWest(22))).toBeLessThan(40);
});
