/**
 * A simulated fleet under one cohort: the central's real models' service with its rollouts, and agents' real apply and
 * model stages, with nothing between them but function calls, and one clock. Models are given to it signed, as a
 * trainer with a fault would.
 */
import type { Audit, ModelVersion, Rollout } from '../../../central/api.ts';
import { createAudit } from '../../../central/audit.ts';
import { openKeys } from '../../../central/keys.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import { encodeEnvelope } from '../../../shared/trust/dsse.ts';
import { sha256Hex } from '../../../shared/trust/hash.ts';
import { payloadTypes, type Release } from '../../../shared/trust/messages.ts';
import { parseChunkRequest, parseReported } from '../../../shared/trust/reported.ts';
import { encodeJson } from '../../../shared/trust/strict.ts';
import { encodeChunk } from '../../../shared/wire/live.ts';
import { HistoryStore, LearningCentral } from '../../support/learning.ts';
import { Simulated } from '../simulated.ts';
import { FleetMachine } from './machine.ts';

export const SLOT = 'model/seasonal';
const LINE_MS = 20;

export interface FleetOptions {
  readonly machines: number;
  readonly seed: number;
  /** Where the central's keys lie. */
  readonly directory: string;
  readonly times: Rollout['times'];
  readonly firstModel: (note: number) => Uint8Array;
}

export class Fleet {
  readonly world: Simulated;
  readonly machines: FleetMachine[] = [];
  readonly audit: Audit;
  readonly #options: FleetOptions;
  readonly #store = new HistoryStore();
  readonly #keys: Awaited<ReturnType<typeof openKeys>>;
  /** What the broker keeps. */
  readonly #retained = new Map<string, Uint8Array>();
  /** Release of each version. */
  readonly releases = new Map<number, string>();
  /** Looked at after each minute. */
  watch: () => void = () => {};
  central: LearningCentral | null = null;
  /** Reports reach the central. */
  hears = true;

  private constructor(options: FleetOptions, keys: Awaited<ReturnType<typeof openKeys>>) {
    this.#options = options;
    this.#keys = keys;
    this.world = new Simulated(options.seed);
    this.audit = createAudit(this.#store.documents, this.nowMs);
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options, await openKeys(options.directory));
    const { documents } = fleet.#store;
    for (let i = 0; i < options.machines; i++) {
      const id = `m${String(i).padStart(2, '0')}`;
      const version = await fleet.#release(id, options.firstModel(i), 'published');
      await documents.put('model-state', id, { running: {}, desired: { [SLOT]: version }, fromMs: 0, toMs: 0 });
      const { world, nowMs } = fleet;
      fleet.machines.push(
        new FleetMachine({
          id,
          seed: options.seed * 1000 + i,
          rootKey: fleet.#keys.rootKey,
          world,
          utcMs: nowMs,
          send: (channel, payload) => fleet.#toCentral(id, channel, payload),
        }),
      );
    }
    await fleet.startCentral();
    for (const machine of fleet.machines) await machine.start(true);
    fleet.#minutes();
    return fleet;
  }

  readonly nowMs = (): number => Math.round(this.world.clock.wallMs());
  readonly linked = (): boolean => this.central !== null;

  /** (Again) over the documents that it left; the machines connect. */
  async startCentral(): Promise<void> {
    const { directory, times } = this.#options;
    const publishDesired = async (agent: string, bytes: Uint8Array): Promise<void> => {
      this.#retained.set(agent, bytes);
      this.#deliver(agent, bytes);
    };
    this.central = await LearningCentral.start(directory, this.#store, {
      timers: this.world.timers,
      nowMs: this.nowMs,
      publishDesired,
      rollout: { times, audit: this.audit },
    });
    for (const { id, apply } of this.machines) {
      apply?.connected();
      const retained = this.#retained.get(id);
      if (retained !== undefined) this.#deliver(id, retained);
    }
  }

  /** With its broker. */
  async stopCentral(): Promise<void> {
    const { central } = this;
    this.central = null;
    await central?.models.close();
  }

  /** Every machine's process is killed, and started again. */
  async restartMachines(): Promise<void> {
    for (const machine of this.machines) machine.kill(this.linked);
    await this.run(MINUTE_MS);
  }

  /** Gives each machine a version as a trainer that is sure of it would; answers with the versions by machine. */
  async give(content: (note: number) => Uint8Array, bytes?: number): Promise<Map<string, number>> {
    const given = new Map<string, number>();
    for (const [i, { id }] of this.machines.entries()) {
      const version = await this.#release(id, content(1000 + i), 'staged', bytes);
      given.set(id, version);
      const old = this.central!.models.desired(id);
      await this.central!.models.rollouts.stage(id, SLOT, version, old!);
    }
    return given;
  }

  /** Goes on for so long, or until it is so; whether it was. */
  run(ms: number, done: () => boolean = () => false): Promise<boolean> {
    return this.world.run(this.world.now + ms, done);
  }

  rollouts(): readonly Rollout[] {
    return this.central!.models.rollouts.list();
  }

  #minutes(): void {
    this.world.timers.after(MINUTE_MS, () => {
      for (const machine of this.machines) machine.minute(this.nowMs(), this.linked);
      this.watch();
      this.#minutes();
    });
  }

  #deliver(id: string, bytes: Uint8Array): void {
    this.world.timers.after(LINE_MS, () => {
      if (this.linked()) this.machines.find((machine) => machine.id === id)?.apply?.desired(bytes);
    });
  }

  #toCentral(id: string, channel: 'reported' | 'get', payload: Uint8Array): void {
    this.world.timers.after(LINE_MS, () => {
      const models = this.central?.models;
      if (models === undefined) return;
      if (channel === 'reported') {
        if (!this.hears) return;
        void models.onReported(id, parseReported(payload));
        return;
      }
      const { sha256, index } = parseChunkRequest(payload);
      void models.chunk(id, sha256, index).then((chunk) => {
        if (chunk === null) return;
        this.world.timers.after(LINE_MS, () => {
          if (this.linked()) this.machines.find((machine) => machine.id === id)?.apply?.chunk(encodeChunk(chunk));
        });
      });
    });
  }

  /** A version with its signed release, as the central keeps them. */
  async #release(agent: string, content: Uint8Array, state: ModelVersion['state'], bytes?: number): Promise<number> {
    const { documents } = this.#store;
    const version = this.releases.size + 1;
    const contentBytes = bytes ?? content.length;
    const contentSha256 = sha256Hex(content);
    const madeMs = this.nowMs();
    const note = `model ${version}`;
    const shape = { kind: SLOT, major: 1, featureVersion: 1, windowMs: MINUTE_MS };
    const release: Release = {
      release: 1,
      ...shape,
      target: `agent:${agent}`,
      contentSha256,
      contentBytes,
      madeMs,
      note,
    };
    const envelope = encodeEnvelope(this.#keys.sign('model', payloadTypes.release, encodeJson(release)));
    const releaseSha256 = sha256Hex(envelope);
    await documents.putBlob(releaseSha256, envelope);
    await documents.putBlob(contentSha256, content);
    const about = { trainedMs: madeMs, fromMs: 0, toMs: madeMs, series: 4, evaluation: null };
    const model = {
      version,
      kind: SLOT,
      agent,
      ...about,
      releaseSha256,
      contentSha256,
      contentBytes,
      state,
      reason: '',
    };
    const key = String(version).padStart(10, '0');
    await documents.putAll([
      { namespace: 'model', key, value: model },
      { namespace: `model-of.${agent}`, key, value: version },
    ]);
    this.releases.set(version, releaseSha256);
    return version;
  }
}
