/**
 * /sys/class/hwmon and /sys/class/thermal: temperatures, fans, voltages, power, and the alarms of the chips
 * (Documentation/hwmon/sysfs-interface.rst): millidegrees, revolutions a minute, millivolts, microwatts.
 *
 * OpenTelemetry's hardware conventions: `hw.temperature` (Cel), `hw.fan.speed` (rpm), `hw.voltage` (V), `hw.power` (W)
 * with `hw.id`, `hw.name`, `hw.parent`; `hw.temperature.limit` with `hw.limit_type` is what the sensor itself calls
 * critical. An alarm bit is a state: its changes become events. A Raspberry Pi tells its
 * under-voltage by such a bit, `in0_lcrit_alarm` of the chip `rpi_volt`.
 *
 * hwmon numbers change from boot to boot; a sensor is named by its chip, its device and its channel.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition, SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { namePattern } from './rows.ts';
import { excluded, interval, onLinux, timingOf } from './settings.ts';
import { namesIn, readOnce, SlowFile } from './slow-files.ts';

const maxChips = 64;
const maxSensors = 128;
const maxFilesOfChip = 1024;
/** What a sensor may call critical; outside of it a chip says nothing by it (0, 65,261 °C). */
const leastCriticalC = 40;
const mostCriticalC = 200;
/** Chips are looked for anew once in so many reads; limits are read as seldom. */
const readsPerSearch = 30;

const config = object({
  doc: 'Temperatures, fans, voltages, power and alarms of hardware monitors.',
  keys: { interval: interval('10s'), exclude: excluded('Sensors, by `chip/channel`,', []) },
});
type Config = ValueOf<typeof config>;

interface Quantity {
  readonly metric: string;
  readonly unit: string;
  readonly scale: number;
  readonly min: number;
  readonly max: number;
}

/** By the prefix of the channel's file. Bounds are where a chip's "not connected" begins. */
const quantities: Readonly<Record<string, Quantity>> = {
  temp: { metric: 'hw.temperature', unit: 'Cel', scale: 1e-3, min: -100, max: 250 },
  fan: { metric: 'hw.fan.speed', unit: 'rpm', scale: 1, min: 0, max: 100_000 },
  in: { metric: 'hw.voltage', unit: 'V', scale: 1e-3, min: -1000, max: 1000 },
  power: { metric: 'hw.power', unit: 'W', scale: 1e-6, min: 0, max: 1e5 },
};

interface Sensor {
  readonly key: string;
  readonly file: SlowFile;
  readonly definition: SeriesDefinition | null;
  readonly alarm: SeriesKey | null;
  /** It does not change by itself: read when chips are looked for. */
  readonly fixed?: true;
  series: number;
}

class SensorsInput implements Input {
  readonly #sysRoot: string;
  readonly #isExcluded: (name: string) => boolean;
  readonly #intervalMs: number;
  #sensors = new Map<string, Sensor>();
  /** Names of the hwmon chips that the last search found. */
  #chips = new Set<string>();
  #reads = 0;

  constructor(sysRoot: string, settings: Config) {
    this.#sysRoot = sysRoot;
    this.#isExcluded = namePattern(settings.exclude);
    this.#intervalMs = settings.interval;
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const searched = this.#reads++ % readsPerSearch === 0;
    if (searched) await this.#search(sink, signal);
    for (const sensor of this.#sensors.values()) {
      if (signal.aborted) return;
      if (sensor.fixed && !searched) continue;
      const value = await sensor.file.number();
      if (signal.aborted) return;
      if (sensor.alarm !== null) {
        if (!Number.isNaN(value)) sink.state(sensor.alarm, value === 0 ? 'ok' : 'alarm', now);
      } else {
        if (sensor.series === -1) sensor.series = sink.series(sensor.definition!);
        sink.put(sensor.series, value);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sensors.values()].map((sensor) => sensor.file.close()));
  }

  async #search(sink: SampleSink, signal: AbortSignal): Promise<void> {
    const found = new Map<string, Sensor>();
    for (const sensor of [...(await this.#hwmon()), ...(await this.#zones())]) {
      if (found.size >= maxSensors || found.has(sensor.key)) continue;
      found.set(sensor.key, this.#sensors.get(sensor.key) ?? sensor);
    }
    if (signal.aborted) return;
    for (const [key, gone] of this.#sensors) {
      if (found.has(key)) continue;
      sink.forget(gone.series);
      await gone.file.close();
    }
    this.#sensors = found;
  }

  async #hwmon(): Promise<Sensor[]> {
    const base = `${this.#sysRoot}/class/hwmon`;
    const sensors: Sensor[] = [];
    this.#chips = new Set();
    for (const entry of await namesIn(base, maxChips)) {
      const folder = `${base}/${entry}`;
      const chip = (await readOnce(`${folder}/name`)) ?? entry;
      this.#chips.add(chip.replaceAll('-', '_'));
      const device = await linkedName(`${folder}/device`);
      const parent = device === null ? chip : `${chip}@${device}`;
      const files = await namesIn(folder, maxFilesOfChip);
      for (const file of files) {
        // A power channel may have both; one series has one reading.
        if (file.endsWith('_average') && files.includes(file.replace('_average', '_input'))) continue;
        const sensor = await this.#channel(folder, file, parent);
        if (sensor !== null) sensors.push(sensor);
      }
    }
    return sensors;
  }

  async #channel(folder: string, file: string, parent: string): Promise<Sensor | null> {
    const match =
      /^((temp|fan|in|power)\d+)_(input|average|crit|alarm|crit_alarm|lcrit_alarm|max_alarm|min_alarm)$/.exec(file);
    if (match === null) return null;
    const [, channel, prefix, what] = match as unknown as [string, string, string, string];
    const id = `${parent}/${channel}`;
    if (this.#isExcluded(id)) return null;
    const label = (await readOnce(`${folder}/${channel}_label`)) ?? channel;
    const attributes = { 'hw.id': id, 'hw.name': label, 'hw.parent': parent };
    if (what === 'crit') {
      return prefix === 'temp' ? await this.#critical(`${folder}/${file}`, attributes) : null;
    }
    const made = { key: `${folder}/${file}`, file: new SlowFile(`${folder}/${file}`), series: -1 };
    if (what === 'input' || what === 'average') {
      return { ...made, alarm: null, definition: definition(quantities[prefix]!, attributes) };
    }
    return { ...made, definition: null, alarm: { name: `hw.${what}`, unit: '', attributes } };
  }

  /** What a sensor calls critical, if it can be meant. */
  async #critical(path: string, attributes: Readonly<Record<string, string>>): Promise<Sensor | null> {
    const { metric, unit, scale, max } = quantities.temp!;
    const limitC = Number((await readOnce(path)) ?? Number.NaN) * scale;
    if (!(limitC >= leastCriticalC && limitC <= mostCriticalC)) return null;
    const limit = { metric: `${metric}.limit`, unit, scale, min: 0, max };
    return {
      key: path,
      file: new SlowFile(path),
      series: -1,
      alarm: null,
      fixed: true,
      definition: {
        ...definition(limit, { ...attributes, 'hw.limit_type': 'high.critical' }),
        intervalMs: this.#intervalMs * readsPerSearch,
      },
    };
  }

  /** The point at which the kernel switches the machine off. */
  async #tripPoint(folder: string, attributes: Readonly<Record<string, string>>): Promise<Sensor | null> {
    for (const file of await namesIn(folder, maxFilesOfChip)) {
      const point = /^(trip_point_\d+)_type$/.exec(file)?.[1];
      if (point === undefined || (await readOnce(`${folder}/${file}`)) !== 'critical') continue;
      return await this.#critical(`${folder}/${point}_temp`, attributes);
    }
    return null;
  }

  /** Thermal zones that are not there as hwmon chips too. */
  async #zones(): Promise<Sensor[]> {
    const base = `${this.#sysRoot}/class/thermal`;
    const sensors: Sensor[] = [];
    for (const entry of await namesIn(base, maxChips)) {
      if (!entry.startsWith('thermal_zone')) continue;
      const type = (await readOnce(`${base}/${entry}/type`)) ?? entry;
      if (this.#chips.has(type.replaceAll('-', '_'))) continue;
      const id = `${type}/${entry}`;
      if (this.#isExcluded(id)) continue;
      const attributes = { 'hw.id': id, 'hw.name': type, 'hw.parent': 'thermal' };
      const file = `${base}/${entry}/temp`;
      sensors.push({
        key: file,
        file: new SlowFile(file),
        series: -1,
        alarm: null,
        definition: definition(quantities.temp!, attributes),
      });
      const limit = await this.#tripPoint(`${base}/${entry}`, attributes);
      if (limit !== null) sensors.push(limit);
    }
    return sensors;
  }
}

function definition(quantity: Quantity, attributes: Readonly<Record<string, string>>): SeriesDefinition {
  const { metric, unit, scale, min, max } = quantity;
  // Coarse sensors of a cool machine and fans that stand still repeat themselves for hours.
  return { name: metric, unit, attributes, kind: 'gauge', scale, min, max, steady: true };
}

/** The last part of what a link points to; null where there is none. */
async function linkedName(link: string): Promise<string | null> {
  try {
    return path.basename(await fs.readlink(link));
  } catch {
    return null;
  }
}

export const sensors: InputKind<Config> = {
  doc: 'Temperatures, fans, voltages, power and alarms of hardware monitors and thermal zones.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new SensorsInput(host.sysRoot, settings),
};
