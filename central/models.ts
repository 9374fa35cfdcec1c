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
import { sha256Hex } from '../shared/trust/hash.ts';
import type { Reported, SignedEnvelope } from '../shared/trust/messages.ts';
import { encodeJson } from '../shared/trust/strict.ts';
import type { Chunk } from '../shared/wire/live.ts';
import type { Band, Models, ModelVersion } from './api.ts';
import type { EvaluationReport } from './evaluate/api.ts';
import { reportOf } from './evaluate/report.ts';
import type { Handover } from './exchange/contract.ts';
import { ReleaseSigning, WAITS_FOR_KEY } from './keys/release-signing.ts';
import { LateWindows } from './late-windows.ts';
import { listAll, Manifests } from './manifests.ts';
import { bandOf } from './model-band.ts';
import { championOf } from './model-champion.ts';
import { ModelContents } from './model-contents.ts';
import { dayOneModel, type NewModel } from './model-day-one.ts';
import { chunkFor, handoverOf } from './model-delivery.ts';
import { type AgentModels, newest, noModels, refusedOf, Standing, takenBack, versionsInUse } from './model-placing.ts';
import { ModelVersions } from './model-versions.ts';
import { type ModelsOptions, trainingOf } from './models-options.ts';
import { describeRelease, describeRound } from './releases.ts';
import { type Placing, RolloutService } from './rollout/service.ts';
import { advance } from './rollout.ts';
import type { AgentId } from './store/store.ts';
import type { TrainedKind, TrainingOptions } from './train/kind.ts';
import { kindsFor, modelKinds } from './train/registry.ts';
import { scheduleFor, TrainingSchedule } from './train/schedule.ts';
import { inThisThread, type Trainings } from './train/trainings.ts';

export class ModelsService implements Models {
  readonly #options: ModelsOptions;
  readonly #versions: ModelVersions;
  readonly manifests: Manifests;
  readonly #schedule: TrainingSchedule;
  readonly #contents: ModelContents;
  readonly #trainings: Trainings;
  readonly #late: LateWindows;
  readonly signing: ReleaseSigning;
  readonly rollouts: RolloutService;
  readonly #stop = new AbortController();
  readonly #state: Standing;
  readonly #trained = new Map<AgentId, ModelVersion[]>();
  /** Hash of what each agent reported last, since its models changed here. */
  readonly #said = new Map<AgentId, string>();
  /** Changes of documents, one after another. */
  #chain: Promise<unknown> = Promise.resolve();
  #renewal: unknown = null;

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#contents = new ModelContents(options.store.documents);
    this.#trainings = options.trainings ?? inThisThread(options);
    this.#versions = new ModelVersions(options.store.documents, options.changed);
    this.signing = new ReleaseSigning(options.store.documents, options.keys, this.#versions);
    this.manifests = new Manifests({
      documents: options.store.documents,
      keys: options.keys,
      nowMs: options.nowMs,
      publishDesired: options.publishDesired,
      log: options.log,
    });
    this.#state = new Standing(options.store.documents, this.#versions, this.manifests, this.signing);
    this.rollouts = new RolloutService({
      ...options,
      ...options.rollout,
      documents: options.store.documents,
      get: (version) => this.get(version),
      superseded: (version, by) => this.#versions.advance(version, { type: 'superseded', by }),
      place: (placing) => this.#inOrder(() => this.#place(placing)),
    });
    this.#schedule = new TrainingSchedule({
      timers: options.timers,
      train: (agent) => this.#train(agent),
      atOnce: this.#trainings.atOnce,
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
      await this.#state.name(key);
      void this.#late.look(key);
    }
    await this.rollouts.start();
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
    await this.#trainings.close();
    await this.#schedule.close();
    await this.rollouts.close();
    await this.#chain;
  }

  /** The broker is there (again): retained manifests are published, in case it lost them. */
  republish(): Promise<void> {
    return this.#inOrder(() => this.manifests.republish());
  }

  /** The list of keys is another: all is named again, with it. */
  relist(): Promise<void> {
    return this.#inOrder(async () => {
      for (const agent of this.#state.agents()) await this.#state.name(agent);
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
  chunk(agent: AgentId, sha256: string, index: number): Promise<Chunk | null> {
    const { documents } = this.#options.store;
    const from = { manifests: this.manifests, state: this.#state, versions: this.#versions, documents };
    return chunkFor(from, agent, sha256, index);
  }

  /** What would reach the agent over its connection, for one that is reached by hand. */
  handover(agent: AgentId): Promise<Handover> {
    return this.#inOrder(async () => handoverOf(this.manifests, agent, await this.list(agent)));
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

  report(version: number): Promise<EvaluationReport | null> {
    return this.#versions.report(version);
  }

  band(agent: AgentId, series: SeriesId, timesMs: readonly number[]): Promise<Band | null> {
    const running = this.#state.get(agent)?.running ?? {};
    return bandOf({ running, get: (version) => this.get(version), contents: this.#contents }, series, timesMs);
  }

  async trainNow(agent?: AgentId): Promise<readonly ModelVersion[]> {
    const trained = (agent === undefined ? this.#options.agents() : [agent]).map(async (each) => {
      this.#trained.delete(each);
      await this.#schedule.run(each);
      return this.#trained.get(each) ?? [];
    });
    const made = (await Promise.all(trained)).flat();
    if (agent !== undefined && made.length === 0) {
      throw new PicketError('conflict', `${agent} has no windows to learn from yet.`);
    }
    return made;
  }

  /** Takes in what an agent reports on up/reported; the same again costs nothing. */
  onReported(agent: AgentId, reported: Reported): Promise<void> {
    this.#schedule.metered(agent, reported.health['picket.uplink.limit']);
    const { manifestVersion, applied, refusals, reverted = [] } = reported;
    const said = sha256Hex(encodeJson([manifestVersion, applied, refusals, reverted]));
    const taken = this.#said.get(agent) === said ? Promise.resolve() : this.#takeReport(agent, said, reported);
    // The rollouts go by what is so after it.
    return taken.then(() => this.rollouts.heard(agent, reported));
  }

  #takeReport(agent: AgentId, said: string, reported: Reported): Promise<void> {
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
        const before = known.find((each) => each.version === state.running[slot]);
        if (before === undefined || before.version === model.version) continue;
        const event = takenBack(reported, before) ?? { type: 'superseded' as const, by: model.version };
        await this.#versions.advance(before.version, event);
      }
      await this.#state.save(agent, { ...state, running });
      // Told after it is so: whoever is told asks at once what runs.
      for (const slot of new Set([...Object.keys(running), ...Object.keys(state.running)])) {
        const version = running[slot] ?? state.running[slot]!;
        if (running[slot] !== state.running[slot]) this.#options.changed(agent, version);
      }
      const wanted = known.filter(({ kind, version }) => state.desired[kind] === version && running[kind] !== version);
      for (const { version, ...event } of refusedOf(reported, wanted, this.manifests.version(agent))) {
        await this.#versions.advance(version, event);
      }
    });
  }

  async #train(agent: AgentId): Promise<void> {
    const made: ModelVersion[] = [];
    const problem = (error: unknown, about: object = {}): void => {
      if (this.#stop.signal.aborted) return;
      this.#options.log.error({ agent, ...about, problem: messageOf(error) }, 'training failed');
    };
    const windowMs = await this.#trainings.windowLength(agent).catch(problem);
    for (const kind of windowMs === undefined ? [] : kindsFor(windowMs)) {
      try {
        const training = await trainingOf(this.#options, agent, windowMs!);
        const champion = await championOf(
          this.#state.get(agent),
          kind.slot,
          this.#versions,
          this.#options.store.documents,
        );
        const seed = Math.floor(this.#options.random() * 2 ** 32);
        const request = { agent, slot: kind.slot, training, champion, seed };
        const round = await this.#trainings.round(request, this.#stop.signal);
        if (round === null) continue;
        const model = await this.#inOrder(() => this.#keep(agent, kind, training, round));
        made.push(model);
        if (model.state === 'staged') await this.#stage(model);
      } catch (error) {
        problem(error, { kind: kind.slot });
      }
    }
    this.#trained.set(agent, made);
  }

  /** Gives a young machine what the machines of its cohort know, until it has learned for itself. */
  async dayOne(agent: AgentId, cohort: string, peers: readonly AgentId[]): Promise<void> {
    const windowMs = await this.#trainings.windowLength(agent);
    const from = { ...this.#options, versions: this.#versions, stateOf: (id: AgentId) => this.#state.get(id) };
    for (const kind of modelKinds.filter((each) => each.windowMs === windowMs)) {
      if (this.rollouts.pinned(agent, kind.slot)) continue;
      const training = await trainingOf(this.#options, agent, windowMs);
      const model = await dayOneModel(from, { agent, cohort, peers, kind, training });
      if (model === null || this.#stop.signal.aborted) continue;
      await this.rollouts.leave(agent, kind.slot, model.reason);
      await this.#inOrder(() => this.#keep(agent, kind, training, model));
    }
  }

  /** Gives the outcome of a round its version and, if it won, releases it. */
  async #keep(agent: AgentId, kind: TrainedKind, training: TrainingOptions, round: NewModel): Promise<ModelVersion> {
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
    const staged = accepted && round.atOnce !== true && (await this.#isStaged(agent, kind.slot));
    const transition = waits
      ? { state: 'challenger' as const, reason: `${reason} ${WAITS_FOR_KEY}` }
      : advance('challenger', staged ? { type: 'staged', reason } : { type: 'evaluated', accepted, reason })!;
    const placed = transition.state === 'published';
    const model: ModelVersion = {
      ...{ version: number, kind: kind.slot, agent, trainedMs: this.#options.nowMs(), releaseSha256, contentSha256 },
      ...describeRound(round),
      ...{ state: transition.state, reason: transition.reason ?? reason },
    };
    if (better) await documents.putBlob(contentSha256, round.content);
    const before = this.#state.get(agent) ?? noModels;
    const replaced = before.desired[kind.slot];
    const desired = placed ? { ...before.desired, [kind.slot]: number } : before.desired;
    const toMs = round.evaluation?.heldOutToMs ?? round.toMs;
    const state: AgentModels = { ...before, desired, fromMs: round.fromMs, toMs };
    const changes = this.#versions.changes(
      model,
      round.judgement && reportOf(model, { ...round, judgement: round.judgement }),
    );
    await documents.putAll([...changes, { namespace: 'model-state', key: agent, value: state }]);
    this.#state.set(agent, state);
    this.#said.delete(agent);
    this.#options.log.info({ agent, version: number, state: model.state, reason }, 'model trained');
    if (placed) {
      if (replaced !== undefined && before.running[kind.slot] !== replaced) {
        await this.#versions.advance(replaced, { type: 'superseded', by: number });
      }
      await this.#state.name(agent);
    }
    if (accepted) {
      const released = (await this.list(agent)).filter((each) => each.kind === kind.slot && each.releaseSha256 !== '');
      await this.#contents.forget(released, [before.running[kind.slot], replaced, before.beside?.[kind.slot]]);
    }
    await this.#versions.thin(agent, [before, state].flatMap(versionsInUse));
    this.#options.changed(agent, number);
    return model;
  }

  /** Takes in a release that was signed elsewhere; false where it does not wait (any more). Its key is checked before. */
  async signed(envelope: SignedEnvelope): Promise<boolean> {
    const version = await this.#inOrder(async () => {
      const release = await this.signing.take(envelope);
      if (release === null) return null;
      const { agent, slot, version } = release;
      if (await this.#isStaged(agent, slot)) {
        await this.signing.done(release);
        return version;
      }
      const state = this.#state.get(agent) ?? noModels;
      await this.#state.save(agent, { ...state, desired: { ...state.desired, [slot]: version } });
      await this.signing.done(release);
      const replaced = state.desired[slot];
      if (replaced !== version && state.running[slot] !== replaced) {
        await this.#versions.advance(replaced, { type: 'superseded', by: version });
      }
      this.#said.delete(agent);
      await this.#state.name(agent);
      this.#options.changed(agent, version);
      return 0;
    });
    const model = version === null ? null : await this.get(version);
    if (model !== null) await this.#stage(model);
    return version !== null;
  }

  /** The first model of a machine is tried beside nothing: it is in force at once, and on trial on the machine itself. */
  async #isStaged(agent: AgentId, slot: string): Promise<boolean> {
    if (this.#options.rollout === undefined) return false;
    return this.rollouts.pinned(agent, slot) || (await this.#state.good(agent, slot)) !== null;
  }

  async #stage({ agent, kind, version }: ModelVersion): Promise<void> {
    const old = await this.#state.good(agent, kind);
    if (old !== null) await this.rollouts.stage(agent, kind, version, old);
  }

  async #place(placing: Placing): Promise<void> {
    const { agent, main, beside } = placing;
    this.#said.delete(agent);
    await this.#state.place(placing);
    this.#options.changed(agent, beside ?? main ?? 0);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.catch(() => {});
    return done;
  }
}
