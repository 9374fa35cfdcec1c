/**
 * /proc/vmstat: page faults, swapping, reclaim, and the kernel killing processes for want of memory.
 *
 * OpenTelemetry: `system.paging.faults` by `system.paging.fault.type`; `system.paging.operations` by direction, which
 * are pages swapped in and out. What has no semantic convention is under `system.linux.`. Kernel: a count in vmstat is
 * an `unsigned long`, of 32 bits on a 32-bit kernel.
 */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, InputKind } from '../input.ts';
import { keyValueLines } from './fields.ts';
import { MappedFile, type Mapping } from './mapped-file.ts';
import { MappedInput } from './mapped-input.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const config = object({
  doc: 'Page faults, swapping, memory reclaim, kills for want of memory.',
  keys: { interval: interval('1s') },
});
type Config = ValueOf<typeof config>;

const counter = (
  name: string,
  unit: string,
  attributes: Readonly<Record<string, string>> = {},
  scale = 1,
): SeriesDefinition => ({
  name,
  unit,
  attributes,
  kind: 'counter',
  wrapBits: 32,
  min: 0,
  scale,
  steady: name !== 'system.paging.faults',
});

const direction = (value: 'in' | 'out'): Record<string, string> => ({ 'system.paging.direction': value });
const bytesPerKibibyte = 1024;

/** `pgfault` is all faults, the major ones among them: the series without a type. */
const mappings: readonly Mapping[] = [
  ['pgfault', counter('system.paging.faults', '{fault}/s')],
  ['pgmajfault', counter('system.paging.faults', '{fault}/s', { 'system.paging.fault.type': 'major' })],
  ['pswpin', counter('system.paging.operations', '{operation}/s', direction('in'))],
  ['pswpout', counter('system.paging.operations', '{operation}/s', direction('out'))],
  // vmscan counts what is read and written for the page cache in kibibytes.
  ['pgpgin', counter('system.linux.paging.io', 'By/s', direction('in'), bytesPerKibibyte)],
  ['pgpgout', counter('system.linux.paging.io', 'By/s', direction('out'), bytesPerKibibyte)],
  ['pgscan_direct', counter('system.linux.memory.reclaim.scanned', '{page}/s', { reclaim: 'direct' })],
  ['pgscan_kswapd', counter('system.linux.memory.reclaim.scanned', '{page}/s', { reclaim: 'background' })],
  ['oom_kill', counter('system.linux.memory.oom_kills', '{process}/s')],
];

export const paging: InputKind<Config> = {
  doc: 'Page faults, swapping, memory reclaim, and processes killed for want of memory.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) =>
    new MappedInput([new MappedFile(`${host.procRoot}/vmstat`, keyValueLines, mappings)]),
};
