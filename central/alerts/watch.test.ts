import { expect, test } from 'vitest';
import { parseYaml } from '../../shared/config/yaml.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { AgentState } from '../api.ts';
import { centralConfigSchema } from '../config.ts';
import { someAgent } from '../http/fake-values.ts';
import { MemoryDocuments } from '../store/memory-documents.ts';
import { AlertBook } from './book.ts';
import { T0 } from './fixtures.ts';
import type { Condition } from './threads.ts';
import { Watch } from './watch.ts';

const parsed = parseYaml('', centralConfigSchema);
if (!parsed.ok) throw new Error('the defaults are wrong');
const config = parsed.value.alerts.overdue;

class World {
  nowMs = T0;
  agents: AgentState[] = [];
  readonly documents = new MemoryDocuments();
  book = new AlertBook(this.documents);
  watch!: Watch;

  async start(brokerUrl: string | null = null): Promise<this> {
    this.book = new AlertBook(this.documents);
    await this.book.load();
    const agents = () => this.agents;
    this.watch = new Watch({ book: this.book, config, agents, nowMs: () => this.nowMs, brokerUrl });
    await this.watch.start();
    return this;
  }

  call(id: string, presence: AgentState['presence'] = 'online'): void {
    const others = this.agents.filter((agent) => agent.id !== id);
    this.agents = [...others, { ...someAgent, id, presence, lastSeenMs: this.nowMs }];
  }

  /** Looks until then; `each` is done at every step. */
  async until(ms: number, stepMs = MINUTE_MS, each: () => void = () => {}): Promise<readonly Condition[] | null> {
    let last: readonly Condition[] | null = null;
    while (this.nowMs < ms) {
      this.nowMs += stepMs;
      each();
      last = await this.watch.look();
    }
    return last;
  }

  why(id: string): string | undefined {
    return this.watch.contacts().find(({ agent }) => agent === id)?.why;
  }
}

test('what is brought by hand is never overdue; when it calls by itself it can be', async () => {
  const world = await new World().start();
  world.watch.carried('van');
  world.call('van', 'offline');
  expect(await world.until(T0 + 2 * DAY_MS, HOUR_MS)).toEqual([]);
  expect(world.why('van')).toBe('by hand');
  world.call('van');
  await world.until(world.nowMs + MINUTE_MS);
  expect(world.why('van')).toBe('always');
  expect(await world.until(world.nowMs + HOUR_MS)).toMatchObject([{ base: 'silent:van' }]);
});

test('a site that calls once a day is not overdue, over restarts of the central', async () => {
  const world = await new World().start();
  let told = 0;
  for (let day = 0; day < 10; day++) {
    if (day === 5) await world.start();
    world.call('ferry');
    const found = await world.until(T0 + (day + 1) * DAY_MS, 10 * MINUTE_MS);
    // Until it has come back once, nobody can know.
    if (day > 0 && (found?.length ?? 0) > 0) told++;
  }
  expect(told).toBe(0);
  expect(world.why('ferry')).toBe('learned');
  // It stays away.
  expect(await world.until(world.nowMs + DAY_MS, HOUR_MS)).toMatchObject([{ base: 'silent:ferry' }]);
});

test('a central that is started anew each night still misses a machine that calls once a day', async () => {
  const world = await new World().start();
  for (let day = 0; day < 6; day++) {
    world.call('ferry');
    await world.until(T0 + (day + 1) * DAY_MS, 10 * MINUTE_MS);
  }
  let found: readonly Condition[] | null = [];
  for (let day = 6; day < 9; day++) {
    found = await world.until(T0 + (day + 1) * DAY_MS - HOUR_MS, 10 * MINUTE_MS);
    world.nowMs += HOUR_MS;
    await world.start();
  }
  expect(found).toMatchObject([{ base: 'silent:ferry' }]);
});

test('without a broker the central says that, and nothing of machines', async () => {
  const world = await new World().start('mqtt://broker:1883');
  world.watch.brokerConnected();
  for (let i = 0; i < 20; i++) world.call(`m${i}`, 'offline');
  await world.until(T0 + 5 * MINUTE_MS);
  world.watch.brokerLost();
  expect(world.watch.brokerIsLost).toBe(true);
  expect(await world.until(world.nowMs + 30_000, 10_000)).toBeNull();
  const lost = await world.until(world.nowMs + 2 * HOUR_MS);
  expect(lost?.map(({ base, severity }) => [base, severity])).toEqual([['broker:', 'critical']]);
  world.watch.brokerConnected();
  // They have the time to come back.
  expect(await world.until(world.nowMs + 9 * MINUTE_MS)).toEqual([]);
  expect((await world.until(world.nowMs + 12 * MINUTE_MS))?.map(({ base }) => base)).toEqual(['site:north']);
});

test('a machine that was told of stays told of while nothing can be heard', async () => {
  const world = await new World().start('mqtt://broker:1883');
  world.watch.brokerConnected();
  world.call('a');
  const [condition] = (await world.until(T0 + HOUR_MS))!;
  const { base, kind, agent, site, severity, title, subject, lines, series, sinceMs } = condition!;
  const about = { base, kind, agent, site, severity, title, subject, lines, series };
  const times = { openedMs: sinceMs, reopenedMs: sinceMs, closedMs: null, changedMs: sinceMs, dueMs: sinceMs };
  const rest = { changes: [], wakes: true, late: false, episodes: [], count: 1, told: {} };
  await world.book.decide([{ key: 'k', state: 'open', ...about, ...times, ...rest }]);
  world.watch.brokerLost();
  expect((await world.until(world.nowMs + 5 * MINUTE_MS))?.map((one) => one.base)).toEqual(['broker:', 'silent:a']);
});
