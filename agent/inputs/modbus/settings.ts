/** The settings of one Modbus TCP device, and what each line of its table comes to. */
import type { ValueOf } from '../../../shared/config/schema.ts';
import {
  boolean,
  duration,
  eitherOf,
  integer,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  optional,
  string,
  text,
} from '../../../shared/config/types.ts';
import { limits } from '../../../shared/limits.ts';
import { formatSeries, type SeriesDefinition, type SeriesKey } from '../../../shared/series.ts';
import { type Order, orders, parseRegisterType, type RegisterType, registersOf } from './values.ts';

/** Lines of one device's table. */
const maxEntries = 512;
const highestAddress = 65_535;
/** Texts of one state map. */
const maxStates = 64;
const maxStateLength = 128;

/** A table of the device: which request reads it. */
export const tables = ['holding', 'input', 'coil', 'discrete'] as const;
export type Table = (typeof tables)[number];

const stateText = string({ doc: 'The state.', maxLength: maxStateLength });

const register = object({
  doc: 'One value of the device.',
  keys: {
    name: string({
      doc: 'Name of the metric or state.',
      pattern: /^[A-Za-z][A-Za-z0-9_./-]*$/,
      values: 'letters, digits and `_ . / -`, beginning with a letter',
      maxLength: 128,
      example: 'boiler.temperature',
    }),
    unit: string({
      doc: 'Unit in UCUM, as it is after `scale`: `Cel`, `W`, `bar`, `1` for none. Of a counter, the unit of its rate: `m3/s`.',
      minLength: 0,
      maxLength: 63,
      default: '1',
      example: 'Cel',
    }),
    attributes: mapOf({
      doc: 'What tells it apart from others of its name, beside the device.',
      of: string({ doc: 'A value.', maxLength: limits.seriesTextBytes }),
      key: {
        values: 'lower-case letters, digits, `_` and `.`, beginning with a letter',
        pattern: /^[a-z][a-z0-9_.]*$/,
      },
      max: limits.attributesPerSeries - 1,
      default: {},
      example: { circuit: 'north' },
    }),
    table: oneOf({
      doc: 'Where it is: holding registers (4xxxx), input registers (3xxxx), coils (0xxxx), discrete inputs (1xxxx).',
      values: tables,
      default: 'holding',
    }),
    address: integer({
      doc: "Address as it is sent, from 0. What a maker's list calls 40001 is address 0 of the holding registers.",
      min: 0,
      max: highestAddress,
      example: 100,
    }),
    type: optional(
      text<RegisterType>({
        doc: 'How the value is stored: not said, `u16`, and `bool` for coils and discrete inputs. `bit(3)` is one bit of a register (0 the lowest), `text(8)` a text in 8 registers.',
        values: '`u16`, `i16`, `u32`, `i32`, `f32`, `u64`, `i64`, `f64`, `bool`, `bit(N)` or `text(N)`',
        pattern: '^([ui](16|32|64)|f(32|64)|bool|bit\\([0-9]+\\)|text\\([0-9]+\\))$',
        example: 'f32',
        parse: parseRegisterType,
      }),
    ),
    order: oneOf({
      doc: 'Order of the bytes, A the highest: ABCD as Modbus means it, CDAB low register first, BADC bytes of each register swapped, DCBA both. 64 bits likewise. If values look absurd, try CDAB.',
      values: orders,
      default: 'ABCD',
    }),
    scale: number({ doc: 'Factor from what is stored to the unit.', default: 1, example: 0.1 }),
    offset: number({ doc: 'Added after `scale`.', default: 0 }),
    min: optional(number({ doc: 'Below this, after scaling, the value is bad.', example: -50 })),
    max: optional(number({ doc: 'Above this, after scaling, the value is bad.', example: 150 })),
    fullAt: optional(
      number({
        doc: 'Of a tank or another stock, after scaling: the value at which it is full. When it will be is forecast.',
        example: 100,
      }),
    ),
    emptyAt: optional(
      number({
        doc: 'Of a stock: the value at which nothing is left of it. `fullAt` or `max` says its other end.',
        example: 0,
      }),
    ),
    kind: optional(
      oneOf({
        doc: 'A gauge is kept as it is; of a counter, its rate a second. Not said: a gauge, or with `event` no number at all.',
        values: ['gauge', 'counter'],
      }),
    ),
    event: eitherOf<boolean, Readonly<Record<string, string>>>({
      doc: 'Whether its changes are events, each with its time; a mapping gives the states names. A text is always an event.',
      word: boolean({ doc: 'Whether its changes are events.', default: false }),
      structure: mapOf({
        doc: 'Names of states, by the stored number.',
        of: stateText,
        key: { values: 'whole numbers', pattern: /^-?\d{1,10}$/ },
        max: maxStates,
        example: { 0: 'stopped', 1: 'running' },
      }),
    }),
  },
  check: (value, fail) => {
    const type = typeOf(value.table, value.type);
    const isBits = value.table === 'coil' || value.table === 'discrete';
    if (isBits && type.kind !== 'bool') fail('type', 'coils and discrete inputs are of type `bool`.');
    if (value.address + registersOf(type) - 1 > highestAddress) fail('address', 'the value ends beyond address 65535.');
    if (type.kind === 'text' && value.kind !== undefined) fail('kind', 'a text is an event and no number.');
    if (value.kind === 'counter' && value.offset !== 0) fail('offset', 'a counter has none: only its steps count.');
    if (value.scale === 0) fail('scale', 'with the factor 0 nothing is left of the value.');
    if (value.kind === 'counter' && (value.fullAt ?? value.emptyAt) !== undefined)
      fail('kind', 'a stock is a gauge: a counter has no level.');
    if (value.emptyAt !== undefined && (value.fullAt ?? value.max) === undefined && value.unit !== '1')
      fail('emptyAt', 'what is its other end? Say `fullAt` or `max` as well.');
    if (value.fullAt !== undefined && value.fullAt === (value.emptyAt ?? value.min ?? 0))
      fail('fullAt', 'is where it is empty, too: say `emptyAt` or `min` as well.');
    if (value.min !== undefined && value.max !== undefined && value.min > value.max) fail('min', 'is above `max`.');
  },
});
type Register = ValueOf<typeof register>;

export const modbusConfig = object({
  doc: 'A Modbus TCP device.',
  keys: {
    name: string({
      doc: 'Name of the device; the attribute `device` of all that is read from it.',
      pattern: /^[A-Za-z0-9][A-Za-z0-9_. -]{0,63}$/,
      values: 'up to 64 letters, digits, blanks and `_ . -`',
      example: 'boiler',
    }),
    host: string({
      doc: 'Its name or address.',
      pattern: /^\S+$/,
      values: 'a host name or an address',
      example: '192.0.2.7',
    }),
    port: integer({ doc: 'Its TCP port.', min: 1, max: 65_535, default: 502 }),
    unitId: integer({
      doc: 'Its unit id: matters behind a gateway; many devices answer to any.',
      min: 0,
      max: 255,
      default: 1,
    }),
    interval: duration({ doc: 'How often the numbers are read.', default: '10s', min: '200ms', max: '1h' }),
    deadline: duration({
      doc: 'How long connecting, and reading the table, may take before the device counts as gone.',
      default: '2s',
      min: '100ms',
      max: '25s',
    }),
    events: object({
      doc: 'What is read for its changes, apart from the numbers.',
      keys: {
        interval: duration({
          doc: 'How often it is looked at; a state that lasts less may be missed. Below 1s costs the whole agent ticks.',
          default: '500ms',
          min: '100ms',
          max: '1h',
        }),
      },
    }),
    gap: integer({
      doc: 'Addresses that nobody asked for and that may be read along, to need fewer requests; 0 for a device that refuses what it does not have.',
      default: 8,
      min: 0,
      max: 100,
    }),
    registers: listOf<Register>({
      doc: 'What is read.',
      of: register,
      min: 1,
      max: maxEntries,
      unique: (entry) => formatSeries({ name: entry.name, unit: '', attributes: entry.attributes }),
    }),
  },
});
export type ModbusConfig = ValueOf<typeof modbusConfig>;

/** One line of the table, ready to be read. */
export interface Entry {
  readonly name: string;
  readonly table: Table;
  readonly address: number;
  /** Registers, or for coils and discrete inputs bits. */
  readonly length: number;
  readonly type: RegisterType;
  readonly order: Order;
  /** Null where it is an event alone. */
  readonly number: NumberSeries | null;
  /** Null where it is a number alone. */
  readonly state: StateSeries | null;
}

export interface NumberSeries {
  readonly definition: SeriesDefinition;
  /** Applied here; a counter's factor is in its definition. */
  readonly scale: number;
  readonly offset: number;
  series: number;
  /** As it was put; NaN before the first. */
  last: number;
}

export interface StateSeries {
  readonly key: SeriesKey;
  /** By the stored number; null: the number itself, or on and off. */
  readonly names: Readonly<Record<string, string>> | null;
  readonly scale: number;
  readonly offset: number;
  last: string | null;
}

/** The entries of a device's settings, each to be used by one open input. */
export function entriesOf(config: ModbusConfig): readonly Entry[] {
  return config.registers.map((line) => entryOf(line, config));
}

function typeOf(table: Table, type: RegisterType | undefined): RegisterType {
  return type ?? { kind: table === 'coil' || table === 'discrete' ? 'bool' : 'u16' };
}

function entryOf(line: Register, config: ModbusConfig): Entry {
  const type = typeOf(line.table, line.type);
  const isEvent = line.event !== false || type.kind === 'text';
  const isNumber = type.kind !== 'text' && (!isEvent || line.kind !== undefined);
  const attributes = { ...line.attributes, device: config.name };
  const { name, table, address, order, scale, offset } = line;
  return {
    name,
    table,
    address,
    length: registersOf(type),
    type,
    order,
    number: isNumber ? numberOf(line, type, config, attributes) : null,
    state: isEvent
      ? {
          key: { name, unit: '', attributes },
          names: typeof line.event === 'object' ? line.event : null,
          scale,
          offset,
          last: null,
        }
      : null,
  };
}

function numberOf(
  line: Register,
  type: RegisterType,
  config: ModbusConfig,
  attributes: Readonly<Record<string, string>>,
): NumberSeries {
  const isCounter = line.kind === 'counter';
  const definition: SeriesDefinition = {
    name: line.name,
    unit: line.unit,
    attributes,
    kind: isCounter ? 'counter' : 'gauge',
    intervalMs: config.interval,
    ...(isCounter ? { scale: line.scale, wrapBits: type.kind === 'u32' ? 32 : 64 } : {}),
    ...(line.min === undefined ? {} : { min: line.min }),
    ...(line.max === undefined ? {} : { max: line.max }),
    ...(line.fullAt === undefined ? {} : { fullAt: line.fullAt }),
    ...(line.emptyAt === undefined ? {} : { emptyAt: line.emptyAt }),
    // Set points and switches stand still for days.
    steady: type.kind === 'bool' || type.kind === 'bit',
  };
  return {
    definition,
    scale: isCounter ? 1 : line.scale,
    offset: isCounter ? 0 : line.offset,
    series: -1,
    last: Number.NaN,
  };
}
