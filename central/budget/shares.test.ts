import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../shared/findings.ts';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { Reported } from '../../shared/trust/messages.ts';
import { ManualTimers, settled } from '../../test/support/timers.ts';
import type { FleetEvent } from '../api.ts';
import { createBus } from '../bus.ts';
import { MemoryDocuments } from '../store/memory-documents.ts';
import type { Store, StoredIncident } from '../store/store.ts';
import { changesOf, type Sharer, targetsOf } from './allocation.ts';
import { Needs } from './needs.ts';
import { NotificationShares } from './shares.ts';

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

describe('the allocation', () => {
  const sharer = fc.record({
    need: fc.double({ min: 0, max: 50, noNaN: true }),
    held: fc.double({ min: 0, max: 5, noNaN: true }),
  });
  const fleets = fc
    .array(sharer, { minLength: 1, maxLength: 60 })
    .map((all) => all.map((one, i): Sharer => ({ id: `a${i}`, ...one })));

  it('gives everybody something, those that need more more, and never more than there is', () => {
    fc.assert(
      fc.property(fleets, fc.double({ min: 0.1, max: 100, noNaN: true }), (fleet, perWeek) => {
        const targets = targetsOf(fleet, perWeek);
        expect(sum(targets.values())).toBeLessThanOrEqual(perWeek * (0.9 + 1e-9));
        for (const { id, need } of fleet) {
          expect(targets.get(id)).toBeGreaterThanOrEqual((perWeek * 0.45) / fleet.length);
          for (const other of fleet)
            if (other.need < need) expect(targets.get(other.id)!).toBeLessThanOrEqual(targets.get(id)!);
        }
      }),
    );
  });

  it('promises nothing that somebody may still be acting on', () => {
    fc.assert(
      fc.property(fleets, fc.double({ min: 0.1, max: 100, noNaN: true }), (fleet, perWeek) => {
        const changes = changesOf(fleet, perWeek);
        // Before anybody confirms, an agent may act on the greater of what it has and what it is told.
        const worst = sum(fleet.map(({ id, held }) => Math.max(held, changes.get(id) ?? 0)));
        expect(worst).toBeLessThanOrEqual(Math.max(perWeek, sum(fleet.map(({ held }) => held))) * (1 + 1e-9));
      }),
    );
  });
});

/** Agents that go by what they are told, when they are online. */
class World {
  nowMs = Date.UTC(2026, 5, 1);
  readonly timers = new ManualTimers();
  readonly bus = createBus();
  readonly documents = new MemoryDocuments();
  readonly agents = new Map<string, { online: boolean; version: number; share: number; retiredMs: number | null }>();
  readonly #manifests = new Map<string, { version: number; share: number }>();
  published = 0;
  shares: NotificationShares;
  readonly #perWeek: number;

  constructor(perWeek = 5) {
    this.#perWeek = perWeek;
    this.shares = this.#make();
  }

  #make(): NotificationShares {
    return new NotificationShares({
      store: { documents: this.documents, incidents: async () => [] } as unknown as Store,
      bus: this.bus,
      agents: () =>
        [...this.agents].map(([id, { version, retiredMs }]) => ({
          id,
          retiredMs,
          reported: { manifestVersion: version, health: {} } as Reported,
        })),
      publish: async (agent, share) => {
        const version = (this.#manifests.get(agent)?.version ?? 0) + 1;
        this.#manifests.set(agent, { version, share });
        this.published++;
        return version;
      },
      perWeek: this.#perWeek,
      nowMs: () => this.nowMs,
      timers: this.timers,
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
  }

  add(...ids: string[]): void {
    for (const id of ids) this.agents.set(id, { online: true, version: 0, share: 0, retiredMs: null });
  }

  async restart(): Promise<void> {
    await this.shares.close();
    this.shares = this.#make();
    await this.shares.start();
  }

  /** Time passes; who is online hears its manifest and reports. The sum of what all go by is held all the while. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10_000) {
      this.nowMs += 10_000;
      this.timers.advance(10_000);
      await settled();
      for (const [id, agent] of this.agents) {
        const manifest = this.#manifests.get(id);
        if (!agent.online || agent.retiredMs !== null || manifest === undefined) continue;
        agent.share = manifest.share;
        agent.version = manifest.version;
        this.shares.reported(id, agent.version);
      }
      expect(this.held()).toBeLessThanOrEqual(this.#perWeek * (1 + 1e-9));
    }
  }

  held(): number {
    return sum([...this.agents.values()].map(({ share, retiredMs }) => (retiredMs === null ? share : 0)));
  }

  share(id: string): number {
    return this.agents.get(id)!.share;
  }

  incident(agent: string, seq: number, notify: Notice): void {
    const incident = { agent, epoch: 'e'.repeat(32), seq, openedMs: this.nowMs, notify } as StoredIncident;
    this.bus.publish({ type: 'incident', incident } as FleetEvent);
  }
}

describe('what is needed', () => {
  it('is counted once an incident, and less with each week', () => {
    const needs = new Needs();
    const incident = { agent: 'a', epoch: 'e'.repeat(32), seq: 1, openedMs: 0 };
    expect(needs.take({ ...incident, notify: spent })).toBe(true);
    expect(needs.take({ ...incident, notify: spent })).toBe(false);
    expect(needs.take({ ...incident, seq: 2, notify: { ...spent, reason: 'rarity' } })).toBe(false);
    expect(needs.take(incident)).toBe(false);
    expect(needs.needs(0).get('a')).toBe(1);
    expect(needs.needs(7 * DAY_MS).get('a')).toBe(0.5);
    expect(needs.needs(40 * DAY_MS).has('a')).toBe(false);
  });
});

const spent: Notice = { wakes: false, reason: 'spent', cost: 0, perWeek: 0.001 };
const paid: Notice = { wakes: true, reason: 'budget', cost: 1, perWeek: 0.001 };

describe('the shares of a fleet', () => {
  it('reach everybody, move to who needs them, and go back when the need is over', async () => {
    const world = new World();
    world.add('a', 'b', 'c', 'd', 'e');
    await world.shares.start();
    await world.pass(4 * HOUR_MS);
    expect(world.held()).toBeGreaterThan(4);
    for (const id of world.agents.keys()) expect(world.share(id)).toBeCloseTo(0.9, 1);
    for (let seq = 1; seq <= 4; seq++) world.incident('c', seq, spent);
    await world.pass(3 * HOUR_MS);
    expect(world.share('c')).toBeGreaterThan(2);
    for (const id of ['a', 'b', 'd', 'e']) expect(world.share(id)).toBeGreaterThan(0.45);
    expect(world.shares.state()).toMatchObject({ notificationsPerWeek: 5, spentLastWeek: 0, refusedLastWeek: 4 });
    // The same incidents, told again, are no new need; one that could be paid after all is one that was paid.
    world.incident('c', 1, paid);
    expect(world.shares.state()).toMatchObject({ spentLastWeek: 1, refusedLastWeek: 3 });
    for (let day = 0; day < 35; day++) {
      world.nowMs += DAY_MS - HOUR_MS;
      await world.pass(HOUR_MS);
    }
    expect(world.share('c')).toBeCloseTo(0.9, 1);
  });

  it('are held by agents that are offline, and what they hold is given to nobody', async () => {
    const world = new World();
    world.add('a', 'b', 'c', 'd');
    await world.shares.start();
    await world.pass(4 * HOUR_MS);
    const before = world.share('a');
    for (const id of ['a', 'b', 'c']) world.agents.get(id)!.online = false;
    for (let seq = 1; seq <= 8; seq++) world.incident('d', seq, spent);
    world.add('e');
    await world.pass(5 * HOUR_MS);
    expect(world.share('a')).toBe(before);
    // Of what is free, the newcomer has something too.
    expect(world.share('e')).toBeGreaterThan(0);
    const alone = world.share('d');
    for (const id of ['a', 'b', 'c']) world.agents.get(id)!.online = true;
    await world.pass(5 * HOUR_MS);
    expect(world.share('d')).toBeGreaterThan(alone + 0.5);
    expect(world.share('a')).toBeLessThan(before);
  });

  it('are what they were after a start of the central, and a retired agent gives its own back', async () => {
    const world = new World();
    world.add('a', 'b', 'c');
    await world.shares.start();
    await world.pass(4 * HOUR_MS);
    const published = world.published;
    world.agents.get('a')!.online = false;
    await world.restart();
    await world.pass(2 * HOUR_MS);
    expect(world.published).toBe(published);
    world.agents.get('a')!.retiredMs = world.nowMs;
    await world.pass(3 * HOUR_MS);
    expect(world.share('b')).toBeCloseTo(2.25, 1);
  });

  it('cost few manifests: a settled fleet of five hundred is told nothing', async () => {
    const world = new World();
    world.add(...Array.from({ length: 500 }, (_, i) => `a${i}`));
    await world.shares.start();
    await world.pass(HOUR_MS / 2);
    expect(world.held()).toBeGreaterThan(4);
    const { published } = world;
    expect(published).toBeLessThan(5_000);
    await world.pass(HOUR_MS);
    expect(world.published - published).toBeLessThan(250);
  });
});
