import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { MuteRequest } from '../shared/mute.ts';
import type { Command, Reported } from '../shared/trust/messages.ts';
import { fakeDocuments } from './http/fakes.ts';
import { CentralMutes } from './mutes.ts';

const silent = (): void => undefined;
const quiet: Log = { debug: silent, info: silent, warn: silent, error: silent };
const START_MS = Date.UTC(2026, 10, 23, 18);
const twoHours: MuteRequest = { forMs: 2 * HOUR_MS, rule: null, series: null, reason: 'service', by: 'ann' };
const all = { rule: null, series: null, by: 'ann' };

class World {
  nowMs = START_MS;
  readonly documents = fakeDocuments();
  sent: Command[] = [];
  repeat: () => void = silent;
  mutes = this.#open();

  async restart(): Promise<void> {
    await this.mutes.close();
    this.mutes = this.#open();
    await this.mutes.start();
  }

  /** Goes on by so much, and lets what repeats itself repeat. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.repeat();
  }

  reported(more: Partial<Reported>): void {
    const plain = { agentVersion: '1', manifestVersion: 1, applied: [], supports: [], health: {}, warnings: [] };
    this.mutes.reported('pump', { ...plain, refusals: [], commandsDone: [], ...more });
  }

  takeSent(): Command[] {
    return this.sent.splice(0);
  }

  #open(): CentralMutes {
    return new CentralMutes({
      documents: this.documents,
      nowMs: () => this.nowMs,
      log: quiet,
      timers: {
        after: (_ms, callback) => {
          this.repeat = callback;
        },
        cancel: silent,
      },
      send: async (command) => void this.sent.push(command),
    });
  }
}

async function started(): Promise<World> {
  const world = new World();
  await world.mutes.start();
  return world;
}

test('is said until the agent reports it, each time with an expiry that the agent accepts', async () => {
  const world = await started();
  const { id } = await world.mutes.mute('pump', twoHours);
  expect(world.mutes.orders('pump')).toMatchObject([{ id, state: 'waiting', endsMs: START_MS + 2 * HOUR_MS }]);
  world.pass(MINUTE_MS);
  world.mutes.online('pump');
  world.pass(HOUR_MS);
  const sent = world.takeSent();
  expect(sent.map((command) => command.id)).toEqual([id, id, id, id]);
  for (const command of sent) {
    expect(command).toMatchObject({ agent: 'pump', madeMs: START_MS, what: { mute: twoHours } });
    expect(command.expiresMs - START_MS).toBeGreaterThan(0);
  }
  expect(sent.at(-1)!.expiresMs - world.nowMs).toBe(50 * MINUTE_MS);
  world.reported({ commandsDone: ['another', id] });
  expect(world.mutes.orders('pump')).toMatchObject([{ id, state: 'done' }]);
  world.pass(MINUTE_MS);
  expect(world.takeSent()).toEqual([]);
});

test('is no longer said when its own time is over', async () => {
  const world = await started();
  await world.mutes.mute('pump', { ...twoHours, forMs: 20 * MINUTE_MS });
  world.takeSent();
  world.pass(19 * MINUTE_MS);
  expect(world.takeSent()[0]!.expiresMs).toBe(START_MS + 20 * MINUTE_MS);
  world.pass(MINUTE_MS);
  expect(world.takeSent()).toEqual([]);
  expect(world.mutes.orders('pump')).toMatchObject([{ state: 'expired' }]);
  world.pass(11 * MINUTE_MS);
  expect(world.mutes.orders('pump')).toEqual([]);
});

test('what the agent refuses is shown with its reason; one that came too late is said again', async () => {
  const world = await started();
  const { id } = await world.mutes.mute('pump', twoHours);
  const refusal = { what: `command:${id}`, message: 'no', atMs: 1 };
  world.reported({ refusals: [{ ...refusal, code: 'manifest.expired' }] });
  expect(world.mutes.orders('pump')).toMatchObject([{ state: 'waiting' }]);
  world.reported({ refusals: [{ ...refusal, code: 'manifest.unsupported' }] });
  expect(world.mutes.orders('pump')).toMatchObject([{ state: 'refused', problem: 'no' }]);
});

describe('an order takes the place of those that it makes void', () => {
  test('the same once more', async () => {
    const world = await started();
    await world.mutes.mute('pump', twoHours);
    await world.mutes.mute('pump', { ...twoHours, rule: 'oom-kill' });
    await world.mutes.mute('pump', { ...twoHours, forMs: HOUR_MS });
    expect(world.mutes.orders('pump').map(({ rule, forMs }) => [rule, forMs])).toEqual([
      ['oom-kill', 2 * HOUR_MS],
      [null, HOUR_MS],
    ]);
  });

  test('no mute arrives after the end of all that was asked for later', async () => {
    const world = await started();
    await world.mutes.mute('pump', twoHours);
    await world.mutes.mute('pump', { ...twoHours, rule: 'oom-kill' });
    await world.mutes.unmute('pump', all);
    world.takeSent();
    world.pass(MINUTE_MS);
    expect(world.takeSent().map(({ what }) => what)).toEqual([{ unmute: { rule: null, series: null } }]);
  });
});

test('goes on after a restart of the central', async () => {
  const world = await started();
  const { id } = await world.mutes.mute('pump', twoHours);
  world.takeSent();
  await world.restart();
  expect(world.takeSent().map((command) => command.id)).toEqual([id]);
  world.reported({ commandsDone: [id] });
  await world.restart();
  expect(world.takeSent()).toEqual([]);
});

test('too many for one machine are refused', async () => {
  const world = await started();
  for (let i = 0; i < 16; i++) await world.mutes.mute('pump', { ...twoHours, rule: `r${i}` });
  await expect(world.mutes.mute('pump', { ...twoHours, rule: 'more' })).rejects.toThrow('wait for agent pump already');
});
