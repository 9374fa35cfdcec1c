/**
 * Applies what the central wants: verifies a desired manifest, fetches what it names, verifies that too, hands it to
 * what runs it, and reports. Whatever is refused, what ran before goes on running, and the central hears why.
 *
 *   down/desired ─► keys, manifest ─► floor kept ─► release, content (by hash, verified) ─► activate ─► kept, reported
 *
 * The floor is durable before anything is fetched, and so is a release's content before it is activated: a power cut
 * at any point leaves the last good one or the new one. At a start the last good one runs before any connection.
 */
import { codeOf, messageOf, PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { keyIdOf, parseEnvelope } from '../shared/trust/dsse.ts';
import { sha256Hex } from '../shared/trust/hash.ts';
import { newerKeyList, reportOfKeyList, verifyKeyList } from '../shared/trust/key-list.ts';
import type { Command, KeyList, ManifestRelease, Reported, SignedEnvelope } from '../shared/trust/messages.ts';
import { REPORTED_REFUSALS } from '../shared/trust/reported.ts';
import { encodeJson } from '../shared/trust/strict.ts';
import {
  carriedKeys,
  RELEASE_BYTES,
  readRelease,
  verifyCommand,
  verifyManifest,
  verifyRelease,
} from '../shared/trust/verify.ts';
import { decodeChunk } from '../shared/wire/live.ts';
import { BlobFetcher } from './apply/fetch.ts';
import type { ApplyOptions, ApplyReport } from './apply/options.ts';
import { type AppliedRelease, type ApplyState, emptyApplyState, readApplyState } from './apply/state.ts';

const IDLE_MS = 5_000;
/** Ids of done commands that are remembered until they expire. */
const COMMANDS = 128;

/** What may be otherwise next time; all other refusals of a release stand until another manifest comes. */
const passingProblems: readonly string[] = ['blob.mismatch', 'disk.full', 'store.failed'];

export class ApplyStage {
  readonly #options: ApplyOptions;
  readonly #fetcher: BlobFetcher;
  readonly #refusals: Reported['refusals'][number][] = [];
  /** Done commands with the time of their expiry. */
  readonly #done = new Map<string, number>();
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
    this.#state = emptyApplyState(keyIdOf(options.rootKey), options.agent);
  }

  /** Activates the last good release of each slot from disk. */
  start(): Promise<void> {
    this.#accepting = this.#guarded(async () => {
      await this.#load();
      this.#tellShare();
      for (const slot of Object.keys(this.#state.slots)) await this.#resume(slot);
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
    let id = 'command';
    try {
      const envelope = parseEnvelope(bytes, 'command');
      const command = verifyCommand(envelope, { agent: this.#options.agent, keys: this.#keys, nowMs });
      id = `command:${command.id}`;
      if (!this.#done.has(command.id)) {
        this.#remember(command, nowMs);
        this.#options.command(command);
      }
      this.#report();
    } catch (error) {
      this.#refuse(id, error);
    }
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
      refusals: [...this.#refusals],
      commandsDone: [...this.#done.keys()],
      ...(this.#keys === null ? {} : { keyList: reportOfKeyList(this.#state.keys!, this.#keysContested) }),
    };
  }

  /** Resolves when nothing is done any more; what was fetched in part is fetched again after a start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#accepting;
    this.#abort.abort();
    await this.#reaching;
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
    const { enrolledKeys } = this.#options;
    // What the enrolment says counts until the central sent something newer.
    if (enrolledKeys !== undefined) {
      await this.#adoptKeys(enrolledKeys).catch((error: unknown) => {
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
        return;
      } catch (error) {
        this.#refuse(`release:${applied.releaseSha256}`, error);
      }
    }
    await this.#saveSlot(slot, null);
  }

  async #activate(slot: string, applied: Pick<AppliedRelease, 'releaseSha256'>): Promise<void> {
    const envelope = await this.#blob(applied.releaseSha256);
    const release = envelope && readRelease(parseEnvelope(envelope, 'release', RELEASE_BYTES * 2));
    const content = release && (await this.#blob(release.contentSha256));
    if (!content) throw new PicketError('blob.mismatch', `the content for ${slot} is no longer whole on this disk`);
    await this.#options.activate(slot, content, release);
  }

  /** A blob of the disk, if it is still what its name says. */
  async #blob(sha256: string): Promise<Uint8Array | null> {
    const bytes = await this.#options.store.getBlob(sha256);
    return bytes !== null && sha256Hex(bytes) === sha256 ? bytes : null;
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
      const { version, cohorts, releases, notificationsPerWeek } = verifyManifest(envelope, context, (signed) => {
        // From here on the version is the central's word: it may know which one was refused.
        what = `manifest:${signed.version}`;
      });
      const manifestSha256 = sha256Hex(bytes);
      const share = notificationsPerWeek === undefined ? {} : { notificationsPerWeek };
      await this.#save(() => ({ floor: version, manifestSha256, desired: { cohorts, releases }, ...share }));
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
      if (this.#refusedReleases.has(entry.releaseSha256)) continue;
      try {
        await this.#apply(entry, desired.cohorts, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!passingProblems.includes(codeOf(error))) this.#refusedReleases.add(entry.releaseSha256);
        this.#refuse(`release:${entry.releaseSha256}`, error);
      }
    }
    await this.#dropOthers(desired.releases);
    this.#report();
  }

  async #apply(entry: ManifestRelease, cohorts: readonly string[], signal: AbortSignal): Promise<void> {
    const { agent, store, supports, centralMs, log } = this.#options;
    const bytes = await this.#obtain(entry.releaseSha256, entry.releaseBytes, signal);
    const envelope = parseEnvelope(bytes, 'release', RELEASE_BYTES * 2);
    const release = verifyRelease(envelope, entry, { agent, cohorts, keys: this.#keys!, supports, nowMs: centralMs() });
    const content = await this.#obtain(release.contentSha256, release.contentBytes, signal);
    await store.putBlob(entry.releaseSha256, bytes);
    await store.putBlob(release.contentSha256, content);
    await this.#options.activate(entry.slot, content, release);
    const { releaseSha256 } = entry;
    const current: AppliedRelease = {
      releaseSha256,
      contentSha256: release.contentSha256,
      appliedMs: this.#options.utcMs(),
    };
    const before = this.#state.slots[entry.slot]?.current ?? null;
    try {
      await this.#saveSlot(entry.slot, { current, previous: before });
    } catch (error) {
      // What runs and what a restart would run must be one.
      if (before === null) this.#options.deactivate(entry.slot);
      else await this.#activate(entry.slot, before);
      throw error;
    }
    log.info({ slot: entry.slot, note: release.note }, 'applied');
  }

  /** From the disk, if it is there and whole; else from the central. */
  async #obtain(sha256: string, sizeBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const held = await this.#blob(sha256);
    if (held !== null && held.length === sizeBytes) return held;
    await this.#options.affordable?.(sizeBytes, signal);
    return await this.#fetcher.fetch(sha256, sizeBytes, signal);
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

  #remember(command: Command, nowMs: number): void {
    for (const [id, expiresMs] of this.#done) if (expiresMs <= nowMs) this.#done.delete(id);
    if (this.#done.size >= COMMANDS) {
      throw new PicketError(
        'payload.too_large',
        `${COMMANDS} commands are in force; command ${command.id} is one too many`,
      );
    }
    this.#done.set(command.id, command.expiresMs);
  }

  #refuse(what: string, error: unknown): void {
    const refusal = { what, code: codeOf(error), message: messageOf(error), atMs: this.#options.utcMs() };
    this.#options.log.warn({ what, code: refusal.code, problem: refusal.message }, 'refused');
    const same = this.#refusals.findIndex(
      (each) => each.what === what && each.code === refusal.code && each.message === refusal.message,
    );
    if (same >= 0) this.#refusals.splice(same, 1);
    this.#refusals.unshift(refusal);
    if (this.#refusals.length > REPORTED_REFUSALS) this.#refusals.pop();
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
