/**
 * /proc/sys/fs/file-nr: open file handles of the whole system and their limit. The kernel prints 2^63-1 for "no limit",
 * which is left out. OpenTelemetry has no such metric of a system.
 */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { KeptFile, scanner } from './reader.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const unlimited = 2 ** 53;

const config = object({ doc: 'Open file handles.', keys: { interval: interval('1s') } });
type Config = ValueOf<typeof config>;

const gauge = (name: string, unit: string): SeriesDefinition => ({
  name,
  unit,
  attributes: {},
  kind: 'gauge',
  min: 0,
  steady: true,
});

class FilesInput implements Input {
  readonly #file: KeptFile;
  #count = -1;
  #limit = -1;
  #utilization = -1;
  #begun = false;

  constructor(path: string) {
    this.#file = new KeptFile(path);
  }

  read(_now: unknown, sink: SampleSink): void {
    this.#file.loadRequired();
    const allocated = scanner.number();
    const unused = scanner.number();
    const limit = scanner.number();
    if (!this.#begun) this.#begin(limit, sink);
    sink.put(this.#count, allocated - unused);
    sink.put(this.#limit, limit);
    sink.put(this.#utilization, (allocated - unused) / limit);
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  #begin(limit: number, sink: SampleSink): void {
    this.#begun = true;
    this.#count = sink.series(gauge('system.linux.file_handles.count', '{file}'));
    if (!(limit < unlimited)) return;
    this.#limit = sink.series(gauge('system.linux.file_handles.limit', '{file}'));
    this.#utilization = sink.series({
      ...gauge('system.linux.file_handles.utilization', '1'),
      max: 1,
      full: 1,
      fullAt: 1,
    });
  }
}

export const files: InputKind<Config> = {
  doc: 'Open file handles and their limit.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => new FilesInput(`${host.procRoot}/sys/fs/file-nr`),
};
