/**
 * Models of the fleet: trains, holds against the champion, signs, publishes, and tracks what agents report.
 *
 *   windows ─► schedule ─► round (train, evaluate, decide) ─► release + content (blobs) ─► manifest ─► agent
 *                                                                     state ◄── reported ◄──┘
 *
 * Documents: versions (`model-versions.ts`), manifests (`manifests.ts`), `model-state`: what an agent runs and is to run.
 */
import { messageOf, PicketError } from '../shared/errors.ts';
import { DAY_MS, limits } from '../shared/limits.ts';
import type { SeriesId } from '../shared/series.ts';
import { chunkOf } from '../shared/trust/chunks.ts';
import { encodeEnvelope } from '../shared/trust/dsse.ts';
import { sha256Hex } from '../shared/trust/hash.ts';
import type { ManifestRelease, Reported, SignedEnvelope } from '../shared/trust/messages.ts';
import { encodeJson } from '../shared/trust/strict.ts';
import type { Chunk } from '../shared/wire/live.ts';
import type { Band, Models, ModelVersion } from './api.ts';
import type { Handover } from './exchange/contract.ts';
import { ReleaseSigning, WAITS_FOR_KEY } from './keys/release-signing.ts';
import { isMuch, LateWindows } from './late-windows.ts';
import { listAll, Manifests } from './manifests.ts';
import { bandOf } from './model-band.ts';
import { ModelContents } from './model-contents.ts';
import { ModelVersions } from './model-versions.ts';
import { type ModelsOptions, trainingOf } from './models-options.ts';
import { describeRelease } from './releases.ts';
import { advance } from './rollout.ts';
import type { AgentId } from './store/store.ts';
import type { ModelKind, TrainingOptions } from './train/kind.ts';
import { modelKinds } from './train/registry.ts';
import { type Champion, type RoundResult, trainRound, windowLengthOf } from './train/round.ts';
import { scheduleFor, TrainingSchedule } from './train/schedule.ts';

/** What an agent runs and is to run, by slot. */
interface AgentModels {
  readonly running: Readonly<Record<string, number>>;
  readonly desired: Readonly<Record<string, number>>;
  readonly fromMs: number;
  readonly toMs: number;
}

export class ModelsService implements Models {
  readonly #options: ModelsOptions;
  readonly #versions: ModelVersions;
  readonly manifests: Manifests;
  readonly #schedule: TrainingSchedule;
  readonly #contents: ModelContents;
  readonly #late: LateWindows;
  readonly signing: ReleaseSigning;
  readonly #stop = new AbortController();
  readonly #state = new Map<AgentId, AgentModels>();
  readonly #trained = new Map<AgentId, ModelVersion[]>();
  /** Hash of what each agent reported last, since its models changed here. */
  readonly #said = new Map<AgentId, string>();
  /** Changes of documents, one after another. */
  #chain: Promise<unknown> = Promise.resolve();
  #renewal: unknown = null;

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#contents = new ModelContents(options.store.documents);
    this.#versions = new ModelVersions(options.store.documents, options.changed);
    this.signing = new ReleaseSigning(options.store.documents, options.keys, this.#versions);
    this.manifests = new Manifests({
      documents: options.store.documents,
      keys: options.keys,
      nowMs: options.nowMs,
      publishDesired: options.publishDesired,
      log: options.log,
    });
    this.#schedule = new TrainingSchedule({
      timers: options.timers,
      train: (agent) => this.#train(agent),
      ...(options.training === undefined ? {} : scheduleFor(options.training)),
    });
    this.#late = new LateWindows({
      ...options,
      versions: this.#versions,
      inOrder: (work) => this.#inOrder(work),
      inUse: ({ agent, kind, version }) => this.#state.get(agent)?.desired[kind] === version,
      retrain: (agent) => this.#schedule.run(agent),
    });
  }

  /** Loads what was there and publishes the manifests again. */
  async start(): Promise<void> {
    await this.manifests.load();
    for await (const { key, value } of listAll<AgentModels>(this.#options.store.documents, 'model-state')) {
      this.#state.set(key, value);
      if (value.toMs > value.fromMs) this.#schedule.restore(key, value.fromMs, value.toMs);
      await this.#name(key);
      void this.#late.look(key);
    }
    await this.republish();
    this.#renewDaily();
  }

  #renewDaily(): void {
    this.#renewal = this.#options.timers.after(DAY_MS, () => {
      void this.republish();
      this.#renewDaily();
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#options.timers.cancel(this.#renewal);
    await this.#late.close();
    await this.#schedule.close();
    await this.#chain;
  }

  /** The broker is there (again): retained manifests are published, in case it lost them. */
  republish(): Promise<void> {
    return this.#inOrder(() => this.manifests.republish());
  }

  /** The list of keys is another: all is named again, with it. */
  relist(): Promise<void> {
    return this.#inOrder(async () => {
      for (const agent of this.#state.keys()) await this.#name(agent);
      await this.manifests.republish();
    });
  }

  /** Ingest committed windows of the agent, the newest and the oldest of which ended then. */
  windowCommitted(agent: AgentId, endMs: number, oldestMs = endMs, nominalMs?: number): void {
    this.#schedule.windowCommitted(agent, endMs, nominalMs);
    if (oldestMs <= (this.#state.get(agent)?.toMs ?? 0)) this.#late.heard(agent);
  }

  /** Version that the agent reports to run; null where none. */
  running(agent: AgentId): number | null {
    return newest(this.#state.get(agent)?.running);
  }

  /** Version that the agent is to run; null where none. */
  desired(agent: AgentId): number | null {
    return newest(this.#state.get(agent)?.desired);
  }

  /** Answers up/get: a piece of a release or content that this agent's manifest names; null for all else. */
  async chunk(agent: AgentId, sha256: string, index: number): Promise<Chunk | null> {
    const documents = this.#options.store.documents;
    const releases = this.manifests.releases(agent).map((entry) => entry.releaseSha256);
    if (!releases.includes(sha256)) {
      const versions = await Promise.all(Object.values(this.#state.get(agent)?.desired ?? {}).map((v) => this.get(v)));
      if (!versions.some((version) => version?.contentSha256 === sha256)) return null;
    }
    const blob = await documents.getBlob(sha256);
    return blob === null ? null : chunkOf(blob, sha256, index);
  }

  /** What would reach the agent over its connection, for one that is reached by hand. */
  handover(agent: AgentId): Promise<Handover> {
    return this.#inOrder(async () => {
      const known = await this.list(agent);
      const envelope = this.manifests.envelope(agent);
      const releases = this.manifests.releases(agent).map(({ releaseSha256 }) => ({
        releaseSha256,
        contentSha256: known.find((model) => model.releaseSha256 === releaseSha256)?.contentSha256 ?? '',
      }));
      return { manifest: envelope === null ? null : encodeEnvelope(envelope), releases };
    });
  }

  /** Gives an agent another share of the fleet's notifications; the version of the manifest that says it, 0: not yet. */
  share(agent: AgentId, notificationsPerWeek: number): Promise<number> {
    return this.#inOrder(() => this.manifests.share(agent, notificationsPerWeek));
  }

  list(agent?: AgentId): Promise<readonly ModelVersion[]> {
    return this.#versions.list(agent);
  }

  get(version: number): Promise<ModelVersion | null> {
    return this.#versions.get(version);
  }

  band(agent: AgentId, series: SeriesId, timesMs: readonly number[]): Promise<Band | null> {
    const running = this.#state.get(agent)?.running ?? {};
    return bandOf({ running, get: (version) => this.get(version), contents: this.#contents }, series, timesMs);
  }

  async trainNow(agent?: AgentId): Promise<readonly ModelVersion[]> {
    const made: ModelVersion[] = [];
    for (const each of agent === undefined ? this.#options.agents() : [agent]) {
      this.#trained.delete(each);
      await this.#schedule.run(each);
      made.push(...(this.#trained.get(each) ?? []));
    }
    if (agent !== undefined && made.length === 0) {
      throw new PicketError('conflict', `${agent} has no windows to learn from yet.`);
    }
    return made;
  }

  /** Takes in what an agent reports on up/reported; the same again costs nothing. */
  onReported(agent: AgentId, reported: Reported): Promise<void> {
    this.#schedule.metered(agent, reported.health['picket.uplink.limit']);
    const said = sha256Hex(encodeJson([reported.manifestVersion, reported.applied, reported.refusals]));
    if (this.#said.get(agent) === said) return Promise.resolve();
    return this.#inOrder(async () => {
      this.#said.set(agent, said);
      await this.manifests.reported(agent, reported);
      const state = this.#state.get(agent);
      if (state === undefined) return;
      const known = await this.list(agent);
      const running: Record<string, number> = {};
      for (const { slot, releaseSha256 } of reported.applied) {
        const model = known.find((each) => each.releaseSha256 === releaseSha256 && each.kind === slot);
        if (model === undefined) continue;
        running[slot] = model.version;
        await this.#versions.advance(model.version, { type: 'applied' });
        const before = state.running[slot];
        if (before !== undefined && before !== model.version) {
          await this.#versions.advance(before, { type: 'superseded', by: model.version });
        }
      }
      await this.#saveState(agent, { ...state, running });
      // Told after it is so: whoever is told asks at once what runs.
      for (const slot of new Set([...Object.keys(running), ...Object.keys(state.running)])) {
        const version = running[slot] ?? state.running[slot]!;
        if (running[slot] !== state.running[slot]) this.#options.changed(agent, version);
      }
      for (const [slot, version] of Object.entries(state.desired)) {
        const model = running[slot] === version ? undefined : known.find((each) => each.version === version);
        const refusal = model && reported.refusals.find(({ what }) => this.#concerns(agent, what, model));
        if (model && refusal) {
          await this.#versions.advance(model.version, {
            type: 'refused',
            reason: `${refusal.code}: ${refusal.message}`,
          });
        }
      }
    });
  }

  #concerns(agent: AgentId, what: string, model: ModelVersion): boolean {
    const names = [`manifest:${this.manifests.version(agent)}`, `release:${model.releaseSha256}`];
    return names.includes(what) || what === `content:${model.contentSha256}`;
  }

  async #train(agent: AgentId): Promise<void> {
    const made: ModelVersion[] = [];
    const windowMs = await windowLengthOf(this.#options.store, agent);
    for (const kind of modelKinds.filter((each) => each.windowMs === windowMs)) {
      try {
        const training = trainingOf(this.#options, agent, windowMs);
        const champion = await this.#champion(agent, kind);
        const round = await trainRound({
          ...this.#options,
          agent,
          kind,
          training,
          champion,
          signal: this.#stop.signal,
        });
        if (round !== null) made.push(await this.#inOrder(() => this.#keep(agent, kind, training, round)));
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#options.log.error({ agent, kind: kind.slot, problem: messageOf(error) }, 'training failed');
      }
    }
    this.#trained.set(agent, made);
  }

  /** What the agent runs or is to run, newest first, as far as its content is here. */
  async #champion(agent: AgentId, kind: ModelKind<unknown>): Promise<Champion<unknown> | null> {
    const state = this.#state.get(agent);
    for (const version of [state?.desired[kind.slot], state?.running[kind.slot]]) {
      const model = version === undefined ? null : await this.get(version);
      if (model === null || model.state === 'refused') continue;
      const series = await this.#contents.parameters(kind, model.contentSha256);
      if (series === null) continue;
      const incomplete = model.window !== undefined && isMuch(model.window, model.window.lateMinutes);
      return { version: model.version, toMs: model.toMs, outdated: false, incomplete, series };
    }
    return null;
  }

  /** Gives the outcome of a round its version and, if it won, releases it. */
  async #keep(
    agent: AgentId,
    kind: ModelKind<unknown>,
    training: TrainingOptions,
    round: RoundResult,
  ): Promise<ModelVersion> {
    const documents = this.#options.store.documents;
    const number = await this.#versions.next();
    const contentSha256 = sha256Hex(round.content);
    const release = describeRelease(agent, kind, training, round, number, this.#options.nowMs());
    const fits = round.content.length <= limits.blobBytes;
    const better = round.accepted && fits;
    const releaseSha256 = better ? await this.signing.sign(number, agent, release) : '';
    const accepted = releaseSha256 !== '';
    const waits = better && !accepted;
    const reason = fits
      ? round.reason
      : `Its content has ${round.content.length} bytes; ${limits.blobBytes} are allowed.`;
    const transition = waits
      ? { state: 'challenger' as const, reason: `${reason} ${WAITS_FOR_KEY}` }
      : advance('challenger', { type: 'evaluated', accepted, reason })!;
    const model: ModelVersion = {
      version: number,
      kind: kind.slot,
      agent,
      trainedMs: this.#options.nowMs(),
      fromMs: round.fromMs,
      toMs: round.toMs,
      series: round.series,
      releaseSha256,
      contentSha256,
      contentBytes: round.content.length,
      state: transition.state,
      reason: transition.reason ?? reason,
      evaluation: round.evaluation,
      window: round.window,
    };
    if (better) await documents.putBlob(contentSha256, round.content);
    const before = this.#state.get(agent) ?? { running: {}, desired: {}, fromMs: 0, toMs: 0 };
    const replaced = before.desired[kind.slot];
    const desired = accepted ? { ...before.desired, [kind.slot]: number } : before.desired;
    const state: AgentModels = { ...before, desired, fromMs: round.fromMs, toMs: round.evaluation.heldOutToMs };
    await documents.putAll([...this.#versions.changes(model), { namespace: 'model-state', key: agent, value: state }]);
    this.#state.set(agent, state);
    this.#said.delete(agent);
    this.#options.log.info({ agent, version: number, state: model.state, reason }, 'model trained');
    if (accepted) {
      if (replaced !== undefined && before.running[kind.slot] !== replaced) {
        await this.#versions.advance(replaced, { type: 'superseded', by: number });
      }
      await this.#name(agent);
      const released = (await this.list(agent)).filter((each) => each.kind === kind.slot && each.releaseSha256 !== '');
      await this.#contents.forget(released, before.running[kind.slot]);
    }
    this.#options.changed(agent, number);
    return model;
  }

  /** Takes in a release that was signed elsewhere; false where it does not wait (any more). Its key is checked before. */
  signed(envelope: SignedEnvelope): Promise<boolean> {
    return this.#inOrder(async () => {
      const release = await this.signing.take(envelope);
      if (release === null) return false;
      const { agent, slot, version } = release;
      const state = this.#state.get(agent) ?? { running: {}, desired: {}, fromMs: 0, toMs: 0 };
      await this.#saveState(agent, { ...state, desired: { ...state.desired, [slot]: version } });
      await this.signing.done(release);
      const replaced = state.desired[slot];
      if (replaced !== version && state.running[slot] !== replaced) {
        await this.#versions.advance(replaced, { type: 'superseded', by: version });
      }
      this.#said.delete(agent);
      await this.#name(agent);
      this.#options.changed(agent, version);
      return true;
    });
  }

  /** Publishes a manifest that names what the agent is to run, unless the latest does: a stop may have come between. */
  async #name(agent: AgentId): Promise<void> {
    const named = this.manifests.releases(agent);
    const releases: ManifestRelease[] = [];
    for (const [slot, version] of Object.entries(this.#state.get(agent)?.desired ?? {})) {
      const model = await this.get(version);
      const releaseSha256 = model === null ? '' : await this.signing.inForce(model);
      const envelope = await this.#options.store.documents.getBlob(releaseSha256);
      if (envelope !== null) releases.push({ slot, releaseSha256, releaseBytes: envelope.length });
    }
    const same = releases.every((entry) => named.some((each) => each.releaseSha256 === entry.releaseSha256));
    if (!same) await this.manifests.publish(agent, releases);
  }

  async #saveState(agent: AgentId, state: AgentModels): Promise<void> {
    if (JSON.stringify(this.#state.get(agent)) !== JSON.stringify(state)) {
      await this.#options.store.documents.put('model-state', agent, state);
      this.#state.set(agent, state);
    }
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.catch(() => {});
    return done;
  }
}

/** The newest version of all slots: trained for the windows that the agent makes now. */
function newest(versions: Readonly<Record<string, number>> | undefined): number | null {
  const all = Object.values(versions ?? {});
  return all.length === 0 ? null : Math.max(...all);
}
