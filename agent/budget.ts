/**
 * The agent's two budgets, and what survives of them: incidents that are shown and wake nobody (`findingsPerDay`, this
 * machine's own), and notifications (this machine's share of the fleet's).
 *
 *   detect, groups ── setTrials, bar ──► IncidentBudget ◄── spend ── incidents ── judge ──► Notices ◄── share ── apply
 *
 * Kept every ten minutes and when something was spent; a file that cannot be read is said once, and counting begins
 * anew. Small: some kilobytes of JSON.
 */
import { IncidentBudget } from '../shared/detect/budget.ts';
import { messageOf } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { encodeJson, objectOf, parseJson } from '../shared/trust/strict.ts';
import { Notices } from './incidents/notices.ts';

const PASS_MS = 60_000;
const KEEP_MS = 600_000;

export interface BudgetOptions {
  /** Incidents a day that nobody minds on this machine. */
  readonly findingsPerDay: number;
  /** Notifications a week until a central says another share. */
  readonly notificationsPerWeek: number;
  /** What was kept; null before the first time. */
  readonly saved: Uint8Array | null;
  readonly keep: (state: Uint8Array) => void;
  readonly log: Log;
}

export class AgentBudget {
  readonly machine: IncidentBudget;
  readonly notices: Notices;
  readonly #options: BudgetOptions;
  #passedMs: number | null = null;
  #keptMs = 0;
  #keptSpent = 0;

  constructor(options: BudgetOptions) {
    this.#options = options;
    const { machine, notices } = this.#open(options.saved);
    this.machine = machine;
    this.notices = notices;
    this.#keptSpent = this.#spent;
  }

  /** Once a second. Answers whether the bar may have moved. */
  tick(monotonicMs: number): boolean {
    if (this.#passedMs === null) {
      this.#passedMs = monotonicMs;
      this.#keptMs = monotonicMs;
    }
    const passedMs = monotonicMs - this.#passedMs;
    if (passedMs >= PASS_MS) {
      this.#passedMs = monotonicMs;
      // A machine that slept was not watched.
      const watchedMs = Math.min(passedMs, 2 * PASS_MS);
      this.machine.pass(watchedMs);
      this.notices.pass(watchedMs);
    }
    const spent = this.#spent > this.#keptSpent;
    if (spent || monotonicMs - this.#keptMs >= KEEP_MS) {
      this.#keptMs = monotonicMs;
      this.keep();
    }
    return spent || passedMs >= PASS_MS;
  }

  /** Writes what is counted; at a clean stop, too. */
  keep(): void {
    this.#keptSpent = this.#spent;
    this.#options.keep(encodeJson({ machine: this.machine.save(), notices: this.notices.save() }));
  }

  /** What was spent and what may be, for the status and the central. */
  figures(): Readonly<Record<string, number>> {
    const { paid, refused, saved } = this.notices.counts;
    return {
      'picket.budget.findings.allowed': this.machine.perDay,
      'picket.budget.findings.spent': rounded(this.machine.shownPerDay),
      ...(this.machine.isJudging ? { 'picket.budget.bar': rounded(this.machine.bar()) } : {}),
      'picket.budget.notifications.allowed': this.notices.perWeek,
      'picket.budget.notifications.spent': rounded(paid),
      'picket.budget.notifications.refused': rounded(refused),
      'picket.budget.notifications.saved': rounded(saved),
    };
  }

  get #spent(): number {
    return this.machine.spent + this.notices.decided;
  }

  #open(saved: Uint8Array | null): { machine: IncidentBudget; notices: Notices } {
    const { findingsPerDay, notificationsPerWeek, log } = this.#options;
    try {
      const state = saved === null ? {} : objectOf(parseJson(saved, limits.recordBytes, 'budget'), 'budget');
      const machine = new IncidentBudget(findingsPerDay, state.machine ?? null);
      return { machine, notices: new Notices(machine, notificationsPerWeek, state.notices ?? null) };
    } catch (error) {
      log.warn({ problem: messageOf(error) }, 'What was spent of the budgets cannot be read; it is counted anew');
      const machine = new IncidentBudget(findingsPerDay);
      return { machine, notices: new Notices(machine, notificationsPerWeek) };
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
