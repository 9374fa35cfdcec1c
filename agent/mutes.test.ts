import { describe, expect, test } from 'vitest';
import type { Finding } from '../shared/findings.ts';
import { HOUR_MS, MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { type MuteRequest, muteLimits } from '../shared/mute.ts';
import { seriesId } from '../shared/trust/hash.ts';
import { MuteStage } from './mutes.ts';

const silent = (): void => undefined;
const quiet: Log = { debug: silent, info: silent, warn: silent, error: silent };
const START_MS = Date.UTC(2026, 10, 23, 18);

class World {
  monotonicMs = HOUR_MS;
  utcMs = START_MS;
  kept: Uint8Array | null = null;
  readonly said: string[] = [];
  stage = this.#open('boot-1');

  get at() {
    return { monotonicMs: this.monotonicMs, utcMs: this.utcMs };
  }

  pass(ms: number): void {
    this.monotonicMs += ms;
    this.utcMs += ms;
    this.stage.tick(this.at);
  }

  /** Starts anew, on this boot or on another one that began just now, by a clock that says this. */
  restart(boot = 'boot-1', utcMs = this.utcMs): void {
    this.utcMs = utcMs;
    if (boot !== 'boot-1') this.monotonicMs = 10_000;
    this.stage = this.#open(boot);
    this.stage.load(this.kept, this.at);
  }

  #open(bootId: string): MuteStage {
    return new MuteStage({
      bootId,
      log: quiet,
      keep: (saved) => {
        this.kept = saved;
      },
      changed: (text) => this.said.push(text),
    });
  }
}

const twoHours: MuteRequest = { forMs: 2 * HOUR_MS, rule: null, series: null, reason: 'service', by: 'ann' };

function finding(more: Partial<Finding> = {}): Finding {
  const key = { name: 'system.disk.io', unit: 'By/s', attributes: { 'system.device': 'sda' } };
  const plain = { detector: 'surprise', tier: 'full', sinceMs: 0, lastMs: 0, seen: 1, bits: 30 } as const;
  const range = { expectedLow: 0, expectedHigh: 1, returnPeriodMs: 1 };
  return { series: seriesId(key), key, ...plain, ...range, ...more };
}

test('marks what is found while it lasts, and ends by itself', () => {
  const world = new World();
  expect(world.stage.mark(finding())).toEqual(finding());
  const mute = world.stage.mute(twoHours, world.at);
  expect(mute).toMatchObject({ rule: null, fromMs: START_MS, untilMs: START_MS + 2 * HOUR_MS, by: 'ann' });
  expect(world.stage.mark(finding())).toEqual({ ...finding(), muted: true });
  world.pass(2 * HOUR_MS - 1);
  expect(world.stage.list()).toHaveLength(1);
  world.pass(1);
  expect(world.stage.list()).toEqual([]);
  expect(world.stage.mark(finding())).toEqual(finding());
  expect(world.said).toEqual(['everything until 2026-11-23 20:00 UTC, by ann: service', 'nothing is muted']);
});

test('a clock that is set moves no end', () => {
  const world = new World();
  world.stage.mute(twoHours, world.at);
  world.utcMs += 400 * 24 * HOUR_MS;
  world.pass(HOUR_MS);
  expect(world.stage.list()).toHaveLength(1);
  world.utcMs = 0;
  world.pass(HOUR_MS);
  expect(world.stage.list()).toEqual([]);
});

describe('only some', () => {
  test('a rule', () => {
    const world = new World();
    world.stage.mute({ ...twoHours, rule: 'disk-*' }, world.at);
    expect(world.stage.mark(finding({ rule: 'disk-space-low', detector: 'rule' })).muted).toBe(true);
    expect(world.stage.mark(finding({ rule: 'oom-kill', detector: 'rule' })).muted).toBeUndefined();
    expect(world.stage.mark(finding()).muted).toBeUndefined();
  });

  test.each(['system.disk.*', 'system.disk.io{system.device="sda"}', '*"sd?"*|*"sda"*', seriesId(finding().key)])(
    'series %s',
    (series) => {
      const world = new World();
      world.stage.mute({ ...twoHours, series }, world.at);
      expect(world.stage.mark(finding()).muted).toBe(true);
      const key = { name: 'system.cpu.utilization', unit: '1', attributes: {} };
      expect(world.stage.mark(finding({ key, series: seriesId(key) })).muted).toBeUndefined();
    },
  );
});

test('the same once more takes the place of the one before; unmute ends one or all', () => {
  const world = new World();
  world.stage.mute(twoHours, world.at);
  world.stage.mute({ ...twoHours, forMs: MINUTE_MS }, world.at);
  world.stage.mute({ ...twoHours, rule: 'oom-kill' }, world.at);
  expect(world.stage.list().map(({ rule, untilMs }) => [rule, untilMs - START_MS])).toEqual([
    [null, MINUTE_MS],
    ['oom-kill', 2 * HOUR_MS],
  ]);
  expect(world.stage.unmute({ rule: 'oom-kill', series: null }, world.at)).toBe(1);
  expect(world.stage.unmute({ rule: 'oom-kill', series: null }, world.at)).toBe(0);
  expect(world.stage.list()).toHaveLength(1);
  expect(world.stage.unmute({ rule: null, series: null }, world.at)).toBe(1);
  expect(world.stage.list()).toEqual([]);
});

test('too many are refused', () => {
  const world = new World();
  for (let i = 0; i < muteLimits.most; i++) world.stage.mute({ ...twoHours, rule: `r${i}` }, world.at);
  expect(() => world.stage.mute({ ...twoHours, rule: 'more' }, world.at)).toThrow('16 mutes are in force');
});

describe('a restart', () => {
  test('on the same boot: it ends when it was to end', () => {
    const world = new World();
    world.stage.mute(twoHours, world.at);
    world.pass(HOUR_MS);
    world.restart();
    expect(world.stage.mark(finding()).muted).toBe(true);
    world.pass(HOUR_MS - 1);
    expect(world.stage.list()).toHaveLength(1);
    world.pass(1);
    expect(world.stage.list()).toEqual([]);
  });

  test('on another boot: by the clock', () => {
    const world = new World();
    world.stage.mute(twoHours, world.at);
    world.restart('boot-2', START_MS + 1.5 * HOUR_MS);
    expect(world.stage.list()).toHaveLength(1);
    world.pass(0.5 * HOUR_MS);
    expect(world.stage.list()).toEqual([]);
  });

  test('after its end: it is over, and that is said', () => {
    const world = new World();
    world.stage.mute(twoHours, world.at);
    world.restart('boot-2', START_MS + 3 * HOUR_MS);
    expect(world.stage.list()).toEqual([]);
    expect(world.said.at(-1)).toBe('nothing is muted');
  });

  test('in 1970: it has no longer left than it had', () => {
    const world = new World();
    world.stage.mute(twoHours, world.at);
    for (let i = 0; i < 9; i++) world.pass(10 * MINUTE_MS);
    world.restart('boot-2', 0);
    world.pass(30 * MINUTE_MS);
    expect(world.stage.list()).toEqual([]);
  });

  test('with a clock that lost an hour and a half: no longer than it had, either', () => {
    const world = new World();
    world.stage.mute(twoHours, world.at);
    for (let i = 0; i < 9; i++) world.pass(10 * MINUTE_MS);
    world.restart('boot-2', START_MS + MINUTE_MS);
    world.pass(30 * MINUTE_MS);
    expect(world.stage.list()).toEqual([]);
  });

  test('with a damaged memory nothing is muted', () => {
    const world = new World();
    world.kept = new TextEncoder().encode('{"boot": 1}');
    world.restart();
    expect(world.stage.list()).toEqual([]);
  });
});

describe('a command of the central', () => {
  const about = { madeMs: START_MS, expiresMs: START_MS + HOUR_MS };

  test('counts from when it was asked for', () => {
    const world = new World();
    world.utcMs += 30 * MINUTE_MS;
    world.stage.command('c1', about, { mute: twoHours }, world.at);
    expect(world.stage.list()).toMatchObject([{ id: 'c1', untilMs: START_MS + 2 * HOUR_MS }]);
  });

  test('that comes when its time is over mutes nothing', () => {
    const world = new World();
    world.utcMs += 30 * MINUTE_MS;
    world.stage.command('c1', about, { mute: { ...twoHours, forMs: 10 * MINUTE_MS } }, world.at);
    expect(world.stage.list()).toEqual([]);
  });

  test('is done once, also when it comes again after a restart', () => {
    const world = new World();
    world.stage.command('c1', about, { mute: twoHours }, world.at);
    world.stage.command('c2', about, { unmute: { rule: null, series: null } }, world.at);
    world.restart();
    world.stage.command('c1', about, { mute: twoHours }, world.at);
    expect(world.stage.list()).toEqual([]);
  });

  test('however many come, few ids are kept', () => {
    const world = new World();
    for (let i = 0; i < 1000; i++) {
      world.stage.command(`c${i}`, about, { unmute: { rule: null, series: null } }, world.at);
    }
    world.restart();
    world.stage.command('c999', about, { mute: twoHours }, world.at);
    expect(world.stage.list()).toEqual([]);
    expect(world.kept!.length).toBeLessThan(10_000);
  });
});
