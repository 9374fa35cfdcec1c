/**
 * /proc/net/dev: bytes, packets, errors, drops of network interfaces; /sys/class/net/NAME: whether the link is up, as
 * an event, and its speed.
 *
 * OpenTelemetry: `system.network.io`, `.packets`, `.errors`, `.dropped` by `network.interface.name` and
 * `network.io.direction`; `hw.network.up` and `hw.network.bandwidth.limit` of the hardware conventions. Counters are of
 * 32 bits on a 32-bit kernel, and with some drivers on any.
 */

import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { KeptFile, scanner } from './reader.ts';
import { namePattern, RememberedRows } from './rows.ts';
import { excluded, interval, onLinux, timingOf } from './settings.ts';

const headerLines = 2;
const colon = 58;
/** Columns of one direction: bytes packets errs drop, and four that are not read. */
const numbers = 4;
const unreadColumns = 4;
/** A link is looked at once in so many reads; it changes seldom and each look is a file of its own. */
const readsPerLinkCheck = 5;
/** `speed` is in Mbit/s; OpenTelemetry wants bytes. */
const bytesPerMegabit = 1e6 / 8;

const config = object({
  doc: 'Traffic, errors and drops of network interfaces, and their links.',
  keys: {
    interval: interval('1s'),
    exclude: excluded('Interfaces', [
      'lo',
      'veth*',
      'docker*',
      'br-*',
      'virbr*',
      'vnet*',
      'cni*',
      'cali*',
      'flannel*',
      'ifb*',
      'dummy*',
      'tunl*',
      'sit*',
      'ip6tnl*',
      'gre*',
      'erspan*',
    ]),
  },
});
type Config = ValueOf<typeof config>;

class Interface {
  readonly name: string;
  /** Receive: io, packets, errors, dropped; then transmit. */
  readonly series: Int32Array;
  readonly state: KeptFile;
  readonly speed: KeptFile;
  up = -1;
  limit = -1;

  constructor(name: string, series: Int32Array, sysRoot: string) {
    this.name = name;
    this.series = series;
    this.state = new KeptFile(`${sysRoot}/class/net/${name}/operstate`);
    this.speed = new KeptFile(`${sysRoot}/class/net/${name}/speed`);
  }

  close(): void {
    this.state.close();
    this.speed.close();
  }
}

class NetworkInput implements Input {
  readonly #file: KeptFile;
  readonly #rows: RememberedRows<Interface>;
  readonly #interfaces = new Set<Interface>();
  #reads = 0;

  constructor(host: Host, settings: Config) {
    this.#file = new KeptFile(`${host.procRoot}/net/dev`);
    const isExcluded = namePattern(settings.exclude);
    this.#rows = new RememberedRows<Interface>({
      appear: (name, sink) => {
        // The name becomes a part of a path: /sys has no name with a slash, and neither may this file.
        if (isExcluded(name) || name.includes('/') || name.startsWith('.')) return null;
        const series = Int32Array.from(definitions(name), (definition) => sink.series(definition));
        const made = new Interface(name, series, host.sysRoot);
        this.#interfaces.add(made);
        return made;
      },
      vanish: (gone, sink) => {
        for (const series of [...gone.series, gone.up, gone.limit]) sink.forget(series);
        this.#interfaces.delete(gone);
        gone.close();
      },
    });
  }

  read(now: Instant, sink: SampleSink): void {
    this.#file.loadRequired();
    this.#rows.begin();
    for (let i = 0; i < headerLines; i++) scanner.skipLine();
    for (; !scanner.atEnd(); scanner.skipLine()) {
      scanner.skipBlanks();
      const length = nameLength();
      const row = length === 0 ? null : this.#rows.row(scanner, length, sink);
      if (row === null) continue;
      scanner.position += length + 1;
      for (let i = 0; i < numbers; i++) sink.put(row.series[i]!, scanner.number());
      scanner.skipFields(unreadColumns);
      for (let i = 0; i < numbers; i++) sink.put(row.series[numbers + i]!, scanner.number());
    }
    this.#rows.end(sink);
    if (this.#reads++ % readsPerLinkCheck === 0) for (const row of this.#interfaces) checkLink(row, now, sink);
  }

  async close(): Promise<void> {
    this.#file.close();
    for (const row of this.#interfaces) row.close();
  }
}

/** Bytes up to the colon behind a name; 0 where there is none. A name may itself have a colon (an alias). */
function nameLength(): number {
  const { bytes, position, end } = scanner;
  let last = position;
  for (let at = position; at < end && bytes[at]! > 32; at++) if (bytes[at] === colon) last = at;
  return last - position;
}

function checkLink(row: Interface, now: Instant, sink: SampleSink): void {
  const attributes = { 'network.interface.name': row.name };
  if (row.state.load()) {
    const state = scanner.text(scanner.fieldLength());
    // Interfaces without a carrier (tunnels, point to point) say "unknown" while they work.
    sink.state({ name: 'system.network.link', unit: '', attributes }, state, now);
    if (row.up < 0) {
      row.up = sink.series({ name: 'hw.network.up', unit: '1', attributes, kind: 'gauge', steady: true });
    }
    sink.put(row.up, state === 'up' || state === 'unknown' ? 1 : 0);
  }
  // Without a link the kernel answers EINVAL or -1.
  const speed = row.speed.load() ? scanner.number() : Number.NaN;
  if (!(speed > 0)) return;
  if (row.limit < 0) {
    row.limit = sink.series({
      name: 'hw.network.bandwidth.limit',
      unit: 'By/s',
      attributes,
      kind: 'gauge',
      scale: bytesPerMegabit,
      steady: true,
    });
  }
  sink.put(row.limit, speed);
}

function definitions(name: string): readonly SeriesDefinition[] {
  return (['receive', 'transmit'] as const).flatMap((direction) => {
    const counter = (metric: string, unit: string): SeriesDefinition => ({
      name: `system.network.${metric}`,
      unit,
      attributes: { 'network.interface.name': name, 'network.io.direction': direction },
      kind: 'counter',
      wrapBits: 32,
      min: 0,
      // Without a cable, or without errors, nothing happens for days.
      steady: true,
    });
    return [
      counter('io', 'By/s'),
      counter('packets', '{packet}/s'),
      counter('errors', '{error}/s'),
      counter('dropped', '{packet}/s'),
    ];
  });
}

export const network: InputKind<Config> = {
  doc: 'Bytes, packets, errors and drops of network interfaces; link state and speed.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new NetworkInput(host, settings),
};
