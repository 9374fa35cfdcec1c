import { expect, test } from 'vitest';
import { parseValue } from '../../../shared/config/schema.ts';
import { entriesOf, type ModbusConfig, modbusConfig } from './settings.ts';

const device = (...registers: readonly object[]) => ({ name: 'boiler', host: '192.0.2.7', registers });

function parsed(value: unknown): ModbusConfig {
  const result = parseValue(modbusConfig, value);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join(' '));
  return result.value;
}

function problems(value: unknown): readonly string[] {
  const result = parseValue(modbusConfig, value);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('what is not said is what most devices need', () => {
  const [entry] = entriesOf(parsed(device({ name: 'pressure', address: 3, unit: 'bar' })));
  expect(entry).toMatchObject({ table: 'holding', length: 1, type: { kind: 'u16' }, order: 'ABCD', state: null });
  expect(entry!.number!.definition).toMatchObject({
    name: 'pressure',
    unit: 'bar',
    kind: 'gauge',
    attributes: { device: 'boiler' },
    intervalMs: 10_000,
  });
  const [coil] = entriesOf(parsed(device({ name: 'alarm', table: 'coil', address: 3 })));
  expect(coil).toMatchObject({ type: { kind: 'bool' }, length: 1 });
});

test('an event is no number unless its kind is said too; a text is always an event', () => {
  const [event, both, text] = entriesOf(
    parsed(
      device(
        { name: 'a', address: 1, event: true },
        { name: 'b', address: 1, event: { 0: 'stopped' }, kind: 'gauge' },
        { name: 'c', address: 2, type: 'text(4)' },
      ),
    ),
  );
  expect([event!.number === null, event!.state === null]).toEqual([true, false]);
  expect([both!.number === null, both!.state === null]).toEqual([false, false]);
  expect([text!.number === null, text!.state === null]).toEqual([true, false]);
});

test('a counter is scaled after the difference, and wraps where its type does', () => {
  const [counter] = entriesOf(parsed(device({ name: 'energy', address: 0, type: 'u32', kind: 'counter', scale: 0.1 })));
  expect(counter!.number).toMatchObject({
    scale: 1,
    offset: 0,
    definition: { kind: 'counter', scale: 0.1, wrapBits: 32 },
  });
});

test('a tank says where it is full and where it is empty, and which end is which', () => {
  const [tank] = entriesOf(parsed(device({ name: 'tank.level', address: 0, unit: 'L', emptyAt: 0, fullAt: 5000 })));
  expect(tank!.number!.definition).toMatchObject({ emptyAt: 0, fullAt: 5000 });
  expect(problems(device({ name: 'a', address: 0, unit: 'L', emptyAt: 0 }))).toEqual([
    'registers.0.emptyAt: what is its other end? Say `fullAt` or `max` as well.',
  ]);
  expect(problems(device({ name: 'a', address: 0, fullAt: 0 }))).toEqual([
    'registers.0.fullAt: is where it is empty, too: say `emptyAt` or `min` as well.',
  ]);
  expect(problems(device({ name: 'a', address: 0, kind: 'counter', fullAt: 9 }))).toEqual([
    'registers.0.kind: a stock is a gauge: a counter has no level.',
  ]);
});

test('what cannot be read is refused, with the place and what would be right', () => {
  expect(problems(device({ name: 'a', table: 'coil', address: 1, type: 'u16' }))).toEqual([
    'registers.0.type: coils and discrete inputs are of type `bool`.',
  ]);
  expect(problems(device({ name: 'a', address: 65_534, type: 'u64' }))).toEqual([
    'registers.0.address: the value ends beyond address 65535.',
  ]);
  expect(problems(device({ name: 'a', address: 1, min: 5, max: 4 }))).toEqual(['registers.0.min: is above `max`.']);
  expect(problems(device({ name: 'a', address: 1 }, { name: 'a', address: 2 }))[0]).toContain('is there already');
  expect(problems(device({ name: 'a', address: 1, event: { on: 'x' } }))[0]).toContain('must be whole numbers');
  expect(problems(device())[0]).toContain('must have at least 1');
  expect(problems({ name: 'boiler', registers: [{ name: 'a', address: 1 }] })[0]).toMatch(/^host: is missing/);
});
