/** Modbus TCP against a device of libmodbus: values in all types and orders, qualities, events, faults. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { InputKind } from '../../agent/inputs/input.ts';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { InputRunner } from '../../agent/inputs/runner.ts';
import type { Clock, Instant } from '../../shared/clock.ts';
import { formatSeries, Quality, type SeriesDefinition, type SeriesKey } from '../../shared/series.ts';
import { Collected, configOf, hostBelow, openInput, readOnce } from '../contract/inputs-harness.ts';
import { compileDevice, ModbusDevice } from '../support/modbus-device.ts';

const kind = inputKinds.get('modbus') as InputKind<unknown>;
const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const now = (): Instant => ({ monotonicMs: clock.monotonicMs(), utcMs: clock.wallMs() });
const timers = {
  after: (delayMs: number, callback: () => void) => setTimeout(callback, delayMs),
  cancel: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
};

interface Event {
  readonly state: string;
  readonly value: string;
  readonly atMs: number;
  readonly quality: Quality;
}

/** Keeps all that inputs put, with its quality. */
class Kept {
  readonly definitions: SeriesDefinition[] = [];
  readonly puts: { readonly name: string; readonly value: number; readonly quality: Quality }[] = [];
  readonly events: Event[] = [];

  series(definition: SeriesDefinition): number {
    const known = this.definitions.findIndex((one) => formatSeries(one) === formatSeries(definition));
    return known >= 0 ? known : this.definitions.push(definition) - 1;
  }
  put(series: number, value: number, quality: Quality): void {
    this.puts.push({ name: formatSeries(this.definitions[series]!), value, quality });
  }
  /** As the agent has it: a state that is what it was is no event. */
  state(key: SeriesKey, value: string, at: Instant, quality: Quality): void {
    const state = formatSeries(key);
    const before = this.events.findLast((event) => event.state === state);
    if (before?.value === value && before.quality === quality) return;
    this.events.push({ state, value, atMs: at.monotonicMs, quality });
  }
  forget(): void {}
  replaced(): void {}
  document(): void {}

  of(name: string) {
    return this.puts.filter((put) => put.name === name);
  }
  last(name: string) {
    return this.of(name).at(-1);
  }
  states(state: string): readonly string[] {
    return this.events.filter((event) => event.state === state).map(({ value }) => value);
  }
}

let folder = '';
let program = '';
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'picket-modbus-'));
  program = compileDevice(folder);
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

let device: ModbusDevice;
const others: ModbusDevice[] = [];
const runners: InputRunner[] = [];
let warnings: string[] = [];
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_facts: object, text: string) => void warnings.push(text),
  error: () => undefined,
};
const host = { ...hostBelow('/nowhere'), clock, log };

beforeEach(async () => {
  warnings = [];
  device = await ModbusDevice.start(program);
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.stop();
  for (const one of [device, ...others.splice(0)]) await one.stop();
});

const settings = (registers: readonly object[], more: object = {}): unknown =>
  configOf(kind, { name: 'boiler', host: '127.0.0.1', port: device.port, registers, ...more });

/** Runs devices as the agent does. */
async function run(into: Kept, configs: Readonly<Record<string, unknown>>): Promise<InputRunner> {
  const runner = new InputRunner({ clock, timers, now, intake: into, host, log });
  for (const [name, config] of Object.entries(configs)) runner.add(name, kind, config);
  runners.push(runner);
  await runner.start();
  return runner;
}

const inBoiler = (name: string): string => `${name}{device="boiler"}`;
const soon = { timeout: 10_000, interval: 20 };

describe('values', () => {
  test('are read in every type and order, with scale, from all four tables, in few requests', async () => {
    const lines: readonly [object, number][] = [
      [{ address: 0 }, 40_000],
      [{ address: 1, type: 'i16', scale: 0.1 }, -123.4],
      [{ address: 2, type: 'u32' }, 3_000_000_000],
      [{ address: 4, type: 'i32', order: 'CDAB' }, -123_456],
      [{ address: 6, type: 'f32' }, 21.5],
      [{ address: 8, type: 'f32', order: 'CDAB' }, 21.5],
      [{ address: 10, type: 'f32', order: 'BADC' }, 21.5],
      [{ address: 12, type: 'f32', order: 'DCBA', offset: -20 }, 1.5],
      [{ address: 14, type: 'u64' }, 1_234_567_890_123],
      [{ address: 18, type: 'i64', order: 'DCBA' }, -1_234_567_890_123],
      [{ address: 22, type: 'f64', order: 'CDAB' }, Math.PI],
      [{ address: 26, type: 'bit(3)' }, 1],
      [{ address: 26, type: 'bit(2)' }, 0],
      [{ address: 26, type: 'bool' }, 1],
      [{ address: 0, table: 'input' }, 77],
      [{ address: 5, table: 'discrete' }, 1],
      [{ address: 10, table: 'coil' }, 0],
    ];
    const registers = lines.map(([line], i) => ({ name: `value.n${i}`, unit: 'Cel', ...line }));
    const into = new Collected();
    const opened = await openInput(kind, settings(registers), host, into);
    await readOnce(opened, now());
    await opened.input.close();
    for (const [i, [, expected]] of lines.entries()) {
      expect(into.values.get(inBoiler(`value.n${i}`)), `value.n${i}`).toBeCloseTo(expected, 9);
    }
    expect(into.puts[0]!.definition).toMatchObject({
      unit: 'Cel',
      attributes: { device: 'boiler' },
      intervalMs: 10_000,
    });
    expect(await device.tell('requests')).toBe('requests 4');
  });

  test('may be texts and named states, which are events', async () => {
    const registers = [
      { name: 'pump.model', address: 27, type: 'text(4)' },
      { name: 'pump.state', address: 31, event: { 0: 'stopped', 1: 'running' } },
      { name: 'pump.mode', address: 31, event: true, kind: 'gauge' },
    ];
    const into = new Kept();
    await run(into, { boiler: settings(registers, { events: { interval: '100ms' } }) });
    await vi.waitFor(() => expect(into.states(inBoiler('pump.state'))).toEqual(['running']), soon);
    await vi.waitFor(() => expect(into.states(inBoiler('pump.model'))).toEqual(['Pump A1']), soon);
    await vi.waitFor(() => expect(into.states(inBoiler('pump.mode'))).toEqual(['1']), soon);
    // Events have a rhythm of their own: the first reading as a number may come after them.
    await vi.waitFor(
      () => expect(into.last(inBoiler('pump.mode'))).toMatchObject({ value: 1, quality: Quality.good }),
      soon,
    );
    await device.tell('register 31 7');
    await vi.waitFor(() => expect(into.states(inBoiler('pump.state'))).toEqual(['running', '7']), soon);
    await device.tell('register 31 0');
    await vi.waitFor(() => expect(into.states(inBoiler('pump.state'))).toEqual(['running', '7', 'stopped']), soon);
  });

  test('an alarm bit that is on for 0.8 s is two events, at its times, while numbers come each 2 s', async () => {
    const registers = [
      { name: 'temperature', address: 6, type: 'f32' },
      { name: 'alarm', address: 10, table: 'coil', event: true },
    ];
    const into = new Kept();
    await run(into, { boiler: settings(registers, { interval: '2s', events: { interval: '200ms' } }) });
    await vi.waitFor(() => expect(into.states(inBoiler('alarm'))).toEqual(['off']), soon);
    const pulseMs = clock.monotonicMs();
    await device.tell('pulse 10 800');
    await vi.waitFor(() => expect(into.states(inBoiler('alarm'))).toEqual(['off', 'on', 'off']), soon);
    const [, on, off] = into.events.filter((event) => event.state === inBoiler('alarm'));
    // Seen at most one look late, and the loaded machine's slack.
    expect(on!.atMs - pulseMs).toBeGreaterThan(0);
    expect(on!.atMs - pulseMs).toBeLessThan(700);
    expect(off!.atMs - pulseMs).toBeGreaterThanOrEqual(800);
    expect(off!.atMs - pulseMs).toBeLessThan(1500);
    const first = into.of(inBoiler('temperature')).length;
    expect(first).toBeLessThanOrEqual(2);
    await vi.waitFor(() => expect(into.of(inBoiler('temperature')).length).toBeGreaterThan(first), soon);
  });

  test('a bit is seen also while a long table of a slow device is being read', async () => {
    await device.tell('delay 150');
    // With no gaps allowed each is a request: a table of 3 s.
    const numbers = Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, address: 100 + 2 * i }));
    const alarm = { name: 'alarm', address: 10, table: 'coil', event: true };
    const into = new Kept();
    const timing = { gap: 0, interval: '2s', deadline: '10s', events: { interval: '200ms' } };
    await run(into, { boiler: settings([...numbers, alarm], timing) });
    await vi.waitFor(() => expect(into.of(inBoiler('n0')).length).toBeGreaterThan(0), soon);
    await device.tell('pulse 10 800');
    await vi.waitFor(() => expect(into.states(inBoiler('alarm'))).toEqual(['off', 'on', 'off']), soon);
    expect(into.of(inBoiler('n19'))).toEqual([]);
  });
});

describe('faults', () => {
  const temperatures = [
    { name: 'flow', address: 6, type: 'f32' },
    { name: 'level', address: 0 },
    { name: 'gone', address: 3 },
  ];

  test('a register that the device refuses is bad by itself, is named once, and comes back', async () => {
    await device.tell('refuse 3');
    const into = new Kept();
    const offsetMs = { value: 0 };
    const shifted = { ...host, clock: { ...clock, monotonicMs: () => clock.monotonicMs() + offsetMs.value } };
    const input = await kind.open(settings(temperatures), shifted);
    const sink = { ...sinkInto(into) };
    const read = (): void | Promise<void> =>
      input.read({ monotonicMs: shifted.clock.monotonicMs(), utcMs: 0 }, sink, new AbortController().signal);
    await read();
    expect(into.last(inBoiler('flow'))).toMatchObject({ value: 21.5, quality: Quality.good });
    expect(into.last(inBoiler('level'))).toMatchObject({ value: 40_000, quality: Quality.good });
    expect(into.last(inBoiler('gone'))).toMatchObject({ value: Number.NaN, quality: Quality.bad });
    expect(warnings).toEqual([
      'The Modbus device boiler refuses gone, holding register 3: exception 2 (illegal data address). The value is bad, the others go on; check `table` and `address`.',
    ]);
    await device.tell('requests');
    await device.tell('refuse -1');
    offsetMs.value = 10_000;
    await read();
    // What was refused is not asked for at each reading.
    expect(into.last(inBoiler('gone'))).toMatchObject({ quality: Quality.bad });
    expect(into.of(inBoiler('flow')).length).toBe(2);
    offsetMs.value = 61_000;
    await read();
    expect(into.last(inBoiler('gone'))).toMatchObject({ value: 24_064, quality: Quality.good });
    expect(warnings.length).toBe(1);
    await input.close();
  });

  test('a device that has none of it fails, and says why', async () => {
    const into = new Collected();
    const opened = await openInput(kind, settings([{ name: 'far', address: 1000 }]), host, into);
    await expect(readOnce(opened, now())).rejects.toThrow(/boiler .* refuses all .* holding register 1000; check/);
    await opened.input.close();
  });

  test('a device that is busy as a whole fails', async () => {
    await device.tell('fail 6');
    const into = new Collected();
    const opened = await openInput(kind, settings(temperatures), host, into);
    await expect(readOnce(opened, now())).rejects.toThrow(/exception 6 \(device busy\)/);
    await opened.input.close();
  });

  test('a device that hangs makes its values stale, and is connected anew; another goes on meanwhile', async () => {
    const other = await ModbusDevice.start(program);
    others.push(other);
    const into = new Kept();
    const fast = { interval: '200ms', deadline: '300ms' };
    const runner = await run(into, {
      boiler: settings(temperatures, fast),
      chiller: settings([{ name: 'flow', address: 6, type: 'f32' }], { ...fast, name: 'chiller', port: other.port }),
    });
    await vi.waitFor(() => expect(into.last(inBoiler('flow'))?.quality).toBe(Quality.good), soon);
    await device.tell('hang 1');
    await vi.waitFor(
      () => expect(into.last(inBoiler('flow'))).toMatchObject({ value: 21.5, quality: Quality.stale }),
      soon,
    );
    const health = runner.health().find(({ name }) => name === 'boiler')!;
    expect(health.state).toBe('failing');
    expect(health.lastError?.message).toMatch(
      /^The Modbus device boiler at 127\.0\.0\.1:\d+ did not answer within 300 ms\.$/,
    );
    const otherFlow = 'flow{device="chiller"}';
    const before = into.of(otherFlow).length;
    await vi.waitFor(() => expect(into.of(otherFlow).length).toBeGreaterThan(before + 3), soon);
    expect(into.of(otherFlow).every(({ quality }) => quality === Quality.good)).toBe(true);
    await device.tell('hang 0');
    await vi.waitFor(() => expect(into.last(inBoiler('flow'))?.quality).toBe(Quality.good), soon);
    expect(runner.health().find(({ name }) => name === 'boiler')!.state).toBe('ok');
  });

  test('a connection that is dropped, and a device that restarts, are connected to anew', async () => {
    const into = new Kept();
    const runner = await run(into, { boiler: settings(temperatures, { interval: '200ms', deadline: '500ms' }) });
    const failures = (): number => runner.health()[0]!.failures;
    await vi.waitFor(() => expect(into.last(inBoiler('flow'))?.quality).toBe(Quality.good), soon);
    await device.tell('drop');
    await vi.waitFor(() => expect(failures()).toBe(1), soon);
    expect(runner.health()[0]!.lastError?.message).toMatch(/(closed|broke) the connection/);
    await vi.waitFor(() => expect(runner.health()[0]!.state).toBe('ok'), soon);
    const { port } = device;
    await device.stop();
    await vi.waitFor(() => expect(failures()).toBeGreaterThanOrEqual(2), soon);
    await vi.waitFor(() => expect(runner.health()[0]!.lastError?.message).toContain('ECONNREFUSED'), soon);
    device = await ModbusDevice.start(program, port);
    const count = into.of(inBoiler('flow')).length;
    await vi.waitFor(() => expect(into.of(inBoiler('flow')).length).toBeGreaterThan(count + 1), soon);
    expect(into.last(inBoiler('flow'))?.quality).toBe(Quality.good);
  });
});

/** A sink that is always open. */
function sinkInto(into: Kept) {
  return {
    series: (definition: SeriesDefinition) => into.series(definition),
    put: (series: number, value: number, quality: Quality = Quality.good) => into.put(series, value, quality),
    state: (key: SeriesKey, value: string, at: Instant, quality: Quality = Quality.good) =>
      into.state(key, value, at, quality),
    forget: () => undefined,
    replaced: () => undefined,
    document: () => undefined,
  };
}
