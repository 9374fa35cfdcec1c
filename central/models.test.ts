import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS, TEN_MINUTES_MS } from '../shared/limits.ts';
import type { Reported } from '../shared/trust/messages.ts';
import { history, seededNormal } from '../test/support/history.ts';
import { HistoryStore, LearningCentral } from '../test/support/learning.ts';
import { settled } from '../test/support/timers.ts';
import type { Store, SummaryBlock } from './store/store.ts';
import { inThisThread } from './train/trainings.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-models-'));
});
afterEach(() => rm(directory, { recursive: true }));

const fromMs = Date.UTC(2026, 0, 5);
const ids = ['00000000000000aa', '00000000000000bb'];

/** Two noisy series about the level. */
function noise(windows: number, level = 10, seed = 1): SummaryBlock[] {
  const normal = seededNormal(seed);
  return ids.map((series) => history({ series, windows, fromMs, spread: 1 }, () => level + normal()));
}

function reported(change: Partial<Reported> = {}): Reported {
  return {
    agentVersion: '0.1.0',
    manifestVersion: 0,
    applied: [],
    supports: [],
    refusals: [],
    commandsDone: [],
    health: {},
    warnings: [],
    ...change,
  };
}

const applied = (releaseSha256: string, manifestVersion: number): Reported =>
  reported({ manifestVersion, applied: [{ slot: 'model/seasonal', releaseSha256, appliedMs: 5 }] });

async function trained(windows = 240): Promise<{ central: LearningCentral; store: HistoryStore }> {
  const store = new HistoryStore();
  store.blocks.set('a1', noise(windows));
  const central = await LearningCentral.start(directory, store);
  await central.models.trainNow('a1');
  return { central, store };
}

describe('training of all machines', () => {
  it('has as many rounds under way at once as there are threads, and answers with the models of all', async () => {
    const store = new HistoryStore();
    const agents = ['a1', 'a2', 'a3', 'a4'];
    for (const [i, agent] of agents.entries()) store.blocks.set(agent, noise(240, 10, i + 1));
    const rounds = inThisThread({ store: store as unknown as Store });
    let [underWay, most] = [0, 0];
    const round: typeof rounds.round = async (request, signal) => {
      most = Math.max(most, ++underWay);
      return rounds.round(request, signal).finally(() => underWay--);
    };
    const central = await LearningCentral.start(directory, store, { trainings: { ...rounds, atOnce: 2, round } });
    const made = await central.models.trainNow();
    expect(made.map(({ agent }) => agent)).toEqual(agents);
    expect(most).toBe(2);
  });
});

describe('the first training', () => {
  it('begins with the fourth window, once its parts had time to come', async () => {
    const store = new HistoryStore();
    store.blocks.set('a1', noise(4));
    const central = await LearningCentral.start(directory, store);
    for (const minute of [1, 2, 2, 2, 3]) central.models.windowCommitted('a1', fromMs + minute * MINUTE_MS);
    central.timers.advance(60_000);
    await settled();
    expect(await central.models.list()).toEqual([]);
    central.models.windowCommitted('a1', fromMs + 4 * MINUTE_MS);
    await settled();
    expect(await central.models.list()).toEqual([]);
    central.timers.advance(2000);
    await settled();
    const [model] = await central.models.list('a1');
    expect(model).toMatchObject({ version: 1, kind: 'model/seasonal', state: 'published', series: 2 });
    expect(model!.reason).toMatch(/^The first model, and calibrated: /);
    expect(central.changes).toEqual(['a1 1']);
  });

  it('releases what an agent can fetch, and names it in a manifest', async () => {
    const { central } = await trained();
    const [model] = await central.models.list('a1');
    const { version, releases } = central.manifest('a1');
    expect(version).toBe(1);
    expect(releases).toMatchObject([{ slot: 'model/seasonal', releaseSha256: model!.releaseSha256 }]);
    expect((await central.models.chunk('a1', model!.releaseSha256, 0))?.count).toBe(1);
    expect((await central.models.chunk('a1', model!.contentSha256, 0))?.sizeBytes).toBe(model!.contentBytes);
  });

  it('serves blobs to the agent that they are for, and nothing past their end', async () => {
    const { central } = await trained();
    const [model] = await central.models.list('a1');
    expect(await central.models.chunk('a2', model!.contentSha256, 0)).toBeNull();
    expect(await central.models.chunk('a1', 'f'.repeat(64), 0)).toBeNull();
    expect(await central.models.chunk('a1', model!.contentSha256, 99)).toBeNull();
  });

  it('of an agent without data says so', async () => {
    const central = await LearningCentral.start(directory);
    await expect(central.models.trainNow('a1')).rejects.toMatchObject({ code: 'conflict' });
    expect(await central.models.trainNow()).toEqual([]);
  });
});

describe('an agent that changed to windows of ten minutes', () => {
  const tens = (windows: number, beginMs: number): SummaryBlock[] => {
    const normal = seededNormal(3);
    const windowMs = TEN_MINUTES_MS;
    return ids.map((series) => history({ series, windows, windowMs, fromMs: beginMs, spread: 1 }, () => 10 + normal()));
  };

  it('gets a model for these beside the one for minutes, which stays', async () => {
    const { central, store } = await trained();
    store.blocks.set('a1', tens(60, fromMs + 240 * MINUTE_MS));
    await central.models.trainNow('a1');
    const [second, first] = await central.models.list('a1');
    expect([first!.kind, second!.kind]).toEqual(['model/seasonal', 'model/seasonal-10m']);
    expect(central.manifest('a1').releases).toMatchObject([
      { slot: 'model/seasonal', releaseSha256: first!.releaseSha256 },
      { slot: 'model/seasonal-10m', releaseSha256: second!.releaseSha256 },
    ]);
    expect(central.models.desired('a1')).toBe(second!.version);
  });

  it('learns for ten minutes from its minutes, too', async () => {
    const store = new HistoryStore();
    const [minutes, few] = [noise(240), tens(24, fromMs + 240 * MINUTE_MS)];
    const joined = (a: Float64Array, b: Float64Array): Float64Array => Float64Array.from([...a, ...b]);
    store.blocks.set(
      'a1',
      minutes.map((block, i) => ({
        ...block,
        timesMs: joined(block.timesMs, few[i]!.timesMs),
        lengthsMs: joined(block.lengthsMs, few[i]!.lengthsMs),
        count: joined(block.count, few[i]!.count),
        mean: joined(block.mean, few[i]!.mean),
        deviation: joined(block.deviation, few[i]!.deviation),
        min: joined(block.min, few[i]!.min),
        max: joined(block.max, few[i]!.max),
        last: joined(block.last, few[i]!.last),
        anomalyShare: joined(block.anomalyShare, few[i]!.anomalyShare),
        highestScore: joined(block.highestScore, few[i]!.highestScore),
      })),
    );
    const central = await LearningCentral.start(directory, store);
    await central.models.trainNow('a1');
    const [model] = await central.models.list('a1');
    expect(model).toMatchObject({ kind: 'model/seasonal-10m', fromMs: fromMs - 9 * MINUTE_MS });
    // Those of ten alone would hold out six of each series.
    expect(model!.evaluation!.windows).toBeGreaterThanOrEqual(2 * 12);
  });
});

describe('what agents report', () => {
  it('makes a published model the running one, whose band is drawn', async () => {
    const { central } = await trained();
    const [model] = await central.models.list('a1');
    expect(central.models.running('a1')).toBeNull();
    expect(central.models.desired('a1')).toBe(1);
    expect(await central.models.band('a1', ids[0]!, [fromMs])).toBeNull();
    await central.models.onReported('a1', applied(model!.releaseSha256, 1));
    expect(await central.models.get(1)).toMatchObject({ state: 'applied', reason: model!.reason });
    expect(central.models.running('a1')).toBe(1);
    const band = await central.models.band('a1', ids[0]!, [fromMs, fromMs + DAY_MS]);
    expect(band).toMatchObject({ version: 1, timesMs: [fromMs, fromMs + DAY_MS] });
    expect(band!.low[0]).toBeLessThan(10);
    expect(band!.low[0]).toBeGreaterThan(5);
    expect(band!.high[1]).toBeGreaterThan(10);
    expect(band!.high[1]).toBeLessThan(15);
    expect(await central.models.band('a1', '00000000000000cc', [fromMs])).toBeNull();
  });

  it('marks a refused one with the agent’s own words, and an older refusal not at all', async () => {
    const { central } = await trained();
    const [model] = await central.models.list('a1');
    const refusal = { what: 'release:other', code: 'manifest.unsupported', message: 'it can’t', atMs: 1 };
    await central.models.onReported('a1', reported({ manifestVersion: 1, refusals: [refusal] }));
    expect((await central.models.get(1))?.state).toBe('published');
    const mine = { ...refusal, what: `release:${model!.releaseSha256}` };
    await central.models.onReported('a1', reported({ manifestVersion: 1, refusals: [mine] }));
    expect(await central.models.get(1)).toMatchObject({ state: 'refused', reason: 'manifest.unsupported: it can’t' });
    // it may come to run it after all
    await central.models.onReported('a1', { ...applied(model!.releaseSha256, 1), refusals: [mine] });
    expect((await central.models.get(1))?.state).toBe('applied');
  });

  it('supersedes the model before when the next one runs', async () => {
    const { central, store } = await trained();
    const [first] = await central.models.list('a1');
    await central.models.onReported('a1', applied(first!.releaseSha256, 1));
    const moved = noise(600).map((block) => shifted(block, 240, 40));
    store.blocks.set('a1', moved);
    const [second] = await central.models.trainNow('a1');
    expect(second).toMatchObject({ version: 2, state: 'published' });
    expect((await central.models.get(1))?.state).toBe('applied');
    expect(central.manifest('a1').version).toBe(2);
    await central.models.onReported('a1', applied(second!.releaseSha256, 2));
    expect(await central.models.get(1)).toMatchObject({ state: 'superseded', reason: 'Replaced by model 2.' });
    expect((await central.models.get(2))?.state).toBe('applied');
    expect(central.models.running('a1')).toBe(2);
  });
});

/** The same series, but from window `from` on at another level: the champion no longer fits. */
function shifted(block: SummaryBlock, from: number, level: number): SummaryBlock {
  const move = (column: Float64Array) => column.map((value, i) => (i < from ? value : value + level));
  return { ...block, mean: move(block.mean), min: move(block.min), max: move(block.max) };
}

describe('a challenger that is not better', () => {
  it('is kept with its figures and its reason, and not released', async () => {
    const { central, store } = await trained(4000);
    store.blocks.set('a1', noise(4300));
    const [second] = await central.models.trainNow('a1');
    expect(second).toMatchObject({ version: 2, state: 'rejected', releaseSha256: '' });
    expect(second!.reason).toMatch(/^Not better by 2 %: its loss is .* against .* of model 1\.$/);
    expect(second!.evaluation?.champion?.coverage).toBeGreaterThan(0.95);
    expect(central.manifest('a1').version).toBe(1);
    expect(central.models.desired('a1')).toBe(1);
  });
});

describe('the version floor', () => {
  it('of an agent that a lost central had ruled is passed by the restored one', async () => {
    const { central } = await trained();
    await central.models.onReported('a1', reported({ manifestVersion: 41 }));
    expect(central.manifest('a1').version).toBe(42);
    const before = central.published.length;
    await central.models.onReported('a1', reported({ manifestVersion: 42 }));
    expect(central.published).toHaveLength(before);
  });

  it('is passed by the first manifest of a central that was emptied', async () => {
    const store = new HistoryStore();
    store.blocks.set('a1', noise(240));
    const central = await LearningCentral.start(directory, store);
    await central.models.onReported('a1', reported({ manifestVersion: 41 }));
    await central.models.trainNow('a1');
    expect(central.manifest('a1').version).toBe(42);
  });

  it('is passed when another manifest of the same version was accepted', async () => {
    const { central } = await trained();
    const refusal = { what: 'manifest:1', code: 'manifest.not_newer', message: 'not above', atMs: 1 };
    await central.models.onReported('a1', reported({ manifestVersion: 1, refusals: [refusal] }));
    expect(central.manifest('a1').version).toBe(2);
    await central.models.onReported('a1', reported({ manifestVersion: 1, refusals: [refusal] }));
    expect(central.manifest('a1').version).toBe(2);
  });
});

describe('after a restart', () => {
  it('the same manifests are published again, byte for byte, and versions go on', async () => {
    const { central, store } = await trained();
    await central.models.close();
    const again = await LearningCentral.start(directory, store);
    expect(again.published).toEqual(central.published);
    expect(again.models.desired('a1')).toBe(1);
    store.blocks.set('a2', noise(240, 50));
    expect(await again.models.trainNow('a2')).toMatchObject([{ version: 2, agent: 'a2' }]);
    expect((await again.models.list()).map((model) => model.version)).toEqual([2, 1]);
    expect((await again.models.list('a1')).map((model) => model.version)).toEqual([1]);
  });

  it('a model that was kept when the central stopped, but not yet named in a manifest, is named', async () => {
    const { central, store } = await trained();
    await store.documents.putAll([{ namespace: 'manifest', key: 'a1', value: null }]);
    const again = await LearningCentral.start(directory, store);
    const [model] = await central.models.list('a1');
    expect(again.manifest('a1')).toMatchObject({ version: 1, releases: [{ releaseSha256: model!.releaseSha256 }] });
  });

  it('a manifest that is about to expire is signed anew', async () => {
    const { central } = await trained();
    expect(central.manifest('a1').notAfterMs).toBe(central.nowMs + 30 * DAY_MS);
    central.nowMs += 21 * DAY_MS;
    await central.models.republish();
    expect(central.manifest('a1')).toMatchObject({ version: 2, notAfterMs: central.nowMs + 30 * DAY_MS });
  });

  it('no training begins that was due before as much history again has come', async () => {
    const { central, store } = await trained(240);
    await central.models.close();
    const again = await LearningCentral.start(directory, store);
    const commit = async (minute: number): Promise<number> => {
      again.models.windowCommitted('a1', fromMs + minute * MINUTE_MS);
      again.timers.advance(2000);
      await settled();
      return (await again.models.list('a1')).length;
    };
    expect(await commit(300)).toBe(1);
    expect(await commit(479)).toBe(1);
    expect(await commit(480)).toBe(2);
  });
});

it('finds what runs when it is told of a change', async () => {
  const store = new HistoryStore();
  store.blocks.set('a1', noise(240));
  const runningWhenTold: (number | null)[] = [];
  const central: LearningCentral = await LearningCentral.start(directory, store, {
    changed: (agent) => void runningWhenTold.push(central.models.running(agent)),
  });
  const [model] = await central.models.trainNow('a1');
  await central.models.onReported('a1', applied(model!.releaseSha256, 1));
  expect(runningWhenTold.at(-1)).toBe(1);
  await central.models.onReported('a1', reported({ manifestVersion: 1 }));
  expect(runningWhenTold.at(-1)).toBe(null);
});
