/** /proc/loadavg. Names of OpenTelemetry's host metrics receiver: `system.cpu.load_average.1m`, unit `{thread}`. */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { KeptFile, scanner } from './reader.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const spans = ['1m', '5m', '15m'];

const config = object({ doc: 'Load averages.', keys: { interval: interval('1s') } });
type Config = ValueOf<typeof config>;

class LoadInput implements Input {
  readonly #file: KeptFile;
  #series: Int32Array | null = null;

  constructor(path: string) {
    this.#file = new KeptFile(path);
  }

  read(_now: unknown, sink: SampleSink): void {
    this.#file.loadRequired();
    this.#series ??= Int32Array.from(spans, (span) =>
      sink.series({
        name: `system.cpu.load_average.${span}`,
        unit: '{thread}',
        attributes: {},
        kind: 'gauge',
        min: 0,
        // The kernel works it out each 5 s: some equal readings say nothing.
        steady: true,
      }),
    );
    for (let i = 0; i < spans.length; i++) sink.put(this.#series[i]!, scanner.number());
  }

  async close(): Promise<void> {
    this.#file.close();
  }
}

export const load: InputKind<Config> = {
  doc: 'Load averages of 1, 5 and 15 minutes.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => new LoadInput(`${host.procRoot}/loadavg`),
};
