/**
 * Quality: what is wrong with the data, beside what a single series tells of itself (stuck, missing, quantised and noisy
 * are kinds of `detect`).
 *
 *   preprocess ─► take(series, value) ─► impossible and error values, sources that are late
 *              └► refuse(series, raw)  ─┘
 *   tick ─► each second: the clock; each ten: peers (stuck while the others move, sensors that disagree)
 *                                                                      ─► Finding objects ─► incidents
 *
 * Constraints: nothing is allocated per sample; of a series that is counted and not measured a sample costs two stores.
 * What was learned survives a restart by series identity, as that of `detect` does.
 */
import type { Clock, Instant } from '../shared/clock.ts';
import { emptyVerdict } from '../shared/detect/detector.ts';
import { isAnalogue } from '../shared/detect/measured.ts';
import { type PhysicalBounds, physicalBounds } from '../shared/detect/physical.ts';
import type { RangeParams } from '../shared/detect/range.ts';
import { detectorKinds } from '../shared/detect/registry.ts';
import { messageOf, PicketError } from '../shared/errors.ts';
import type { Finding } from '../shared/findings.ts';
import { Quality, type SeriesDefinition, type SeriesId, type SeriesNumber } from '../shared/series.ts';
import { seriesId } from '../shared/trust/hash.ts';
import { decodeStates, encodeStates, type SavedDetector } from './detect/saved-state.ts';
import type { Log } from './inputs/input.ts';
import { ClockWatch } from './quality/clock-watch.ts';
import { GoneWatch } from './quality/gone.ts';
import { Levels } from './quality/levels.ts';
import { numbersBytes, numbersIn } from './quality/numbers.ts';
import { Peers } from './quality/peers.ts';
import { type SavedSource, type Source, Sources } from './quality/sources.ts';
import { Teller } from './quality/teller.ts';
import { impossibleWords } from './quality/words.ts';

/** What the stage asks about a series when it first appears. */
export interface QualityNames {
  definition(series: SeriesNumber): SeriesDefinition | null;
  id(series: SeriesNumber): SeriesId;
}

export interface QualityOptions {
  /** Most series at once, and so the size of every array by series number. */
  readonly limit: number;
  readonly series: QualityNames;
  /** Latest clean value of a series. */
  readonly latest: (series: SeriesNumber) => number;
  /** Both clocks, and UTC minus monotonic time by the central (null while it was not heard). */
  readonly clock: Clock;
  readonly centralOffsetMs: () => number | null;
  readonly log: Log;
  /** Takes each finding; must not throw. */
  readonly onFinding: (finding: Finding, at: Instant) => void;
}

/** Two readings of clocks that are further apart are no pair. */
const APART_MS = 10;
const PEERS_MS = 10_000;
const MINUTE_MS = 60_000;
/** An impossible value is over when none has come for as long. */
const CALM_MS = 120_000;
/** From here on it is no passing thing. */
const LASTING_MS = 60_000;
/** What is counted of metrics is kept beside what is learned of series. */
const MORE_SAVED = 512;
/** What comes and goes with what runs on the machine: no loss. */
const transient = /^(process|picket|container)\./;
const GONE_UNIT = 'gone';

/** Flags of a series. */
const KNOWN = 1;
const MEASURED = 2;
const STANDS_FOR_SOURCE = 4;

const range = detectorKinds.range!;

export class QualityStage {
  readonly #options: QualityOptions;
  readonly #teller: Teller;
  readonly #clock: ClockWatch;
  readonly #gone: GoneWatch;
  readonly #sources: Sources;
  readonly #peers: Peers;
  readonly #flags: Uint8Array;
  /** Monotonic times: of the last good value, since when it is here, of the first and last impossible value. */
  readonly #goodMs: Float64Array;
  readonly #hereMs: Float64Array;
  readonly #badSinceMs: Float64Array;
  readonly #badMs: Float64Array;
  /** Series with impossible values that are told. */
  readonly #bad = new Set<SeriesNumber>();
  readonly #source: (Source | null)[];
  readonly #ranges: (Float64Array | null)[];
  readonly #params: (RangeParams | null)[];
  #parked = new Map<SeriesId, SavedDetector[]>();
  /** Of the last tick. */
  #at: Instant = { monotonicMs: 0, utcMs: 0 };
  #peersMs = Number.NEGATIVE_INFINITY;
  #minuteMs = Number.NEGATIVE_INFINITY;
  readonly #verdict = emptyVerdict();
  readonly #x = new Float64Array(1);
  readonly #good = Uint8Array.of(Quality.good);

  constructor(options: QualityOptions) {
    const { limit, latest } = options;
    this.#options = options;
    this.#teller = new Teller(options.onFinding);
    this.#clock = new ClockWatch(this.#teller);
    this.#gone = new GoneWatch(this.#teller);
    this.#sources = new Sources(this.#teller);
    this.#peers = new Peers({
      teller: this.#teller,
      latest,
      goodMs: (series) => this.#goodMs[series]!,
      saved: (id, name) => this.#claim(id, name),
    });
    this.#flags = new Uint8Array(limit);
    this.#goodMs = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY);
    this.#hereMs = new Float64Array(limit);
    this.#badSinceMs = new Float64Array(limit).fill(Number.NaN);
    this.#badMs = new Float64Array(limit);
    this.#source = new Array(limit).fill(null);
    this.#ranges = new Array(limit).fill(null);
    this.#params = new Array(limit).fill(null);
  }

  /** A clean value. */
  take(series: SeriesNumber, value: number, quality: Quality, at: Instant): void {
    if (quality !== Quality.good || series < 0 || series >= this.#flags.length) return;
    let flags = this.#flags[series]!;
    if (flags === 0) flags = this.#appear(series, at);
    this.#goodMs[series] = at.monotonicMs;
    const source = this.#source[series];
    if (source != null) source.heardMs = at.monotonicMs;
    if ((flags & MEASURED) !== 0) this.#judge(series, value, at);
    if ((flags & STANDS_FOR_SOURCE) !== 0) this.#sources.take(series, value, at);
  }

  /** Whether a sensor may be behind a series that is here: of such a one "no value" is no answer. */
  measures(series: SeriesNumber): boolean {
    return (this.#flags[series]! & MEASURED) !== 0;
  }

  /** A reading that is beyond what can be, and was dropped. */
  refuse(series: SeriesNumber, value: number, at: Instant): void {
    if (series < 0 || series >= this.#flags.length) return;
    if (this.#flags[series] === 0 && this.#appear(series, at) === 0) return;
    if (Number.isFinite(value)) this.#judge(series, value, at);
  }

  /** The series is gone, by the word of its input. */
  forget(series: SeriesNumber): void {
    const at = this.#at;
    if (!(this.#flags[series]! > 0)) return;
    const { series: names } = this.#options;
    const definition = names.definition(series);
    const id = names.id(series);
    this.#park(id, this.#learned(series));
    if (definition !== null && !transient.test(definition.name)) {
      this.#gone.went(id, definition, at.monotonicMs - this.#hereMs[series]!, at);
    }
    if (this.#bad.delete(series)) this.#teller.end(`range/${id}`, at);
    this.#leaveSource(series, at);
    this.#peers.forget(series, at);
    this.#flags[series] = 0;
    this.#goodMs[series] = Number.NEGATIVE_INFINITY;
    this.#badSinceMs[series] = Number.NaN;
    this.#ranges[series] = null;
    this.#params[series] = null;
  }

  /** Once a tick, after its samples. */
  tick(at: Instant): void {
    this.#at = at;
    const { clock, centralOffsetMs } = this.#options;
    const monotonicMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    // Who was held up between the two has no pair.
    if (clock.monotonicMs() - monotonicMs <= APART_MS) {
      this.#clock.look({ wallMs, monotonicMs, centralOffsetMs: centralOffsetMs() }, at);
    }
    this.#sources.look(at);
    if (at.monotonicMs - this.#peersMs < PEERS_MS * 0.95) return;
    this.#peersMs = at.monotonicMs;
    this.#peers.look(at);
    this.#calm(at);
    this.#gone.look(at);
    if (at.monotonicMs - this.#minuteMs < MINUTE_MS * 0.95) return;
    this.#minuteMs = at.monotonicMs;
    for (let series = 0; series < this.#flags.length; series++) {
      if (this.#flags[series]! > 0) this.#countHere(series);
    }
  }

  /** What was learned, of series that are here or were. */
  saveState(): Uint8Array {
    const { series: names, limit } = this.#options;
    const all = new Map<SeriesId, readonly SavedDetector[]>();
    for (let series = 0; series < limit; series++) {
      const saved = this.#flags[series]! > 0 ? this.#learned(series) : [];
      if (saved.length > 0) all.set(names.id(series), saved);
    }
    for (const [id, saved] of this.#parked) if (all.size < limit && !all.has(id)) all.set(id, saved);
    // What is counted of a metric is learned anew where there is no room for its name.
    for (const [metric, { minutes, went }] of this.#gone.counts()) {
      const state = numbersBytes(minutes, went);
      if (metric.length <= 240) all.set(goneId(metric), [{ name: `gone:${metric}`, major: 1, state }]);
    }
    return encodeStates(all);
  }

  /** Takes up what was saved, before the first sample. */
  loadState(bytes: Uint8Array): void {
    try {
      const saved = decodeStates(bytes, this.#options.limit + MORE_SAVED);
      for (const [id, detectors] of saved) {
        const [first] = detectors;
        for (const detector of detectors) check(detector);
        if (first?.name.startsWith('gone:') === true) this.#resumeGone(first);
        else
          this.#park(
            id,
            detectors.map((one) => ({ ...one, state: one.state.slice() })),
          );
      }
    } catch (error) {
      this.#parked.clear();
      this.#options.log.warn(
        { error: messageOf(error) },
        'What was learned of the quality of data could not be read; it is learned anew',
      );
    }
  }

  #appear(series: SeriesNumber, at: Instant): number {
    const { series: names } = this.#options;
    const definition = names.definition(series);
    if (definition === null) return 0;
    const id = names.id(series);
    let flags = KNOWN;
    this.#hereMs[series] = at.monotonicMs;
    this.#gone.came(id, at);
    const saved = (): SavedSource => ({ late: this.#claim(id, 'late'), coming: this.#claim(id, 'coming') });
    const source = this.#sources.add(series, id, definition, saved, at);
    if (source?.series === series) flags |= STANDS_FOR_SOURCE;
    this.#source[series] = source;
    if (isAnalogue(definition)) {
      flags |= MEASURED;
      this.#peers.add(series, id, definition, at);
    }
    this.#params[series] = paramsOf(definition, physicalBounds(definition));
    this.#flags[series] = flags;
    return flags;
  }

  /** Another series stands for the source where this one did. */
  #leaveSource(series: SeriesNumber, at: Instant): void {
    const source = this.#source[series];
    this.#source[series] = null;
    if (source?.series !== series) return;
    const next = this.#source.indexOf(source);
    const definition = next < 0 ? null : this.#options.series.definition(next);
    if (definition === null) {
      this.#sources.drop(source, at);
      return;
    }
    this.#sources.hand(source, next, this.#options.series.id(next), definition);
    this.#flags[next] = this.#flags[next]! | STANDS_FOR_SOURCE;
  }

  #judge(series: SeriesNumber, value: number, at: Instant): void {
    let state = this.#ranges[series];
    if (state === null || state === undefined) {
      const saved = this.#claim(this.#options.series.id(series), 'range');
      state = (saved === null ? range.start(range.defaults) : range.state.decode(saved)) as Float64Array;
      this.#ranges[series] = state;
    }
    const params = this.#params[series];
    const verdict = this.#verdict;
    this.#x[0] = value;
    range.score(params, state, this.#x, this.#good, at, verdict);
    range.learn(params, state, this.#x, this.#good, at);
    if (verdict.bits === 0 && !verdict.finding) return;
    this.#badMs[series] = at.monotonicMs;
    if (Number.isNaN(this.#badSinceMs[series]!)) this.#badSinceMs[series] = at.monotonicMs;
    if (verdict.finding || this.#bad.has(series)) this.#tellImpossible(series, value, at);
  }

  #tellImpossible(series: SeriesNumber, value: number, at: Instant): void {
    const { series: names } = this.#options;
    const definition = names.definition(series);
    if (definition === null) return;
    const { bits, expectedLow, expectedHigh } = this.#verdict;
    const usual = Number.isNaN(expectedLow) ? null : { low: expectedLow, high: expectedHigh };
    const { name, unit, attributes } = definition;
    this.#bad.add(series);
    this.#teller.say(`range/${names.id(series)}`, at, () => ({
      detector: 'range',
      series: names.id(series),
      key: { name, unit, attributes },
      seen: value,
      expectedLow: usual?.low ?? null,
      expectedHigh: usual?.high ?? null,
      bits,
      intervalMs: definition.intervalMs ?? 1000,
      sinceMs: this.#badSinceMs[series]!,
      // One bad value in a while is worth knowing, and nothing to get up for.
      severity: at.monotonicMs - this.#badSinceMs[series]! < LASTING_MS ? 'info' : 'warning',
      wrong: impossibleWords({ name, unit, attributes }, value, physicalBounds(definition), usual),
    }));
  }

  /** Ends what has been quiet. */
  #calm(at: Instant): void {
    for (const series of this.#bad) {
      if (at.monotonicMs - this.#badMs[series]! < CALM_MS) continue;
      this.#bad.delete(series);
      this.#badSinceMs[series] = Number.NaN;
      this.#teller.end(`range/${this.#options.series.id(series)}`, at);
    }
  }

  #countHere(series: SeriesNumber): void {
    const definition = this.#options.series.definition(series);
    if (definition !== null && !transient.test(definition.name)) this.#gone.here(definition.name);
  }

  #learned(series: SeriesNumber): SavedDetector[] {
    const saved: SavedDetector[] = [];
    const own = this.#ranges[series];
    if (own != null) saved.push({ name: range.name, major: range.major, state: range.state.encode(own) });
    const source = this.#sources.saved(series);
    if (source !== null) {
      saved.push({ name: 'late', major: 1, state: source.late }, { name: 'coming', major: 1, state: source.coming });
    }
    for (const [name, state] of this.#peers.learned(series, (other) => this.#options.series.id(other))) {
      saved.push({ name, major: 1, state });
    }
    return saved;
  }

  #park(id: SeriesId, saved: SavedDetector[]): void {
    this.#parked.delete(id);
    if (saved.length === 0) return;
    this.#parked.set(id, saved);
    const oldest = this.#parked.size > this.#options.limit ? this.#parked.keys().next().value : undefined;
    if (oldest !== undefined) this.#parked.delete(oldest);
  }

  /** What was learned before, handed out once. */
  #claim(id: SeriesId, name: string): Uint8Array | null {
    const parked = this.#parked.get(id);
    const at = parked?.findIndex((one) => one.name === name && one.major === 1) ?? -1;
    if (parked === undefined || at < 0) return null;
    const [claimed] = parked.splice(at, 1);
    if (parked.length === 0) this.#parked.delete(id);
    return claimed!.state;
  }

  #resumeGone({ name, state }: SavedDetector): void {
    const [minutes = -1, went = -1] = numbersIn(state, 2);
    if (!(minutes >= 0 && minutes <= 1e12 && went >= 0 && went <= 1e12)) {
      throw new PicketError('payload.invalid', `what is counted of ${name}: ${state.length} bytes that make no sense`);
    }
    this.#gone.resume(name.slice('gone:'.length), { minutes, went });
  }
}

/** Throws where a state is of a kind that is run here, and wrong; others are passed over. */
function check({ name, state }: SavedDetector): void {
  if (name === Levels.kind) Levels.decode(state);
  let kind = ['range', 'late', 'frozen'].includes(name) ? name : null;
  if (name === 'coming') kind = 'missing';
  if (name.startsWith('disagree:')) kind = 'disagree';
  if (kind !== null) detectorKinds[kind]!.state.decode(state);
}

function goneId(metric: string): SeriesId {
  return seriesId({ name: metric, unit: GONE_UNIT, attributes: {} });
}

const FARTHEST = 1e300;

function paramsOf({ unit }: SeriesDefinition, { min, max }: PhysicalBounds): RangeParams {
  const held = (value: number): number => Math.min(FARTHEST, Math.max(-FARTHEST, value));
  return { ...range.defaults, min: held(min), max: held(max), celsius: unit === 'Cel' ? 1 : 0 };
}
