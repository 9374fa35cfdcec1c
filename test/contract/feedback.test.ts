/** What operators say, and planned work, on every store: kept over late revisions, a reopening and a backup. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeBackup } from '../../central/backup/content.ts';
import { BackupFile } from '../../central/backup/read.ts';
import { restoreBackup } from '../../central/backup/restore.ts';
import { centralConfigSchema } from '../../central/config.ts';
import { Labels } from '../../central/feedback/labels.ts';
import { Maintenance } from '../../central/feedback/maintenance.ts';
import { showIncident } from '../../central/feedback/shown.ts';
import { openLevelStore } from '../../central/store/level.ts';
import { MemoryStore } from '../../central/store/memory.ts';
import type { Store } from '../../central/store/store.ts';
import { parseYamlOrThrow } from '../../shared/config/yaml.ts';
import { always, batch, DAY, epochA, HOUR, incident, MINUTE, record, T0 } from './store.fixture.ts';

const PASSPHRASE = 'a passphrase of the tests';
const said = { verdict: 'real', class: 'Disk  full', note: 'logs', by: 'ann' } as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-feedback-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Of `m1`, at site north; the time is the test's. */
async function judges(store: Store, nowMs = T0 + HOUR) {
  const clock = { nowMs };
  const feedback = new Labels({ store, nowMs: () => clock.nowMs });
  const siteOf = (agent: string): string => (agent === 'm1' ? 'north' : '');
  const maintenance = new Maintenance({ documents: store.documents, siteOf, nowMs: () => clock.nowMs });
  await Promise.all([feedback.start(), maintenance.start()]);
  return { feedback, maintenance, clock };
}

async function shownNow(store: Store) {
  const here = await judges(store);
  return (await store.incidents(always)).map((one) => showIncident(here, one, T0 + HOUR));
}

const stores: readonly (readonly [
  string,
  () => Promise<{ store: Store; reopen: (store: Store) => Promise<Store> }>,
])[] = [
  ['memory', async () => ({ store: new MemoryStore({}), reopen: async (store) => store })],
  [
    'level',
    async () => {
      const path = join(folder, 'store');
      const reopen = async (store: Store): Promise<Store> => {
        await store.close();
        return openLevelStore(path);
      };
      return { store: await openLevelStore(path), reopen };
    },
  ],
];

describe.each(stores)('%s store', (_name, open) => {
  test('a label survives a late revision and a reopening, is changed and withdrawn', async () => {
    const { store: first, reopen } = await open();
    await first.commit(batch([record(3, T0, { kind: 'incident', incident: incident(1) })]));
    const { feedback } = await judges(first);
    await feedback.label('m1', epochA, 3, said);
    const store = await reopen(first);
    const closed = incident(2, { state: 'closed', closedMs: T0 + 40 * MINUTE });
    await store.commit(batch([record(4, T0, { kind: 'incident', incident: closed })]));
    const label = { ...said, class: 'disk full', atMs: T0 + HOUR };
    expect(await shownNow(store)).toEqual([{ ...closed, agent: 'm1', label }]);

    const later = await judges(store);
    later.clock.nowMs += 1;
    await later.feedback.label('m1', epochA, 3, { verdict: 'false_alarm', class: null, note: '', by: 'bob' });
    expect((await shownNow(store))[0]!.label).toMatchObject({ verdict: 'false_alarm', by: 'bob', atMs: T0 + HOUR + 1 });
    expect(await later.feedback.withdraw('m1', epochA, 3)).toBe(true);
    expect(await later.feedback.withdraw('m1', epochA, 3)).toBe(false);
    expect((await shownNow(store))[0]!.label).toBeUndefined();
    await store.close();
  });

  test('an incident that there is not has no label, and a class is one in any spelling', async () => {
    const { store } = await open();
    const { feedback } = await judges(store);
    await expect(feedback.label('m1', epochA, 3, said)).rejects.toMatchObject({ code: 'not_found' });
    const both = [3, 4].map((seq) => record(seq, T0, { kind: 'incident', incident: incident(1, { seq }) }));
    await store.commit(batch(both));
    expect(await feedback.label('m1', epochA, 3, { ...said, class: 'Pump Seal' })).toMatchObject({
      class: 'Pump Seal',
    });
    expect(await feedback.label('m1', epochA, 4, { ...said, class: ' pump  seal' })).toMatchObject({
      class: 'Pump Seal',
    });
    expect(feedback.classes()[0]).toEqual({ name: 'Pump Seal', incidents: 2 });
    await store.close();
  });

  test('planned work of a machine, a site and the fleet; ended early, called off, entered afterwards', async () => {
    const { store: first, reopen } = await open();
    const { maintenance, clock } = await judges(first);
    const at = (fromMs: number, toMs: number) => ({ fromMs, toMs, reason: 'new pump', by: 'ann' });
    const machine = await maintenance.plan({ agent: 'm1', site: null, ...at(clock.nowMs, clock.nowMs + HOUR) });
    const site = await maintenance.plan({ agent: null, site: 'north', ...at(T0, T0 + MINUTE) });
    const fleet = await maintenance.plan({ agent: null, site: null, ...at(T0 + DAY, T0 + DAY + HOUR) });
    expect([machine, site, fleet].map(({ afterwards }) => afterwards)).toEqual([false, true, false]);
    const covers = (plan: Maintenance, agent: string, fromMs: number, toMs = fromMs + 1) =>
      plan.during(agent, { fromMs, toMs })?.id ?? null;
    expect(covers(maintenance, 'm1', clock.nowMs + 5)).toBe(machine.id);
    expect(covers(maintenance, 'm2', clock.nowMs + 5)).toBeNull();
    expect(covers(maintenance, 'm1', T0)).toBe(site.id);
    expect(covers(maintenance, 'm2', T0)).toBeNull();
    expect(covers(maintenance, 'm2', T0 + DAY)).toBe(fleet.id);

    clock.nowMs += 10 * MINUTE;
    expect(await maintenance.end(machine.id)).toMatchObject({ toMs: clock.nowMs, endedMs: clock.nowMs });
    expect(await maintenance.end(fleet.id)).toMatchObject({ toMs: T0 + DAY });
    for (const { id } of [machine, site, fleet]) {
      await expect(maintenance.end(id)).rejects.toMatchObject({ code: 'conflict' });
    }
    const store = await reopen(first);
    const again = (await judges(store, clock.nowMs)).maintenance;
    expect(again.list()).toEqual(maintenance.list());
    expect(covers(again, 'm1', clock.nowMs - 1)).toBe(machine.id);
    expect(covers(again, 'm1', clock.nowMs + 1)).toBeNull();
    expect(covers(again, 'm2', T0 + DAY)).toBeNull();
    await store.close();
  });

  test('times that are none are refused', async () => {
    const { store } = await open();
    const { maintenance, clock } = await judges(store);
    const about = { agent: null, site: null, reason: '', by: 'ann', fromMs: clock.nowMs };
    for (const wrong of [
      { toMs: clock.nowMs },
      { toMs: clock.nowMs + 91 * DAY },
      { toMs: clock.nowMs + 500 * DAY, fromMs: clock.nowMs + 499 * DAY },
      { fromMs: 0, toMs: 1 },
      { toMs: clock.nowMs + HOUR, agent: 'm1', site: 'north' },
    ]) {
      await expect(maintenance.plan({ ...about, ...wrong })).rejects.toMatchObject({ code: 'usage.invalid' });
    }
    expect(maintenance.list()).toEqual([]);
    await store.close();
  });
});

test('a backup has them', { timeout: 60_000 }, async () => {
  const data = join(folder, 'data');
  await mkdir(join(data, 'keys'), { recursive: true });
  await writeFile(join(data, 'keys/keys.json'), '{}');
  const store = await openLevelStore(join(data, 'store'));
  await store.commit(batch([record(3, T0, { kind: 'incident', incident: incident(1) })]));
  const { feedback, maintenance } = await judges(store);
  await feedback.label('m1', epochA, 3, said);
  await maintenance.plan({ agent: null, site: null, fromMs: T0, toMs: T0 + DAY, reason: 'move', by: 'ann' });
  const before = await shownNow(store);
  expect(before[0]).toMatchObject({ label: { verdict: 'real' }, maintenance: { reason: 'move' } });

  const config = { ...parseYamlOrThrow('', centralConfigSchema, 'test'), data };
  const source = {
    config,
    configFile: null,
    store,
    version: '0.1.0',
    nowMs: () => T0,
    scryptCost: { N: 2, r: 8, p: 1 },
  };
  const parts: Buffer[] = [];
  for await (const part of makeBackup(source, PASSPHRASE)) parts.push(part);
  await store.close();
  await writeFile(join(folder, 'backup'), Buffer.concat(parts));
  const file = await BackupFile.open(join(folder, 'backup'), async () => PASSPHRASE);
  await restoreBackup(file, join(folder, 'restored'), () => T0);
  const restored = await openLevelStore(join(folder, 'restored/store'));
  expect(await shownNow(restored)).toEqual(before);
  await restored.close();
});
