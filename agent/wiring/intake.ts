/**
 * The hot path, composed: what an input puts goes through preprocess and detect into the window, the recent ring and
 * the latest values. Nothing here is allocated per sample.
 *
 *     put ─► preprocess ─► detect ─► summarise
 *                                ├─► recent, latest
 *                                └─► quality, rules
 */
import type { Instant } from '../../shared/clock.ts';
import { physicalBounds } from '../../shared/detect/physical.ts';
import { limits } from '../../shared/limits.ts';
import { Quality, type SeriesDefinition, type SeriesKey, type SeriesNumber } from '../../shared/series.ts';
import type { WireEvent } from '../../shared/wire/codec.ts';
import type { DetectStage } from '../detect.ts';
import type { Intake } from '../inputs/input-sink.ts';
import type { Preprocess } from '../preprocess.ts';
import type { QualityStage } from '../quality.ts';
import type { RecentRing } from '../recent.ts';
import type { RuleStage } from '../rules.ts';
import { type SeriesRegistry, textProblem } from '../series.ts';
import type { Summariser } from '../summarise.ts';

/** States of one agent that are followed; further ones are left out. */
const STATES = 1_000;
/** Events that wait for their record; one that comes later replaces none. */
const WAITING_EVENTS = 500;

export interface IntakeParts {
  readonly registry: SeriesRegistry;
  readonly preprocess: Preprocess;
  readonly detect: DetectStage;
  readonly rules: Pick<RuleStage, 'sample' | 'state' | 'forget'>;
  readonly quality: Pick<QualityStage, 'take' | 'refuse' | 'forget' | 'measures'>;
  readonly summariser: Summariser;
  readonly recent: RecentRing;
  /** A document of the machine is new (inventory, top). */
  readonly document: (name: 'inventory' | 'top', content: unknown) => void;
  /** A series that was not here has come, or one has gone. */
  readonly changed?: (key: SeriesKey, came: boolean) => void;
}

export class AgentIntake implements Intake {
  readonly #parts: IntakeParts;
  /** Latest clean value by series number; NaN where there is none. */
  readonly latest: Float64Array;
  readonly #states = new Map<string, { readonly text: string; readonly quality: Quality }>();
  #events: WireEvent[] = [];
  /** Values that came, and events that found no room. */
  values = 0;
  droppedEvents = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.latest = new Float64Array(parts.registry.limit).fill(Number.NaN);
  }

  series(definition: SeriesDefinition): SeriesNumber {
    const { registry, preprocess } = this.#parts;
    const before = registry.size;
    const number = registry.intern(definition);
    if (number >= 0) preprocess.define(number, { ...definition, ...physicalBounds(definition) });
    if (registry.size > before) this.#parts.changed?.(definition, true);
    return number;
  }

  put(series: SeriesNumber, raw: number, quality: Quality, at: Instant): void {
    const { preprocess, detect, summariser, recent, rules } = this.#parts;
    const value = preprocess.accept(series, raw, quality, at.monotonicMs);
    this.values++;
    if (Number.isNaN(value)) {
      const { cause } = preprocess;
      if (cause === 'duplicate') return;
      this.latest[series] = value;
      // A counter's first reading, and a source that has nothing to say, are no missing values; a silent sensor is.
      if (cause === 'empty') rules.sample(series, value, at);
      if (cause === 'first' || (cause === 'empty' && !this.#parts.quality.measures(series))) return;
      if (cause === 'out_of_bounds') this.#parts.quality.refuse(series, preprocess.refused, at);
      detect.score(series, value, Quality.bad, at);
      summariser.missing(series);
      return;
    }
    this.latest[series] = value;
    detect.score(series, value, preprocess.quality, at);
    summariser.add(series, value, preprocess.quality, detect.bits, detect.finding);
    recent.append(series, at.monotonicMs, value);
    this.#parts.quality.take(series, value, preprocess.quality, at);
    // A source that repeats an old value says nothing about now.
    if (preprocess.quality === Quality.good) rules.sample(series, value, at);
  }

  /** A value that was worked out from other series: told and held against rules, judged by nobody. NaN: there is none. */
  putDerived(series: SeriesNumber, value: number, at: Instant): void {
    this.latest[series] = value;
    this.#parts.rules.sample(series, value, at);
    if (Number.isNaN(value)) return;
    this.#parts.summariser.add(series, value, Quality.good, 0, false);
    this.#parts.recent.append(series, at.monotonicMs, value);
  }

  state(key: SeriesKey, value: string, at: Instant, quality: Quality): void {
    if (textProblem(key) !== null) return;
    const text = value.slice(0, limits.eventTextBytes / 4);
    const identity = JSON.stringify([key.name, key.unit, Object.entries(key.attributes).sort()]);
    const before = this.#states.get(identity);
    // A device that is gone leaves its state as it was, and stale: that is a change, too.
    if (before?.text === text && before.quality === quality) return;
    if (before === undefined && this.#states.size >= STATES) return;
    this.#states.set(identity, { text, quality });
    if (quality === Quality.good) this.#parts.rules.state(key, text, at);
    if (this.#events.length >= WAITING_EVENTS) {
      this.droppedEvents++;
      return;
    }
    const { monotonicMs, utcMs } = at;
    this.#events.push({ key, monotonicMs, wallMs: Math.round(utcMs), from: before?.text ?? null, to: text, quality });
  }

  forget(series: SeriesNumber): void {
    this.latest[series] = Number.NaN;
    const definition = this.#parts.registry.definition(series);
    if (definition !== null) this.#parts.changed?.(definition, false);
    this.#parts.quality.forget(series);
    this.#parts.registry.forget(series);
    this.#parts.preprocess.interrupt(series);
    this.#parts.detect.forget(series);
    this.#parts.rules.forget(series);
  }

  replaced(series: SeriesNumber, at: Instant): void {
    this.#parts.preprocess.interrupt(series);
    this.#parts.detect.beginAnew(series, at);
  }

  document(name: 'inventory' | 'top', content: unknown): void {
    this.#parts.document(name, content);
  }

  /** The events since the last call. */
  takeEvents(): readonly WireEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }
}
