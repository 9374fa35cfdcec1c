/**
 * Whether values come on time is a matter of their source, not of each series: a device is read as a whole, and so are
 * the files of the host at one interval. One series of each source, its first, stands for all.
 */
import type { Instant } from '../../shared/clock.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { detectorKinds } from '../../shared/detect/registry.ts';
import type { SeriesDefinition, SeriesId, SeriesNumber } from '../../shared/series.ts';
import type { Teller } from './teller.ts';
import { lateWords } from './words.ts';

const MOST_SOURCES = 64;
const kind = detectorKinds.late!;

interface Source {
  readonly label: string;
  readonly series: SeriesNumber;
  readonly id: SeriesId;
  readonly definition: SeriesDefinition;
  readonly state: unknown;
  /** Monotonic; NaN while it is on time. */
  sinceMs: number;
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

  /** Lets a series stand for its source, if none does. @returns whether it does */
  add(series: SeriesNumber, id: SeriesId, definition: SeriesDefinition, saved: Uint8Array | undefined): boolean {
    const label = labelOf(definition);
    if (label === null || this.#byLabel.has(label) || this.#byLabel.size >= MOST_SOURCES) return false;
    const state = saved === undefined ? kind.start(kind.defaults) : kind.state.decode(saved);
    const source: Source = { label, series, id, definition, state, sinceMs: Number.NaN };
    this.#byLabel.set(label, source);
    this.#bySeries.set(series, source);
    return true;
  }

  forget(series: SeriesNumber, at: Instant): void {
    const source = this.#bySeries.get(series);
    if (source === undefined) return;
    this.#bySeries.delete(series);
    this.#byLabel.delete(source.label);
    this.#teller.end(`late/${source.label}`, at);
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
  saved(series: SeriesNumber): Uint8Array | null {
    const source = this.#bySeries.get(series);
    return source === undefined ? null : kind.state.encode(source.state);
  }
}

/** Where a series comes from; null where its values come when something happens, and not at their time. */
function labelOf({ name, attributes, intervalMs }: SeriesDefinition): string | null {
  if (name.startsWith('picket.')) return null;
  const { device } = attributes;
  return name.startsWith('system.') || device === undefined ? `/${intervalMs ?? 1000}` : device;
}

function nameOf(label: string): string {
  return label.startsWith('/') ? 'this machine' : label;
}
