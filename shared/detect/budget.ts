/**
 * The bar that a finding must pass, so that a machine shows about as many false incidents a day as its budget allows.
 *
 * The tails promise: where all stages together give n verdicts a day, one of b bits comes by chance n·2^-b times a day,
 * so that log2(n / budget) bits would do (every verdict is in bits: one bar shares the budget out over series, stages
 * and resolutions). Tails that were fitted elsewhere are off by a factor of ten either way, so the promise is held
 * against what happened here. The peaks of the incidents that were shown are kept, and the bar is the lowest b with
 *
 *     p·2^(promised - b)  +  shown with a peak of at least b   ≤   p + budget · days watched
 *
 * which is the posterior mean of a Poisson rate whose Gamma prior is worth p incidents, solved for b. Days and incidents
 * fade alike, over some 14 allowed incidents, and p fades as days fill that time: in the long run the rate is the
 * budget's whatever the tails are worth, as an incident counts by having been shown and not by what its bits claim (as in
 * adaptive conformal inference, Gibbs and Candès 2021; the right side is what alpha investing, Foster and Stine 2008,
 * calls wealth). One that went far beyond the bar counts for less, as it is hardly a false one. So that saved wealth is not spent on one bad day, the same is asked of the last 3 allowed incidents.
 * In its first days a machine has little on the right side: two incidents at once raise the bar above them; and as its
 * days and nights are not known yet, the promise is held to be worth `NEW_BITS` less, which fades with the first day.
 *
 * Constraints: pure; constant memory; time in which the machine is not watched does not count.
 */
import { DAY_MS, HOUR_MS } from '../limits.ts';
import { numberOf, objectOf } from '../trust/strict.ts';
import { ShownTail } from './budget-tail.ts';

/** Incidents that the tails' promise is worth, in the first days and in the long run. */
const PRIOR = 1.5;
const LAST_PRIOR = 0.1;
const NEW_BITS = 4;
const NEW_DAYS = 1;
/** Allowed incidents over which days and incidents fade; and over which a burst is told. */
const MEMORY_INCIDENTS = 14;
const BURST_INCIDENTS = 3;
const BURST_ALLOWED = 1.5;
const SHORTEST_MEMORY_DAYS = HOUR_MS / DAY_MS;
const LONGEST_MEMORY_DAYS = 60;
/** Bounds of the bar: below, only chance is seen; above, no detector claims more. */
const LEAST_BAR_BITS = 12;
const MOST_BAR_BITS = 120;
/** What people are shown is counted over this time. */
const SHOWN_DAYS = 7;
const MOST_WATCHED_DAYS = 1e4;

export class IncidentBudget {
  readonly perDay: number;
  readonly #trials = new Map<string, number>();
  readonly #lately: ShownTail;
  readonly #burst: ShownTail;
  #shown = 0;
  #shownDays = 0;
  #watchedDays = 0;
  #next = 1;
  /** Counts what was spent or moved since the start; whoever keeps the state looks at it. */
  spent = 0;
  #barBits = LEAST_BAR_BITS;

  /**
   * @param perDay incidents a day that nobody minds
   * @param saved what `save` gave; what was counted under another budget holds under this one. Throws `payload.invalid`
   */
  constructor(perDay: number, saved: unknown = null) {
    this.perDay = perDay;
    this.#lately = new ShownTail(memoryDays(MEMORY_INCIDENTS / perDay));
    this.#burst = new ShownTail(memoryDays(BURST_INCIDENTS / perDay));
    if (saved !== null) this.#load(saved);
  }

  /** Bits from which on a verdict is a finding. */
  bar(): number {
    return this.#barBits;
  }

  /** A stage says how many verdicts a day it gives from now on. */
  setTrials(stage: string, perDay: number): void {
    if (this.#trials.get(stage) === perDay) return;
    this.#trials.set(stage, perDay);
    this.#renew();
  }

  /** Whether any stage gives verdicts yet. */
  get isJudging(): boolean {
    return [...this.#trials.values()].some((perDay) => perDay > 0);
  }

  /** Bits that would do if the tails were right. */
  get promisedBits(): number {
    let trials = 0;
    for (const perDay of this.#trials.values()) trials += perDay;
    return Math.log2(Math.max(1, trials / this.perDay)) + NEW_BITS * Math.exp(-this.#watchedDays / NEW_DAYS);
  }

  /** Incidents a day that were shown in the last week, to be held against `perDay`. */
  get shownPerDay(): number {
    return this.#shown / Math.max(1, this.#shownDays);
  }

  /** How often a day chance alone is expected to come to as many bits. */
  expectedPerDay(bits: number): number {
    return this.perDay * 2 ** (this.#barBits - bits);
  }

  /** The machine was watched for as long. Once a minute is often enough. */
  pass(ms: number): void {
    if (!(ms > 0)) return;
    this.#lately.pass(ms);
    this.#burst.pass(ms);
    this.#watchedDays = Math.min(MOST_WATCHED_DAYS, this.#watchedDays + ms / DAY_MS);
    const kept = Math.exp(-ms / DAY_MS / SHOWN_DAYS);
    this.#shown *= kept;
    this.#shownDays = SHOWN_DAYS * (1 - (1 - this.#shownDays / SHOWN_DAYS) * kept);
    this.#renew();
  }

  /** An incident is shown that statistics found, with this peak; answers with a number for `grew` and `refund`. */
  spend(bits: number): number {
    const id = this.#next++;
    const held = heldBits(bits);
    const bar = this.#barBits;
    this.#lately.add(id, held, bar);
    this.#burst.add(id, held, bar);
    this.#shown++;
    this.spent++;
    this.#renew();
    return id;
  }

  /** Its peak is higher now. */
  grew(id: number, bits: number): void {
    const held = heldBits(bits);
    this.#lately.grew(id, held);
    this.#burst.grew(id, held);
    this.#renew();
  }

  /** It was no false one: a fact confirms it. It stays counted among what was shown. */
  refund(id: number): void {
    this.spent++;
    this.#lately.remove(id);
    this.#burst.remove(id);
    this.#renew();
  }

  /** As JSON, for the next start. */
  save(): unknown {
    return {
      lately: this.#lately.save(),
      burst: this.#burst.save(),
      shown: this.#shown,
      shownDays: this.#shownDays,
      watchedDays: this.#watchedDays,
    };
  }

  #load(saved: unknown): void {
    const state = objectOf(saved, 'budget');
    this.#lately.load(state.lately, 'budget.lately');
    this.#burst.load(state.burst, 'budget.burst');
    this.#shown = numberOf(state.shown, 'budget.shown', 0);
    this.#shownDays = numberOf(state.shownDays, 'budget.shownDays', 0, SHOWN_DAYS);
    this.#watchedDays = numberOf(state.watchedDays, 'budget.watchedDays', 0, MOST_WATCHED_DAYS);
    this.#next = Math.max(this.#lately.lastId, this.#burst.lastId) + 1;
    this.#renew();
  }

  #renew(): void {
    const lately = this.#lately;
    const promised = this.promisedBits;
    const prior = Math.max(LAST_PRIOR, PRIOR * (1 - lately.days / lately.memoryDays));
    const allowed = prior + this.perDay * lately.days;
    const bar = lately.lowestBar(allowed, (left) => promised - Math.log2(left / prior));
    const burstAllowed = BURST_ALLOWED + this.perDay * this.#burst.days;
    const burstBar = this.#burst.lowestBar(burstAllowed, () => Number.NEGATIVE_INFINITY);
    this.#barBits = Math.min(MOST_BAR_BITS, Math.max(LEAST_BAR_BITS, bar, burstBar));
  }
}

function memoryDays(days: number): number {
  return Math.min(LONGEST_MEMORY_DAYS, Math.max(SHORTEST_MEMORY_DAYS, days));
}

/** What is no number is told as none: nothing else pays for it. */
function heldBits(bits: number): number {
  return Number.isNaN(bits) ? 0 : Math.max(0, Math.min(bits, MOST_BAR_BITS));
}
