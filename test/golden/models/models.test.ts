/**
 * Models as an earlier version of Picket wrote them: contents that an agent keeps on its disk, and what a central keeps of
 * versions, manifests, rollouts and pins. Files are never changed; a version that changes a form adds one. A central
 * that is upgraded in the middle of a rollout goes on with it, and machines of before and after understand it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ModelStage } from '../../../agent/models.ts';
import { seasonalLevel } from '../../../shared/detect/seasonal.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/limits.ts';
import { sha256Hex } from '../../../shared/trust/hash.ts';
import { parseReported } from '../../../shared/trust/reported.ts';
import { encodeJson } from '../../../shared/trust/strict.ts';
import { fromHex } from '../../../shared/wire/bytes.ts';
import { decodeSeasonalModel } from '../../../shared/wire/seasonal-model.ts';
import { emptyColumns } from '../../../shared/wire/summary.ts';
import { HistoryStore, LearningCentral } from '../../support/learning.ts';
import { settled } from '../../support/timers.ts';

const SLOT = 'model/seasonal';
const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

describe('a content of a seasonal model', () => {
  const bytes = fromHex(read('seasonal-1.hex').replaceAll(/\s+/g, ''));
  const plain = '00000000000000aa';
  const apart = '00000000000000bb';

  test('says what it said', () => {
    const model = decodeSeasonalModel(bytes);
    expect(model).toMatchObject({ windowMs: MINUTE_MS, bandBits: 5.5, findingBits: 17 });
    expect(model.series.get(plain)).toMatchObject({ levels: [10], scale: 0.5, nonNegative: true, windows: 1440 });
    const weekly = model.series.get(apart)!;
    expect(weekly).toMatchObject({ binsPerDay: 4, dayKinds: 2, scale: 2, nonNegative: false });
    expect(weekly.allowances).toEqual([{ from: 4, steps: 8, days: 1, upper: 2, lower: 1 }]);
    // The zone is an hour ahead of UTC: 2026-01-05 is a Monday, the middle of its second quarter is 08:00 UTC.
    expect(seasonalLevel(weekly, Date.UTC(2026, 0, 5, 8, 0, 30))).toBeCloseTo(1, 3);
    expect(seasonalLevel(weekly, Date.UTC(2026, 0, 4, 8, 0, 30))).toBeCloseTo(5, 3);
  });

  test('is run by an agent of today', () => {
    let findings = 0;
    const stage = new ModelStage({
      limit: 4,
      windowMs: () => MINUTE_MS,
      series: { id: () => plain, definition: () => ({ kind: 'gauge', name: 'a', unit: '1', attributes: {} }) },
      onFinding: () => findings++,
    });
    stage.activate(SLOT, bytes);
    for (const mean of [10, 10.4, 60]) {
      const columns = emptyColumns(1);
      columns.mean[0] = mean;
      columns.count[0] = 60;
      const endUtcMs = Date.UTC(2026, 0, 5, 12);
      stage.score([0], columns, { nominalMs: MINUTE_MS, lengthMs: MINUTE_MS, endMonotonicMs: 0, endUtcMs });
    }
    expect([stage.series, findings]).toEqual([2, 1]);
  });
});

describe.each(['0.3'])('what a central of %s kept, in the middle of a rollout', (version) => {
  const kept = JSON.parse(read(`documents-${version}.json`)) as {
    readonly documents: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly blobs: readonly string[];
  };
  let directory: string;
  let central: LearningCentral;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'picket-golden-'));
    const store = new HistoryStore();
    for (const [namespace, entries] of Object.entries(kept.documents)) {
      for (const [key, value] of Object.entries(entries)) await store.documents.put(namespace, key, value);
    }
    for (const text of kept.blobs) {
      const blob = Buffer.from(text, 'base64');
      await store.documents.putBlob(sha256Hex(blob), blob);
    }
    // With keys of its own: what the keys of before signed is signed anew.
    central = await LearningCentral.start(directory, store, {
      rollout: { times: { shadowMs: HOUR_MS, canaryMs: HOUR_MS, share: 0.5 } },
    });
    central.nowMs = Date.UTC(2026, 0, 5, 2);
  });
  afterEach(async () => {
    await central.models.close();
    rmSync(directory, { recursive: true });
  });

  /** What a machine says that does what its manifest names, in the words of then or of today. */
  function report(agent: string, today: boolean) {
    const [main] = central.manifest(agent).releases;
    const applied = [{ slot: SLOT, releaseSha256: main!.releaseSha256, appliedMs: 5 }];
    const then = { agentVersion: '0.1.0', manifestVersion: 9, applied, supports: [], refusals: [], commandsDone: [] };
    const now = today ? { beside: [], reverted: [], mutes: [] } : {};
    return parseReported(encodeJson({ ...then, ...now, health: {}, warnings: [] }));
  }

  test('is there: versions, the rollout with its members, the pin', async () => {
    const { rollouts } = central.models;
    const [rollout] = rollouts.list();
    expect(rollout).toMatchObject({ id: 1, slot: SLOT, cohort: 'all', stage: 'canary', pausedMs: null });
    expect(Object.keys(rollout!.members)).toEqual(['m1', 'm2', 'm3']);
    expect(rollouts.pins()).toMatchObject([{ agent: 'm3', slot: SLOT, version: 3, by: 'ann' }]);
    expect(rollout!.members.m3).toMatchObject({ out: 'pinned to version 3' });
    const versions = await central.models.list();
    expect(versions.map(({ version: number, agent }) => `${number} ${agent}`)).toEqual([
      '6 m3',
      '5 m2',
      '4 m1',
      '3 m3',
      '2 m2',
      '1 m1',
    ]);
    expect(versions.filter(({ evaluation }) => evaluation === null)).toEqual([]);
  });

  test.each([
    ['of 0.1', false],
    ['of today', true],
  ])('goes on to all with machines %s', async (_, today) => {
    for (const agent of ['m1', 'm2', 'm3']) await central.models.onReported(agent, report(agent, today));
    central.nowMs += HOUR_MS;
    central.timers.advance(MINUTE_MS);
    await settled();
    for (const agent of ['m1', 'm2', 'm3']) await central.models.onReported(agent, report(agent, today));
    expect(central.models.rollouts.list()[0]).toMatchObject({ stage: 'done' });
    const running = ['m1', 'm2', 'm3'].map((agent) => central.models.running(agent));
    expect(running).toEqual([4, 5, 3]);
  });

  test('is rolled back by hand', async () => {
    await central.models.rollouts.order(1, 'rollback', 'ann');
    expect(['m1', 'm2', 'm3'].map((agent) => central.models.desired(agent))).toEqual([1, 2, 3]);
    await central.models.rollouts.unpin('m3', SLOT, 'ann');
    expect(central.models.rollouts.pins()).toEqual([]);
  });
});
