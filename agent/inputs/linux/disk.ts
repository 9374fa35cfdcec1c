/**
 * /proc/diskstats: operations, bytes, times of every disk (Documentation/admin-guide/iostats.rst).
 *
 * OpenTelemetry: `system.disk.io`, `.operations`, `.operation_time`, `.merged` by `disk.io.direction`, and
 * `system.disk.io_time`; the time one operation took on average (`system.disk.operation_latency`), which is what
 * operators look for, and the mean queue (`system.disk.queue`, from the weighted time) are ours.
 * Rates of times are shares: seconds a second. Times are printed as 32-bit milliseconds on every kernel; the other
 * counts are `unsigned long`, so they wrap at 32 bits on a 32-bit kernel. A sector is 512 bytes here, always.
 */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { KeptFile, scanner } from './reader.ts';
import { namePattern, RememberedRows } from './rows.ts';
import { excluded, flag, interval, onLinux, timingOf } from './settings.ts';

const bytesPerSector = 512;
const secondsPerMillisecond = 1e-3;
const fieldsOfName = 2;
/** Reads and writes have four numbers each, then come I/Os in flight, busy time, weighted time. */
const numbers = 11;
const wrap32 = 2 ** 32;

const config = object({
  doc: 'Operations, bytes and times of disks.',
  keys: {
    interval: interval('1s'),
    partitions: flag('Partitions of disks too.', false),
    exclude: excluded('Disks', ['loop*', 'ram*', 'zram*', 'fd*', 'sr*', 'nbd*']),
  },
});
type Config = ValueOf<typeof config>;

/** Places in a row of /proc/diskstats, behind the name. */
const READS = 0;
const READ_MS = 3;
const WRITES = 4;
const WRITE_MS = 7;

class Disk {
  /** Series in the order of the row's numbers, then the two latencies. */
  readonly series: Int32Array;
  readonly values = new Float64Array(numbers);
  readonly before = new Float64Array(numbers).fill(Number.NaN);

  constructor(series: Int32Array) {
    this.series = series;
  }
}

class DiskInput implements Input {
  readonly #file: KeptFile;
  readonly #rows: RememberedRows<Disk>;

  constructor(path: string, settings: Config) {
    this.#file = new KeptFile(path);
    const isExcluded = namePattern(settings.exclude);
    this.#rows = new RememberedRows<Disk>({
      appear: (name, sink) => {
        if (isExcluded(name) || (!settings.partitions && isPartition(name))) return null;
        return new Disk(Int32Array.from(definitions(name), (definition) => sink.series(definition)));
      },
      vanish: (disk, sink) => {
        for (const series of disk.series) sink.forget(series);
      },
    });
  }

  read(_now: unknown, sink: SampleSink): void {
    this.#file.loadRequired();
    this.#rows.begin();
    for (; !scanner.atEnd(); scanner.skipLine()) {
      scanner.skipFields(fieldsOfName);
      scanner.skipBlanks();
      const length = scanner.fieldLength();
      const disk = length === 0 ? null : this.#rows.row(scanner, length, sink);
      if (disk === null) continue;
      scanner.position += length;
      for (let i = 0; i < numbers; i++) disk.values[i] = scanner.number();
      put(disk, sink);
    }
    this.#rows.end(sink);
  }

  async close(): Promise<void> {
    this.#file.close();
  }
}

function put(disk: Disk, sink: SampleSink): void {
  const { series, values, before } = disk;
  for (let i = 0; i < numbers; i++) sink.put(series[i]!, values[i]!);
  sink.put(series[numbers]!, latency(values, before, READS, READ_MS));
  sink.put(series[numbers + 1]!, latency(values, before, WRITES, WRITE_MS));
  before.set(values);
}

/** Mean seconds of an operation since the reading before; NaN where there was none. */
function latency(values: Float64Array, before: Float64Array, operations: number, time: number): number {
  const count = values[operations]! - before[operations]!;
  if (!(count > 0)) return Number.NaN;
  let elapsedMs = values[time]! - before[time]!;
  if (elapsedMs < 0) elapsedMs += wrap32;
  // What is still negative or longer than the count of milliseconds can mean was reset.
  return elapsedMs >= 0 && elapsedMs < wrap32 / 2 ? (elapsedMs * secondsPerMillisecond) / count : Number.NaN;
}

function definitions(device: string): readonly SeriesDefinition[] {
  const counter = (name: string, unit: string, direction?: 'read' | 'write', scale = 1): SeriesDefinition => ({
    name,
    unit,
    attributes: direction === undefined ? named : { ...named, 'disk.io.direction': direction },
    kind: 'counter',
    wrapBits: 32,
    min: 0,
    scale,
    // An idle disk does nothing for hours.
    steady: true,
  });
  const named = { 'system.device': device };
  const ms = secondsPerMillisecond;
  const both = ['read', 'write'] as const;
  return [
    ...both.flatMap((direction) => [
      counter('system.disk.operations', '{operation}/s', direction),
      counter('system.disk.merged', '{operation}/s', direction),
      counter('system.disk.io', 'By/s', direction, bytesPerSector),
      counter('system.disk.operation_time', '1', direction, ms),
    ]),
    {
      name: 'system.disk.pending_operations',
      unit: '{operation}',
      attributes: named,
      kind: 'gauge',
      min: 0,
      steady: true,
    },
    // A disk is busy for at most all of the time; the kernel rounds to its ticks.
    { ...counter('system.disk.io_time', '1', undefined, ms), max: 1.5, full: 1 },
    counter('system.disk.queue', '1', undefined, ms),
    ...both.map(
      (direction): SeriesDefinition => ({
        name: 'system.disk.operation_latency',
        unit: 's',
        attributes: { ...named, 'disk.io.direction': direction },
        kind: 'gauge',
        min: 0,
        steady: true,
      }),
    ),
  ];
}

/** `sda1`, `nvme0n1p2`, `mmcblk0p1`; not `nvme0n1`, `mmcblk0`, `md0`, `dm-0`. By name, since /sys may not be there. */
function isPartition(name: string): boolean {
  return (
    /^(?:[hsv]d[a-z]+|xvd[a-z]+)\d+$/.test(name) || /^(?:nvme\d+n\d+|mmcblk\d+|nbd\d+|md\d+|loop\d+)p\d+$/.test(name)
  );
}

export const disk: InputKind<Config> = {
  doc: 'Operations, bytes, times, queue and mean latency of disks.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new DiskInput(`${host.procRoot}/diskstats`, settings),
};
