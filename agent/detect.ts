/**
 * Detect: judges every sample of every series where it is taken, then learns from it.
 *
 *   preprocess → score(series, value, quality, at) → bits, finding, expected range (fields, reused) → summarise
 *                                                  → Finding objects, when there is something to tell → incidents
 *
 * Constraints: nothing is allocated per sample; a detector's state is allocated when its series first appears, and there
 * are never more than `limit` of them. The bar that a finding must pass follows from a budget: so many findings a day on
 * this machine, shared by all samples of all its series.
 */
import type { Instant } from '../shared/clock.ts';
import type { ZoneOffsets } from '../shared/detect/civil.ts';
import { emptyVerdict, type Verdict } from '../shared/detect/detector.ts';
import { type AnyDetectorKind, detectorKinds } from '../shared/detect/registry.ts';
import { describeSeries } from '../shared/detect/wording.ts';
import { messageOf } from '../shared/errors.ts';
import type { Shape } from '../shared/findings.ts';
import { DAY_MS } from '../shared/limits.ts';
import { Quality, type SeriesId, type SeriesNumber } from '../shared/series.ts';
import { noRange, type Range, rangeWithin } from './detect/bounds.ts';
import { Excursions, step } from './detect/excursions.ts';
import { joinStates } from './detect/joint.ts';
import { budgetedKinds, type JudgedKind, judgedKinds, type LastingKind, lastingKinds } from './detect/kinds.ts';
import type { DetectOptions } from './detect/options.ts';
import { encodeStates, type SavedDetector, takeUpStates } from './detect/saved-state.ts';
import { type SiteZone, siteZone, utcSite } from './detect/zone.ts';

/** Detectors of every series, in the order of the columns below: surprise, then `lastingKinds`. */
const SURPRISE = 0;
const FIRST_LASTING = 1;
/** A series that is no share of a resource. */
const NO_SHARE = -1;

/** The start of an agent (and of what starts with it) disturbs the machine that it is to learn. */
const SETTLE_MS = 30_000;
const LEAST_BAR_BITS = 12;
/** Return periods are told up to this: a thousand years, far beyond what is ever said. */
const LONGEST_RETURN_MS = 1000 * 365 * DAY_MS;
/** What is merely unusual is told for as long after a finding, or before it as long as it lasts until then. */
const GOING_ON_MS = 30_000;
/** What lasts is told again as often. */
const REPEAT_MS = 30_000;
/** What has been outside for so many samples is no spike any more. */
const SHIFT_POINTS = 9;
/** How often kinds of the cadence `minute` are scored. */
const SCORED_MS = 60_000;

export class DetectStage {
  /** Of the last `score`: surprise in bits (0 while not ready), whether it is a finding, and the expected range. */
  bits = 0;
  finding = false;
  /** False while no detector of the series is ready. */
  ready = false;
  expectedLow = Number.NaN;
  expectedHigh = Number.NaN;

  readonly #options: DetectOptions;
  readonly #kinds: readonly AnyDetectorKind[];
  /** Their functions by themselves: looked up in objects of so many shapes they would cost more than they do. */
  readonly #score: readonly AnyDetectorKind['score'][];
  readonly #learn: readonly AnyDetectorKind['learn'][];
  readonly #params: { barBits: number; zone?: ZoneOffsets }[];
  /** By detector, then by series number. */
  readonly #states: unknown[][];
  /** Expected samples a day of a series; 0: it has not appeared. */
  readonly #perDay: Float64Array;
  /** Share at which nothing is left (0 or 1), or `NO_SHARE`. */
  readonly #full: Int8Array;
  /** Monotonic time until which what is merely unusual is told too: something is going on. */
  #goingOnUntilMs = Number.NEGATIVE_INFINITY;
  readonly #excursions: Excursions;
  /** Monotonic times: of the last good value, of the last change, and when kinds are scored that are so by the minute. */
  readonly #lastGood: Float64Array;
  readonly #lastChange: Float64Array;
  readonly #lastValue: Float64Array;
  readonly #due: Float64Array;
  /** By detector, then by series number: since when it gives bits (NaN: it gives none), and when it was told last. */
  readonly #givesSince: Float64Array[];
  readonly #told: Float64Array[];
  /** By detector, then by series number: whether it found something when it was scored last. */
  readonly #found: Uint8Array[];
  /** States of series that are not here now, oldest first: loaded and not claimed yet, or forgotten. */
  readonly #parked = new Map<SeriesId, readonly SavedDetector[]>();
  #zone: SiteZone | null = null;
  #samplesPerDay = 0;
  #settledAtMs = Number.NaN;
  readonly #verdict: Verdict = emptyVerdict();
  readonly #x = new Float64Array(1);
  readonly #quality = new Uint8Array(1);

  constructor(options: DetectOptions) {
    this.#options = options;
    this.#kinds = [{ name: 'surprise' }, ...lastingKinds].map(({ name }) => detectorKinds[name]!);
    this.#score = this.#kinds.map(({ score }) => score);
    this.#learn = this.#kinds.map(({ learn }) => learn);
    this.#params = this.#kinds.map((kind) => ({ ...kind.defaults }));
    this.#states = this.#kinds.map(() => new Array(options.limit).fill(null));
    this.#perDay = new Float64Array(options.limit);
    this.#full = new Int8Array(options.limit);
    this.#excursions = new Excursions(options.limit);
    this.#lastGood = new Float64Array(options.limit);
    this.#lastChange = new Float64Array(options.limit);
    this.#lastValue = new Float64Array(options.limit);
    this.#due = new Float64Array(options.limit);
    this.#givesSince = this.#kinds.map(() => new Float64Array(options.limit));
    this.#told = this.#kinds.map(() => new Float64Array(options.limit));
    this.#found = this.#kinds.map(() => new Uint8Array(options.limit));
  }

  /** Bits from which on a sample is a finding: what is expected less often than the budget allows. */
  get barBits(): number {
    return this.#params[SURPRISE]!.barBits;
  }

  /** Takes the bar from the budget anew: it moves with what was shown. */
  renewBar(): void {
    const { budget, findingsPerDay = 1 } = this.#options;
    budget?.setTrials('detect', this.#samplesPerDay);
    const bar = budget?.bar() ?? Math.max(LEAST_BAR_BITS, Math.log2(this.#samplesPerDay / findingsPerDay));
    this.#params[SURPRISE]!.barBits = bar;
    for (const k of budgetedKinds) this.#params[FIRST_LASTING + k]!.barBits = bar;
  }

  /** Judges a sample and learns from it. NaN or a quality that is not good counts as missing. */
  score(series: SeriesNumber, value: number, quality: Quality, at: Instant): void {
    this.bits = 0;
    this.finding = false;
    this.ready = false;
    this.expectedLow = Number.NaN;
    this.expectedHigh = Number.NaN;
    if (series < 0 || series >= this.#options.limit) return;
    if (Number.isNaN(this.#settledAtMs)) this.#settledAtMs = at.monotonicMs + (this.#options.settleMs ?? SETTLE_MS);
    if (at.monotonicMs < this.#settledAtMs) return;
    if (this.#perDay[series] === 0 && !this.#appear(series, at)) return;
    if (this.#zone === null || at.utcMs < this.#zone.fromMs || at.utcMs > this.#zone.untilMs) this.#readZone(at.utcMs);
    this.#x[0] = value;
    this.#quality[0] = quality;
    const now = at.monotonicMs;
    this.#judge(SURPRISE, series, at);
    this.expectedLow = this.#verdict.expectedLow;
    this.expectedHigh = this.#verdict.expectedHigh;
    const good = quality === Quality.good && Number.isFinite(value);
    if (good) this.#follow(series, value, at);
    const due = now >= this.#due[series]!;
    if (due) this.#due[series] = now + SCORED_MS;
    for (let k = 0; k < judgedKinds.length; k++) {
      const kind = judgedKinds[k]!;
      if (good || kind.unseen) this.#judgeLasting(FIRST_LASTING + k, kind, series, value, due, at);
    }
    if (!good) return;
    this.#lastGood[series] = now;
    if (value !== this.#lastValue[series]) {
      this.#lastValue[series] = value;
      this.#lastChange[series] = now;
    }
  }

  /** An expected sample did not come. */
  missingTick(series: SeriesNumber, at: Instant): void {
    this.score(series, Number.NaN, Quality.bad, at);
  }

  /** The series is gone for now: what was learned of it is kept for its return, its number may be given to another. */
  forget(series: SeriesNumber): void {
    if (!(this.#perDay[series]! > 0)) return;
    this.#park(this.#options.series.id(series), this.#saved(series));
    for (const states of this.#states) states[series] = null;
    this.#excursions.forget(series);
    this.#setRate(series, 0);
  }

  /** What the series tells of was replaced by a new one: nothing that was learned holds for it, and nothing goes on. */
  beginAnew(series: SeriesNumber, at: Instant): void {
    this.#parked.delete(this.#options.series.id(series));
    if (this.#perDay[series]! > 0) this.#appear(series, at);
  }

  /** What was learned of all series, here or parked. */
  saveState(): Uint8Array {
    const all = new Map<SeriesId, readonly SavedDetector[]>();
    for (let series = 0; series < this.#options.limit; series++) {
      if (this.#perDay[series]! > 0) all.set(this.#options.series.id(series), this.#saved(series));
    }
    for (const [id, saved] of this.#parked) if (all.size < this.#options.limit && !all.has(id)) all.set(id, saved);
    return encodeStates(all);
  }

  /** Takes up what was saved, before the first sample. What cannot be read is said once, and is learned afresh. */
  loadState(bytes: Uint8Array): void {
    const { limit, log } = this.#options;
    try {
      const { states, anew } = takeUpStates(bytes, limit, this.#kinds);
      for (const [id, saved] of states) this.#park(id, saved);
      if (anew.size > 0) {
        log.warn(
          { detectors: Object.fromEntries(anew) },
          'What some detectors had learned is not for this version or is damaged; these begin anew, all others go on',
        );
      }
    } catch (error) {
      log.warn(
        { error: messageOf(error) },
        'What the detectors had learned could not be read; they start afresh and say nothing for some minutes',
      );
    }
  }

  /** Tells findings, and while there are any, what else is unusual at the same time. */
  #follow(series: number, value: number, at: Instant): void {
    const now = at.monotonicMs;
    const done = this.#excursions.step(series, value, this.#verdict, now, now < this.#goingOnUntilMs);
    if (done === step.nothing) return;
    if (done === step.tell) this.#goingOnUntilMs = now + GOING_ON_MS;
    this.#tellExcursion(series, at);
  }

  #judgeLasting(k: number, kind: JudgedKind, series: number, value: number, due: boolean, at: Instant): void {
    const state = this.#states[k]![series];
    if (state === null) return;
    if (kind.share && this.#full[series] === 0) this.#x[0] = 1 - value;
    if (kind.always || due) {
      this.#judge(k, series, at);
      this.#considerTelling(k, kind.of, series, value, at);
    } else {
      this.#learn[k]!(this.#params[k], state, this.#x, this.#quality, at);
    }
    this.#x[0] = value;
  }

  /** Seasons are in the site's civil time. */
  #readZone(utcMs: number): void {
    const { zone } = this.#options;
    this.#zone = zone === undefined ? utcSite : siteZone(zone, utcMs);
    this.#params[SURPRISE]!.zone = this.#zone.offsets;
  }

  #judge(kind: number, series: number, at: Instant): void {
    const state = this.#states[kind]![series];
    const params = this.#params[kind];
    const verdict = this.#verdict;
    this.#score[kind]!(params, state, this.#x, this.#quality, at, verdict);
    this.#learn[kind]!(params, state, this.#x, this.#quality, at);
    if (verdict.ready) this.ready = true;
    // What one of the others says below its own bar is no verdict yet, and one that lasts counts once.
    const counts = kind === SURPRISE || (verdict.finding && this.#found[kind]![series] === 0);
    if (counts && verdict.bits > this.bits) this.bits = verdict.bits;
    this.#found[kind]![series] = verdict.finding ? 1 : 0;
    if (verdict.finding) this.finding = true;
  }

  /** Gives a new series its states: parked ones, or fresh ones. */
  #appear(series: number, at: Instant): boolean {
    const definition = this.#options.series.definition(series);
    if (definition === null || definition.derived === true) return false;
    const id = this.#options.series.id(series);
    const parked = this.#parked.get(id);
    this.#parked.delete(id);
    const states = this.#kinds.map((kind, k) => {
      if (k >= FIRST_LASTING && lastingKinds[k - FIRST_LASTING]!.takes?.(definition) === false) return null;
      const saved = parked?.find((one) => one.name === kind.name);
      return (saved === undefined ? null : this.#decode(saved)) ?? kind.start(this.#params[k]);
    });
    for (const [k, state] of joinStates(states).entries()) this.#states[k]![series] = state;
    this.#full[series] = definition.full ?? NO_SHARE;
    this.#lastGood[series] = at.monotonicMs;
    this.#lastChange[series] = at.monotonicMs;
    this.#lastValue[series] = Number.NaN;
    // Spread over the minute, so that not all series are scored at once.
    this.#due[series] = at.monotonicMs + (series % 60) * 1000;
    for (const since of this.#givesSince) since[series] = Number.NaN;
    for (const found of this.#found) found[series] = 0;
    for (const told of this.#told) told[series] = Number.NEGATIVE_INFINITY;
    this.#excursions.forget(series);
    this.#setRate(series, DAY_MS / Math.max(1, definition.intervalMs ?? this.#options.intervalMs ?? 1000));
    return true;
  }

  /** A state that was saved by a kind and version that is run here, else null. */
  #decode(saved: SavedDetector): unknown {
    const kind = this.#kinds.find((one) => one.name === saved.name && one.major === saved.major);
    return kind === undefined ? null : kind.state.decode(saved.state);
  }

  #saved(series: number): SavedDetector[] {
    return this.#kinds.flatMap(({ name, major, state }, k) => {
      const own = this.#states[k]![series];
      return own === null ? [] : [{ name, major, state: state.encode(own) }];
    });
  }

  #park(id: SeriesId, saved: readonly SavedDetector[]): void {
    this.#parked.delete(id);
    this.#parked.set(id, saved);
    const oldest = this.#parked.size > this.#options.limit ? this.#parked.keys().next().value : undefined;
    if (oldest !== undefined) this.#parked.delete(oldest);
  }

  /** Keeps the bar where all samples of all series together pass it as often as the budget says. */
  #setRate(series: number, perDay: number): void {
    this.#samplesPerDay += perDay - this.#perDay[series]!;
    this.#perDay[series] = perDay;
    this.renewBar();
  }

  #tellExcursion(series: number, at: Instant): void {
    const of = this.#excursions;
    const offset = at.utcMs - at.monotonicMs;
    const since = of.since[series]! + offset;
    const range = this.#expected(series, of.low[series]!, of.high[series]!);
    const shape = of.shapeOf(series, (SHIFT_POINTS * DAY_MS) / this.#perDay[series]!);
    this.#tell(series, SURPRISE, since, of.last[series]! + offset, of.seen[series]!, of.bits[series]!, range, shape);
  }

  /** What was expected before the series left it, if it has; else what is expected now. */
  #rangeBefore(series: number): Range {
    const { since, low, high } = this.#excursions;
    const left = !Number.isNaN(since[series]!);
    return this.#expected(series, left ? low[series]! : this.expectedLow, left ? high[series]! : this.expectedHigh);
  }

  /** A range, held to what can be at all. */
  #expected(series: number, from: number, to: number): Range {
    return rangeWithin(this.#options.series.definition(series), from, to);
  }

  #considerTelling(k: number, kind: LastingKind, series: number, value: number, at: Instant): void {
    const now = at.monotonicMs;
    const verdict = this.#verdict;
    const gives = this.#givesSince[k]!;
    if (verdict.bits === 0) gives[series] = Number.NaN;
    else if (Number.isNaN(gives[series]!)) gives[series] = now;
    if (!verdict.finding) return;
    if (kind.goingOn === true) this.#goingOnUntilMs = now + GOING_ON_MS;
    const told = this.#told[k]!;
    if (now - told[series]! < REPEAT_MS) return;
    told[series] = now;
    let since = gives[series]!;
    if (kind.since === 'change') since = this.#lastChange[series]!;
    else if (kind.since === 'good') since = this.#lastGood[series]!;
    let range = noRange;
    if (kind.range === 'values') range = this.#rangeBefore(series);
    else if (kind.range === 'own') range = this.#expected(series, verdict.expectedLow, verdict.expectedHigh);
    this.#tell(series, k, since + at.utcMs - now, at.utcMs, value, verdict.bits, range, verdict.shape);
  }

  #tell(
    series: number,
    kind: number,
    sinceMs: number,
    lastMs: number,
    seen: number,
    bits: number,
    expected: Range,
    shape: Shape | null = null,
  ): void {
    const definition = this.#options.series.definition(series);
    if (definition === null) return;
    const intervalMs = DAY_MS / this.#perDay[series]!;
    const severity = lastingKinds[kind - FIRST_LASTING]?.severity;
    const words = this.#kinds[kind]!.describe?.(this.#states[kind]![series], definition.unit);
    this.#options.onFinding({
      series: this.#options.series.id(series),
      key: { name: definition.name, unit: definition.unit, attributes: definition.attributes },
      detector: this.#kinds[kind]!.name,
      tier: 'full',
      sinceMs,
      lastMs,
      seen: Number.isNaN(seen) ? null : seen,
      ...expected,
      bits,
      returnPeriodMs: Math.min(LONGEST_RETURN_MS, intervalMs * 2 ** bits),
      intervalMs,
      ...(shape === null ? {} : { shape }),
      ...(severity === undefined ? {} : { severity }),
      ...(words === undefined ? {} : { wrong: `${describeSeries(definition)} ${words}` }),
    });
  }
}
