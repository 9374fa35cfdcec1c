import { expect, test } from 'vitest';
import { parseYaml } from '../../shared/config/yaml.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { centralConfigSchema } from '../config.ts';
import { someAgent } from '../http/fake-values.ts';
import { MemoryDocuments } from '../store/memory-documents.ts';
import { AlertBook } from './book.ts';
import { changeOf, toldOf } from './due.ts';
import { HOLD_MS, someListener, someNews, T0 } from './fixtures.ts';
import { type Planned, takeResumed } from './planned.ts';
import type { Thread } from './thread.ts';
import { takeIncident } from './threads.ts';
import { Watch } from './watch.ts';

/** Work on one machine, from T0 on for an hour. */
const planned: Planned = (agent, atMs) => agent === 'pump-7' && atMs >= T0 && atMs < T0 + HOUR_MS;

class World {
  readonly threads = new Map<string, Thread>();
  nowMs = T0 + MINUTE_MS;

  news(over: Parameters<typeof someNews>[0] = {}): Thread {
    const at = { nowMs: this.nowMs, holdMs: HOLD_MS };
    const thread = takeIncident(this.threads, someNews({ updatedMs: this.nowMs, ...over }), 'north', at, planned)!;
    this.threads.set(thread.key, thread);
    return thread;
  }

  resume(): Thread[] {
    const changed = takeResumed(this.threads, planned, { nowMs: this.nowMs, holdMs: HOLD_MS });
    for (const thread of changed) this.threads.set(thread.key, thread);
    return changed;
  }
}

test('what opens while work is planned wakes nobody, and never where it ends in that time', () => {
  const world = new World();
  expect(changeOf(world.news(), someListener())).toBeNull();
  expect(world.resume()).toEqual([]);
  expect(changeOf(world.news({ revision: 2, state: 'closed' }), someListener())).toBeNull();
  world.nowMs = T0 + 2 * HOUR_MS;
  expect(world.resume()).toEqual([]);
});

test('what still lasts when the work is over is told then, once', () => {
  const world = new World();
  world.news({ severity: 'critical' });
  world.nowMs = T0 + HOUR_MS;
  const [thread] = world.resume();
  expect(thread).toMatchObject({ wakes: true, dueMs: world.nowMs });
  expect(changeOf(thread!, someListener())).toBe('opened');
  expect(world.resume()).toEqual([]);
  const told = { ...thread!, told: { ops: toldOf(thread!, 'ops', world.nowMs) } };
  expect(changeOf(told, someListener())).toBeNull();
});

test('what would wake nobody anyway does not when the work is over', () => {
  const world = new World();
  world.news({ wakes: false });
  world.nowMs = T0 + HOUR_MS;
  expect(world.resume()).toEqual([]);
});

test('what happened during the work and is heard of later wakes nobody; of other machines it does', () => {
  const world = new World();
  world.nowMs = T0 + HOUR_MS + MINUTE_MS;
  expect(world.news({ state: 'closed', updatedMs: T0 + 50 * MINUTE_MS }).wakes).toBe(false);
  expect(world.news({ agent: 'pump-8', updatedMs: T0 + 50 * MINUTE_MS }).wakes).toBe(true);
});

test('who was told before the work that it began is told that it is over', () => {
  const world = new World();
  world.nowMs = T0 - MINUTE_MS;
  const thread = world.news();
  expect(thread.wakes).toBe(true);
  world.threads.set(thread.key, { ...thread, told: { ops: toldOf(thread, 'ops', world.nowMs) } });
  world.nowMs = T0 + MINUTE_MS;
  expect(changeOf(world.news({ revision: 2, state: 'closed' }), someListener())).toBe('closed');
});

test('a machine that is worked on is not missed while it is silent, and is afterwards', async () => {
  const parsed = parseYaml('', centralConfigSchema);
  if (!parsed.ok) throw new Error('the defaults are wrong');
  let now = T0;
  const book = new AlertBook(new MemoryDocuments());
  const silent = ['pump-7', 'pump-8'].map((id) => ({ ...someAgent, id, presence: 'offline' as const, lastSeenMs: T0 }));
  const config = parsed.value.alerts.overdue;
  const nowMs = (): number => now;
  const watch = new Watch({ book, config, agents: () => silent, nowMs, brokerUrl: null, planned });
  await watch.start();
  const silentAt = async (atMs: number): Promise<(string | null)[]> => {
    for (; now < atMs; now += 5 * MINUTE_MS) await watch.look();
    return ((await watch.look()) ?? []).map(({ base }) => base).sort();
  };
  expect(await silentAt(T0 + HOUR_MS - 10 * MINUTE_MS)).toEqual(['silent:pump-8']);
  // Two of two at one site: it is said of the site.
  expect(await silentAt(T0 + 2 * HOUR_MS)).toEqual(['site:north']);
});
