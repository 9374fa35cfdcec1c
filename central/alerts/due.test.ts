import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { type Change, type Message, nextMessage, toGiveUp, toldOf, waitingFor } from './due.ts';
import { someCondition, someListener, T0, World } from './fixtures.ts';
import { wordsOf } from './message.ts';

const listener = someListener();
const naming = { nameOf: (agent: string) => agent.toUpperCase(), url: 'https://central.example' };

/** A target that takes everything at once, in a world whose time the test moves. */
class Receiver extends World {
  readonly got: { message: Message; id: string; atMs: number }[] = [];
  reachable = true;

  /** What it is told now. */
  pump(): string[] {
    const out: string[] = [];
    while (this.reachable) {
      const message = nextMessage(waitingFor(this.threads, listener), this.nowMs);
      if (message === null) break;
      const { id } = wordsOf(message, listener.name, naming, this.nowMs);
      this.got.push({ message, id, atMs: this.nowMs });
      for (const { thread } of message.items) {
        const known = toldOf(thread, listener.name, this.nowMs);
        const now = this.threads.get(thread.key)!;
        this.put({ ...now, told: { ...now.told, [listener.name]: known } });
      }
      out.push(message.kind === 'one' ? message.items[0]!.change : `${message.kind} ${message.items.length}`);
    }
    return out;
  }

  /** What it is told until then, looked at each 10 s. */
  until(ms: number): string[] {
    const out: string[] = [];
    while (this.nowMs < ms) {
      this.nowMs += 10_000;
      out.push(...this.pump());
    }
    return out;
  }
}

test('an incident is told when it opens, when it is graver, and when it has stayed closed', () => {
  const world = new Receiver();
  world.news();
  expect(world.pump()).toEqual(['opened']);
  world.nowMs += MINUTE_MS;
  world.news({ revision: 2 });
  expect(world.pump()).toEqual([]);
  world.news({ revision: 3, severity: 'critical' });
  expect(world.pump()).toEqual(['worsened']);
  world.news({ revision: 4, severity: 'critical', state: 'closed', closedMs: world.nowMs });
  expect(world.pump()).toEqual([]);
  expect(world.until(world.nowMs + HOUR_MS)).toEqual(['closed']);
  // One conversation: each message has an id of its own, of the same beginning.
  expect(new Set(world.got.map(({ id }) => id.split('.')[0])).size).toBe(1);
  expect(world.got.map(({ id }) => id.split('.')[1])).toEqual(['1', '2', '3']);
});

test('many more series are worse, a few are not', () => {
  const world = new Receiver();
  world.news({ series: 2 });
  world.pump();
  world.news({ revision: 2, series: 11 });
  expect(world.pump()).toEqual([]);
  world.news({ revision: 3, series: 14 });
  expect(world.pump()).toEqual(['worsened']);
});

test('a revision that comes late, twice or out of order changes nothing', () => {
  const world = new Receiver();
  world.news({ revision: 3 });
  world.pump();
  expect(world.news({ revision: 3 })).toBeNull();
  expect(world.news({ revision: 1, severity: 'critical' })).toBeNull();
});

test('what may wake nobody, and what is not grave enough, is told to nobody', () => {
  const world = new Receiver();
  world.news({ wakes: false, severity: 'critical' });
  world.news({ seq: 6, severity: 'info' });
  expect(world.until(T0 + HOUR_MS)).toEqual([]);
  // The agent allows it later.
  world.news({ revision: 2, wakes: true, severity: 'critical' });
  expect(world.pump()).toEqual(['opened']);
  // Muted, it says no more than that it is over.
  world.news({ revision: 3, wakes: false, severity: 'critical', series: 100 });
  expect(world.pump()).toEqual([]);
  world.news({ revision: 4, wakes: false, state: 'closed', closedMs: world.nowMs });
  expect(world.until(world.nowMs + HOUR_MS)).toEqual(['closed']);
});

test('what flaps is one thread and is held back, more with each time', () => {
  const world = new Receiver();
  let revision = 1;
  const said: string[] = [];
  // Open for five minutes, closed for three, for four hours.
  for (let i = 0; world.nowMs < T0 + 4 * HOUR_MS; i++) {
    world.news({ seq: 10 + i, revision: revision++, openedMs: world.nowMs });
    said.push(...world.pump(), ...world.until(world.nowMs + 5 * MINUTE_MS));
    world.news({ seq: 10 + i, revision: revision++, state: 'closed', closedMs: world.nowMs });
    said.push(...world.until(world.nowMs + 3 * MINUTE_MS));
  }
  expect(world.threads.size).toBe(1);
  expect(said.length).toBeGreaterThan(1);
  expect(said.length).toBeLessThan(8);
  // Nothing in the last two hours, until it calms down.
  expect(world.got.filter(({ atMs }) => atMs > T0 + 2 * HOUR_MS)).toEqual([]);
  expect(world.until(world.nowMs + 2 * HOUR_MS).at(-1)).toBe('closed');
  // Graver than ever is told at once all the same.
  world.news({ seq: 999, openedMs: world.nowMs, severity: 'critical' });
  expect(world.pump()).toHaveLength(1);
});

test('a thread keeps its subject while its numbers change, and takes another for another trouble', () => {
  const world = new Receiver();
  const again = (seq: number, title: string): string | undefined => {
    world.news({ seq, revision: 1, title });
    world.news({ seq, revision: 2, title, state: 'closed', closedMs: world.nowMs });
    world.nowMs += MINUTE_MS;
    return [...world.threads.values()][0]?.subject;
  };
  expect(again(1, 'Disk sda 41 ms, expected 1 ms')).toBe('Disk sda 41 ms');
  expect(again(2, 'Disk sda 52.5 ms, expected 1 ms')).toBe('Disk sda 41 ms');
  expect(again(3, 'Memory 98 %, expected 40 %')).toBe('Memory 98 %');
  expect(world.threads.size).toBe(1);
});

test('two troubles at once on a machine are two threads', () => {
  const world = new Receiver();
  world.news({ seq: 1 });
  world.news({ seq: 2 });
  expect(world.pump()).toEqual(['opened', 'opened']);
});

test('after an outage of the target what is over is one message, what is open is told one by one', () => {
  const world = new Receiver();
  world.reachable = false;
  for (let i = 0; i < 40; i++) {
    world.news({ agent: `m${i}`, seq: 1 });
    if (i >= 3) world.news({ agent: `m${i}`, seq: 1, revision: 2, state: 'closed', closedMs: world.nowMs });
  }
  world.nowMs += DAY_MS;
  world.reachable = true;
  expect(world.pump()).toEqual(['opened', 'opened', 'opened', 'digest 37']);
  expect(world.until(world.nowMs + DAY_MS)).toEqual([]);
});

test('very many at once are a digest, the gravest first', () => {
  const world = new Receiver();
  for (let i = 0; i < 30; i++) world.news({ agent: `m${i}`, severity: i === 17 ? 'critical' : 'warning' });
  expect(world.pump()).toEqual(['digest 30']);
  expect(world.got[0]!.message.items[0]!.thread.agent).toBe('m17');
});

test('a backlog of last week wakes nobody: one digest for each machine, with its times', () => {
  const world = new Receiver();
  const then = T0 - 7 * DAY_MS;
  for (let i = 0; i < 6; i++) {
    const openedMs = then + i * HOUR_MS;
    world.news({ seq: i, severity: 'critical', openedMs, updatedMs: openedMs });
    world.nowMs += 10_000;
    const closedMs = openedMs + MINUTE_MS;
    world.news({ seq: i, revision: 2, severity: 'critical', state: 'closed', openedMs, updatedMs: closedMs, closedMs });
    expect(world.pump()).toEqual([]);
  }
  world.news({ agent: 'fan-1', openedMs: then, updatedMs: then, state: 'closed', closedMs: then });
  expect(world.until(T0 + HOUR_MS)).toEqual(['late 6', 'late 1']);
  const words = wordsOf(world.got[0]!.message, 'ops', naming, world.nowMs);
  expect(words.headline).toBe('While PUMP-7 was offline: 6 incidents');
  expect(words.text).toContain('since 2026-02-23 12:00:00 UTC, until 2026-02-23 12:01:00 UTC');
});

test('what began last week and lasts is told like any other as soon as it is heard of in time', () => {
  const world = new Receiver();
  const then = T0 - 7 * DAY_MS;
  world.news({ openedMs: then, updatedMs: then });
  expect(world.pump()).toEqual([]);
  world.news({ revision: 2, openedMs: then });
  expect(world.pump()).toEqual(['opened']);
});

test('a target that is new is told what is open and not what was over by then', () => {
  const world = new Receiver();
  world.news({ agent: 'a' });
  world.news({ agent: 'b', state: 'closed', closedMs: T0 });
  const changes = (sinceMs: number): Change[] =>
    waitingFor(world.threads, someListener({ sinceMs })).map(({ change }) => change);
  expect(changes(T0 + 1)).toEqual(['opened']);
  expect(changes(T0)).toEqual(['opened', 'was']);
});

test('the oldest of too many are given up, and what is too old', () => {
  const world = new Receiver();
  for (let i = 0; i < 12; i++) {
    world.news({ agent: `m${i}` });
    world.nowMs += MINUTE_MS;
  }
  const waiting = waitingFor(world.threads, listener);
  const names = (items: readonly { thread: { agent: string | null } }[]) => items.map(({ thread }) => thread.agent);
  expect(names(toGiveUp(waiting, world.nowMs, DAY_MS, 10))).toEqual(['m0', 'm1']);
  expect(names(toGiveUp(waiting, T0 + DAY_MS + 1.5 * MINUTE_MS, DAY_MS, 100))).toEqual(['m0', 'm1']);
  for (const { thread } of waiting) {
    world.put({ ...thread, told: { ops: toldOf(thread, 'ops', world.nowMs, true) } });
  }
  // Given up is given up; that it went on and ended is told as something that was.
  expect(world.pump()).toEqual([]);
  world.news({ agent: 'm0', revision: 2, state: 'closed', closedMs: world.nowMs });
  expect(world.until(world.nowMs + HOUR_MS)).toEqual(['was']);
});

test('a condition opens, says anew, closes, and is one thread when it comes again soon', () => {
  const world = new Receiver();
  const silent = someCondition();
  world.conditions(silent);
  expect(world.pump()).toEqual(['opened']);
  expect(world.conditions(silent)).toEqual([]);
  world.nowMs += MINUTE_MS;
  world.conditions();
  world.nowMs += MINUTE_MS;
  world.conditions({ ...silent, sinceMs: world.nowMs });
  world.conditions();
  expect(world.until(world.nowMs + HOUR_MS)).toEqual(['closed']);
  expect(world.threads.size).toBe(1);
});

test('whatever happens in whatever order: what lasts is told, nothing is told twice, and in the end all is settled', () => {
  const step = fc.record({
    agent: fc.constantFrom('a', 'b'),
    seq: fc.integer({ min: 1, max: 4 }),
    close: fc.boolean(),
    severity: fc.constantFrom('info' as const, 'warning' as const, 'critical' as const),
    ageMs: fc.constantFrom(0, 0, HOUR_MS),
    waitMs: fc.constantFrom(1_000, 30_000, 5 * MINUTE_MS, 2 * HOUR_MS),
    reachable: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new Receiver();
      let revision = 0;
      for (const { agent, seq, close, severity, ageMs, waitMs, reachable } of steps) {
        world.reachable = reachable;
        const updatedMs = world.nowMs - ageMs;
        const state = close ? 'closed' : 'open';
        world.news({
          agent,
          seq,
          revision: ++revision,
          severity,
          state,
          updatedMs,
          closedMs: close ? updatedMs : null,
        });
        world.pump();
        world.nowMs += waitMs;
      }
      world.reachable = true;
      world.until(world.nowMs + 3 * HOUR_MS);
      expect(waitingFor(world.threads, listener).filter(({ thread }) => thread.dueMs <= world.nowMs)).toEqual([]);
      for (const thread of world.threads.values()) {
        if (thread.state === 'open' && thread.severity !== 'info') expect(thread.told.ops?.state).toBe('open');
      }
      expect(new Set(world.got.map(({ id }) => id)).size).toBe(world.got.length);
    }),
    { numRuns: 200 },
  );
});
