import { describe, expect, test } from 'vitest';
import type { Finding } from '../shared/findings.ts';
import type { SeriesDefinition, SeriesId, SeriesNumber } from '../shared/series.ts';
import { seriesId } from '../shared/trust/hash.ts';
import { chooseMembers, groupOf, stillFits } from './groups/membership.ts';
import { decodeGroups, encodeGroups } from './groups/saved-groups.ts';
import { GroupStage } from './groups.ts';

const START_MS = Date.UTC(2026, 0, 5);

function gauge(name: string, attributes: Record<string, string> = {}): SeriesDefinition {
  return { name, unit: '1', attributes, kind: 'gauge' };
}

/** mulberry32, summed to about normal. */
function noise(seed: number): () => number {
  let a = seed >>> 0;
  const uniform = (): number => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, -6);
}

/** A machine with series that can be named, and time that passes by the second. */
class Machine {
  readonly definitions: SeriesDefinition[];
  readonly latest: Float64Array;
  readonly findings: Finding[] = [];
  readonly warnings: string[] = [];
  readonly stage: GroupStage;
  readonly #gone = new Set<SeriesNumber>();
  generation = 1;
  second = 0;
  trials = 0;
  barBits = 16;

  constructor(definitions: SeriesDefinition[], settleMs = 0) {
    this.definitions = definitions;
    this.latest = new Float64Array(400).fill(Number.NaN);
    const ignore = (): void => undefined;
    this.stage = new GroupStage({
      series: this,
      latest: (series) => this.latest[series]!,
      barBits: () => this.barBits,
      setTrials: (perDay) => {
        this.trials = perDay;
      },
      log: { debug: ignore, info: ignore, error: ignore, warn: (_, text) => this.warnings.push(text ?? '') },
      onFinding: (finding) => this.findings.push(finding),
      settleMs,
    });
  }

  definition(series: SeriesNumber): SeriesDefinition | null {
    return this.definitions[series] ?? null;
  }

  id(series: SeriesNumber): SeriesId {
    return seriesId(this.definitions[series]!);
  }

  live(): SeriesNumber[] {
    return this.definitions.flatMap((_, number) => (this.#gone.has(number) ? [] : [number]));
  }

  forget(number: SeriesNumber): void {
    this.#gone.add(number);
    this.latest[number] = Number.NaN;
    this.generation++;
  }

  run(seconds: number, value: (series: SeriesNumber, second: number) => number): void {
    for (let i = 0; i < seconds; i++) {
      this.second++;
      for (const number of this.live()) this.latest[number] = value(number, this.second);
      this.stage.tick({ monotonicMs: this.second * 1000, utcMs: START_MS + this.second * 1000 });
    }
  }
}

const boiler = ['flow', 'current', 'heat', 'voltage'].map((name) => gauge(`boiler.${name}`, { device: 'boiler' }));

/** Flow, current and heat follow one load; the voltage does not. */
function boilerValues(seed: number): (series: SeriesNumber, second: number) => number {
  const random = noise(seed);
  let load = 0;
  return (series) => {
    if (series === 0) load = 0.95 * load + 0.3 * random();
    return series === 3 ? 230 + random() : 10 * (series + 1) + load + 0.05 * random();
  };
}

describe('the stage of groups', () => {
  test('judges a device together, and names who takes part', () => {
    const machine = new Machine(boiler);
    const values = boilerValues(1);
    machine.run(6000, values);
    expect(machine.stage.groups()).toMatchObject([{ name: 'boiler', ready: true }]);
    expect(machine.findings).toEqual([]);
    const begun = machine.second;
    machine.run(60, (series, second) => values(series, second) + (series === 1 ? 8 : 0));
    expect(machine.findings.length).toBeGreaterThan(1);
    expect(machine.findings.length).toBeLessThan(12);
    const last = machine.findings.at(-1)!;
    expect(last).toMatchObject({ key: { name: 'boiler.current' }, detector: 'group', tier: 'full', intervalMs: 1000 });
    expect(last.seen).toBeGreaterThan(24);
    expect(last.expectedHigh).toBeLessThan(26);
    expect(last.bits).toBeGreaterThanOrEqual(machine.barBits);
    expect(last.sinceMs - START_MS).toBeGreaterThan(begun * 1000);
    expect(last.sinceMs - START_MS).toBeLessThan((begun + 20) * 1000);
    expect(last.members?.[0]).toMatchObject({ key: { name: 'boiler.current' } });
    expect(last.members?.[0]?.share).toBeGreaterThan(0.5);
    expect(last.members?.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
    expect(new Set(machine.findings.map(({ series }) => series)).size).toBe(1);
    const told = machine.findings.length;
    machine.run(600, values);
    expect(machine.findings.length - told).toBeLessThan(4);
  });

  test('says how many verdicts a day it gives, each for all of its series', () => {
    const machine = new Machine(boiler);
    machine.run(30, boilerValues(2));
    expect(machine.trials).toBe(4 * 86_400);
  });

  test('waits until the agent has settled, and until no new series comes', () => {
    const machine = new Machine(boiler.slice(0, 3), 30_000);
    const values = boilerValues(3);
    machine.run(30, values);
    expect(machine.stage.groups()).toEqual([]);
    machine.run(100, values);
    expect(machine.stage.groups()[0]!.members).toHaveLength(3);
    machine.definitions.push(boiler[3]!);
    machine.generation++;
    machine.run(1, values);
    expect(machine.stage.groups()).toEqual([]);
    machine.run(100, values);
    expect(machine.stage.groups()[0]!.members).toHaveLength(4);
    // Later, one that comes does not throw away what was learned.
    machine.run(300, values);
    machine.definitions.push(gauge('boiler.door', { device: 'boiler' }));
    machine.generation++;
    machine.run(100, values);
    expect(machine.stage.groups()).toMatchObject([{ ready: true }]);
    expect(machine.stage.groups()[0]!.members).toHaveLength(4);
  });

  test.each([60, 90])('is made, and kept, where series come and go all the time beside %i', (count) => {
    const steady = Array.from({ length: count }, (_, i) => gauge(`host.${i}`));
    const machine = new Machine(steady);
    const random = noise(9);
    for (let i = 0; i < 80; i++) {
      // Now one, later three at once.
      const extra = 1 + Math.floor(i / 35);
      for (let n = 0; n < extra; n++) {
        machine.definitions.push(gauge('system.network.io', { 'network.interface.name': `veth${i}.${n}` }));
      }
      machine.generation++;
      machine.run(5, random);
      for (let n = 1; n <= extra; n++) machine.forget(machine.definitions.length - n);
    }
    expect(machine.stage.groups()).toMatchObject([{ name: '', ready: true }]);
  });

  test('is not begun again for many that come late', () => {
    const machine = new Machine(Array.from({ length: 20 }, (_, i) => gauge(`host.${i}`)));
    const random = noise(12);
    machine.run(140, random);
    for (let i = 20; i < 60; i++) machine.definitions.push(gauge(`host.${i}`));
    machine.generation++;
    machine.run(130, random);
    expect(machine.stage.groups()).toMatchObject([{ ready: true }]);
    expect(machine.stage.groups()[0]!.members).toHaveLength(20);
  });

  test('goes on without a series that is gone, and is made anew when too much has changed', () => {
    const machine = new Machine(boiler);
    const values = boilerValues(4);
    machine.run(2000, values);
    machine.forget(3);
    machine.run(2000, values);
    expect(machine.stage.groups()).toMatchObject([{ ready: true }]);
    expect(machine.stage.groups()[0]!.members).toHaveLength(4);
    machine.forget(2);
    machine.run(3600, values);
    expect(machine.stage.groups()[0]!.members).toHaveLength(2);
  });

  test('takes a row as often as the fastest of its series comes', () => {
    const slow = boiler.map((definition) => ({ ...definition, intervalMs: 10_000 }));
    const machine = new Machine(slow);
    const values = boilerValues(5);
    machine.run(2550, values);
    expect(machine.stage.groups()).toMatchObject([{ ready: false }]);
    machine.run(200, values);
    expect(machine.stage.groups()).toMatchObject([{ ready: true }]);
  });

  test('goes on after a restart where it was, whatever the numbers are then', () => {
    const before = new Machine(boiler);
    before.run(3000, boilerValues(6));
    const machine = new Machine([...boiler].reverse());
    machine.stage.loadState(before.stage.saveState());
    const values = boilerValues(7);
    machine.run(12, (series, second) => values(3 - series, second));
    expect(machine.stage.groups()).toMatchObject([{ name: 'boiler', ready: true }]);
    expect(machine.stage.groups()).toEqual(before.stage.groups());
    expect(machine.warnings).toEqual([]);
  });

  test('starts afresh, and says so once, where what was learned cannot be read', () => {
    const machine = new Machine(boiler);
    machine.stage.loadState(Uint8Array.of(1, 2, 3));
    expect(machine.warnings).toHaveLength(1);
    machine.run(300, boilerValues(8));
    expect(machine.stage.groups()).toMatchObject([{ ready: true }]);
  });

  test('chooses, where there are too many, those that move', () => {
    const many = Array.from({ length: 100 }, (_, i) => gauge(`plant.${i}`, { device: 'plant' }));
    const machine = new Machine(many);
    machine.run(130, (series, second) => (series < 40 ? 7 : second % (series - 30)));
    const [plant] = machine.stage.groups();
    expect(plant?.members).toHaveLength(64);
    const ids = new Set(plant?.members);
    for (let i = 40; i < 100; i++) expect(ids.has(machine.id(i))).toBe(true);
  });
});

describe('the members of a group', () => {
  test('are a device’s series, or the machine’s own without what multiplies', () => {
    expect(groupOf(gauge('temperature', { device: 'boiler' }))).toBe('boiler');
    expect(groupOf(gauge('system.cpu.utilization', { 'cpu.mode': 'user' }))).toBe('');
    expect(groupOf(gauge('system.cpu.utilization', { 'cpu.mode': 'user', 'cpu.logical_number': '3' }))).toBeNull();
    expect(groupOf(gauge('process.cpu.utilization', { 'process.executable.name': 'sh' }))).toBeNull();
    expect(groupOf(gauge('picket.values.bad'))).toBeNull();
  });

  test('are the key resources that move, then those that move most, whatever their order', () => {
    const candidate = (name: string, moves: number) => ({ id: seriesId(gauge(name)), definition: gauge(name), moves });
    const others = Array.from({ length: 80 }, (_, i) => candidate(`other.${i}`, i));
    const key = candidate('system.cpu.utilization', 1);
    const still = candidate('system.disk.io', 0);
    const chosen = chooseMembers([...others, key, still]);
    expect(chosen).toHaveLength(64);
    expect(chosen).toContain(key.id);
    expect(chosen).not.toContain(still.id);
    expect(chosen).toContain(others[79]!.id);
    expect(chosen).not.toContain(others[16]!.id);
    expect(chooseMembers([still, key, ...others.reverse()])).toEqual(chosen);
  });

  test('stay while no more than a quarter goes or comes', () => {
    const members = ['a', 'b', 'c', 'd'];
    expect(stillFits(members, new Set(['a', 'b', 'c', 'x']))).toBe(true);
    expect(stillFits(members, new Set(['a', 'b', 'x']))).toBe(false);
    expect(stillFits(members, new Set([...members, 'x', 'y']))).toBe(false);
    const full = Array.from({ length: 64 }, (_, i) => `m${i}`);
    expect(stillFits(full, new Set([...full, ...members]))).toBe(true);
  });
});

describe('the file of groups', () => {
  const saved = {
    name: 'Kessel 1 °C',
    members: ['00112233445566aa', 'ffeeddccbbaa9988'],
    state: Uint8Array.of(1, 2, 3),
  };

  test('is read back as it was', () => {
    expect(decodeGroups(encodeGroups([saved, { ...saved, name: '' }]), 2)).toEqual([saved, { ...saved, name: '' }]);
    expect(decodeGroups(encodeGroups([]), 0)).toEqual([]);
  });

  test('is refused where it is cut, changed, too long or holds too much', () => {
    const good = encodeGroups([saved]);
    expect(() => decodeGroups(good, 0)).toThrowError(expect.objectContaining({ code: 'payload.invalid' }));
    for (let length = 0; length < good.length; length++) {
      expect(() => decodeGroups(good.subarray(0, length), 8)).toThrowError(
        expect.objectContaining({ code: 'frame.corrupt' }),
      );
    }
    for (let i = 0; i < good.length; i++) {
      const spoilt = good.slice();
      spoilt[i]! ^= 0x40;
      expect(() => decodeGroups(spoilt, 8)).toThrowError(expect.objectContaining({ code: 'frame.corrupt' }));
    }
  });
});
