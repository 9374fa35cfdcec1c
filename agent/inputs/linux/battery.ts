/**
 * /sys/class/power_supply: batteries and the mains (Documentation/ABI/testing/sysfs-class-power).
 *
 * OpenTelemetry's hardware conventions: `hw.battery.charge` (a share) and `hw.power`; the state of a battery and of the
 * mains are states whose changes become events. Batteries of mice and keyboards (scope "Device") are left out.
 */
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition, SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { interval, onLinux, timingOf } from './settings.ts';
import { namesIn, readOnce, SlowFile } from './slow-files.ts';

const maxSupplies = 16;
const readsPerSearch = 6;
const microwatt = 1e-6;
const percent = 0.01;

const config = object({ doc: 'Batteries and the mains.', keys: { interval: interval('10s') } });
type Config = ValueOf<typeof config>;

interface Value {
  readonly file: SlowFile;
  readonly definition: SeriesDefinition;
  series: number;
}

interface State {
  readonly file: SlowFile;
  readonly key: SeriesKey;
  readonly word: (text: string) => string;
}

interface Supply {
  readonly values: readonly Value[];
  readonly states: readonly State[];
}

class BatteryInput implements Input {
  readonly #base: string;
  readonly #supplies = new Map<string, Supply>();
  #reads = 0;

  constructor(base: string) {
    this.#base = base;
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    if (this.#reads++ % readsPerSearch === 0) await this.#search(sink);
    for (const supply of this.#supplies.values()) {
      for (const value of supply.values) {
        const number = await value.file.number();
        if (signal.aborted) return;
        if (value.series === -1 && !Number.isNaN(number)) value.series = sink.series(value.definition);
        sink.put(value.series, number);
      }
      for (const state of supply.states) {
        const text = await state.file.text();
        if (signal.aborted) return;
        if (text !== null) sink.state(state.key, state.word(text), now);
      }
    }
  }

  async close(): Promise<void> {
    for (const supply of this.#supplies.values()) await closeSupply(supply);
  }

  async #search(sink: SampleSink): Promise<void> {
    const names = await namesIn(this.#base, maxSupplies);
    for (const [name, supply] of this.#supplies) {
      if (names.includes(name)) continue;
      this.#supplies.delete(name);
      for (const value of supply.values) sink.forget(value.series);
      await closeSupply(supply);
    }
    for (const name of names) {
      if (this.#supplies.has(name)) continue;
      const supply = await describe(`${this.#base}/${name}`, name);
      if (supply !== null) this.#supplies.set(name, supply);
    }
  }
}

async function describe(folder: string, name: string): Promise<Supply | null> {
  const type = await readOnce(`${folder}/type`);
  const scope = await readOnce(`${folder}/scope`);
  if (type === null || scope === 'Device') return null;
  const attributes = { 'hw.id': name, 'hw.name': (await readOnce(`${folder}/model_name`)) || name };
  if (type !== 'Battery' && type !== 'UPS') {
    const key = { name: 'hw.power_supply.online', unit: '', attributes };
    const word = (text: string): string => (text === '0' ? 'off' : 'on');
    return { values: [], states: [{ file: new SlowFile(`${folder}/online`), key, word }] };
  }
  const gauge = (
    file: string,
    metric: string,
    unit: string,
    scale: number,
    more: Partial<SeriesDefinition> = {},
  ): Value => ({
    file: new SlowFile(`${folder}/${file}`),
    definition: { name: metric, unit, attributes, kind: 'gauge', scale, steady: true, ...more },
    series: -1,
  });
  return {
    values: [
      gauge('capacity', 'hw.battery.charge', '1', percent, { emptyAt: 0 }),
      gauge('power_now', 'hw.power', 'W', microwatt),
    ],
    states: [
      {
        file: new SlowFile(`${folder}/status`),
        key: { name: 'hw.battery.state', unit: '', attributes },
        word: (text) => text.toLowerCase().replaceAll(' ', '_'),
      },
    ],
  };
}

async function closeSupply(supply: Supply): Promise<void> {
  for (const part of [...supply.values, ...supply.states]) await part.file.close();
}

export const battery: InputKind<Config> = {
  doc: 'Charge, power and state of batteries; whether the mains are on.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => new BatteryInput(`${host.sysRoot}/class/power_supply`),
};
