/**
 * /sys/block/mmcblk*: how worn eMMC is, by its own account (JEDEC eMMC 5.0, EXT_CSD bytes 267–269;
 * Documentation/driver-api/mmc/mmc-dev-attrs.rst). SD cards do not say.
 *
 * OpenTelemetry's hardware conventions: `hw.physical_disk.endurance_utilization` with `hw.physical_disk.state` =
 * `remaining`; `life_time` has two estimates, of the memory of type A (mostly SLC) and of type B (MLC), in steps of a
 * tenth: the middle of the step is told. How many of the reserve's blocks are used up (`pre_eol_info`) is a state.
 */
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { interval, onLinux, timingOf } from './settings.ts';
import { namesIn, readOnce } from './slow-files.ts';

const maxNames = 256;
const maxDevices = 8;
/** `mmcblk0`, but none of its partitions and boot areas. */
const device = /^mmcblk\d+$/;
const memoryTypes = ['type_a', 'type_b'] as const;
/** 0x01: up to a tenth is used; 0x0A: more than nine tenths; 0x0B: more than its life. 0x00: it does not say. */
const mostTenths = 0x0b;
const preEnd: Readonly<Record<number, string>> = { 1: 'normal', 2: 'warning', 3: 'urgent' };

const config = object({ doc: 'Wear of eMMC.', keys: { interval: interval('1h') } });
type Config = ValueOf<typeof config>;

interface Flash {
  readonly folder: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** By memory type; -1 before the first value. */
  readonly series: number[];
}

class FlashWearInput implements Input {
  readonly #base: string;
  readonly #found = new Map<string, Flash>();

  constructor(base: string) {
    this.#base = base;
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    await this.#search(sink);
    for (const flash of this.#found.values()) {
      const life = await readOnce(`${flash.folder}/life_time`);
      const end = await readOnce(`${flash.folder}/pre_eol_info`);
      if (signal.aborted) return;
      putLife(flash, (life ?? '').split(/\s+/).map(Number), sink);
      const state = preEnd[Number(end ?? 0)];
      if (state !== undefined) sink.state(endKey(flash), state, now);
    }
  }

  async close(): Promise<void> {}

  async #search(sink: SampleSink): Promise<void> {
    const names = (await namesIn(this.#base, maxNames)).filter((name) => device.test(name)).slice(0, maxDevices);
    for (const [name, flash] of this.#found) {
      if (names.includes(name)) continue;
      this.#found.delete(name);
      for (const series of flash.series) if (series >= 0) sink.forget(series);
    }
    for (const name of names) {
      if (this.#found.has(name)) continue;
      const folder = `${this.#base}/${name}/device`;
      const model = (await readOnce(`${folder}/name`)) || name;
      this.#found.set(name, { folder, attributes: { 'hw.id': name, 'hw.name': model }, series: [-1, -1] });
    }
  }
}

/** Bytes of EXT_CSD that say nothing of this memory give no series. */
function putLife(flash: Flash, tenths: readonly number[], sink: SampleSink): void {
  for (const [i, type] of memoryTypes.entries()) {
    const used = tenths[i] ?? 0;
    const known = used >= 1 && used <= mostTenths;
    if (flash.series[i] === -1) {
      if (!known) continue;
      flash.series[i] = sink.series({
        name: 'hw.physical_disk.endurance_utilization',
        unit: '1',
        attributes: { ...flash.attributes, 'hw.physical_disk.state': 'remaining', 'flash.memory_type': type },
        kind: 'gauge',
        min: 0,
        max: 1,
        steady: true,
        emptyAt: 0,
      });
    }
    sink.put(flash.series[i]!, known ? Math.max(0, 1 - (used - 0.5) / 10) : Number.NaN);
  }
}

function endKey({ attributes }: Flash): SeriesKey {
  return { name: 'hw.physical_disk.pre_eol', unit: '', attributes };
}

export const flashWear: InputKind<Config> = {
  doc: 'How worn eMMC is, and how much of its reserve is used up.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => new FlashWearInput(`${host.sysRoot}/block`),
};
