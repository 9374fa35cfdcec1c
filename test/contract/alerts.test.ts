/**
 * What is decided is told, whenever the central dies: never lost, and at most once more for each time that it died
 * between sending and writing it down.
 */
import { describe, expect, test } from 'vitest';
import { Notifier } from '../../central/alerts/notifier.ts';
import type { Delivery, Target } from '../../central/alerts/targets/target.ts';
import { Undelivered } from '../../central/alerts/targets/target.ts';
import type { AgentState } from '../../central/api.ts';
import { centralConfigSchema } from '../../central/config.ts';
import { someAgent } from '../../central/http/fake-values.ts';
import { INCIDENT_NEWS, newsOf } from '../../central/store/incident-news.ts';
import { MemoryDocuments } from '../../central/store/memory-documents.ts';
import type { Documents } from '../../central/store/store.ts';
import { parseYaml } from '../../shared/config/yaml.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import { incident } from './store.fixture.ts';

const T0 = Date.UTC(2026, 2, 2, 12);
const silentLog = new Proxy({}, { get: () => () => {} }) as Log;
const parsed = parseYaml(
  `alerts:
  targets:
    - {kind: webhook, name: one, url: "http://127.0.0.1:1/"}
    - {kind: webhook, name: two, url: "http://127.0.0.1:1/", minimalSeverity: critical}
`,
  centralConfigSchema,
);
if (!parsed.ok) throw new Error('the configuration of the test is wrong');
const { alerts: config } = parsed.value;

class Crash extends Error {}

/** A central over documents that outlive it, and receivers that do as well. */
class World {
  readonly documents = new MemoryDocuments();
  readonly got: { target: string; id: string; headline: string; text: string; atMs: number }[] = [];
  /** Never heard of, so never overdue, where a test says nothing else. */
  agents: AgentState[] = [{ ...someAgent, lastSeenMs: null }];
  nowMs = T0;
  /** What a receiver does with the next message. */
  answer: (target: string) => 'take' | 'refuse' | 'hang' = () => 'take';
  /** Steps until it dies: each write before and after, each message before and after. */
  stepsLeft = Number.POSITIVE_INFINITY;
  steps = 0;
  #dead = false;
  #notifier: Notifier | null = null;

  async start(): Promise<void> {
    this.#dead = false;
    const notifier = new Notifier({
      documents: this.#mortalDocuments(),
      agents: () => this.agents,
      config,
      targets: config.targets.map(({ name }) => this.#target(name)),
      heartbeatCa: null,
      brokerUrl: null,
      url: () => 'https://central.example',
      nowMs: () => this.nowMs,
      random: () => 0.5,
      log: silentLog,
      ticks: false,
    });
    this.#notifier = notifier;
    await notifier.start();
  }

  get view() {
    return this.#notifier!.view();
  }

  /** Runs until then; a central that dies is started again. */
  async until(ms: number, stepMs = 20_000): Promise<void> {
    while (this.nowMs < ms) {
      this.nowMs += stepMs;
      if (this.#notifier === null || this.#dead) await this.start().catch(() => {});
      await this.#notifier?.tick();
      await this.#notifier?.idle().catch(() => {});
    }
  }

  async news(revision: number, over: Parameters<typeof incident>[1] = {}): Promise<void> {
    const times = { openedMs: this.nowMs, updatedMs: this.nowMs };
    const { key, value } = newsOf('pump-7', incident(revision, { ...times, ...over }));
    await this.documents.put(INCIDENT_NEWS, key, value);
  }

  headlines(target: string): string[] {
    return this.got.filter((one) => one.target === target).map(({ headline }) => headline);
  }

  #step(): void {
    this.steps++;
    if (this.#dead || this.stepsLeft-- <= 0) {
      if (!this.#dead) this.stepsLeft = Number.POSITIVE_INFINITY;
      this.#dead = true;
      throw new Crash('dead');
    }
  }

  #mortalDocuments(): Documents {
    const { documents } = this;
    return Object.assign(Object.create(documents) as Documents, {
      get: documents.get.bind(documents),
      list: documents.list.bind(documents),
      putAll: async (changes: Parameters<Documents['putAll']>[0]) => {
        this.#step();
        await documents.putAll(changes);
        this.#step();
      },
    });
  }

  #target(name: string): Target {
    return {
      name,
      kind: 'webhook',
      where: name,
      send: async ({ id, headline, text }: Delivery) => {
        this.#step();
        const answer = this.answer(name);
        if (answer !== 'take') throw new Undelivered(answer === 'hang' ? 'no answer within 15 s' : 'answered 503');
        this.got.push({ target: name, id, headline, text, atMs: this.nowMs });
        this.#step();
        return '200';
      },
      close() {},
    };
  }
}

/** A life of an incident: opens, gets worse, closes; then a second one that comes and goes. */
async function live(world: World): Promise<void> {
  await world.until(T0 + MINUTE_MS);
  await world.news(1);
  await world.until(T0 + 2 * MINUTE_MS);
  await world.news(2, { severity: 'critical', openedMs: T0 });
  await world.until(T0 + 3 * MINUTE_MS);
  await world.news(3, { severity: 'critical', state: 'closed', closedMs: world.nowMs, openedMs: T0 });
  await world.until(T0 + 30 * MINUTE_MS);
  await world.news(1, { seq: 9, severity: 'critical' });
  await world.news(2, { seq: 9, severity: 'critical', state: 'closed', closedMs: world.nowMs });
  await world.until(T0 + HOUR_MS);
}

const wanted = {
  one: [
    'Opened: warning, Pump 7 (north)',
    'Worse: critical, Pump 7 (north)',
    'Closed after 3 min: Pump 7 (north)',
    'Came and went within 0 s: critical, Pump 7 (north)',
  ],
  two: [
    'Opened: critical, Pump 7 (north)',
    'Closed after 3 min: Pump 7 (north)',
    'Came and went within 0 s: critical, Pump 7 (north)',
  ],
};

describe('notifications', { timeout: 60_000 }, () => {
  test('each target is told what is grave enough for it, once', async () => {
    const world = new World();
    await live(world);
    expect(world.headlines('one')).toEqual(wanted.one);
    expect(world.headlines('two')).toEqual(wanted.two);
    expect(world.view.targets.map(({ sent, waiting, dropped }) => ({ sent, waiting, dropped }))).toEqual([
      { sent: 4, waiting: 0, dropped: 0 },
      { sent: 3, waiting: 0, dropped: 0 },
    ]);
  });

  test('whichever step the central dies at: nothing is lost, and one message at most comes once more', async () => {
    const whole = new World();
    await live(whole);
    for (let at = 0; at < whole.steps; at++) {
      const world = new World();
      world.stepsLeft = at;
      await live(world);
      for (const target of ['one', 'two'] as const) {
        const got = world.got.filter((one) => one.target === target);
        const headlines = new Map(got.map(({ id, headline }) => [id, headline]));
        expect([at, [...headlines.values()]]).toEqual([at, wanted[target]]);
        expect(got.length - headlines.size).toBeLessThanOrEqual(1);
      }
    }
  });

  test('a target that is gone is tried with growing pauses; then what is over is one message', async () => {
    const world = new World();
    let tries = 0;
    world.answer = (target) => {
      if (target === 'two') return 'take';
      tries++;
      return 'refuse';
    };
    await world.until(T0 + MINUTE_MS);
    for (let seq = 1; seq <= 30; seq++) {
      await world.news(1, { seq, openedMs: world.nowMs });
      await world.until(world.nowMs + 20 * MINUTE_MS, MINUTE_MS);
      await world.news(2, { seq, state: 'closed', closedMs: world.nowMs, openedMs: world.nowMs });
      await world.until(world.nowMs + 40 * MINUTE_MS, MINUTE_MS);
    }
    // 30 hours, an hour apart at last.
    expect(tries).toBeGreaterThan(20);
    expect(tries).toBeLessThan(60);
    expect(world.view.targets[0]).toMatchObject({ waiting: 30, lastError: 'answered 503' });
    world.answer = () => 'take';
    await world.until(world.nowMs + 2 * HOUR_MS, MINUTE_MS);
    expect(world.headlines('one')).toEqual(['30 troubles came and went before you could be told']);
  });

  test('what waits too long is given up, counted, and the next message says so', async () => {
    const world = new World();
    world.answer = () => 'hang';
    await world.until(T0 + MINUTE_MS);
    await world.news(1);
    await world.until(T0 + 4 * DAY_MS, 10 * MINUTE_MS);
    expect(world.view.targets[0]).toMatchObject({ waiting: 0, dropped: 1 });
    world.answer = () => 'take';
    await world.until(world.nowMs + 2 * HOUR_MS, MINUTE_MS);
    expect(world.got).toEqual([]);
    await world.news(1, { seq: 77 });
    await world.until(world.nowMs + 2 * HOUR_MS, MINUTE_MS);
    expect(world.got[0]!.text).toContain('1 earlier message to this target could not be delivered');
  });

  test('one message that is never taken holds up no others', async () => {
    const world = new World();
    await world.until(T0 + MINUTE_MS);
    world.answer = () => 'refuse';
    await world.news(1, { seq: 1, title: 'poison' });
    await world.until(world.nowMs + MINUTE_MS);
    let calls = 0;
    // The one that waits longer is tried now and then, and always refused.
    world.answer = () => (calls++ % 2 === 0 ? 'refuse' : 'take');
    await world.news(1, { seq: 2, title: 'good' });
    await world.until(world.nowMs + 2 * HOUR_MS);
    expect(world.headlines('one').length).toBeGreaterThanOrEqual(1);
  });

  test('a machine that is always connected and a central that is started anew: overdue only after it could be heard', async () => {
    const world = new World();
    const seen = (): void => {
      world.agents = [{ ...someAgent, presence: 'unknown', lastSeenMs: world.nowMs }];
    };
    for (let i = 0; i < 30; i++) {
      seen();
      await world.until(world.nowMs + MINUTE_MS, 10_000);
    }
    // Nearly overdue; then the central is away for a night, and the machine could not call.
    await world.until(world.nowMs + 8 * MINUTE_MS, 10_000);
    world.nowMs += 8 * HOUR_MS;
    await world.start();
    await world.until(world.nowMs + 9 * MINUTE_MS, 10_000);
    expect(world.got).toEqual([]);
    expect(world.view.contacts[0]!.overdueMs).toBeNull();
    await world.until(world.nowMs + 5 * MINUTE_MS, 10_000);
    expect(world.headlines('one')).toEqual(['Overdue: warning, Pump 7 (north)']);
    seen();
    await world.until(world.nowMs + 5 * MINUTE_MS, 10_000);
    expect(world.headlines('one').at(-1)).toMatch(/^Heard again after .*: Pump 7 \(north\)$/);
  });

  test('machines without a site that fall silent together are one message, and so is their return', async () => {
    const world = new World();
    const ids = Array.from({ length: 20 }, (_, i) => `m${String(i).padStart(2, '0')}`);
    let dead: readonly string[] = [];
    const run = async (minutes: number, gone: (minute: number) => readonly string[]): Promise<void> => {
      for (let i = 0; i < minutes * 3; i++) {
        dead = gone(Math.floor(i / 3));
        world.agents = ids.map((id) => {
          const before = world.agents.find((agent) => agent.id === id)?.lastSeenMs ?? null;
          const lastSeenMs = dead.includes(id) ? before : world.nowMs;
          return { ...someAgent, id, name: id, site: '', presence: 'offline', lastSeenMs };
        });
        await world.until(world.nowMs + 20_000);
      }
    };
    await run(60, () => []);
    // One each minute, five in all; they come back in the same way.
    await run(30, (minute) => ids.slice(0, Math.min(5, minute + 1)));
    expect(world.headlines('one')).toEqual(['5 machines overdue']);
    await run(30, (minute) => ids.slice(Math.min(5, minute + 1), 5));
    expect(world.headlines('one')).toEqual(['5 machines overdue', '5 machines heard again']);
  });

  test('a site that loses its power is one message, its return another; who stays away is told of by name', async () => {
    const world = new World();
    const dead = new Set<string>();
    const ids = Array.from({ length: 24 }, (_, i) => `m${String(i).padStart(2, '0')}`);
    const run = async (minutes: number): Promise<void> => {
      for (let i = 0; i < minutes * 3; i++) {
        world.agents = ids.map((id) => {
          const before = world.agents.find((agent) => agent.id === id)?.lastSeenMs ?? null;
          const lastSeenMs = dead.has(id) ? before : world.nowMs;
          const site = id < 'm08' ? 'Hall 1' : 'Hall 2';
          return { ...someAgent, id, name: id, site, presence: dead.has(id) ? 'offline' : 'online', lastSeenMs };
        });
        await world.until(world.nowMs + 20_000);
      }
    };
    await run(15);
    for (const id of ids.slice(0, 8)) dead.add(id);
    await run(30);
    expect(world.headlines('one')).toEqual(['Silent: critical, Hall 1']);
    expect(world.got[0]!.text).toContain('no word from 8 of 8 machines of Hall 1');
    // All but one come back.
    for (const id of ids.slice(1, 8)) dead.delete(id);
    await run(10);
    expect(world.headlines('one').slice(1).sort()).toEqual([
      expect.stringMatching(/^Heard again after 3[01] min: Hall 1$/),
      'Overdue: warning, m00 (Hall 1)',
    ]);
    dead.clear();
    await run(10);
    const before = world.headlines('one').length;
    // The uplink of the central's own house.
    for (const id of ids.slice(2)) dead.add(id);
    await run(30);
    expect(world.headlines('one').slice(before)).toEqual(['Silent: critical, the fleet']);
    dead.clear();
    await run(10);
    expect(world.headlines('one').slice(before + 1)).toEqual([
      expect.stringMatching(/^Heard again after .*: the fleet$/),
    ]);
  });
});
