/**
 * Whether values come at all, and on time, is a matter of their source, not of each series: a device is read as a whole,
 * and so are the files of the host at one interval. So a device that fell silent is told once. That its values come late
 * is seen by one series of the source, its first, which stands for all.
 */
import type { Instant } from '../../shared/clock.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { detectorKinds } from '../../shared/detect/registry.ts';
import type { SeriesDefinition, SeriesId, SeriesNumber } from '../../shared/series.ts';
import type { Teller } from './teller.ts';
import { lateWords, silentWords } from './words.ts';

const MOST_SOURCES = 64;
const kind = detectorKinds.late!;
const missing = detectorKinds.missing!;
/** What comes when something happens, and what comes and goes with what runs. */
const irregular = /^(picket|process)\./;
/** A look may come so much of an interval before its time. */
const EARLY = 0.1;

export interface Source {
  readonly label: string;
  /** The series that stands for it. */
  series: SeriesNumber;
  id: SeriesId;
  definition: SeriesDefinition;
  readonly state: unknown;
  /** Whether values come, as one looks each interval. */
  readonly coming: unknown;
  readonly intervalMs: number;
  /** Monotonic; NaN while it is on time. */
  sinceMs: number;
  /** Monotonic times of the last good value of any of its series, and of the last look. */
  heardMs: number;
  lookedMs: number;
}

/** What was learned of a source before this start. */
export interface SavedSource {
  readonly late: Uint8Array | null;
  readonly coming: Uint8Array | null;
}

export class Sources {
  readonly #teller: Teller;
  readonly #byLabel = new Map<string, Source>();
  /** By series number: what it stands for. */
  readonly #bySeries = new Map<SeriesNumber, Source>();
  readonly #verdict = emptyVerdict();
  readonly #x = new Float64Array(1);
  readonly #quality = new Uint8Array(1);

  constructor(teller: Teller) {
    this.#teller = teller;
  }

  /** Finds the source of a series, or makes it and lets the series stand for it. Null: it has none. */
  add(
    series: SeriesNumber,
    id: SeriesId,
    definition: SeriesDefinition,
    saved: () => SavedSource,
    at: Instant,
  ): Source | null {
    const label = labelOf(definition);
    if (label === null) return null;
    const known = this.#byLabel.get(label);
    if (known !== undefined || this.#byLabel.size >= MOST_SOURCES) return known ?? null;
    const { late, coming } = saved();
    const source: Source = {
      label,
      series,
      id,
      definition,
      state: late === null ? kind.start(kind.defaults) : kind.state.decode(late),
      coming: coming === null ? missing.start(missing.defaults) : missing.state.decode(coming),
      intervalMs: definition.intervalMs ?? 1000,
      sinceMs: Number.NaN,
      heardMs: at.monotonicMs,
      lookedMs: at.monotonicMs,
    };
    this.#byLabel.set(label, source);
    this.#bySeries.set(series, source);
    return source;
  }

  /** Now and then: which sources are silent. */
  look(at: Instant): void {
    for (const source of this.#byLabel.values()) {
      if (at.monotonicMs - source.lookedMs < source.intervalMs * (1 - EARLY)) continue;
      // What an input brings later has the time of the tick in which its read began: that of the last look.
      const came = source.heardMs >= source.lookedMs;
      source.lookedMs = at.monotonicMs;
      this.#x[0] = came ? 1 : Number.NaN;
      missing.score(missing.defaults, source.coming, this.#x, this.#quality, at, this.#verdict);
      missing.learn(missing.defaults, source.coming, this.#x, this.#quality, at);
      if (this.#verdict.finding) this.#tellSilent(source, at);
      else if (came) this.#teller.end(`silent/${source.label}`, at);
    }
  }

  #tellSilent(source: Source, at: Instant): void {
    const { bits } = this.#verdict;
    const { definition, heardMs } = source;
    this.#teller.say(`silent/${source.label}`, at, () => ({
      detector: 'missing',
      series: source.id,
      key: { name: definition.name, unit: definition.unit, attributes: definition.attributes },
      seen: null,
      expectedLow: null,
      expectedHigh: null,
      bits,
      intervalMs: source.intervalMs,
      sinceMs: heardMs,
      wrong: silentWords(nameOf(source.label), at.monotonicMs - heardMs),
      advice: 'see whether it is on and can be reached',
    }));
  }

  /** Another series stands for it from now on. */
  hand(source: Source, series: SeriesNumber, id: SeriesId, definition: SeriesDefinition): void {
    this.#bySeries.delete(source.series);
    source.series = series;
    source.id = id;
    source.definition = definition;
    this.#bySeries.set(series, source);
  }

  /** None of its series is left. */
  drop(source: Source, at: Instant): void {
    this.#bySeries.delete(source.series);
    this.#byLabel.delete(source.label);
    this.#teller.end(`late/${source.label}`, at);
    this.#teller.end(`silent/${source.label}`, at);
  }

  /** A good value of a series that stands for its source has come. */
  take(series: SeriesNumber, value: number, at: Instant): void {
    const source = this.#bySeries.get(series);
    if (source === undefined) return;
    const verdict = this.#verdict;
    this.#x[0] = value;
    kind.score(kind.defaults, source.state, this.#x, this.#quality, at, verdict);
    kind.learn(kind.defaults, source.state, this.#x, this.#quality, at);
    if (verdict.bits === 0) source.sinceMs = Number.NaN;
    else if (Number.isNaN(source.sinceMs)) source.sinceMs = at.monotonicMs;
    const told = `late/${source.label}`;
    if (!verdict.finding) {
      if (this.#teller.tells(told)) this.#teller.end(told, at);
      return;
    }
    const { definition, id, label } = source;
    this.#teller.say(told, at, () => ({
      detector: 'late',
      series: id,
      key: { name: definition.name, unit: definition.unit, attributes: definition.attributes },
      seen: null,
      expectedLow: null,
      expectedHigh: null,
      bits: verdict.bits,
      intervalMs: definition.intervalMs ?? 1000,
      sinceMs: source.sinceMs,
      severity: 'info',
      wrong: lateWords(nameOf(label), kind.describe!(source.state, '')),
    }));
  }

  /** What was learned of the source that a series stands for, else null. */
  saved(series: SeriesNumber): { readonly late: Uint8Array; readonly coming: Uint8Array } | null {
    const source = this.#bySeries.get(series);
    if (source === undefined) return null;
    return { late: kind.state.encode(source.state), coming: missing.state.encode(source.coming) };
  }
}

/** Where a series comes from; null where its values come when something happens, and not at their time. */
function labelOf({ name, attributes, intervalMs }: SeriesDefinition): string | null {
  if (irregular.test(name)) return null;
  const { device } = attributes;
  return name.startsWith('system.') || device === undefined ? `/${intervalMs ?? 1000}` : device;
}

function nameOf(label: string): string {
  return label.startsWith('/') ? 'this machine' : label;
}
