/**
 * Processors that are held back: for their temperature, for want of voltage.
 *
 * - x86: /sys/devices/system/cpu/cpuN/thermal_throttle (Documentation/ABI, "thermal_throttle"): how often and for how
 *   long a package was throttled; the same for each of its processors, hence read at the first of each.
 *   `system.linux.cpu.throttled` is the share of time, `system.linux.cpu.throttle_events` how often.
 * - Raspberry Pi: the firmware's `get_throttled`, a word of bits. `hw.throttled` is a state for each cause.
 */
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition, SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { interval, onLinux, timingOf } from './settings.ts';
import { namesIn, readOnce, SlowFile } from './slow-files.ts';

const maxCpus = 8192;
const maxPackages = 64;
const secondsPerMillisecond = 1e-3;
/** What holds the board back now; the bits from 16 on say that it was so once. */
const causes = [
  ['under_voltage', 1],
  ['frequency_capped', 2],
  ['throttled', 4],
  ['soft_temperature_limit', 8],
] as const;

const config = object({ doc: 'Processors that are held back.', keys: { interval: interval('10s') } });
type Config = ValueOf<typeof config>;

interface Counter {
  readonly file: SlowFile;
  readonly definition: SeriesDefinition;
  series: number;
}

class ThrottlingInput implements Input {
  readonly #sysRoot: string;
  readonly #firmware: SlowFile;
  readonly #keys: readonly SeriesKey[];
  #counters: readonly Counter[] | null = null;

  constructor(sysRoot: string) {
    this.#sysRoot = sysRoot;
    this.#firmware = new SlowFile(`${sysRoot}/devices/platform/soc/soc:firmware/get_throttled`);
    this.#keys = causes.map(([cause]) => ({
      name: 'hw.throttled',
      unit: '',
      attributes: { 'hw.name': 'raspberry_pi', 'hw.throttle.cause': cause },
    }));
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    this.#counters ??= await this.#packages();
    for (const counter of this.#counters) {
      const value = await counter.file.number();
      if (signal.aborted) return;
      if (counter.series === -1) counter.series = sink.series(counter.definition);
      sink.put(counter.series, value);
    }
    const word = await this.#firmware.text();
    if (signal.aborted || word === null || !/^(0x)?[0-9a-f]{1,8}$/i.test(word)) return;
    const bits = Number.parseInt(word, 16);
    for (const [index, [, mask]] of causes.entries()) {
      sink.state(this.#keys[index]!, (bits & mask) === 0 ? 'no' : 'yes', now);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#firmware.close(), ...(this.#counters ?? []).map(({ file }) => file.close())]);
  }

  async #packages(): Promise<readonly Counter[]> {
    const base = `${this.#sysRoot}/devices/system/cpu`;
    const seen = new Set<string>();
    const counters: Counter[] = [];
    for (const name of await namesIn(base, maxCpus)) {
      if (!/^cpu\d+$/.test(name)) continue;
      const folder = `${base}/${name}/thermal_throttle`;
      const files = await namesIn(folder, maxCpus);
      if (files.length === 0) continue;
      const socket = (await readOnce(`${base}/${name}/topology/physical_package_id`)) ?? '0';
      if (seen.has(socket) || seen.size >= maxPackages) continue;
      seen.add(socket);
      const add = (file: string, definition: Partial<SeriesDefinition> & { name: string; unit: string }): void => {
        if (!files.includes(file)) return;
        const made = { attributes: { 'cpu.package': socket }, kind: 'counter', min: 0, steady: true } as const;
        counters.push({ file: new SlowFile(`${folder}/${file}`), definition: { ...made, ...definition }, series: -1 });
      };
      add('package_throttle_count', { name: 'system.linux.cpu.throttle_events', unit: '{event}/s' });
      // What was counted during a read belongs to the next: a little more than all of a second.
      const share = { name: 'system.linux.cpu.throttled', unit: '1', scale: secondsPerMillisecond };
      add('package_throttle_total_time_ms', share);
    }
    return counters;
  }
}

export const throttling: InputKind<Config> = {
  doc: 'Processors that are held back for their temperature or for want of voltage.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => new ThrottlingInput(host.sysRoot),
};
