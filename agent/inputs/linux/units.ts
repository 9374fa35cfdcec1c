/**
 * Units of systemd that have failed, as systemd's manager says it on the system bus: no process is started. Where
 * systemd does not run there is nothing to read.
 *
 * OpenTelemetry's systemd receiver: a unit's state is `systemd.unit.state` with `systemd.unit.name`; it is told of units
 * that have failed, from then on until they are well again. `systemd.units.failed` counts them.
 */
import fs from 'node:fs';
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { duration, object } from '../../../shared/config/types.ts';
import { PicketError } from '../../../shared/errors.ts';
import type { SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { askBus } from './bus/ask.ts';
import type { Call } from './bus/wire.ts';
import { namePattern } from './rows.ts';
import { excluded, timingOf } from './settings.ts';

/** Followed by name; what is beyond is counted. */
const MOST_UNITS = 100;
/** Of a unit in the manager's answer: name, description, load, active and sub state, follower, path, job. */
const UNITS = 'a(ssssssouso)';

const config = object({
  doc: 'Units of systemd that have failed.',
  keys: {
    interval: duration({ doc: 'How often it is read.', default: '30s', min: '5s', max: '1h' }),
    exclude: excluded('Units', []),
  },
});
type Config = ValueOf<typeof config>;

const listFailed: Call = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
  member: 'ListUnitsFiltered',
  lists: [['failed']],
};

class UnitsInput implements Input {
  readonly #socket: string;
  readonly #isExcluded: (name: string) => boolean;
  readonly #failed = new Set<string>();
  #series = -1;

  constructor(socket: string, settings: Config) {
    this.#socket = socket;
    this.#isExcluded = namePattern(settings.exclude);
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const names = await this.#failedUnits(signal);
    if (signal.aborted) return;
    if (this.#series === -1) {
      this.#series = sink.series({
        name: 'systemd.units.failed',
        unit: '{unit}',
        attributes: {},
        kind: 'gauge',
        min: 0,
        steady: true,
      });
    }
    sink.put(this.#series, names.length);
    const failed = new Set(names.slice(0, MOST_UNITS));
    for (const name of failed) if (!this.#failed.has(name)) sink.state(unitKey(name), 'failed', now);
    for (const name of this.#failed) {
      if (failed.has(name)) continue;
      sink.state(unitKey(name), 'ok', now);
      this.#failed.delete(name);
    }
    for (const name of failed) this.#failed.add(name);
  }

  async close(): Promise<void> {}

  async #failedUnits(signal: AbortSignal): Promise<readonly string[]> {
    const answer = await askBus(this.#socket, listFailed, signal);
    const { body, signature } = answer;
    if (signature !== UNITS) {
      throw new PicketError('input.failed', `systemd answers with ${signature.slice(0, 50)} instead of ${UNITS}.`);
    }
    const names: string[] = [];
    const end = body.arrayEnd(8);
    while (body.at < end) {
      body.align(8);
      const name = body.text();
      for (let text = 0; text < 6; text++) body.text();
      body.u32();
      body.text();
      body.text();
      if (name !== '' && !this.#isExcluded(name)) names.push(name);
    }
    return names;
  }
}

function unitKey(name: string): SeriesKey {
  return { name: 'systemd.unit.state', unit: '', attributes: { 'systemd.unit.name': name.slice(0, 255) } };
}

/** sd_booted(3): systemd is the init, and its bus is there. */
function hasSystemd(host: Host): boolean {
  const root = host.root.replace(/\/$/, '');
  return (
    host.platform === 'linux' && fs.existsSync(`${root}/run/systemd/system`) && fs.existsSync(`${root}${BUS_SOCKET}`)
  );
}

const BUS_SOCKET = '/run/dbus/system_bus_socket';

export const units: InputKind<Config> = {
  doc: 'Units of systemd that have failed.',
  config,
  automatic: hasSystemd,
  timing: timingOf,
  open: async (settings: Config, host: Host) =>
    new UnitsInput(`${host.root.replace(/\/$/, '')}${BUS_SOCKET}`, settings),
};
