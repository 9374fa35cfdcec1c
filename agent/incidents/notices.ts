/**
 * Who may be woken, and out of which budget.
 *
 * What statistics found is paid from this machine's share of the fleet's notifications: it must be rarer than the share
 * allows (so many false ones a week are expected), and a notification that was saved up must be there to pay with. The
 * share comes from the central, signed, and holds while nobody can be asked. Rules, forecasts and data quality are no
 * matter of chance: they stand outside, and wake by their severity. An incident pays once, however it grows.
 *
 * Constraints: pure but for what it counts; time in which the agent does not run saves nothing.
 */
import type { IncidentBudget } from '../../shared/detect/budget.ts';
import { categoryOf, type Finding, type Notice } from '../../shared/findings.ts';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import { numberOf, objectOf } from '../../shared/trust/strict.ts';
import { isBeside } from './explain.ts';
import { severityOf, severityOfFinding } from './severity.ts';

const WEEK_MS = 7 * DAY_MS;
/** Notifications may be saved up to one, or to half a week's share. */
const SAVED_WEEKS = 0.5;
/** In its first hours a machine is not known well enough to wake anybody for what is merely grave. */
const LEARNING_MS = 6 * HOUR_MS;
const WATCHED_MOST_MS = 365 * DAY_MS;
/** Shares beyond this are none. */
const MOST_PER_WEEK = 10_000;

export interface NoticeRequest {
  readonly findings: readonly Finding[];
  /** The bar when the incident opened. */
  readonly barBits: number;
  /** How long it had lasted when it was heard last. */
  readonly lastedMs: number;
  readonly before: Notice | null;
}

export class Notices {
  readonly #machine: Pick<IncidentBudget, 'perDay'>;
  #perWeek: number;
  #saved = 1;
  #watchedMs = 0;
  /** Faded over a week. */
  #paid = 0;
  #refused = 0;
  /** Counts decisions that changed something; whoever keeps the state looks at it. */
  decided = 0;

  /**
   * @param perWeek this machine's share until a central says another
   * @param saved what `save` gave. Throws `payload.invalid`
   */
  constructor(machine: Pick<IncidentBudget, 'perDay'>, perWeek: number, saved: unknown = null) {
    this.#machine = machine;
    this.#perWeek = perWeek;
    if (saved === null) return;
    const state = objectOf(saved, 'notices');
    this.#saved = numberOf(state.saved, 'notices.saved', 0, MOST_PER_WEEK);
    this.#watchedMs = numberOf(state.watchedMs, 'notices.watchedMs', 0, WATCHED_MOST_MS);
    this.#paid = numberOf(state.paid, 'notices.paid', 0);
    this.#refused = numberOf(state.refused, 'notices.refused', 0);
  }

  /** Notifications a week that this machine may spend. */
  get perWeek(): number {
    return this.#perWeek;
  }

  /** The central gives another share. */
  setShare(perWeek: number): void {
    this.#perWeek = Math.min(MOST_PER_WEEK, Math.max(0, perWeek));
    this.#saved = Math.min(this.#saved, this.#most);
  }

  /** Paid in the last week, refused because nothing was saved, and saved up now. */
  get counts(): { readonly paid: number; readonly refused: number; readonly saved: number } {
    return { paid: this.#paid, refused: this.#refused, saved: this.#saved };
  }

  /** The agent ran for as long. */
  pass(ms: number): void {
    if (!(ms > 0)) return;
    this.#watchedMs = Math.min(WATCHED_MOST_MS, this.#watchedMs + ms);
    this.#saved = Math.min(this.#most, this.#saved + (this.#perWeek * ms) / WEEK_MS);
    const kept = Math.exp(-ms / WEEK_MS);
    this.#paid *= kept;
    this.#refused *= kept;
  }

  save(): unknown {
    return { saved: this.#saved, watchedMs: this.#watchedMs, paid: this.#paid, refused: this.#refused };
  }

  /** Whether somebody may be woken for an incident, as it is now. What was paid stays paid. */
  judge(asked: NoticeRequest): Notice {
    const { before } = asked;
    const loud = asked.findings.filter(({ muted }) => muted !== true);
    const cost = before?.cost ?? 0;
    if (loud.length === 0) return { wakes: false, reason: 'muted', cost, perWeek: null };
    if (before?.wakes === true) return before;
    const facts = loud.filter(({ detector }) => categoryOf(detector) !== 'statistical');
    const { barBits, lastedMs } = asked;
    if (facts.some((finding) => severityOfFinding(finding, barBits, lastedMs) !== 'info')) {
      return { wakes: true, reason: 'outside', cost, perWeek: null };
    }
    const found = loud.filter((finding) => !facts.includes(finding) && !isBeside(finding, barBits));
    if (found.length === 0) return { wakes: false, reason: 'severity', cost, perWeek: null };
    const peak = found.reduce((most, { bits }) => Math.max(most, bits), 0);
    const perWeek = Math.min(7 * this.#machine.perDay, 7 * this.#machine.perDay * 2 ** (barBits - peak));
    const refused = (reason: Notice['reason']): Notice => ({ wakes: false, reason, cost, perWeek });
    const severity = severityOf(found, barBits, lastedMs);
    if (severity === 'info') return refused('severity');
    if (perWeek > this.#perWeek) return refused('rarity');
    if (this.#watchedMs < LEARNING_MS && severity !== 'critical') return refused('learning');
    // It woke once and was muted meanwhile: that is paid already.
    if (cost > 0) return { wakes: true, reason: 'budget', cost, perWeek };
    if (this.#saved < 1) {
      if (before?.reason !== 'spent') {
        this.#refused++;
        this.decided++;
      }
      return refused('spent');
    }
    this.#saved--;
    this.#paid++;
    this.decided++;
    return { wakes: true, reason: 'budget', cost: 1, perWeek };
  }

  get #most(): number {
    return Math.max(1, this.#perWeek * SAVED_WEEKS);
  }
}
