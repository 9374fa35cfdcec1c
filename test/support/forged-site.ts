/**
 * One agent's apply stage that runs a model and a configuration, for who forges: what it is sent, what it does, and what
 * its central reads of its reports.
 */
import type { ApplyReport, ApplyStore } from '../../agent/apply/options.ts';
import { ApplyStage } from '../../agent/apply.ts';
import { agentConfigSchema } from '../../agent/config.ts';
import { effectiveConfiguration } from '../../agent/configuration/effective.ts';
import { inputKinds } from '../../agent/inputs/registry.ts';
// Loaded late by an agent, which the turns of a test do not wait for.
import '../../shared/config/from-json.ts';
import { configurationForm, encodeManaged, parseManaged } from '../../shared/config/managed.ts';
import { parseValue } from '../../shared/config/schema.ts';
import { utcZone } from '../../shared/detect/civil.ts';
import { seasonal } from '../../shared/detect/seasonal.ts';
import { PicketError } from '../../shared/errors.ts';
import { chunkOf } from '../../shared/trust/chunks.ts';
import { encodeEnvelope } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { Manifest, ManifestRelease, Reported, SignedEnvelope } from '../../shared/trust/messages.ts';
import { parseReported } from '../../shared/trust/reported.ts';
import { encodeJson, type JsonObject } from '../../shared/trust/strict.ts';
import type { Chunk } from '../../shared/wire/live.ts';
import { encodeChunk } from '../../shared/wire/live.ts';
import { decodeSeasonalModel, encodeSeasonalModel } from '../../shared/wire/seasonal-model.ts';
import { ManualTimers, settled, silentLog } from './timers.ts';
import { madeMs, type TestAuthority } from './trust.ts';

export const slots = ['model/seasonal', configurationForm.kind] as const;
export type Slot = (typeof slots)[number];
export const FLOOR = 1000;

/** A content that an agent runs; each version is another one. */
export function contentFor(slot: Slot, version = 1, values: JsonObject = { window: '1m' }): Uint8Array {
  if (slot === configurationForm.kind) {
    return encodeManaged({ configuration: 1, agent: 'a1', version, layers: { all: 1 }, values });
  }
  const shared = { windowMs: 60_000, zone: utcZone, bandBits: 5, findingBits: 17 };
  const params = { ...seasonal.defaults, ...shared, windows: version };
  return encodeSeasonalModel({ ...shared, series: new Map([['00000000000000aa', params]]) });
}

/** What the agent's own stages say of a content before it is in force. Throws. */
async function judged(slot: string, content: Uint8Array): Promise<void> {
  if (slot !== configurationForm.kind) {
    decodeSeasonalModel(content);
    return;
  }
  const local = parseValue(agentConfigSchema(inputKinds), {});
  if (!local.ok) throw new Error('the defaults are no configuration');
  await effectiveConfiguration({ config: local.value, raw: {}, file: null }, parseManaged(content).values, inputKinds);
}

class Disk implements ApplyStore {
  #state: Uint8Array | null = null;
  readonly #blobs = new Map<string, Uint8Array>();
  readState = async () => this.#state;
  getBlob = async (hash: string) => this.#blobs.get(hash) ?? null;
  async writeState(bytes: Uint8Array): Promise<void> {
    this.#state = bytes;
  }
  async putBlob(hash: string, bytes: Uint8Array): Promise<void> {
    this.#blobs.set(hash, bytes.slice());
  }
  async keepBlobs(kept: ReadonlySet<string>): Promise<void> {
    for (const hash of this.#blobs.keys()) if (!kept.has(hash)) this.#blobs.delete(hash);
  }
}

export function entryOf(slot: string, release: Uint8Array): ManifestRelease {
  return { slot, releaseSha256: sha256Hex(release), releaseBytes: release.length };
}

export class ForgedSite {
  readonly authority: TestAuthority;
  readonly timers = new ManualTimers();
  readonly stage: ApplyStage;
  /** What the central has, by the name that is asked for, whatever it is. */
  readonly served = new Map<string, Uint8Array>();
  /** What becomes of each answer. */
  tamper: (chunk: Chunk) => Uint8Array = encodeChunk;
  /** All that the agent ever did: ran, put beside, ended, was commanded. */
  readonly deeds: string[] = [];
  readonly good: Readonly<Record<Slot, ManifestRelease>>;
  nowMs = madeMs;
  version = FLOOR;
  #report: ApplyReport | null = null;

  constructor(authority: TestAuthority) {
    this.authority = authority;
    const { model, configuration } = authority.keys;
    const named = slots.map((slot): [Slot, ManifestRelease] => {
      const content = contentFor(slot);
      const by = slot === configurationForm.kind ? configuration : model;
      const release = encodeEnvelope(authority.release(content, { kind: slot }, by));
      this.serve(content, release);
      return [slot, entryOf(slot, release)];
    });
    this.good = Object.fromEntries(named) as Record<Slot, ManifestRelease>;
    this.stage = new ApplyStage({
      agent: 'a1',
      rootKey: authority.root.publicKey,
      store: new Disk(),
      timers: this.timers,
      log: silentLog,
      supports: slots.map((kind) => ({ kind, major: 1, featureVersion: 1 })),
      centralMs: () => this.nowMs,
      utcMs: () => this.nowMs,
      requestChunk: (hash, index) => {
        const blob = this.served.get(hash);
        const chunk = blob && chunkOf(blob, hash, index);
        if (chunk) this.stage.chunk(this.tamper(chunk));
      },
      report: (report) => {
        this.#report = report;
      },
      activate: async (slot, content) => {
        await judged(slot, content);
        this.deeds.push(`runs ${slot}`);
      },
      deactivate: (slot) => void this.deeds.push(`ends ${slot}`),
      beside: {
        compare: (slot, content, mode) => {
          if (slot === configurationForm.kind) throw new PicketError('manifest.unsupported', `nothing runs in ${slot}`);
          if (content !== null) decodeSeasonalModel(content);
          this.deeds.push(`${mode} ${slot}`);
        },
        endComparison: () => {},
        comparisons: () => [],
      },
      command: ({ id }) => void this.deeds.push(`does ${id}`),
    });
  }

  serve(...blobs: readonly Uint8Array[]): void {
    for (const blob of blobs) this.served.set(sha256Hex(blob), blob);
  }

  async start(): Promise<void> {
    await this.stage.start();
    this.stage.connected();
    await this.desire(this.manifest());
  }

  /** What is named unless it is changed, in a manifest above the last one. */
  manifest(change: Partial<Manifest> = {}): SignedEnvelope {
    this.version++;
    const { manifest } = this.authority;
    const releases = Object.values(this.good);
    return manifest.call(this.authority, this.version, this.authority.release(new Uint8Array()), {
      releases,
      ...change,
    });
  }

  async desire(message: SignedEnvelope | Uint8Array): Promise<void> {
    this.stage.desired(message instanceof Uint8Array ? message : encodeEnvelope(message));
    let over = false;
    const idle = this.stage.idle().then(() => {
      over = true;
    });
    while (!over) {
      await settled();
      this.timers.advance(150);
    }
    await idle;
  }

  /** The last report, as the central reads it; throws where it would not take it. */
  seen(): Reported {
    return parseReported(encodeJson({ ...this.#report, agentVersion: '1', health: {}, warnings: [] }));
  }
}
