/**
 * Mutes: what is not to wake anybody for a while. They mark findings; recording, showing and judging go on as before.
 *
 *   picket-agent mute ─► door ─┐
 *   down/command, signed ──────┴─► MuteStage ─► covers(finding) → muted       → incidents
 *                                      └─► an event for the central's audit trail, status, reported
 *
 * A mute ends by monotonic time, which no clock that is set can move. Over a boot it ends by the best estimate of UTC,
 * and never has longer left than it had: a machine that wakes up in 1970 is not muted for ever. A command of the central
 * is done once by its id, also when it comes again after a restart.
 */
import type { Instant } from '../shared/clock.ts';
import { messageOf, PicketError } from '../shared/errors.ts';
import type { Finding } from '../shared/findings.ts';
import type { Log } from '../shared/log.ts';
import { type Mute, type MuteRequest, mutedWhat, muteLimits, NOTHING_MUTED } from '../shared/mute.ts';
import { globMatches } from '../shared/rules/glob.ts';
import { formatSeries } from '../shared/series.ts';
import { decodeMutes, encodeMutes, type KeptMute } from './mutes/saved.ts';

/** How much of what is left a boot with a wrong clock may give back. */
const SAVE_MS = 10 * 60_000;
/** Ids of commands that were done; they live for an hour at most. */
const COMMANDS = 64;

export interface MuteOptions {
  readonly bootId: string;
  readonly log: Log;
  /** Takes what must survive a restart. */
  readonly keep: (saved: Uint8Array) => void;
  /** What is muted is otherwise than before: in words, for the audit trail. */
  readonly changed: (text: string, at: Instant) => void;
}

export class MuteStage {
  readonly #options: MuteOptions;
  #mutes: readonly KeptMute[] = [];
  /** Done commands, with the time after which none of that id is accepted any more. */
  readonly #done = new Map<string, number>();
  #savedMs = 0;
  #count = 0;

  constructor(options: MuteOptions) {
    this.#options = options;
  }

  /** In force, the one that ends first first. */
  list(): readonly Mute[] {
    return this.#mutes.map(({ endMonotonicMs: _, ...mute }) => mute);
  }

  /** Takes up what was in force before a restart. What cannot be read is said, and nothing is muted. */
  load(saved: Uint8Array | null, at: Instant): void {
    if (saved === null) return;
    try {
      const { boot, savedMonotonicMs, mutes, done } = decodeMutes(saved);
      for (const [id, untilMs] of done) this.#done.set(id, untilMs);
      this.#mutes = mutes.map((mute) => {
        if (boot === this.#options.bootId) return mute;
        const left = mute.endMonotonicMs - savedMonotonicMs;
        const byClock = at.utcMs < mute.fromMs ? left : mute.untilMs - at.utcMs;
        return { ...mute, endMonotonicMs: at.monotonicMs + Math.min(left, byClock) };
      });
      this.tick(at);
    } catch (error) {
      this.#options.log.warn({ problem: messageOf(error) }, 'what was muted cannot be read; nothing is');
    }
  }

  #covers({ rule, key, series }: Finding): boolean {
    return this.#mutes.some((mute) => {
      if (mute.rule !== null && (rule === undefined || !globMatches(mute.rule, rule))) return false;
      if (mute.series === null) return true;
      return [key.name, formatSeries(key), series].some((name) => globMatches(mute.series!, name));
    });
  }

  /** The finding as it is told: what is muted says so. */
  mark(finding: Finding): Finding {
    return this.#covers(finding) ? { ...finding, muted: true } : finding;
  }

  /** Mutes from now on. Throws `usage.invalid` where there are too many. */
  mute(request: MuteRequest, at: Instant): Mute {
    return this.#add(`local-${Math.round(at.utcMs)}-${++this.#count}`, request, request.forMs, at);
  }

  /** Ends all mutes, or those of this rule and these series; how many. */
  unmute(what: { readonly rule: string | null; readonly series: string | null }, at: Instant): number {
    const all = what.rule === null && what.series === null;
    const kept = this.#mutes.filter(({ rule, series }) => !all && (rule !== what.rule || series !== what.series));
    const ended = this.#mutes.length - kept.length;
    if (ended > 0) this.#set(kept, at);
    return ended;
  }

  /** A command of the central, verified; done once. */
  command(
    id: string,
    { madeMs, expiresMs }: { readonly madeMs: number; readonly expiresMs: number },
    what:
      | { readonly mute: MuteRequest }
      | { readonly unmute: { readonly rule: string | null; readonly series: string | null } },
    at: Instant,
  ): void {
    if (this.#done.has(id)) return;
    for (const [known, untilMs] of this.#done) if (untilMs < madeMs) this.#done.delete(known);
    if (this.#done.size >= COMMANDS) this.#done.delete(this.#done.keys().next().value!);
    this.#done.set(id, expiresMs);
    if ('unmute' in what) {
      this.unmute(what.unmute, at);
    } else {
      // It counts from when it was asked for: the way here may have taken an hour.
      const leftMs = what.mute.forMs - Math.max(0, at.utcMs - madeMs);
      if (leftMs > 0) this.#add(id, what.mute, leftMs, at);
    }
    this.#save(at);
  }

  /** Ends what has ended. */
  tick(at: Instant): void {
    if (this.#mutes.length === 0) return;
    const kept = this.#mutes.filter(({ endMonotonicMs }) => endMonotonicMs > at.monotonicMs);
    if (kept.length < this.#mutes.length) this.#set(kept, at);
    else if (at.monotonicMs - this.#savedMs >= SAVE_MS) this.#save(at);
  }

  #add(id: string, { rule, series, reason, by }: MuteRequest, leftMs: number, at: Instant): Mute {
    // The same once more takes the place of the one before.
    const others = this.#mutes.filter((mute) => mute.rule !== rule || mute.series !== series);
    if (others.length >= muteLimits.most) {
      throw new PicketError('usage.invalid', `${muteLimits.most} mutes are in force; end one first.`);
    }
    const fromMs = Math.round(at.utcMs);
    const mute: Mute = { id, rule, series, reason, by, fromMs, untilMs: Math.round(fromMs + leftMs) };
    this.#set([...others, { ...mute, endMonotonicMs: at.monotonicMs + leftMs }], at);
    return mute;
  }

  #set(mutes: readonly KeptMute[], at: Instant): void {
    this.#mutes = [...mutes].sort((a, b) => a.endMonotonicMs - b.endMonotonicMs);
    this.#save(at);
    const text = this.#mutes.length === 0 ? NOTHING_MUTED : this.#mutes.map(inWords).join('; ');
    this.#options.log.info({ muted: this.#mutes.length }, text);
    this.#options.changed(text, at);
  }

  #save(at: Instant): void {
    this.#savedMs = at.monotonicMs;
    const { bootId } = this.#options;
    this.#options.keep(
      encodeMutes({ boot: bootId, savedMonotonicMs: at.monotonicMs, mutes: this.#mutes, done: [...this.#done] }),
    );
  }
}

function inWords(mute: Mute): string {
  const until = new Date(mute.untilMs).toISOString().slice(0, 16).replace('T', ' ');
  const why = mute.reason === '' ? '' : `: ${mute.reason}`;
  return `${mutedWhat(mute)} until ${until} UTC, by ${mute.by}${why}`;
}
