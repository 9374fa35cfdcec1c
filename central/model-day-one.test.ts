import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS } from '../shared/limits.ts';
import { history, seededNormal } from '../test/support/history.ts';
import { HistoryStore, LearningCentral } from '../test/support/learning.ts';
import type { SummaryBlock } from './store/store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-day-one-'));
});
afterEach(() => rm(directory, { recursive: true }));

const fromMs = Date.UTC(2026, 0, 5);
const MINUTES = 2 * 1440;

function noise(windows: number, seed: number, beginMs = fromMs): SummaryBlock[] {
  const normal = seededNormal(seed);
  const series = ['00000000000000aa', '00000000000000bb'];
  return series.map((one) => history({ series: one, windows, fromMs: beginMs, spread: 1 }, () => 10 + normal()));
}

/** Two machines of two days, and a new one of an hour. */
async function fleet(hours = 1): Promise<LearningCentral> {
  const store = new HistoryStore();
  store.blocks.set('old-1', noise(MINUTES, 1));
  store.blocks.set('old-2', noise(MINUTES, 2));
  store.blocks.set('new', noise(60 * hours, 3, fromMs + 2 * DAY_MS));
  const central = await LearningCentral.start(directory, store);
  for (const agent of ['old-1', 'old-2']) await central.models.trainNow(agent);
  return central;
}

describe('day one', () => {
  it('gives a new machine what its cohort knows, signed and named at once', async () => {
    const { models } = await fleet();
    await models.dayOne('new', 'pumps', ['old-1', 'old-2']);
    const [model] = await models.list('new');
    expect(model).toMatchObject({
      state: 'published',
      reason: 'Day one: cohort pumps, from 2 machines that are like it.',
      series: 2,
      evaluation: null,
    });
    expect(models.desired('new')).toBe(model!.version);
    expect((await models.chunk('new', model!.contentSha256, 0))?.sizeBytes).toBe(model!.contentBytes);
  });

  it('takes the place of the first model of its own, and gives way to a better one', async () => {
    const { models } = await fleet();
    const [own] = await models.trainNow('new');
    await models.dayOne('new', 'pumps', ['old-1', 'old-2']);
    const [dayOne] = await models.list('new');
    expect(models.desired('new')).toBe(dayOne!.version);
    expect(dayOne!.version).toBeGreaterThan(own!.version);
    expect((await models.get(own!.version))?.state).toBe('superseded');
  });

  it('gives nothing to a machine that has learned for a day, nor of machines that have not', async () => {
    const { models } = await fleet(36);
    await models.trainNow('new');
    const before = models.desired('new');
    await models.dayOne('new', 'pumps', ['old-1', 'old-2']);
    expect(models.desired('new')).toBe(before);
    await models.dayOne('old-1', 'pumps', ['old-2', 'new']);
    expect((await models.list('old-1')).length).toBe(1);
    const young = await fleet();
    await young.models.dayOne('new', 'pumps', ['unheard-of']);
    expect(await young.models.list('new')).toEqual([]);
  });
});
