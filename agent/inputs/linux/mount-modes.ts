/**
 * Whether filesystems can be written, and what errors they have recorded.
 *
 * - /proc/self/mountinfo (proc_pid_mountinfo(5)): the options of the filesystem itself, behind the dash. Those before it
 *   are of this mount: a sandbox that shows the machine read-only changes those alone.
 *   After an error ext4 says `ro`, or since Linux 6.15 `emergency_ro` behind an `rw` that it no longer is.
 * - /sys/fs/ext4/DEVICE/errors_count (ext4(5)): errors since the filesystem was last checked; it survives a boot.
 *
 * `system.filesystem.mode` is a state: `rw`, `ro`, or `gone`; `system.filesystem.errors` a count.
 */
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { isLocalType, unescapeOctal } from './mounts.ts';
import { KeptFile, scanner } from './reader.ts';
import { namePattern } from './rows.ts';
import { excluded, interval, onLinux, timingOf } from './settings.ts';
import { readOnce, SlowFile } from './slow-files.ts';

const maxMounts = 64;
/** Options of a filesystem that takes no writes. */
const readOnly = new Set(['ro', 'emergency_ro', 'shutdown']);

const config = object({
  doc: 'Whether filesystems can be written, and the errors that they have recorded.',
  keys: {
    interval: interval('10s'),
    exclude: excluded('Mount points', ['/var/lib/docker/*', '/var/lib/containers/*', '/snap/*']),
  },
});
type Config = ValueOf<typeof config>;

interface Mounted {
  /** major:minor. */
  readonly number: string;
  readonly device: string;
  readonly point: string;
  readonly type: string;
  readonly mode: 'ro' | 'rw';
}

interface Followed {
  readonly mounted: Mounted;
  readonly key: SeriesKey;
  /** Its count of errors; null: it keeps none. */
  readonly errors: SlowFile | null;
  series: number;
}

class MountModesInput implements Input {
  readonly #file: KeptFile;
  readonly #sysRoot: string;
  readonly #isExcluded: (name: string) => boolean;
  #followed = new Map<string, Followed>();
  #text = '';

  constructor(host: Host, settings: Config) {
    this.#file = new KeptFile(`${host.procRoot}/self/mountinfo`);
    this.#sysRoot = host.sysRoot;
    this.#isExcluded = namePattern(settings.exclude);
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    this.#file.loadRequired();
    const text = scanner.allText();
    if (text !== this.#text) {
      await this.#find(text, now, sink, signal);
      if (signal.aborted) return;
      this.#text = text;
    }
    for (const followed of this.#followed.values()) {
      if (followed.errors === null) continue;
      const count = await followed.errors.number();
      if (signal.aborted) return;
      if (followed.series === -1) {
        const { attributes } = followed.key;
        const made = { name: 'system.filesystem.errors', unit: '{error}', attributes, min: 0, steady: true };
        followed.series = sink.series({ ...made, kind: 'gauge' });
      }
      sink.put(followed.series, count);
    }
  }

  async close(): Promise<void> {
    this.#file.close();
    await Promise.all([...this.#followed.values()].map(({ errors }) => errors?.close()));
  }

  async #find(text: string, now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const next = new Map<string, Followed>();
    for (const mounted of parseMountInfo(text, this.#isExcluded)) {
      const { device, point, type, number } = mounted;
      const name = `${device}\n${point}\n${type}\n${number}`;
      const attributes = {
        'system.device': device,
        'system.filesystem.mountpoint': point,
        'system.filesystem.type': type,
      };
      const key = { name: 'system.filesystem.mode', unit: '', attributes };
      const known = this.#followed.get(name);
      next.set(
        name,
        known === undefined
          ? { mounted, key, errors: type === 'ext4' ? await this.#errorsOf(mounted) : null, series: -1 }
          : { ...known, mounted },
      );
    }
    if (signal.aborted) return;
    const before = this.#followed;
    this.#followed = next;
    // First those that are gone: another one may be mounted at the same place.
    for (const [name, { key, errors, series }] of before) {
      if (next.has(name)) continue;
      sink.state(key, 'gone', now);
      sink.forget(series);
      await errors?.close();
    }
    for (const { key, mounted } of next.values()) sink.state(key, mounted.mode, now);
  }

  /** The kernel's name of the device: a mount may say a link to it. */
  async #errorsOf({ number }: Mounted): Promise<SlowFile | null> {
    const event = await readOnce(`${this.#sysRoot}/dev/block/${number}/uevent`);
    const name = /^DEVNAME=(.+)$/m.exec(event ?? '')?.[1];
    if (name === undefined || name.includes('..')) return null;
    const path = `${this.#sysRoot}/fs/ext4/${name.replaceAll('/', '!')}/errors_count`;
    return (await readOnce(path)) === null ? null : new SlowFile(path);
  }
}

/** Local filesystems, each once, by its shortest path. */
function parseMountInfo(text: string, isExcluded: (name: string) => boolean): readonly Mounted[] {
  const byNumber = new Map<string, Mounted>();
  for (const line of text.split('\n')) {
    const dash = line.indexOf(' - ');
    if (dash < 0) continue;
    const [, , number, , rawPoint] = line.slice(0, dash).split(' ');
    const [type, rawDevice, options] = line.slice(dash + 3).split(' ');
    if (number === undefined || rawPoint === undefined || type === undefined) continue;
    if (rawDevice === undefined || options === undefined || !/^\d+:\d+$/.test(number)) continue;
    const point = unescapeOctal(rawPoint);
    if (!isLocalType(type) || type === 'overlay' || isExcluded(point)) continue;
    const known = byNumber.get(number);
    if (known !== undefined && known.point.length <= point.length) continue;
    if (known === undefined && byNumber.size >= maxMounts) continue;
    const mode = options.split(',').some((option) => readOnly.has(option)) ? 'ro' : 'rw';
    byNumber.set(number, { number, device: unescapeOctal(rawDevice), point, type, mode });
  }
  return [...byNumber.values()];
}

export const mountModes: InputKind<Config> = {
  doc: 'Whether filesystems can be written, and the errors that they have recorded.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new MountModesInput(host, settings),
};
