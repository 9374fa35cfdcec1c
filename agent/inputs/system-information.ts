/**
 * Processor, memory, filesystems, network and load of a host that is not Linux, by `systeminformation`: it starts
 * programs, a hundred times the cost of reading files, hence the slower rhythm. Names, units and attributes are those
 * of the inputs `linux.*`, so that fleets of both can be looked at together. Beside those, on Linux, it may be switched
 * on for comparison; its series then have the attribute `source`.
 */
import os from 'node:os';
import type { Instant } from '../../shared/clock.ts';
import type { ValueOf } from '../../shared/config/schema.ts';
import { duration, integer, object } from '../../shared/config/types.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { Quality, type SeriesDefinition } from '../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from './input.ts';

const maxDeadlineMs = 30_000;
const maxFilesystems = 64;
const maxInterfaces = 64;
/** Nothing of a loopback leaves the machine. */
const loopback = /^lo\d*$|loopback/i;
const loadSpans = ['1m', '5m', '15m'];
const percent = 0.01;

const config = object({
  doc: 'Samples by systeminformation.',
  keys: {
    interval: duration({
      doc: 'How often it is read; each time programs are started.',
      default: '10s',
      min: '5s',
      max: '1h',
    }),
    maxCores: integer({
      doc: 'On a machine with more cores than this only the total is kept.',
      default: 16,
      min: 0,
      max: 1024,
    }),
  },
});
type Config = ValueOf<typeof config>;

type Answer = Readonly<Record<string, unknown>>;

/** What is asked; the module itself, or a test's. */
export interface Sources {
  currentLoad(): Promise<unknown>;
  mem(): Promise<unknown>;
  fsSize(): Promise<unknown>;
  networkStats(interfaces: string): Promise<unknown>;
  loadavg(): readonly number[];
}

type Attributes = Readonly<Record<string, string>>;

/** How each mode of a processor is called in an answer: `currentLoadUser` of all, `loadUser` of one core. */
const modes = [
  ['user', 'User'],
  ['nice', 'Nice'],
  ['system', 'System'],
  ['idle', 'Idle'],
  ['interrupt', 'Irq'],
  ['steal', 'Steal'],
] as const;

/** The series of one part (a core, a filesystem, an interface), for as long as it is there. */
class Rows {
  readonly #rows = new Map<string, Int32Array>();
  readonly #seen = new Set<string>();

  begin(): void {
    this.#seen.clear();
  }

  row(key: string, sink: SampleSink, definitions: () => readonly SeriesDefinition[]): Int32Array {
    this.#seen.add(key);
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = Int32Array.from(definitions(), (definition) => sink.series(definition));
      this.#rows.set(key, row);
    }
    return row;
  }

  /** What did not come any more is gone. */
  end(sink: SampleSink): void {
    for (const [key, row] of this.#rows) {
      if (this.#seen.has(key)) continue;
      for (const series of row) sink.forget(series);
      this.#rows.delete(key);
    }
  }

  /** The source did not answer. */
  bad(sink: SampleSink): void {
    for (const row of this.#rows.values()) for (const series of row) sink.put(series, Number.NaN, Quality.bad);
  }
}

interface Part {
  readonly name: string;
  readonly rows: Rows;
  /** Throws where the answer is none. */
  read(rows: Rows, sink: SampleSink, signal: AbortSignal): Promise<void>;
}

class SystemInformationInput implements Input {
  readonly #parts: readonly Part[];
  readonly #named = new Set<string>();
  readonly #host: Host;

  constructor(settings: Config, host: Host, sources: Sources) {
    this.#host = host;
    const common: Attributes = host.platform === 'linux' ? { source: 'systeminformation' } : {};
    const part = (name: string, read: Part['read']): Part => ({ name, rows: new Rows(), read });
    this.#parts = [
      part('processor', async (rows, sink, signal) => {
        const answer = recordOf(await sources.currentLoad());
        if (!signal.aborted) putProcessor(answer, settings.maxCores, rows, sink, common);
      }),
      part('memory', async (rows, sink, signal) => {
        const answer = recordOf(await sources.mem());
        if (!signal.aborted) putMemory(answer, rows, sink, common);
      }),
      part('filesystems', async (rows, sink, signal) => {
        const answer = listOfRecords(await sources.fsSize(), maxFilesystems);
        if (!signal.aborted) for (const one of answer) putFilesystem(one, rows, sink, common);
      }),
      part('network', async (rows, sink, signal) => {
        const answer = listOfRecords(await sources.networkStats('*'), maxInterfaces);
        if (!signal.aborted) for (const one of answer) putInterface(one, rows, sink, common);
      }),
      part('load', async (rows, sink) => putLoad(sources.loadavg(), rows, sink, common)),
    ];
  }

  async read(_now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const problems: string[] = [];
    for (const part of this.#parts) {
      if (signal.aborted) return;
      part.rows.begin();
      try {
        await part.read(part.rows, sink, signal);
        if (!signal.aborted) part.rows.end(sink);
      } catch (error) {
        part.rows.bad(sink);
        problems.push(`${part.name}: ${messageOf(error)}`);
        this.#name(part.name, messageOf(error));
      }
    }
    // The load is Node's own and cannot fail.
    if (problems.length === this.#parts.length - 1)
      throw new PicketError('input.failed', `systeminformation gives nothing: ${problems.join('; ')}.`);
  }

  async close(): Promise<void> {}

  #name(part: string, problem: string): void {
    if (this.#named.has(part)) return;
    this.#named.add(part);
    const text = `systeminformation gives no ${part}: ${problem}. Its values are bad, the others go on.`;
    this.#host.log.warn({ input: 'system-information', code: 'input.failed' }, text);
  }
}

function putProcessor(answer: Answer, maxCores: number, rows: Rows, sink: SampleSink, common: Attributes): void {
  const cores = listOfRecords(answer.cpus, maxCores + 1);
  putModes(answer, 'currentLoad', rows.row('', sink, modeDefinitions(common)), sink);
  if (cores.length > maxCores) return;
  for (const [number, core] of cores.entries()) {
    const attributes = { ...common, 'cpu.logical_number': String(number) };
    putModes(core, 'load', rows.row(String(number), sink, modeDefinitions(attributes)), sink);
  }
}

function putModes(answer: Answer, prefix: string, row: Int32Array, sink: SampleSink): void {
  for (const [i, [, key]] of modes.entries()) sink.put(row[i]!, numberOf(answer[`${prefix}${key}`]) * percent);
}

const modeDefinitions = (attributes: Attributes) => () =>
  modes.map(([mode]) => ({
    ...gauge('system.cpu.utilization', '1', { 'cpu.mode': mode, ...attributes }),
    max: 1.5,
    steady: mode !== 'user' && mode !== 'system' && mode !== 'idle',
    ...(mode === 'idle' && !('cpu.logical_number' in attributes) ? { full: 0 as const } : {}),
  }));

function putMemory(answer: Answer, rows: Rows, sink: SampleSink, common: Attributes): void {
  const total = numberOf(answer.total);
  const free = numberOf(answer.free);
  // `used` of systeminformation has the page cache in it; `active` is what programs cannot be without.
  const used = numberOf(answer.active);
  const state = (name: string): Attributes => ({ 'system.memory.state': name, ...common });
  const row = rows.row('memory', sink, () => [
    { ...gauge('system.memory.limit', 'By', common), steady: true },
    gauge('system.memory.usage', 'By', state('used')),
    gauge('system.memory.usage', 'By', state('free')),
    gauge('system.memory.usage', 'By', state('cached')),
    { ...gauge('system.memory.utilization', '1', state('used')), max: 1, full: 1, fullAt: 1 },
  ]);
  for (const [i, value] of [total, used, free, Math.max(0, total - used - free), used / total].entries()) {
    sink.put(row[i]!, value);
  }
  const swap = numberOf(answer.swaptotal);
  if (!(swap > 0)) return;
  const swapUsed = numberOf(answer.swapused);
  const paging = (name: string): Attributes => ({ 'system.paging.state': name, ...common });
  const swapRow = rows.row('swap', sink, () => [
    { ...gauge('system.paging.usage', 'By', paging('used')), steady: true },
    { ...gauge('system.paging.usage', 'By', paging('free')), steady: true },
    { ...gauge('system.paging.utilization', '1', paging('used')), max: 1, full: 1, fullAt: 1, steady: true },
  ]);
  for (const [i, value] of [swapUsed, swap - swapUsed, swapUsed / swap].entries()) sink.put(swapRow[i]!, value);
}

function putFilesystem(answer: Answer, rows: Rows, sink: SampleSink, common: Attributes): void {
  const { fs: device, mount, type } = answer;
  if (typeof device !== 'string' || typeof mount !== 'string') return;
  const named = {
    'system.device': device,
    'system.filesystem.mountpoint': mount,
    'system.filesystem.type': typeof type === 'string' ? type : '',
    ...common,
  };
  const state = (name: string): Attributes => ({ ...named, 'system.filesystem.state': name });
  const steady = { steady: true };
  const row = rows.row(`${device}\n${mount}`, sink, () => [
    { ...gauge('system.filesystem.limit', 'By', named), ...steady },
    { ...gauge('system.filesystem.usage', 'By', state('used')), ...steady },
    { ...gauge('system.filesystem.usage', 'By', state('free')), ...steady },
    { ...gauge('system.filesystem.utilization', '1', named), max: 1, full: 1, fullAt: 1, ...steady },
  ]);
  const used = numberOf(answer.used);
  const free = numberOf(answer.available);
  const share = used + free > 0 ? used / (used + free) : Number.NaN;
  for (const [i, value] of [numberOf(answer.size), used, free, share].entries()) sink.put(row[i]!, value);
}

function putInterface(answer: Answer, rows: Rows, sink: SampleSink, common: Attributes): void {
  const { iface } = answer;
  if (typeof iface !== 'string' || loopback.test(iface)) return;
  const row = rows.row(iface, sink, () => ['receive', 'transmit'].flatMap((way) => counters(iface, way, common)));
  const readings = ['rx_bytes', 'rx_errors', 'rx_dropped', 'tx_bytes', 'tx_errors', 'tx_dropped'];
  for (const [i, key] of readings.entries()) sink.put(row[i]!, numberOf(answer[key]));
}

function counters(name: string, direction: string, common: Attributes): readonly SeriesDefinition[] {
  const attributes = { 'network.interface.name': name, 'network.io.direction': direction, ...common };
  const counter = (metric: string, unit: string): SeriesDefinition => ({
    name: `system.network.${metric}`,
    unit,
    attributes,
    kind: 'counter',
    wrapBits: 32,
    min: 0,
    steady: true,
  });
  return [counter('io', 'By/s'), counter('errors', '{error}/s'), counter('dropped', '{packet}/s')];
}

function putLoad(averages: readonly number[], rows: Rows, sink: SampleSink, common: Attributes): void {
  // Windows has none, and Node says 0.
  if (averages.every((average) => average === 0)) return;
  const row = rows.row('load', sink, () =>
    loadSpans.map((span) => ({ ...gauge(`system.cpu.load_average.${span}`, '{thread}', common), steady: true })),
  );
  for (let i = 0; i < loadSpans.length; i++) sink.put(row[i]!, averages[i] ?? Number.NaN);
}

function gauge(name: string, unit: string, attributes: Attributes): SeriesDefinition {
  return { name, unit, attributes, kind: 'gauge', min: 0 };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function recordOf(value: unknown): Answer {
  if (typeof value !== 'object' || value === null) throw new Error('the answer is no object');
  return value as Answer;
}

function listOfRecords(value: unknown, max: number): readonly Answer[] {
  if (!Array.isArray(value)) throw new Error('the answer is no list');
  return value.filter((entry) => typeof entry === 'object' && entry !== null).slice(0, max);
}

async function loadSources(): Promise<Sources> {
  // Late: it costs 10 MB, and a Linux host does not need it.
  const { default: module } = await import('systeminformation');
  return {
    currentLoad: () => module.currentLoad(),
    mem: () => module.mem(),
    fsSize: () => module.fsSize(),
    networkStats: (interfaces) => module.networkStats(interfaces),
    loadavg: () => os.loadavg(),
  };
}

/** @param load what is asked; tests have their own */
export function systemInformationKind(load: () => Promise<Sources>): InputKind<Config> {
  return {
    doc: 'Processor, memory, filesystems, network and load of a host that is not Linux, at a slower rhythm.',
    config,
    automatic: (host) => host.platform !== 'linux',
    timing: ({ interval }) => ({ intervalMs: interval, deadlineMs: Math.min(interval, maxDeadlineMs) }),
    open: async (settings: Config, host: Host) => {
      const sources = await load();
      // The first answer would be the load since the boot.
      await sources.currentLoad().catch(() => undefined);
      return new SystemInformationInput(settings, host, sources);
    },
  };
}

export const systemInformation: InputKind<Config> = systemInformationKind(loadSources);
