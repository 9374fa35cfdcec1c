/**
 * /proc/pressure: the share of time in which some or all tasks waited for a resource (Documentation/accounting/psi.rst).
 * The running total of microseconds is read, not the kernel's averages: each window then has its own exact share.
 * Containers and kernels without PSI have no such files (or answer EOPNOTSUPP); the input then says nothing.
 * OpenTelemetry has no convention for it.
 */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, InputKind } from '../input.ts';
import type { Layout } from './fields.ts';
import { MappedFile } from './mapped-file.ts';
import { MappedInput } from './mapped-input.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const resources = ['cpu', 'memory', 'io', 'irq'] as const;
const secondsPerMicrosecond = 1e-6;

const config = object({ doc: 'Pressure stall information.', keys: { interval: interval('1s') } });
type Config = ValueOf<typeof config>;

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=10425230`: the number behind `total=`. */
const totals: Layout = (text) => {
  const places = new Map<string, { line: number; field: number; skipBytes: number }>();
  for (const [line, content] of text.split('\n').entries()) {
    const fields = content.split(' ');
    const field = fields.findIndex((part) => part.startsWith('total='));
    if (field > 0) places.set(fields[0]!, { line, field, skipBytes: 'total='.length });
  }
  return places;
};

const stall = (resource: string, tasks: 'some' | 'full'): SeriesDefinition => ({
  name: 'system.linux.pressure.stall',
  unit: '1',
  attributes: { resource, tasks },
  kind: 'counter',
  scale: secondsPerMicrosecond,
  min: 0,
  // A share of time; the totals are brought up to date a little late, so that a second may hold more than one.
  max: 3,
  // Nobody waits on a machine that has enough of everything.
  steady: true,
});

export const pressure: InputKind<Config> = {
  doc: 'Share of time in which some or all tasks waited for processor, memory, disks, interrupts (PSI).',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) =>
    new MappedInput(
      [],
      resources.map(
        (resource) =>
          new MappedFile(`${host.procRoot}/pressure/${resource}`, totals, [
            ['some', stall(resource, 'some')],
            ['full', stall(resource, 'full')],
          ]),
      ),
    ),
};
