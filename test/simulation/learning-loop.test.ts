/**
 * The learning loop with both ends real and nothing between them but function calls: the central trains from what the
 * store has, the agent verifies, fetches, applies and reports, and both score the same windows alike.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openApplyFiles } from '../../agent/apply/files.ts';
import { ApplyStage } from '../../agent/apply.ts';
import { ModelStage, supportedModels } from '../../agent/models.ts';
import { evaluate } from '../../central/evaluate/evaluate.ts';
import { openKeys } from '../../central/keys.ts';
import { seasonalModels } from '../../central/train/seasonal-kind.ts';
import type { Finding } from '../../shared/findings.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { parseChunkRequest, parseReported } from '../../shared/trust/reported.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { encodeChunk } from '../../shared/wire/live.ts';
import { emptyColumns } from '../../shared/wire/summary.ts';
import { blocksOf, history, seededNormal } from '../support/history.ts';
import { HistoryStore, LearningCentral } from '../support/learning.ts';
import { ManualTimers, settled, silentLog } from '../support/timers.ts';

const seasonalModel = seasonalModels[0]!;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-loop-'));
});
afterEach(() => rm(directory, { recursive: true }));

const fromMs = Date.UTC(2026, 0, 5);
const ids = Array.from({ length: 40 }, (_, i) => (i + 1).toString(16).padStart(16, '0'));
const numbers = ids.map((_, i) => i);

/** 40 series of a host that is busier by day. */
function fleet(windows: number, seed = 3) {
  const normal = seededNormal(seed);
  return ids.map((series, i) =>
    history({ series, windows, fromMs, spread: 0.5 }, (endMs) => {
      const hour = (endMs / (60 * MINUTE_MS)) % 24;
      return 10 * i + 5 * Math.sin((hour / 24) * 2 * Math.PI) + normal();
    }),
  );
}

class LoopAgent {
  readonly timers = new ManualTimers();
  readonly findings: Finding[] = [];
  readonly models = new ModelStage({
    limit: 400,
    windowMs: () => MINUTE_MS,
    series: {
      id: (number) => ids[number]!,
      definition: (number) => ({ kind: 'gauge', name: `m${number}`, unit: '1', attributes: {} }),
    },
    onFinding: (finding) => this.findings.push(finding),
  });
  readonly stage: ApplyStage;

  private constructor(central: LearningCentral, rootKey: string, store: Awaited<ReturnType<typeof openApplyFiles>>) {
    this.stage = new ApplyStage({
      agent: 'a1',
      rootKey,
      store,
      timers: this.timers,
      log: silentLog,
      supports: supportedModels,
      centralMs: () => central.nowMs,
      utcMs: () => central.nowMs,
      requestChunk: (sha256, index) => {
        const request = parseChunkRequest(encodeJson({ sha256, index }));
        void central.models.chunk('a1', request.sha256, request.index).then((chunk) => {
          if (chunk !== null) this.stage.chunk(encodeChunk(chunk));
        });
      },
      report: (report) => {
        const bytes = encodeJson({ ...report, agentVersion: '0.1.0', health: {}, warnings: [] });
        void central.models.onReported('a1', parseReported(bytes));
      },
      activate: (slot, content) => this.models.activate(slot, content),
      deactivate: (slot) => this.models.deactivate(slot),
      command: () => {},
    });
  }

  static async start(central: LearningCentral, directory: string): Promise<LoopAgent> {
    const { rootKey } = await openKeys(join(directory, 'keys'));
    return new LoopAgent(central, rootKey, await openApplyFiles(join(directory, 'agent')));
  }

  /** Delivers the retained manifest and lets the exchange run until the central knows that this version runs. */
  async receive(central: LearningCentral, version: number): Promise<void> {
    const manifest = central.published.at(-1);
    if (manifest !== undefined) this.stage.desired(manifest.bytes);
    while (central.models.running('a1') !== version) {
      await settled();
      this.timers.advance(100);
    }
  }
}

it('goes round: trained, signed, fetched, verified, applied, reported, drawn, retrained, and survives restarts', async () => {
  const store = new HistoryStore();
  store.blocks.set('a1', fleet(4));
  const central = await LearningCentral.start(join(directory, 'keys'), store);
  const agent = await LoopAgent.start(central, directory);
  await agent.stage.start();
  agent.stage.connected();

  await central.models.trainNow('a1');
  await agent.receive(central, 1);
  expect(await central.models.get(1)).toMatchObject({ state: 'applied', series: 40 });
  expect(agent.models.series).toBe(40);

  store.blocks.set('a1', fleet(3 * 1440));
  await central.models.trainNow('a1');
  await agent.receive(central, 2);
  expect(await central.models.get(1)).toMatchObject({ state: 'superseded' });
  expect(await central.models.get(2)).toMatchObject({ state: 'applied' });
  const band = await central.models.band('a1', ids[7]!, [fromMs + 6 * 60 * MINUTE_MS, fromMs + 18 * 60 * MINUTE_MS]);
  expect((band!.low[0]! + band!.high[0]!) / 2).toBeCloseTo(75, -0.5);
  expect((band!.low[1]! + band!.high[1]!) / 2).toBeCloseTo(65, -0.5);

  await agent.stage.stop();
  const again = await LoopAgent.start(central, directory);
  await again.stage.start();
  expect(again.models.series).toBe(40);
  // The first manifest brought the keys, each model one more.
  expect(again.stage.status()).toMatchObject({ manifestVersion: 3, refusals: [] });
});

it('scores on the agent exactly as in the central’s backtest', async () => {
  const options = { windowMs: MINUTE_MS, zone: { fromMs: [0], offsetMs: [3_600_000] }, findingsPerDay: 10 };
  const training = seasonalModel.trainer(options);
  const fit = await training.train(blocksOf(...fleet(2 * 1440)), () => 0.5, new AbortController().signal);
  const content = seasonalModel.encode(fit.series, options);
  const central = await LearningCentral.start(join(directory, 'keys'));
  const agent = await LoopAgent.start(central, directory);
  agent.models.activate('model/seasonal', content);

  // a day that is twice as wild, so that bands are left and findings made
  const day = fleet(1440, 8).map((block) => ({
    ...block,
    timesMs: block.timesMs.map((timeMs) => timeMs + 5 * 24 * 60 * MINUTE_MS),
    mean: block.mean.map((mean, i) => (i % 100 === 0 ? mean + 30 : mean)),
  }));
  let inside = 0;
  for (let i = 0; i < 1440; i++) {
    const columns = emptyColumns(ids.length);
    for (const number of numbers) {
      columns.mean[number] = day[number]!.mean[i]!;
      columns.count[number] = 60;
    }
    const endUtcMs = day[0]!.timesMs[i]!;
    agent.models.score(numbers, columns, { nominalMs: MINUTE_MS, lengthMs: MINUTE_MS, endMonotonicMs: 0, endUtcMs });
    for (const number of numbers) {
      const mean = columns.mean[number]!;
      if (mean >= agent.models.expectedLow[number]! && mean <= agent.models.expectedHigh[number]!) inside++;
    }
  }
  const contest = {
    kind: seasonalModel,
    windowMs: MINUTE_MS,
    challenger: seasonalModel.decode(content),
    champion: null,
  };
  const backtest = await evaluate({ ...contest, seed: '' }, blocksOf(...day));
  expect(backtest.challenger.coverage).toBe(inside / (1440 * ids.length));
  expect(backtest.challenger.coverage).toBeGreaterThan(0.9);
  expect(backtest.challenger.coverage).toBeLessThan(0.99);
  expect(agent.findings.length).toBeGreaterThan(0);
  expect(Math.round(backtest.challenger.findingsPerDay)).toBe(agent.findings.length);
});
