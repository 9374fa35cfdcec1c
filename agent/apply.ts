/**
 * Applies what the central wants: verifies a desired manifest, fetches what it names, verifies that too, hands it to
 * what runs it, and reports. Whatever is refused, what ran before goes on running, and the central hears why.
 *
 *   down/desired ─► keys, manifest ─► floor kept ─► release, content (by hash, verified) ─► activate ─► kept, reported
 *
 * The floor is durable before anything is fetched, and so is a release's content before it is activated: a power cut
 * at any point leaves one of both. At a start the last good one runs before any connection. What is new is on trial
 * (`apply/trials.ts`), and taken back by this stage itself.
 */
import { codeOf, PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { keyIdOf, parseEnvelope } from '../shared/trust/dsse.ts';
import { sha256Hex } from '../shared/trust/hash.ts';
import { newerKeyList, reportOfKeyList, verifyKeyList } from '../shared/trust/key-list.ts';
import type { KeyList, ManifestRelease, SignedEnvelope } from '../shared/trust/messages.ts';
import { encodeJson } from '../shared/trust/strict.ts';
import { carriedKeys, verifyManifest } from '../shared/trust/verify.ts';
import { decodeChunk } from '../shared/wire/live.ts';
import { DoneCommands } from './apply/done-commands.ts';
import { BlobFetcher } from './apply/fetch.ts';
import { OnTrial } from './apply/on-trial.ts';
import type { ApplyOptions, ApplyReport } from './apply/options.ts';
import { mayPass, Refusals } from './apply/refusals.ts';
import { ReleaseFiles } from './apply/release-files.ts';
import { type AppliedRelease, type ApplyState, emptyApplyState, readApplyState } from './apply/state.ts';

const IDLE_MS = 5_000;

export class ApplyStage {
  readonly #options: ApplyOptions;
  readonly #fetcher: BlobFetcher;
  readonly #files: ReleaseFiles;
  readonly #refusals: Refusals;
  readonly #done = new DoneCommands();
  readonly #onTrial: OnTrial;
  /** Releases of the desired manifest that were refused for good; they are not fetched again with each connection. */
  readonly #refusedReleases = new Set<string>();
  #state: ApplyState;
  #keys: KeyList | null = null;
  /** An older list, or another one of the same version, was sent. */
  #keysContested = false;
  #abort = new AbortController();
  /** Manifests, one after another. */
  #accepting: Promise<void> = Promise.resolve();
  /** Fetching and activating, one after another; a newer manifest aborts what runs. */
  #reaching: Promise<void> = Promise.resolve();
  #reachWaits = false;
  #saving: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ApplyOptions) {
    this.#options = options;
    this.#fetcher = new BlobFetcher(options);
    this.#files = new ReleaseFiles(options, this.#fetcher);
    this.#refusals = new Refusals(options.log);
    this.#state = emptyApplyState(keyIdOf(options.rootKey), options.agent);
    this.#onTrial = new OnTrial({
      ...options,
      runner: options.beside,
      over: (slot, reason, releaseSha256) => this.broken(slot, reason, releaseSha256),
      state: () => this.#state,
      save: (change) => this.#save(change),
      contentOf: async (applied) => (await this.#files.read(applied)).content,
    });
  }

  /** Activates the last good release of each slot from disk. */
  start(): Promise<void> {
    this.#accepting = this.#guarded(async () => {
      await this.#load();
      this.#tellShare();
      for (const loop of await this.#onTrial.started()) this.#sayTakenBack(loop.releaseSha256, loop.reason);
      for (const slot of Object.keys(this.#state.slots)) await this.#resume(slot);
      await this.#onTrial.shadows((sha256, error) => this.#refuse(`release:${sha256}`, error));
    });
    return this.#accepting;
  }

  /** Subscribed to down/ (again): reports, and goes on with what is still to be fetched. */
  connected(): void {
    this.#fetcher.connected();
    this.#report();
    this.#reachSoon();
  }

  /** A message of down/desired. A newer one ends the fetching for the one before. */
  desired(bytes: Uint8Array): void {
    this.#accepting = this.#accepting.then(() =>
      this.#guarded(async () => {
        // Retained: the one that is known comes again with each connection.
        if (bytes.length <= limits.controlBytes && sha256Hex(bytes) === this.#state.manifestSha256) return;
        if (!(await this.#accept(bytes))) return;
        this.#refusedReleases.clear();
        this.lookAgain();
      }),
    );
  }

  /** Blobs may be there that were not: what waits for them begins anew. */
  lookAgain(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#reachSoon();
  }

  /** What runs in the slot, or in its shadow, is no good: the one before runs again, and this one never does. */
  broken(slot: string, reason: string, releaseSha256 = this.#state.slots[slot]?.current.releaseSha256): void {
    if (releaseSha256 === undefined || this.#stopped) return;
    const taken = async (): Promise<void> => {
      await this.#onTrial.takeBack(slot, releaseSha256, reason);
      if (this.#state.slots[slot] === undefined) this.#options.deactivate(slot);
      else await this.#resume(slot);
      this.#sayTakenBack(releaseSha256, reason);
    };
    this.#reaching = this.#reaching.then(() => this.#guarded(taken));
    // Nothing is waited for that may not come.
    this.lookAgain();
  }

  #sayTakenBack(releaseSha256: string, reason: string): void {
    this.#refuse(`release:${releaseSha256}`, new PicketError('model.reverted', `taken back: ${reason}`));
  }

  /** Resolves when what came is dealt with; what is still to be fetched is waited for no longer than this. */
  async idle(): Promise<void> {
    const { timers } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = timers.after(IDLE_MS, resolve);
    await Promise.race([this.#accepting.then(() => this.#reaching), promise]);
    timers.cancel(timer);
  }

  /** A message of down/chunk. */
  chunk(bytes: Uint8Array): void {
    try {
      this.#fetcher.accept(decodeChunk(bytes));
    } catch (error) {
      this.#refuse('chunk', error);
    }
  }

  /** A message of down/command. Each id is done once; a repetition is only reported again. */
  commandReceived(bytes: Uint8Array): void {
    const nowMs = this.#options.centralMs();
    // Without a time expiry can't be judged; the central repeats itself until then.
    if (nowMs === null || this.#keys === null) return;
    const context = { agent: this.#options.agent, keys: this.#keys, nowMs };
    const { id, error } = this.#done.receive(bytes, context, (command) => this.#options.command(command));
    if (error === null) this.#report();
    else this.#refuse(id, error);
  }

  /** What to report now. */
  status(): ApplyReport {
    const { floor, slots } = this.#state;
    return {
      manifestVersion: floor,
      applied: Object.entries(slots).map(([slot, { current }]) => ({
        slot,
        releaseSha256: current.releaseSha256,
        appliedMs: current.appliedMs,
      })),
      supports: this.#options.supports,
      refusals: this.#refusals.list(),
      commandsDone: this.#done.ids(),
      ...(this.#keys === null ? {} : { keyList: reportOfKeyList(this.#state.keys!, this.#keysContested) }),
      ...this.#onTrial.reports(),
    };
  }

  /** Resolves when nothing is done any more; what was fetched in part is fetched again after a start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#accepting;
    this.#abort.abort();
    await this.#reaching;
    await this.#onTrial.stop();
  }

  async #load(): Promise<void> {
    try {
      const bytes = await this.#options.store.readState();
      const state = bytes === null ? this.#state : readApplyState(bytes);
      // Enrolled anew, with another central: its floors and models are not this one's.
      if (state.root === this.#state.root && state.agent === this.#state.agent) this.#state = state;
      const { keys } = this.#state;
      if (keys !== null) this.#keys = verifyKeyList(this.#options.rootKey, keys, 0);
    } catch (error) {
      this.#refuse('start', error);
    }
    // What the enrolment says counts until the central sent something newer.
    if (this.#options.enrolledKeys !== undefined) {
      await this.#adoptKeys(this.#options.enrolledKeys).catch((error: unknown) => {
        if (codeOf(error) !== 'manifest.not_newer') this.#refuse('keys', error);
        this.#keysContested = false;
      });
    }
  }

  /** Runs a slot's last good release, or the one before where that can't be read or run. */
  async #resume(slot: string): Promise<void> {
    const { current, previous } = this.#state.slots[slot]!;
    for (const applied of [current, previous]) {
      if (applied === null) continue;
      try {
        await this.#activate(slot, applied);
        if (applied !== current) await this.#saveSlot(slot, { current: applied, previous: null });
        await this.#onTrial.running(slot);
        return;
      } catch (error) {
        this.#refuse(`release:${applied.releaseSha256}`, error);
      }
    }
    await this.#saveSlot(slot, null);
  }

  async #activate(slot: string, applied: Pick<AppliedRelease, 'releaseSha256'>): Promise<void> {
    const { content, release } = await this.#files.read(applied);
    await this.#options.activate(slot, content, release, true);
  }

  /** Verifies a manifest and makes it the desired one, durably. */
  async #accept(bytes: Uint8Array): Promise<boolean> {
    let what = 'manifest';
    try {
      const envelope = parseEnvelope(bytes, 'manifest');
      const carried = carriedKeys(envelope);
      what = 'keys';
      if (carried !== null) await this.#adoptKeys(carried);
      if (this.#keys === null) {
        throw new PicketError('signature.invalid', 'the manifest carries no list of keys, and none is known');
      }
      what = 'manifest';
      const { agent, centralMs } = this.#options;
      const context = { agent, floor: this.#state.floor, keys: this.#keys, nowMs: centralMs() };
      const signed = verifyManifest(envelope, context, ({ version }) => {
        // From here on the version is the central's word: it may know which one was refused.
        what = `manifest:${version}`;
      });
      const { version, cohorts, releases, shadows = [], notificationsPerWeek } = signed;
      const manifestSha256 = sha256Hex(bytes);
      const share = notificationsPerWeek === undefined ? {} : { notificationsPerWeek };
      await this.#save(() => ({ floor: version, manifestSha256, desired: { cohorts, releases, shadows }, ...share }));
      this.#tellShare();
      return true;
    } catch (error) {
      this.#refuse(what, error);
      return false;
    }
  }

  #tellShare(): void {
    const { notificationsPerWeek } = this.#state;
    if (notificationsPerWeek !== null) this.#options.share?.(notificationsPerWeek);
  }

  async #adoptKeys(carried: SignedEnvelope): Promise<void> {
    const inForce = this.#keys === null ? null : this.#state.keys;
    try {
      const list = newerKeyList(this.#options.rootKey, carried, inForce);
      this.#keysContested = false;
      if (list.version === this.#keys?.version) return;
      await this.#save(() => ({ keys: carried }));
      this.#keys = list;
    } catch (error) {
      // A central that was restored has an older one; it goes on above the one that it is shown.
      if (codeOf(error) === 'manifest.not_newer') this.#keysContested = true;
      throw error;
    }
  }

  /** Brings each slot to what the desired manifest names. */
  async #reach(): Promise<void> {
    const { desired } = this.#state;
    if (desired === null || this.#stopped) return;
    const { signal } = this.#abort;
    for (const entry of desired.releases) {
      if (this.#state.slots[entry.slot]?.current.releaseSha256 === entry.releaseSha256) continue;
      if (!(await this.#tryTo(entry, signal, () => this.#apply(entry, desired.cohorts, signal)))) return;
    }
    await this.#onTrial.endOthers(desired.shadows);
    for (const entry of this.#onTrial.wanted(desired.shadows)) {
      if (!(await this.#tryTo(entry, signal, () => this.#shadow(entry, desired.cohorts, signal)))) return;
    }
    await this.#dropOthers(desired.releases);
    this.#report();
  }

  /** False: a newer manifest came, and the rest of this one is of no use. */
  async #tryTo({ releaseSha256 }: ManifestRelease, signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
    if (this.#refusedReleases.has(releaseSha256)) return true;
    try {
      if (this.#onTrial.wasTakenBack(releaseSha256)) {
        throw new PicketError('model.reverted', 'this agent took it back and does not run it again');
      }
      await work();
    } catch (error) {
      if (signal.aborted) return false;
      if (!mayPass(error)) this.#refusedReleases.add(releaseSha256);
      this.#refuse(`release:${releaseSha256}`, error);
    }
    return true;
  }

  async #shadow(entry: ManifestRelease, cohorts: readonly string[], signal: AbortSignal): Promise<void> {
    const { applied } = await this.#files.take(entry, { cohorts, keys: this.#keys! }, signal);
    await this.#save(({ shadows }) => ({ shadows: { ...shadows, [entry.slot]: applied } }));
    await this.#onTrial.shadow(entry.slot);
  }

  async #apply(entry: ManifestRelease, cohorts: readonly string[], signal: AbortSignal): Promise<void> {
    const {
      applied: current,
      release,
      content,
    } = await this.#files.take(entry, { cohorts, keys: this.#keys! }, signal);
    const held = this.#state.slots[entry.slot];
    const before = held?.current ?? null;
    // What ran here before is no trial: it is gone back to.
    const isNew = held?.previous?.releaseSha256 !== entry.releaseSha256;
    if (isNew) await this.#onTrial.begin(entry.slot, entry.releaseSha256);
    try {
      await this.#options.activate(entry.slot, content, release);
    } catch (error) {
      await this.#onTrial.failed(entry.slot);
      throw error;
    }
    try {
      await this.#saveSlot(entry.slot, { current, previous: before });
    } catch (error) {
      // What runs and what a restart would run must be one.
      if (before === null) this.#options.deactivate(entry.slot);
      else await this.#activate(entry.slot, before);
      throw error;
    }
    await this.#onTrial.running(entry.slot);
    this.#options.log.info({ slot: entry.slot, note: release.note }, 'applied');
  }

  /** Ends what the manifest no longer names, and deletes blobs that nothing names. */
  async #dropOthers(releases: readonly ManifestRelease[]): Promise<void> {
    const named = new Set(releases.map((entry) => entry.slot));
    const ended = Object.keys(this.#state.slots).filter((slot) => !named.has(slot));
    for (const slot of ended) {
      await this.#saveSlot(slot, null);
      this.#options.deactivate(slot);
    }
    const kept = Object.values(this.#state.slots).flatMap(({ current, previous }) => [current, previous]);
    kept.push(...Object.values(this.#state.shadows));
    await this.#options.store.keepBlobs(
      new Set(kept.flatMap((applied) => (applied === null ? [] : [applied.releaseSha256, applied.contentSha256]))),
    );
  }

  #saveSlot(slot: string, applied: ApplyState['slots'][string] | null): Promise<void> {
    return this.#save(({ slots: { [slot]: _, ...others } }) => ({
      slots: applied === null ? others : { ...others, [slot]: applied },
    }));
  }

  /** One change after another; in force when it is durable. */
  #save(change: (state: ApplyState) => Partial<ApplyState>): Promise<void> {
    const saved = this.#saving.then(async () => {
      const next = { ...this.#state, ...change(this.#state) };
      await this.#options.store.writeState(encodeJson(next));
      this.#state = next;
    });
    this.#saving = saved.catch(() => {});
    return saved;
  }

  #refuse(what: string, error: unknown): void {
    this.#refusals.add(what, error, this.#options.utcMs());
    this.#report();
  }

  #report(): void {
    this.#options.report(this.status());
  }

  #reachSoon(): void {
    if (this.#reachWaits) return;
    this.#reachWaits = true;
    this.#reaching = this.#reaching.then(() =>
      this.#guarded(() => {
        this.#reachWaits = false;
        return this.#reach();
      }),
    );
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#refuse('disk', error);
    }
  }
}
