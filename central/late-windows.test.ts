import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../shared/limits.ts';
import { history, seededNormal } from '../test/support/history.ts';
import { HistoryStore, LearningCentral } from '../test/support/learning.ts';
import { settled } from '../test/support/timers.ts';
import type { ModelVersion } from './api.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-late-'));
});
afterEach(() => rm(directory, { recursive: true }));

const fromMs = Date.UTC(2026, 0, 5);
const WINDOWS = 400;
const atMs = (window: number): number => fromMs + window * MINUTE_MS;

/** Windows of one series, of which some are missing. */
function without(missing: (window: number) => boolean) {
  const normal = seededNormal(3);
  const all = history({ series: '00000000000000aa', windows: WINDOWS, fromMs, spread: 1 }, () => 10 + normal());
  const kept = [...all.timesMs.keys()].filter((i) => !missing(Math.round((all.timesMs[i]! - fromMs) / MINUTE_MS)));
  const columns = Object.entries(all).map(([name, column]) => {
    return [name, column instanceof Float64Array ? Float64Array.from(kept, (i) => column[i]!) : column];
  });
  return [Object.fromEntries(columns) as typeof all];
}

/** A central that trained a model while those windows were missing. */
async function trainedWithout(missing: (window: number) => boolean) {
  const store = new HistoryStore();
  store.blocks.set('a1', without(missing));
  const central = await LearningCentral.start(directory, store);
  await central.models.trainNow('a1');
  return { central, store };
}

async function afterLooks(central: LearningCentral, looks: number): Promise<readonly ModelVersion[]> {
  for (let i = 0; i < looks; i++) {
    central.timers.advance(30_000);
    await settled();
  }
  return await central.models.list('a1');
}

describe('a model', () => {
  it('says how much of its training time was there', async () => {
    const { central } = await trainedWithout((window) => window > 100 && window <= 130);
    const [model] = await central.models.list('a1');
    expect(model!.window).toEqual({
      fromMs,
      toMs: atMs(WINDOWS),
      expectedMinutes: WINDOWS,
      presentMinutes: WINDOWS - 30,
      lateMinutes: 0,
    });
  });

  it('is marked with what came later, durably, and is left to run where that is little', async () => {
    const { central, store } = await trainedWithout((window) => window > 100 && window <= 130);
    store.blocks.set(
      'a1',
      without((window) => window > 110 && window <= 130),
    );
    central.models.windowCommitted('a1', atMs(105), atMs(101));
    const [marked, ...others] = await afterLooks(central, 3);
    expect(marked!.window).toMatchObject({ presentMinutes: WINDOWS - 30, lateMinutes: 10 });
    expect(others).toEqual([]);
    expect(central.changes.at(-1)).toBe('a1 1');
    const again = await LearningCentral.start(directory, store);
    expect((await again.models.get(1))!.window).toMatchObject({ lateMinutes: 10 });
  });

  it('of which more than a tenth came later is trained anew once, when the backlog has come to rest', async () => {
    const { central, store } = await trainedWithout((window) => window > 100 && window <= 200);
    store.blocks.set(
      'a1',
      without(() => false),
    );
    central.models.windowCommitted('a1', atMs(150), atMs(101));
    // More comes with each look: it is not at rest.
    for (let i = 0; i < 5; i++) {
      const [newest] = await afterLooks(central, 1);
      expect(newest!.version).toBe(1);
      central.models.windowCommitted('a1', atMs(160), atMs(151));
    }
    const [second, first] = await afterLooks(central, 3);
    expect(first!.window).toMatchObject({ lateMinutes: 100 });
    expect(second!).toMatchObject({ version: 2, window: { presentMinutes: WINDOWS, lateMinutes: 0 } });
    // What comes twice counts once.
    central.models.windowCommitted('a1', atMs(160), atMs(151));
    expect((await afterLooks(central, 3)).length).toBe(2);
  });

  it('that stays, as the one trained anew is worse, is not trained again for the same windows', async () => {
    const { central, store } = await trainedWithout((window) => window > 100 && window <= 200);
    const normal = seededNormal(4);
    const [wild] = without(() => false);
    const mean = wild!.mean.map((value, i) => (i >= 100 && i < 200 ? 10 + 30 * normal() : value));
    store.blocks.set('a1', [{ ...wild!, mean }]);
    for (let i = 0; i < 3; i++) {
      central.models.windowCommitted('a1', atMs(150), atMs(101));
      const [second, first, ...more] = await afterLooks(central, 4);
      expect([first!.state, second!.state]).toEqual(['published', 'rejected']);
      expect(more).toEqual([]);
    }
  });

  it('is marked after a stop in between, too', async () => {
    const { central, store } = await trainedWithout((window) => window > 100 && window <= 130);
    store.blocks.set(
      'a1',
      without(() => false),
    );
    await central.models.close();
    const again = await LearningCentral.start(directory, store);
    await again.models.close();
    expect((await again.models.get(1))!.window).toMatchObject({ lateMinutes: 30 });
  });

  it('is not marked by what lies after its training time', async () => {
    const { central } = await trainedWithout(() => false);
    central.models.windowCommitted('a1', atMs(WINDOWS + 1), atMs(WINDOWS + 1));
    const [model] = await afterLooks(central, 3);
    expect(model!.window!.lateMinutes).toBe(0);
    expect(model!.version).toBe(1);
  });
});
