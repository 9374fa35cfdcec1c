/**
 * /proc/meminfo: memory and swap space.
 *
 * OpenTelemetry's `system.memory.usage` by `system.memory.state`; the four states add up to `system.memory.limit`:
 * `cached` is the page cache with what slabs can give back and without shared memory (it cannot be dropped), `used` is
 * the rest, as free(1) and htop have it. `system.linux.memory.available` is the kernel's own estimate of what programs
 * could still get, which is what an alarm should look at.
 */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { FixedFields, keyValueLines } from './fields.ts';
import { KeptFile, scanner } from './reader.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const bytesPerKibibyte = 1024;

const config = object({ doc: 'Memory and swap space.', keys: { interval: interval('1s') } });
type Config = ValueOf<typeof config>;

const keys = [
  'MemTotal',
  'MemFree',
  'Buffers',
  'Cached',
  'SReclaimable',
  'Shmem',
  'MemAvailable',
  'SUnreclaim',
  'Dirty',
  'Writeback',
  'Committed_AS',
  'SwapTotal',
  'SwapFree',
] as const;
/** Place of each key in `values`. */
const at = Object.fromEntries(keys.map((key, index) => [key, index])) as Record<(typeof keys)[number], number>;

const state = (name: string, value: string): Readonly<Record<string, string>> => ({ [name]: value });
const size = (name: string, attributes: Readonly<Record<string, string>> = {}): SeriesDefinition => ({
  name,
  unit: 'By',
  attributes,
  kind: 'gauge',
  min: 0,
});
const share = (name: string, attributes: Readonly<Record<string, string>>): SeriesDefinition => ({
  name,
  unit: '1',
  attributes,
  kind: 'gauge',
  min: 0,
  max: 1,
  full: 1,
  fullAt: 1,
});

const memoryState = 'system.memory.state';
const pagingState = 'system.paging.state';
const slabState = 'linux.memory.slab.state';
const memoryDefinitions: readonly SeriesDefinition[] = [
  { ...size('system.memory.limit'), steady: true },
  size('system.memory.usage', state(memoryState, 'used')),
  size('system.memory.usage', state(memoryState, 'free')),
  size('system.memory.usage', state(memoryState, 'buffers')),
  size('system.memory.usage', state(memoryState, 'cached')),
  share('system.memory.utilization', state(memoryState, 'used')),
  size('system.linux.memory.available'),
  size('system.memory.shared'),
  size('system.linux.memory.slab.usage', state(slabState, 'reclaimable')),
  size('system.linux.memory.slab.usage', state(slabState, 'unreclaimable')),
  size('system.linux.memory.dirty'),
  size('system.linux.memory.writeback'),
  size('system.linux.memory.committed'),
];
const swapDefinitions: readonly SeriesDefinition[] = [
  { ...size('system.paging.usage', state(pagingState, 'used')), steady: true },
  { ...size('system.paging.usage', state(pagingState, 'free')), steady: true },
  { ...share('system.paging.utilization', state(pagingState, 'used')), steady: true },
];

class MemoryInput implements Input {
  readonly #file: KeptFile;
  readonly #fields = new FixedFields(keys, keyValueLines);
  #memory: Int32Array | null = null;
  #swap: Int32Array | null = null;

  constructor(path: string) {
    this.#file = new KeptFile(path);
  }

  read(_now: unknown, sink: SampleSink): void {
    this.#file.loadRequired();
    this.#fields.parse(scanner);
    const { values } = this.#fields;
    for (let i = 0; i < values.length; i++) values[i]! *= bytesPerKibibyte;
    this.#putMemory(values, sink);
    this.#putSwap(values, sink);
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  #putMemory(values: Float64Array, sink: SampleSink): void {
    this.#memory ??= Int32Array.from(memoryDefinitions, (definition) => sink.series(definition));
    const series = this.#memory;
    const total = values[at.MemTotal]!;
    const free = values[at.MemFree]!;
    const buffers = values[at.Buffers]!;
    const cached = values[at.Cached]! + values[at.SReclaimable]! - values[at.Shmem]!;
    const used = total - free - buffers - cached;
    sink.put(series[0]!, total);
    sink.put(series[1]!, used);
    sink.put(series[2]!, free);
    sink.put(series[3]!, buffers);
    sink.put(series[4]!, cached);
    sink.put(series[5]!, used / total);
    sink.put(series[6]!, values[at.MemAvailable]!);
    sink.put(series[7]!, values[at.Shmem]!);
    sink.put(series[8]!, values[at.SReclaimable]!);
    sink.put(series[9]!, values[at.SUnreclaim]!);
    sink.put(series[10]!, values[at.Dirty]!);
    sink.put(series[11]!, values[at.Writeback]!);
    sink.put(series[12]!, values[at.Committed_AS]!);
  }

  /** Without swap space there is nothing to say about it; what was taken away is forgotten. */
  #putSwap(values: Float64Array, sink: SampleSink): void {
    const total = values[at.SwapTotal]!;
    if (!(total > 0)) {
      if (this.#swap !== null) for (const series of this.#swap) sink.forget(series);
      this.#swap = null;
      return;
    }
    this.#swap ??= Int32Array.from(swapDefinitions, (definition) => sink.series(definition));
    const free = values[at.SwapFree]!;
    sink.put(this.#swap[0]!, total - free);
    sink.put(this.#swap[1]!, free);
    sink.put(this.#swap[2]!, (total - free) / total);
  }
}

export const memory: InputKind<Config> = {
  doc: 'Memory by state, what is available, slabs, dirty pages, swap space.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => new MemoryInput(`${host.procRoot}/meminfo`),
};
