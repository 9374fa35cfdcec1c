/** One machine of a simulated fleet: the agent's real apply and model stages over a disk that outlives its process. */
import type { ApplyStore } from '../../../agent/apply/options.ts';
import { ApplyStage } from '../../../agent/apply.ts';
import { ModelStage, supportedModels } from '../../../agent/models.ts';
import type { Timers } from '../../../shared/clock.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import { encodeJson } from '../../../shared/trust/strict.ts';
import { emptyColumns } from '../../../shared/wire/summary.ts';
import { seededNormal } from '../../support/history.ts';
import { silentLog } from '../../support/timers.ts';
import type { Simulated } from '../simulated.ts';
import { levelOf, SERIES, seriesIds } from './poisons.ts';

const REPORT_MS = 10 * MINUTE_MS;
const RESTART_MS = 5_000;
const numbers = Array.from({ length: SERIES }, (_, i) => i);

/** What outlives a process. */
class Disk implements ApplyStore {
  #state: Uint8Array | null = null;
  readonly #blobs = new Map<string, Uint8Array>();
  readState = async () => this.#state;
  getBlob = async (sha256: string) => this.#blobs.get(sha256) ?? null;
  async writeState(bytes: Uint8Array): Promise<void> {
    this.#state = bytes.slice();
  }
  async putBlob(sha256: string, bytes: Uint8Array): Promise<void> {
    this.#blobs.set(sha256, bytes.slice());
  }
  async keepBlobs(kept: ReadonlySet<string>): Promise<void> {
    for (const sha256 of this.#blobs.keys()) if (!kept.has(sha256)) this.#blobs.delete(sha256);
  }
}

export interface MachineOptions {
  readonly id: string;
  readonly seed: number;
  readonly rootKey: string;
  readonly world: Simulated;
  readonly utcMs: () => number;
  /** Takes what the machine says; does nothing while there is no link. */
  readonly send: (channel: 'reported' | 'get', payload: Uint8Array) => void;
}

/** Whose detectors have their turn: for faults that are planted in them. */
export const nowScoring: { machine: FleetMachine | null } = { machine: null };

export class FleetMachine {
  readonly id: string;
  /** Findings that it raised; a series that stays outside counts once. */
  findings = 0;
  /** Processes that ended by themselves. */
  deaths = 0;
  /** A detector with a fault asked for the end of the process, or for much memory. */
  dies = false;
  hoards = false;
  readonly #options: MachineOptions;
  readonly #disk = new Disk();
  readonly #normal: () => number;
  /** Since when each series is outside, or was. */
  readonly #outside = new Map<string, number>();
  #process: { readonly models: ModelStage; readonly apply: ApplyStage } | null = null;
  #reportedMs = 0;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.id = options.id;
    this.#normal = seededNormal(options.seed);
  }

  get apply(): ApplyStage | null {
    return this.#process?.apply ?? null;
  }

  /** Release in force; null where none. */
  get running(): string | null {
    return this.#process?.apply.status().applied[0]?.releaseSha256 ?? null;
  }

  get dropped(): string | undefined {
    return this.#process?.models.comparisons()[0]?.dropped;
  }

  /** (Again) from what lies on the disk. */
  async start(linked: boolean): Promise<void> {
    const { id, rootKey, world, utcMs, send } = this.#options;
    const models = new ModelStage({
      limit: SERIES,
      windowMs: () => MINUTE_MS,
      series: {
        id: (number) => seriesIds[number]!,
        definition: (number) => ({ kind: 'gauge', name: `m${number}`, unit: '1', attributes: {} }),
      },
      onFinding: ({ series, sinceMs }) => {
        if (this.#outside.get(series) !== sinceMs) this.findings++;
        this.#outside.set(series, sinceMs);
      },
      onBroken: (slot, reason) => apply.broken(slot, reason),
    });
    const alive = (): boolean => this.#process?.apply === apply;
    // Nothing of an old life acts afterwards.
    const timers: Timers = {
      ...world.timers,
      after: (delayMs, callback) => world.timers.after(delayMs, () => alive() && callback()),
    };
    const apply = new ApplyStage({
      agent: id,
      rootKey,
      store: this.#disk,
      timers,
      log: silentLog,
      supports: supportedModels,
      centralMs: utcMs,
      utcMs,
      requestChunk: (sha256, index) => alive() && send('get', encodeJson({ sha256, index })),
      report: (report) => {
        if (alive()) send('reported', encodeJson({ ...report, agentVersion: '1', health: {}, warnings: [] }));
      },
      memory: { usedBytes: () => (this.hoards ? 60 : 8) * 2 ** 20, collect: () => {} },
      activate: (slot, content) => models.activate(slot, content),
      deactivate: (slot) => models.deactivate(slot),
      beside: models,
      command: () => {},
    });
    this.#process = { models, apply };
    await apply.start();
    if (linked) apply.connected();
  }

  /** `kill -9`; it is started again a little later. */
  kill(linked: () => boolean): void {
    this.#process = null;
    this.#options.world.timers.after(RESTART_MS, () => void this.start(linked()));
  }

  /** A window ends. */
  minute(endUtcMs: number, linked: () => boolean): void {
    const columns = emptyColumns(SERIES);
    for (const number of numbers) {
      columns.mean[number] = levelOf(number) + this.#normal();
      columns.count[number] = 60;
    }
    if (this.#process === null) return;
    const { models, apply } = this.#process;
    this.dies = false;
    this.hoards = false;
    nowScoring.machine = this;
    models.score(numbers, columns, { nominalMs: MINUTE_MS, lengthMs: MINUTE_MS, endMonotonicMs: endUtcMs, endUtcMs });
    if (this.dies) {
      this.deaths++;
      this.kill(linked);
      return;
    }
    if (linked() && endUtcMs - this.#reportedMs >= REPORT_MS) {
      this.#reportedMs = endUtcMs;
      this.#options.send('reported', encodeJson({ ...apply.status(), agentVersion: '1', health: {}, warnings: [] }));
    }
  }
}
