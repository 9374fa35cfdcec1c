/**
 * Space and inodes of mounted filesystems, by statfs(2).
 *
 * OpenTelemetry: `system.filesystem.usage` by `system.filesystem.state`, `.utilization`, `.limit`, with
 * `system.device`, `.mountpoint`, `.type`; the inodes' are the host metrics receiver's.
 *
 * A mount that does not answer in time (`statfs-gate.ts`) has bad values and the state `system.filesystem.answers: no`;
 * the others go on. Filesystems of networks and of user space are left out unless asked for.
 */

import type { StatsFs } from 'node:fs';
import fs from 'node:fs/promises';
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import { Quality, type SeriesDefinition, type SeriesKey } from '../../../shared/series.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { type Mount, parseMounts } from './mounts.ts';
import { KeptFile, scanner } from './reader.ts';
import { namePattern } from './rows.ts';
import { excluded, flag, interval, onLinux, timingOf } from './settings.ts';
import { StatfsGate } from './statfs-gate.ts';

const maxMounts = 64;
const lateMs = 2000;
/** Of the process, as the pool of threads is: what is late stays so when the input is opened anew. */
const gate = new StatfsGate(fs.statfs, lateMs);

const config = object({
  doc: 'Space and inodes of filesystems.',
  keys: {
    interval: interval('10s'),
    network: flag('Filesystems of the network and of user space too (nfs, cifs, fuse …); they may hang.', false),
    exclude: excluded('Mount points', ['/boot/efi', '/var/lib/docker/*', '/var/lib/containers/*', '/snap/*']),
  },
});
type Config = ValueOf<typeof config>;

class Mounted {
  readonly mount: Mount;
  readonly series: Int32Array;

  constructor(mount: Mount, sink: SampleSink) {
    this.mount = mount;
    this.series = Int32Array.from(definitions(mount), (definition) => sink.series(definition));
  }
}

class FilesystemInput implements Input {
  readonly #mounts: KeptFile;
  readonly #root: string;
  readonly #network: boolean;
  readonly #isExcluded: (name: string) => boolean;
  #mounted = new Map<string, Mounted>();
  #mountsText = '';

  constructor(host: Host, settings: Config) {
    this.#mounts = new KeptFile(`${host.procRoot}/self/mounts`);
    this.#root = host.root.replace(/\/$/, '');
    this.#network = settings.network;
    this.#isExcluded = namePattern(settings.exclude);
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    this.#findMounts(sink);
    for (const mounted of this.#mounted.values()) {
      const outcome = await gate.ask(`${this.#root}${mounted.mount.point}`);
      if (signal.aborted) return;
      if (outcome === 'failed') continue;
      sink.state(answersKey(mounted.mount), outcome === 'late' ? 'no' : 'yes', now);
      if (outcome === 'late') putLate(mounted, sink);
      else put(mounted, outcome, sink);
    }
  }

  async close(): Promise<void> {
    this.#mounts.close();
  }

  #findMounts(sink: SampleSink): void {
    this.#mounts.loadRequired();
    const text = scanner.allText();
    if (text === this.#mountsText) return;
    this.#mountsText = text;
    const next = new Map<string, Mounted>();
    for (const mount of parseMounts(text, this.#network)) {
      if (next.size >= maxMounts) break;
      if (this.#isExcluded(mount.point)) continue;
      const key = `${mount.device}\n${mount.point}\n${mount.type}`;
      next.set(key, this.#mounted.get(key) ?? new Mounted(mount, sink));
    }
    for (const [key, gone] of this.#mounted) {
      if (!next.has(key)) for (const series of gone.series) sink.forget(series);
    }
    this.#mounted = next;
  }
}

function putLate(mounted: Mounted, sink: SampleSink): void {
  for (const series of mounted.series) sink.put(series, Number.NaN, Quality.bad);
}

function answersKey(mount: Mount): SeriesKey {
  return { name: 'system.filesystem.answers', unit: '', attributes: named(mount) };
}

function put(mounted: Mounted, stats: StatsFs, sink: SampleSink): void {
  const { series } = mounted;
  const { bsize, blocks, bfree, bavail, files, ffree } = stats;
  const used = (blocks - bfree) * bsize;
  const free = bavail * bsize;
  sink.put(series[0]!, blocks * bsize);
  sink.put(series[1]!, used);
  sink.put(series[2]!, free);
  sink.put(series[3]!, (bfree - bavail) * bsize);
  // As df(1) has it: of what a user can use, since the reserve helps nobody.
  sink.put(series[4]!, used + free > 0 ? used / (used + free) : Number.NaN);
  // btrfs and vfat have no fixed number of inodes and say 0.
  sink.put(series[5]!, files > 0 ? files - ffree : Number.NaN);
  sink.put(series[6]!, files > 0 ? (files - ffree) / files : Number.NaN);
}

function named(mount: Mount): Readonly<Record<string, string>> {
  return {
    'system.device': mount.device,
    'system.filesystem.mountpoint': mount.point,
    'system.filesystem.type': mount.type,
  };
}

function definitions(mount: Mount): readonly SeriesDefinition[] {
  const gauge = (name: string, unit: string, state?: string): SeriesDefinition => ({
    name: `system.filesystem.${name}`,
    unit,
    attributes: state === undefined ? named(mount) : { ...named(mount), 'system.filesystem.state': state },
    kind: 'gauge',
    min: 0,
    // A disk that nobody writes to keeps its numbers.
    steady: true,
  });
  return [
    gauge('limit', 'By'),
    gauge('usage', 'By', 'used'),
    gauge('usage', 'By', 'free'),
    gauge('usage', 'By', 'reserved'),
    { ...gauge('utilization', '1'), max: 1, full: 1, fullAt: 1 },
    gauge('inodes.usage', '{inode}', 'used'),
    { ...gauge('inodes.utilization', '1'), max: 1, full: 1, fullAt: 1 },
  ];
}

export const filesystem: InputKind<Config> = {
  doc: 'Space and inodes of filesystems.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new FilesystemInput(host, settings),
};
