/** Training in threads of their own, on a store on the disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PicketError } from '../../../shared/errors.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import { batch, HOUR, heat, load, series, summary, T0, table } from '../../../test/contract/store.fixture.ts';
import { seededNormal } from '../../../test/support/history.ts';
import { ManualTimers } from '../../../test/support/timers.ts';
import { type LevelStore, openLevelStore } from '../../store/level.ts';
import { type Knowledge, knowsNothing } from '../knowledge.ts';
import { seasonalModels } from '../seasonal-kind.ts';
import { inThisThread, type RoundRequest } from '../trainings.ts';
import { zoneOffsets } from '../zone.ts';
import { type PoolOptions, TrainingPool } from './pool.ts';

const MINUTES = 300;
const never = new AbortController().signal;
const request: RoundRequest = {
  agent: 'm1',
  slot: 'model/seasonal',
  training: { windowMs: MINUTE_MS, zone: zoneOffsets('UTC', T0, T0 + 1), findingsPerDay: 1 },
  champion: null,
  seed: 1,
};

let directory: string;
let store: LevelStore;
const open: TrainingPool[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-pool-'));
  store = await openLevelStore(directory);
  const normal = seededNormal(3);
  for (const agent of ['m1', 'm2']) {
    const minutes = Array.from({ length: MINUTES }, (_, i) => {
      const about = (level: number) => Array.from({ length: 6 }, () => level + normal());
      return summary(i + 2, T0 + (i + 1) * MINUTE_MS, [about(10), about(50), about(90)]);
    });
    await store.commit(batch([table(1, [load, heat, series('flow')]), ...minutes], { agent }));
  }
  // Hours that are chunks by now, and a last one that lies there as it came.
  await store.maintain(T0 + 4 * HOUR + 5 * MINUTE_MS, never);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()));
  await store.close();
  await rm(directory, { recursive: true });
});

function pool(options: Partial<PoolOptions> = {}): TrainingPool {
  const quiet = { knowledge: async () => knowsNothing, meanings: async () => {}, timers: new ManualTimers() };
  const made = new TrainingPool({ store, ...quiet, threads: 1, ...options });
  open.push(made);
  return made;
}

describe('training in a thread', () => {
  it('comes to what it comes to in this one', async () => {
    const here = await inThisThread({ store }).round(request, never);
    const there = await pool().round(request, never);
    expect(here).toMatchObject({ accepted: true, series: 3 });
    expect(there).toEqual(here);
  });

  it("goes by the machine's clock there as well", async () => {
    const zone = zoneOffsets('America/New_York', Date.UTC(2026, 2, 1), Date.UTC(2026, 11, 1));
    const there = await pool().round({ ...request, training: { ...request.training, zone } }, never);
    const [params] = seasonalModels[0]!.decode(there!.content).values();
    expect(params!.zone.offsetMs).toEqual([-5, -4, -5].map((hours) => hours * 3_600_000));
  });

  it('holds a challenger against the champion that it is given as content', async () => {
    const threads = pool();
    const first = await threads.round(request, never);
    const champion = { version: 7, toMs: first!.toMs, outdated: false, incomplete: false, content: first!.content };
    const second = await threads.round({ ...request, champion }, never);
    expect(second!.evaluation.champion).not.toBeNull();
    expect(second!.reason).toContain('model 7');
  });

  it('says how long windows are, and null of an agent without any', async () => {
    const threads = pool();
    expect(await threads.windowLength('m1')).toBe(MINUTE_MS);
    expect(await threads.round({ ...request, agent: 'nobody' }, never)).toBeNull();
  });

  it('fails with what the central said', async () => {
    const knowledge = async (): Promise<Knowledge> => {
      throw new PicketError('store.failed', 'the disk is gone');
    };
    const failed = pool({ knowledge }).round(request, never);
    await expect(failed).rejects.toMatchObject({ code: 'store.failed', message: 'the disk is gone' });
  });
});

describe('a thread that dies', () => {
  it('of memory fails the round that it was at, and no other', async () => {
    const much = Array.from({ length: 700_000 }, (_, i) => ({ fromMs: i + 0.5, toMs: i + 1.5 }));
    const knowledge = async (agent: string) => (agent === 'm1' ? { ...knowsNothing, planned: much } : knowsNothing);
    const threads = pool({ knowledge, heapMb: 40 });
    const failed = threads.round(request, never);
    const other = threads.round({ ...request, agent: 'm2' }, never);
    await expect(failed).rejects.toThrow('training of m1 failed, and is tried again later: it needed more than 40 MB');
    expect(await other).toMatchObject({ accepted: true });
  });

  it('because it takes too long gives its place to another', async () => {
    const timers = new ManualTimers();
    let asked: () => void = () => {};
    const waiting = new Promise<void>((resolve) => (asked = resolve));
    const knowledge = (agent: string): Promise<Knowledge> => {
      if (agent === 'm2') return Promise.resolve(knowsNothing);
      asked();
      return new Promise(() => {});
    };
    const threads = pool({ knowledge, timers, longestMs: 5000 });
    const failed = threads.round(request, never);
    const other = threads.round({ ...request, agent: 'm2' }, never);
    await waiting;
    timers.advance(5000);
    await expect(failed).rejects.toThrow('training of m1 took longer than 5 s and was ended');
    expect(await other).toMatchObject({ accepted: true });
  });
});

it('what is under way is given up when it is asked to be, and holds nothing of the store', async () => {
  let asked: () => void = () => {};
  const waiting = new Promise<void>((resolve) => (asked = resolve));
  const knowledge = (): Promise<Knowledge> => {
    asked();
    return new Promise(() => {});
  };
  const stop = new AbortController();
  const threads = pool({ knowledge });
  const first = threads.round(request, stop.signal);
  const second = threads.round({ ...request, agent: 'm2' }, never);
  await waiting;
  stop.abort();
  await expect(first).rejects.toThrow('training was stopped');
  const refused = expect(second).rejects.toThrow('training was stopped');
  await threads.close();
  await refused;
  await expect(threads.round(request, never)).rejects.toThrow('training was stopped');
});

it('threads are gone while there is nothing to train, and come back', async () => {
  const timers = new ManualTimers();
  const threads = pool({ timers });
  const before = await threads.round(request, never);
  expect(timers.waiting).toBe(1);
  timers.advance(10 * MINUTE_MS);
  expect(timers.waiting).toBe(0);
  expect(await threads.round(request, never)).toEqual(before);
});
