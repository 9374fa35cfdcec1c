/**
 * Rules: facts that are wrong at any time, judged where they are measured, outside of all budgets, with or without a
 * central.
 *
 *   preprocess → sample(series, value) ─► entries of the series ─► hysteresis ─► Finding (fires, ends) → incidents
 *   inputs     → state(key, text)      ─►
 *   tick each second: what lasts (states, absence), what is gone
 *
 * An entry is one rule on one series; it is made when the series appears, which is when names are compared. A sample
 * then costs a few comparisons by number and allocates nothing. A finding is told when it fires and when it is over, and
 * holds between. What fires survives a restart: it goes on when its series is still beyond the limit, and ends when it is
 * back or does not come again.
 *
 * Bounds: `MOST_RULES` rules, `MOST_ENTRIES` entries; what is beyond is said once and left out.
 */
import type { Instant } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Finding } from '../shared/findings.ts';
import { MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { outcome, phase } from '../shared/rules/hysteresis.ts';
import { type Rule, selects } from '../shared/rules/rule.ts';
import { sayRule } from '../shared/rules/wording.ts';
import type { SeriesDefinition, SeriesId, SeriesKey, SeriesNumber } from '../shared/series.ts';
import { seriesId } from '../shared/trust/hash.ts';
import { type Compiled, compile, limitFrom } from './rules/compiled.ts';
import { Entries, type Entry, MOST_ENTRIES, NONE, timingOn } from './rules/entries.ts';
import { decodeRules, encodeRules, type SavedFiring } from './rules/saved.ts';
import { findingOf, lastWord } from './rules/told.ts';

/** A series that is gone for as long has ended what it was about; a stick may be plugged in anew. */
const GONE_MS = MINUTE_MS;
/** After a start, inputs and devices are given as long to come back. */
const RESUME_MS = 10 * MINUTE_MS;
/** The word by which an input says that the thing of a state is gone. */
const GONE = 'gone';
/** The word by which it says that it cannot tell: what was so before still is. */
const UNKNOWN = 'unknown';
const UNSEEN = -2;

/** What the stage asks about series. */
export interface RuleSeries {
  readonly generation: number;
  definition(series: SeriesNumber): SeriesDefinition | null;
  id(series: SeriesNumber): SeriesId;
  numberOf(id: SeriesId): SeriesNumber;
}

export interface RuleOptions {
  readonly rules: readonly Rule[];
  /** Series numbers are below it. */
  readonly limit: number;
  readonly series: RuleSeries;
  /** Latest clean value of a series, NaN where there is none. */
  readonly latest: (series: SeriesNumber) => number;
  readonly log: Log;
  /** A rule fires, or (with `ended`) is over. */
  readonly onFinding: (finding: Finding, at: Instant) => void;
  /** Takes what must survive a restart, each time that it changes. */
  readonly keep: (saved: Uint8Array) => void;
}

export class RuleStage {
  readonly #options: RuleOptions;
  readonly #values: readonly Compiled[];
  readonly #states: readonly Compiled[];
  readonly #entries = new Entries();
  /** First entry of a series. */
  readonly #first: Int32Array;
  /** Of states that were well before a restart. */
  readonly #well = new Set<string>();
  #generation = -1;
  #started = false;
  #warned = false;
  #changed = false;

  constructor(options: RuleOptions) {
    this.#options = options;
    const compiled = options.rules.map(compile);
    this.#values = compiled.filter(({ kind }) => kind !== 'state');
    this.#states = compiled.filter(({ kind }) => kind === 'state');
    this.#first = new Int32Array(options.limit).fill(UNSEEN);
  }

  /** Rules that fire now. */
  get firing(): number {
    let count = 0;
    for (let entry = 0; entry < this.#entries.end; entry++) {
      if (this.#entries.at(entry) !== null && this.#entries.table.fires(entry)) count++;
    }
    return count;
  }

  /** Takes up what fired before a restart; before the first sample. What cannot be read is said, and nothing fires. */
  load(saved: Uint8Array | null, at: Instant): void {
    if (saved === null) return;
    try {
      const { firing, well } = decodeRules(saved);
      for (const name of well) this.#well.add(name);
      for (const one of firing) this.#resume(one, at);
    } catch (error) {
      this.#options.log.warn({ problem: messageOf(error) }, 'what fired before cannot be read; rules begin anew');
    }
  }

  /** Judges a clean value; NaN: the source has none. Not for values that are stale. */
  sample(series: SeriesNumber, value: number, at: Instant): void {
    if (series < 0 || series >= this.#first.length) return;
    let entry = this.#first[series]!;
    if (entry === UNSEEN) entry = this.#appear(series, at);
    for (; entry >= 0; entry = this.#entries.next[entry]!) this.#judge(entry, value, at);
  }

  /** A state is new or has changed. */
  state(key: SeriesKey, text: string, at: Instant): void {
    let id: SeriesId | null = null;
    for (const compiled of this.#states) {
      if (!selects(compiled.rule.selector, key.name, key.attributes)) continue;
      id ??= seriesId(key);
      const known = this.#entries.find(compiled, id);
      const entry = known === NONE ? this.#add(compiled, id, key, at) : known;
      if (entry === NONE) continue;
      const state = this.#entries.at(entry)!;
      if (this.#well.delete(state.name)) state.well = true;
      state.goneMs = text === GONE ? at.monotonicMs : Number.NaN;
      state.graceMs = GONE_MS;
      this.#take(state, text);
      this.#follow(entry, state.wrong, !state.wrong, at);
    }
  }

  /** The series is gone for now, or its number is to be another's. */
  forget(series: SeriesNumber): void {
    if (series < 0 || series >= this.#first.length) return;
    for (let entry = this.#first[series]!; entry >= 0; entry = this.#entries.next[entry]!) {
      const known = this.#entries.at(entry)!;
      known.series = NONE;
      known.graceMs = GONE_MS;
    }
    this.#first[series] = UNSEEN;
  }

  /** Once a second: what lasts without a word, what is gone, what must be kept. */
  tick(at: Instant): void {
    if (!this.#started) this.#expectNamed(at);
    this.#started = true;
    if (this.#generation !== this.#options.series.generation) this.#findLimits();
    for (let entry = 0; entry < this.#entries.end; entry++) {
      const known = this.#entries.at(entry);
      if (known === null) continue;
      const { kind, afterMs } = known.compiled;
      if (kind === 'absence') {
        const absent = at.monotonicMs - this.#entries.valueMs[entry]! >= afterMs;
        this.#follow(entry, absent, !absent, at);
      } else if (kind === 'state' && Number.isNaN(known.goneMs)) {
        this.#follow(entry, known.wrong, !known.wrong, at);
      } else this.#lookForGone(entry, known, at);
    }
    if (!this.#changed) return;
    this.#changed = false;
    this.#options.keep(this.#saved(at));
  }

  /** Whether a state is wrong now: some are only where they were well before. */
  #take(state: Entry, text: string): void {
    const { is, was } = state.compiled;
    if (text === UNKNOWN && !is.has(text)) return;
    state.wrong = is.has(text) && (was === null || state.well || state.wrong);
    const well = was !== null && text !== GONE && (state.well || was.has(text));
    if (well !== state.well) this.#changed = true;
    state.well = well;
  }

  #resume({ rule, id, key, sinceMs, lastMs, seen, limit }: SavedFiring, at: Instant): void {
    const compiled = [...this.#values, ...this.#states].find((one) => one.rule.id === rule);
    if (compiled === undefined) {
      // A rule that is no more has ended with its configuration.
      this.#options.onFinding(lastWord(rule, id, key, sinceMs, lastMs), at);
      this.#changed = true;
      return;
    }
    const entry = this.#add(compiled, id, key, at);
    if (entry === NONE) return;
    const offsetMs = at.monotonicMs - at.utcMs;
    this.#entries.table.restore(entry, Math.min(sinceMs + offsetMs, at.monotonicMs), lastMs + offsetMs);
    this.#entries.seen[entry] = seen ?? Number.NaN;
    this.#entries.limits[entry] = limit ?? Number.NaN;
    // Absent until a value comes.
    this.#entries.valueMs[entry] = Number.NEGATIVE_INFINITY;
    const known = this.#entries.at(entry)!;
    known.resumed = true;
    known.goneMs = at.monotonicMs;
    known.graceMs = RESUME_MS;
    // Wrong until its input says otherwise.
    known.wrong = compiled.kind === 'state';
  }

  /** Tells all that fires once more: something about how it is told has changed. */
  retell(at: Instant): void {
    for (let entry = 0; entry < this.#entries.end; entry++) {
      if (this.#entries.at(entry) === null || !this.#entries.table.fires(entry)) continue;
      this.#options.onFinding(this.#finding(entry, at), at);
    }
  }

  #judge(entry: number, value: number, at: Instant): void {
    const known = this.#entries.at(entry)!;
    const { compiled } = known;
    let judged = value;
    if (compiled.kind === 'timeToFull') {
      if (Number.isNaN(value)) judged = Number.POSITIVE_INFINITY;
    } else if (Number.isNaN(value)) return;
    if (compiled.kind === 'absence') {
      this.#entries.valueMs[entry] = at.monotonicMs;
      return;
    }
    if (known.rate !== null) {
      judged = known.rate.push(value, at.monotonicMs);
      if (Number.isNaN(judged)) return;
    }
    const limit = this.#bound(compiled.limit, compiled.ownLimit, known.limitSeries);
    const clear = this.#bound(compiled.clear, compiled.ownClear, known.clearSeries);
    // A comparison with a limit that is not known is neither crossed nor back.
    const crossed = compiled.above ? judged > limit : judged < limit;
    const back = compiled.above ? judged <= clear : judged >= clear;
    if (crossed) this.#note(entry, compiled.above, judged, limit);
    this.#follow(entry, crossed, back, at);
  }

  #bound(fixed: number, own: Compiled['ownLimit'], series: SeriesNumber): number {
    if (own === null) return fixed;
    return series < 0 ? Number.NaN : limitFrom(own, this.#options.latest(series));
  }

  /** The worst value since it was first crossed. */
  #note(entry: number, above: boolean, value: number, limit: number): void {
    const seen = this.#entries.seen[entry]!;
    const worse = above ? value > seen : value < seen;
    if (this.#entries.table.phases[entry] === phase.calm || Number.isNaN(seen) || worse) {
      this.#entries.seen[entry] = value;
      this.#entries.limits[entry] = limit;
    }
  }

  #follow(entry: number, crossed: boolean, back: boolean, at: Instant): void {
    const known = this.#entries.at(entry)!;
    const done = this.#entries.table.step(entry, crossed, back, at.monotonicMs, known.timing);
    if (done === outcome.nothing) {
      if (!known.resumed || back || !this.#entries.table.fires(entry)) return;
      // Told again once: an incident that went on over the restart waits for it.
      known.resumed = false;
      this.#options.onFinding(this.#finding(entry, at), at);
      return;
    }
    known.resumed = false;
    this.#changed = true;
    const finding = this.#finding(entry, at);
    const ended = done === outcome.ended;
    this.#options.onFinding(ended ? { ...finding, ended } : finding, at);
    const { id, text } = known.compiled.rule;
    const fields = { rule: id, series: known.key.name };
    if (ended) this.#options.log.info(fields, `no longer: ${sayRule(text, known.key)}`);
    else this.#options.log.warn(fields, sayRule(text, known.key));
  }

  #lookForGone(entry: number, known: Entry, at: Instant): void {
    const stateIsHere = known.compiled.kind === 'state' && Number.isNaN(known.goneMs);
    if (known.series >= 0 || stateIsHere) {
      known.goneMs = Number.NaN;
      return;
    }
    if (Number.isNaN(known.goneMs)) known.goneMs = at.monotonicMs;
    if (at.monotonicMs - known.goneMs < known.graceMs) return;
    if (this.#entries.table.fires(entry)) {
      this.#changed = true;
      this.#options.onFinding({ ...this.#finding(entry, at), ended: true }, at);
    }
    this.#entries.remove(entry);
  }

  #finding(entry: number, at: Instant): Finding {
    return findingOf(this.#entries, entry, at);
  }

  /** Makes the entries of a series that is new, or takes up those that it had; returns the first. */
  #appear(series: SeriesNumber, at: Instant): number {
    const definition = this.#options.series.definition(series);
    if (definition === null) return NONE;
    this.#first[series] = NONE;
    const id = this.#options.series.id(series);
    for (const compiled of this.#values) {
      if (!selects(compiled.rule.selector, definition.name, definition.attributes)) continue;
      if (compiled.kind === 'absence') this.#endNamed(compiled, id, at);
      const had = this.#entries.find(compiled, id);
      const entry = had === NONE ? this.#add(compiled, id, definition, at) : had;
      if (entry === NONE) continue;
      const known = this.#entries.at(entry)!;
      known.series = series;
      known.timing = timingOn(compiled, definition);
      known.goneMs = Number.NaN;
      this.#entries.next[entry] = this.#first[series]!;
      this.#first[series] = entry;
      this.#findLimit(known);
    }
    return this.#first[series]!;
  }

  #add(compiled: Compiled, id: SeriesId, key: SeriesKey, at: Instant): number {
    const entry = this.#entries.add(compiled, id, key, at.monotonicMs);
    if (entry === NONE && !this.#warned) {
      this.#warned = true;
      this.#options.log.warn({ limit: MOST_ENTRIES }, 'rules fit more series than are followed');
    }
    return entry;
  }

  /** A rule on absence that names one series waits for it from the start. */
  #expectNamed(at: Instant): void {
    for (const compiled of this.#values) {
      const { metric, where } = compiled.rule.selector;
      if (compiled.kind !== 'absence' || /[*|]/.test([metric, ...Object.values(where)].join(''))) continue;
      if (this.#entries.has(compiled)) continue;
      const key = { name: metric, unit: '', attributes: where };
      this.#add(compiled, seriesId(key), key, at);
    }
  }

  /** The series that was waited for is there, with its unit and all its attributes. */
  #endNamed(compiled: Compiled, id: SeriesId, at: Instant): void {
    const { metric, where } = compiled.rule.selector;
    const waited = seriesId({ name: metric, unit: '', attributes: where });
    const entry = this.#entries.find(compiled, waited);
    if (entry === NONE || waited === id) return;
    if (this.#entries.table.fires(entry)) {
      this.#changed = true;
      this.#options.onFinding({ ...this.#finding(entry, at), ended: true }, at);
    }
    this.#entries.remove(entry);
  }

  #findLimits(): void {
    this.#generation = this.#options.series.generation;
    for (let entry = 0; entry < this.#entries.end; entry++) {
      const known = this.#entries.at(entry);
      if (known !== null && known.series >= 0) this.#findLimit(known);
    }
  }

  #findLimit(known: Entry): void {
    const { series } = this.#options;
    if (known.limitId !== '') known.limitSeries = series.numberOf(known.limitId);
    if (known.clearId !== '') known.clearSeries = series.numberOf(known.clearId);
  }

  #saved(at: Instant): Uint8Array {
    const offsetMs = at.utcMs - at.monotonicMs;
    const { table, seen, limits } = this.#entries;
    const firing: SavedFiring[] = [];
    const well = [...this.#well];
    for (let entry = 0; entry < this.#entries.end; entry++) {
      const known = this.#entries.at(entry);
      if (known === null) continue;
      if (known.well) well.push(known.name);
      if (!table.fires(entry)) continue;
      firing.push({
        rule: known.compiled.rule.id,
        id: known.id,
        key: known.key,
        sinceMs: table.sinceMs[entry]! + offsetMs,
        lastMs: table.lastMs[entry]! + offsetMs,
        seen: finite(seen[entry]!),
        limit: finite(limits[entry]!),
      });
    }
    return encodeRules({ firing, well });
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
