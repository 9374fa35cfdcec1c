/**
 * Modbus TCP: the registers, coils and discrete inputs of one device, by a table in the configuration.
 *
 * Numbers are read at `interval`. What is an event is looked at more often, at `events.interval`, also between the
 * requests of a long table, so that an alarm bit that is on for 0.8 s is seen: one request at a time, since most
 * devices can do no more. The time of an event is that of the answer in which it was seen.
 *
 * Qualities: what the device refuses is bad, alone, while the rest goes on. When the device is gone each value is said
 * once more as stale; then the input has failed and the runner connects anew, with growing pauses.
 */
import type { Instant } from '../../shared/clock.ts';
import { PicketError } from '../../shared/errors.ts';
import { Quality } from '../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from './input.ts';
import { type Block, describe, isBits } from './modbus/blocks.ts';
import { ModbusConnection, type ModbusException } from './modbus/connection.ts';
import { Plan, type Reading } from './modbus/plan.ts';
import { type Entry, entriesOf, type ModbusConfig, modbusConfig, type StateSeries } from './modbus/settings.ts';
import { readBit, readNumber, readText } from './modbus/values.ts';

/** The runner's deadline comes after ours, which can say what was waited for. */
const graceMs = 500;
/** A read may be this part of its interval early: the runner's ticks are on round times and not exact. */
const earlyShare = 0.25;
/** Warnings of refused registers while the device stays connected. */
const maxNamedRefusals = 10;
const bytesPerRegister = 2;

class ModbusInput implements Input {
  readonly #config: ModbusConfig;
  readonly #host: Host;
  readonly #connection: ModbusConnection;
  readonly #entries: readonly Entry[];
  readonly #numbers: Plan;
  readonly #states: Plan;
  readonly #refused = new Set<Entry>();
  readonly #earlyMs: number;
  #numbersMs = Number.NEGATIVE_INFINITY;
  #statesMs = Number.NEGATIVE_INFINITY;

  constructor(config: ModbusConfig, host: Host, connection: ModbusConnection) {
    this.#config = config;
    this.#host = host;
    this.#connection = connection;
    this.#entries = entriesOf(config);
    this.#numbers = new Plan(
      this.#entries.filter((entry) => entry.number !== null),
      config.gap,
    );
    this.#states = new Plan(
      this.#entries.filter((entry) => entry.state !== null),
      config.gap,
    );
    this.#earlyMs = timing(config).intervalMs * earlyShare;
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const connection = this.#connection;
    const { deadline } = this.#config;
    const onAbort = (): void => connection.close();
    if (signal.aborted) return;
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => connection.close(`did not answer within ${deadline} ms`), deadline);
    try {
      await this.#readDue(now, sink);
    } catch (error) {
      this.#putStale(this.#instant(now), sink);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  async #readDue(now: Instant, sink: SampleSink): Promise<void> {
    const { interval, deadline } = this.#config;
    const { monotonicMs } = now;
    const mayAskMore = (): boolean => this.#host.clock.monotonicMs() - monotonicMs < deadline / 2;
    const ask = (block: Block): Promise<Buffer> => this.#connection.request(block);
    const states: Reading = {
      ask,
      take: (entry, data, block) => this.#takeState(entry, data, block, this.#instant(now), sink),
      refuse: (entry, exception) => this.#refuse(entry, exception, this.#instant(now), sink),
      between: async () => undefined,
      mayAskMore,
    };
    const readStates = async (): Promise<void> => {
      const atMs = this.#host.clock.monotonicMs();
      if (atMs - this.#statesMs < this.#config.events.interval - this.#earlyMs) return;
      this.#statesMs = atMs;
      await this.#states.read(states, atMs);
    };
    await readStates();
    if (monotonicMs - this.#numbersMs >= interval - this.#earlyMs) {
      this.#numbersMs = monotonicMs;
      const take = (entry: Entry, data: Buffer, block: Block): void => this.#takeNumber(entry, data, block, sink);
      await this.#numbers.read({ ...states, take, between: readStates }, monotonicMs);
    }
    if (this.#numbers.answers || this.#states.answers) return;
    const { name, host, port } = this.#config;
    const first = describe(blockOf(this.#entries[0]!));
    throw new PicketError(
      'input.failed',
      `The Modbus device ${name} at ${host}:${port} refuses all that is asked for, as ${first}; check \`unitId\`, \`table\` and \`address\`.`,
    );
  }

  #takeNumber(entry: Entry, data: Buffer, block: Block, sink: SampleSink): void {
    const number = entry.number!;
    if (number.series < 0) number.series = sink.series(number.definition);
    number.last = storedNumber(entry, data, block) * number.scale + number.offset;
    sink.put(number.series, number.last);
  }

  #takeState(entry: Entry, data: Buffer, block: Block, at: Instant, sink: SampleSink): void {
    const state = entry.state!;
    state.last = stateOf(entry, state, data, block);
    sink.state(state.key, state.last, at);
  }

  #refuse(entry: Entry, exception: ModbusException, at: Instant, sink: SampleSink): void {
    const { number, state } = entry;
    if (number !== null) {
      if (number.series < 0) number.series = sink.series(number.definition);
      sink.put(number.series, Number.NaN, Quality.bad);
    }
    if (state !== null) sink.state(state.key, state.last ?? 'unknown', at, Quality.bad);
    if (this.#refused.has(entry)) return;
    this.#refused.add(entry);
    if (this.#refused.size > maxNamedRefusals) return;
    this.#host.log.warn(
      { input: `modbus/${this.#config.name}`, code: 'input.failed', register: entry.name },
      `The Modbus device ${this.#config.name} refuses ${entry.name}, ${describe(blockOf(entry))}: ${exception.message}. The value is bad, the others go on; check \`table\` and \`address\`.`,
    );
  }

  #putStale(at: Instant, sink: SampleSink): void {
    for (const { number, state } of this.#entries) {
      if (number !== null && !Number.isNaN(number.last)) sink.put(number.series, number.last, Quality.stale);
      if (state !== null && state.last !== null) sink.state(state.key, state.last, at, Quality.stale);
    }
  }

  /** The present, on the clocks of the read that is under way. */
  #instant(now: Instant): Instant {
    const monotonicMs = this.#host.clock.monotonicMs();
    return { monotonicMs, utcMs: now.utcMs + monotonicMs - now.monotonicMs };
  }
}

function blockOf(entry: Entry): Pick<Block, 'table' | 'address' | 'count'> {
  return { table: entry.table, address: entry.address, count: entry.length };
}

/** What is stored, before scaling. */
function storedNumber(entry: Entry, data: Buffer, block: Block): number {
  const at = entry.address - block.address;
  return isBits(entry.table) ? readBit(data, at) : readNumber(data, at * bytesPerRegister, entry.type, entry.order);
}

function stateOf(entry: Entry, state: StateSeries, data: Buffer, block: Block): string {
  const { type, order, address } = entry;
  if (type.kind === 'text') {
    return readText(data, (address - block.address) * bytesPerRegister, type.registers, order);
  }
  const value = storedNumber(entry, data, block);
  const named = state.names?.[String(value)];
  if (named !== undefined) return named;
  if (type.kind === 'bool' || type.kind === 'bit') return value === 0 ? 'off' : 'on';
  return String(value * state.scale + state.offset);
}

function timing(config: ModbusConfig): { intervalMs: number; deadlineMs: number } {
  const hasStates = entriesOf(config).some((entry) => entry.state !== null);
  const intervalMs = hasStates ? Math.min(config.interval, config.events.interval) : config.interval;
  return { intervalMs, deadlineMs: config.deadline + graceMs };
}

export const modbus: InputKind<ModbusConfig> = {
  doc: 'Registers, coils and discrete inputs of a Modbus TCP device: numbers, and events of states that change.',
  config: modbusConfig,
  automatic: () => false,
  timing,
  open: async (config: ModbusConfig, host: Host) =>
    new ModbusInput(config, host, await ModbusConnection.open(config, config.deadline)),
};
