/**
 * What is new on this agent: a model on trial in its slot, or in the shadow of the one that runs there. Notes on the
 * disk what is tried before it runs, counts starts, and says what was found.
 */
import type { Timers } from '../../shared/clock.ts';
import { configurationForm } from '../../shared/config/managed.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { BesideReport, ManifestRelease } from '../../shared/trust/messages.ts';
import { type MemoryMeter, MemoryWatch } from './memory-watch.ts';
import type { ApplyReport, BesideRunner } from './options.ts';
import type { AppliedRelease, ApplyState } from './state.ts';
import {
  loopsOf,
  QUIET_MS,
  quiet,
  startCounted,
  TRIAL_MS,
  takenBack,
  trialOf,
  withoutShadow,
  withoutTrial,
} from './trials.ts';

interface OnTrialOptions {
  readonly runner: BesideRunner | undefined;
  readonly timers: Timers;
  readonly log: Log;
  readonly utcMs: () => number;
  readonly state: () => ApplyState;
  readonly save: (change: (state: ApplyState) => Partial<ApplyState>) => Promise<void>;
  readonly memory?: MemoryMeter;
  /** What is on trial in the slot breaks a bound. */
  readonly over: (slot: string, reason: string, releaseSha256: string) => void;
  /** The content of a release that lies on the disk; throws where it does not. */
  readonly contentOf: (applied: Pick<AppliedRelease, 'releaseSha256'>) => Promise<Uint8Array>;
  /** What is in the slot is durable, and to be in force from now on. */
  readonly running?: (slot: string) => void;
}

/** A configuration's starts are counted before anything of the agent is there (`configuration/boot.ts`). */
const isModel = (slot: string): boolean => slot !== configurationForm.kind;

export class OnTrial {
  readonly #options: OnTrialOptions;
  /** What ended since the start, by slot: told until something else runs there. */
  readonly #hashes = new Map<string, { mainSha256: string; besideSha256: string }>();
  readonly #timers: unknown[] = [];
  readonly #memory: MemoryWatch;

  constructor(options: OnTrialOptions) {
    this.#options = options;
    const { memory: meter, timers, state, over } = options;
    this.#memory = new MemoryWatch({
      meter,
      timers,
      watched: () => Object.entries(state().trials).map(([slot, { beforeBytes }]) => ({ slot, beforeBytes })),
      over: (slot, reason) => over(slot, reason, state().trials[slot]!.releaseSha256),
    });
  }

  /** Counts this start, before anything runs; answers with what made the process loop and is taken back now. */
  async started(): Promise<{ slot: string; releaseSha256: string; reason: string }[]> {
    const { state, save, timers } = this.#options;
    if (Object.keys(state().trials).length === 0) return [];
    await save((now) => startCounted(now, isModel));
    const loops = loopsOf(state()).filter(({ slot }) => isModel(slot));
    for (const { slot, releaseSha256, reason } of loops) await this.takeBack(slot, releaseSha256, reason);
    this.#timers.push(timers.after(QUIET_MS, () => this.#quietly(save(quiet))));
    this.#memory.start();
    return loops;
  }

  /** Noted before the release runs for the first time. */
  async begin(slot: string, releaseSha256: string): Promise<void> {
    const { save, timers } = this.#options;
    const beforeBytes = this.#memory.aliveBytes();
    await save((state) => trialOf(state, slot, releaseSha256, beforeBytes));
    this.#timers.push(timers.after(QUIET_MS, () => this.#quietly(save(quiet))));
    this.#memory.start();
  }

  /** The release could not be run here, which is no matter of a trial. */
  async failed(slot: string): Promise<void> {
    await this.#options.save((state) => withoutTrial(state, slot));
  }

  /** What is in the slot runs now: held against what it replaced while it is on trial, else watched by nobody. */
  async running(slot: string): Promise<void> {
    const { runner, state, timers, save, running } = this.#options;
    this.#hashes.delete(slot);
    running?.(slot);
    const held = state().slots[slot];
    if (held === undefined || state().trials[slot]?.releaseSha256 !== held.current.releaseSha256) return;
    const previous = held.previous === null || !isModel(slot) ? null : await this.#readable(held.previous);
    if (isModel(slot)) runner?.compare(slot, previous, 'trial');
    if (previous !== null) {
      const hashes = { mainSha256: held.current.releaseSha256, besideSha256: held.previous!.releaseSha256 };
      this.#hashes.set(slot, hashes);
    }
    const end = async (): Promise<void> => {
      if (state().trials[slot]?.releaseSha256 !== held.current.releaseSha256) return;
      await save((now) => withoutTrial(now, slot));
      if (isModel(slot)) runner?.endComparison(slot);
      this.#hashes.delete(slot);
    };
    this.#timers.push(timers.after(TRIAL_MS, () => this.#quietly(end())));
  }

  /**
   * Runs what is in the shadow of the slot. It is on trial as well: what raises nothing can still end the process. One at
   * a time: a shadow is asked for after a trial, by a central that knows of it. Throws, and it is gone, where it can't run.
   */
  async shadow(slot: string): Promise<void> {
    const { runner, state, save, contentOf } = this.#options;
    const shadow = state().shadows[slot];
    const main = state().slots[slot];
    if (runner === undefined || shadow === undefined || main === undefined) return;
    const { releaseSha256 } = shadow;
    if (state().trials[slot]?.releaseSha256 !== releaseSha256) await this.begin(slot, releaseSha256);
    try {
      runner.compare(slot, await contentOf(shadow), 'shadow');
    } catch (error) {
      await save((now) => withoutShadow(now, slot));
      throw error;
    }
    this.#hashes.set(slot, { mainSha256: main.current.releaseSha256, besideSha256: releaseSha256 });
  }

  /** Runs again what was in a shadow; tells of what can't. */
  async shadows(refuse: (releaseSha256: string, error: unknown) => void): Promise<void> {
    for (const [slot, { releaseSha256 }] of Object.entries(this.#options.state().shadows)) {
      await this.shadow(slot).catch((error: unknown) => refuse(releaseSha256, error));
    }
  }

  /** Of the shadows that the manifest names those that are not there yet. */
  wanted(named: readonly ManifestRelease[]): readonly ManifestRelease[] {
    const { runner, state } = this.#options;
    if (runner === undefined) return [];
    const { slots, shadows } = state();
    return named.filter(
      ({ slot, releaseSha256 }) =>
        slots[slot]?.current.releaseSha256 !== releaseSha256 && shadows[slot]?.releaseSha256 !== releaseSha256,
    );
  }

  /** Ends the shadows that the manifest does not name. */
  async endOthers(named: readonly ManifestRelease[]): Promise<void> {
    const { state, save, runner } = this.#options;
    for (const [slot, shadow] of Object.entries(state().shadows)) {
      if (named.some((entry) => entry.slot === slot && entry.releaseSha256 === shadow.releaseSha256)) continue;
      await save((now) => withoutShadow(now, slot));
      if (this.#hashes.get(slot)?.besideSha256 !== shadow.releaseSha256) continue;
      runner?.endComparison(slot);
      this.#hashes.delete(slot);
    }
  }

  /** Forgets it, durably: it never runs here again. */
  async takeBack(slot: string, releaseSha256: string, reason: string): Promise<void> {
    const atMs = this.#options.utcMs();
    await this.#options.save((state) => takenBack(state, slot, releaseSha256, reason, atMs));
    this.#hashes.delete(slot);
  }

  wasTakenBack(releaseSha256: string): boolean {
    return this.#options.state().reverted.some((each) => each.releaseSha256 === releaseSha256);
  }

  reports(): Pick<ApplyReport, 'beside' | 'reverted'> {
    const { runner, state } = this.#options;
    if (runner === undefined) return {};
    const beside: BesideReport[] = [];
    for (const comparison of runner.comparisons()) {
      const hashes = this.#hashes.get(comparison.slot);
      if (hashes !== undefined) beside.push({ ...hashes, ...comparison });
    }
    return { beside, reverted: state().reverted };
  }

  /** Stopped as it should be, which is no loop. */
  async stop(): Promise<void> {
    const { timers, state, save } = this.#options;
    for (const timer of this.#timers) timers.cancel(timer);
    this.#memory.stop();
    if (Object.values(state().trials).some(({ starts }) => starts > 0)) await save(quiet).catch(() => {});
  }

  async #readable(applied: AppliedRelease): Promise<Uint8Array | null> {
    try {
      return await this.#options.contentOf(applied);
    } catch {
      return null;
    }
  }

  #quietly(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.#options.log.warn({ problem: messageOf(error) }, 'it could not be kept how a trial goes'),
    );
  }
}
