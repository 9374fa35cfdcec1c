/** /proc/uptime: OpenTelemetry's `system.uptime`. */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { Host, InputKind } from '../input.ts';
import { MappedFile } from './mapped-file.ts';
import { MappedInput } from './mapped-input.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const config = object({ doc: 'Time since the boot.', keys: { interval: interval('10s') } });
type Config = ValueOf<typeof config>;

export const uptime: InputKind<Config> = {
  doc: 'Time since the boot.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) =>
    new MappedInput([
      new MappedFile(`${host.procRoot}/uptime`, () => new Map([['', { line: 0, field: 0 }]]), [
        ['', { name: 'system.uptime', unit: 's', attributes: {}, kind: 'gauge', min: 0 }],
      ]),
    ]),
};
