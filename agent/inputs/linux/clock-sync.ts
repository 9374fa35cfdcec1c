/**
 * Whether the clock is synchronised: what time services leave behind in files, since asking the kernel (adjtimex) or
 * the services needs a call or a program that we do not have. `yes`, `no`, `stopped` where a service was seen to run and
 * does not any more, or `unknown` where nothing can be known.
 *
 * - systemd-timesyncd makes /run/systemd/timesync/synchronized at its first contact with a server after the boot; the
 *   folder is there while it runs.
 * - chronyd and ntpd rewrite their drift files each hour, and only while they are synchronised; a file with their
 *   process number is there while they run.
 */
import fs from 'node:fs/promises';
import type { Instant } from '../../../shared/clock.ts';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { isGone } from './reader.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const timesync = '/run/systemd/timesync';
const services = [
  { running: '/run/chrony/chronyd.pid', drift: ['/var/lib/chrony/chrony.drift', '/var/lib/chrony/drift'] },
  {
    running: '/run/ntpd.pid',
    drift: ['/var/lib/ntpsec/ntp.drift', '/var/lib/ntp/ntp.drift', '/var/lib/ntp/drift'],
  },
] as const;
/** Two of the hourly writes and a little. */
const freshDriftMs = 2.2 * 3_600_000;

const config = object({ doc: 'Clock synchronisation.', keys: { interval: interval('30s') } });
type Config = ValueOf<typeof config>;
type Answer = 'yes' | 'no' | 'stopped' | 'unknown';

class ClockSyncInput implements Input {
  readonly #root: string;
  /** What says that a service runs, of those that were seen to run. */
  readonly #ran = new Set<string>();
  #series = -1;

  constructor(root: string) {
    this.#root = root.replace(/\/$/, '');
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    const answer = await this.#find(now);
    if (signal.aborted) return;
    if (this.#series === -1) {
      this.#series = sink.series({
        name: 'system.clock.synchronized',
        unit: '1',
        attributes: {},
        kind: 'gauge',
        steady: true,
      });
    }
    sink.put(this.#series, answer === 'unknown' ? Number.NaN : Number(answer === 'yes'));
    sink.state({ name: 'system.clock.synchronization', unit: '', attributes: {} }, answer, now);
  }

  async close(): Promise<void> {}

  async #find(now: Instant): Promise<Answer> {
    const timesyncRuns = await this.#runs(timesync);
    if ((await this.#modifiedMs(`${timesync}/synchronized`)) !== null) return 'yes';
    let runs = timesyncRuns;
    for (const { running, drift } of services) {
      const ran = this.#ran.has(running);
      const isThere = await this.#runs(running);
      runs ||= isThere;
      // What it wrote before it was stopped is fresh for hours.
      if (ran && !isThere) continue;
      for (const file of drift) {
        const modifiedMs = await this.#modifiedMs(file);
        if (modifiedMs !== null && Math.abs(now.utcMs - modifiedMs) < freshDriftMs) return 'yes';
      }
    }
    // It runs and has not found a server yet.
    if (timesyncRuns) return 'no';
    return this.#ran.size > 0 && !runs ? 'stopped' : 'unknown';
  }

  async #runs(file: string): Promise<boolean> {
    const isThere = (await this.#modifiedMs(file)) !== null;
    if (isThere) this.#ran.add(file);
    return isThere;
  }

  async #modifiedMs(file: string): Promise<number | null> {
    try {
      return (await fs.stat(`${this.#root}${file}`)).mtimeMs;
    } catch (error) {
      if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return null;
      throw error;
    }
  }
}

export const clockSync: InputKind<Config> = {
  doc: 'Whether the clock is synchronised.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => new ClockSyncInput(host.root),
};
