/** What one chart has loaded, and how it becomes columns to draw. Knows nothing of the screen. */
import type { Line, MetricChart } from '../metrics/model.ts';
import type { Area, Span } from './layers.ts';
import type { Band, FullRate, History } from './source.ts';
import { type Aligned, align, axisRange, fullRatePart, joinParts, stacked, type Track, windowPart } from './tracks.ts';

/** With more lines than these, ranges and bands would only cover each other. */
const MOST_AREAS = 3;
const MOST_BANDS = 2;
/** A band wider than this many times what was measured does not flatten the lines. */
const BAND_ROOM = 3;

export interface Drawn {
  readonly lines: readonly Line[];
  readonly stack: boolean;
  readonly times: readonly number[];
  /** As measured, for the legend. */
  readonly values: Aligned['columns'];
  /** As drawn: on top of each other in a stack. */
  readonly columns: Aligned['columns'];
  readonly areas: readonly (Area | null)[];
  readonly bands: readonly Area[];
  readonly anomalies: readonly (readonly [number, number])[];
  readonly axis: readonly [number, number];
}

/** Which lines are shown: all, or the one that was chosen. */
export function shownLines(chart: MetricChart, chosen: string | null): readonly Line[] {
  const one = chart.lines.filter(({ id }) => id === chosen);
  return one.length > 0 ? one : chart.lines;
}

/** Lines whose expected band is drawn. */
export function bandLines(chart: MetricChart, chosen: string | null): readonly Line[] {
  const lines = shownLines(chart, chosen);
  return lines.length > MOST_BANDS || (chart.stack && lines.length > 1) ? [] : lines;
}

export class ChartData {
  readonly #chart: MetricChart;
  readonly #history = new Map<string, History>();
  readonly #fullRate = new Map<string, FullRate>();
  readonly #bands = new Map<string, Band>();

  constructor(chart: MetricChart) {
    this.#chart = chart;
  }

  setHistory(id: string, history: History | null): void {
    if (history === null) this.#history.delete(id);
    else this.#history.set(id, history);
  }

  /** Adds windows that came since; those that are there already are replaced. */
  extend(id: string, history: History): void {
    const before = this.#history.get(id);
    const firstMs = history.columns.timesMs[0];
    if (before === undefined || before.windowMs !== history.windowMs) {
      this.setHistory(id, history);
      return;
    }
    if (firstMs === undefined) return;
    const old = before.columns;
    let keep = old.timesMs.length;
    while (keep > 0 && old.timesMs[keep - 1]! >= firstMs) keep--;
    const joined = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined): T[] => [
      ...(a ?? []).slice(0, keep),
      ...(b ?? []),
    ];
    const next = history.columns;
    this.#history.set(id, {
      windowMs: before.windowMs,
      columns: {
        timesMs: joined(old.timesMs, next.timesMs),
        ...(old.lengthsMs && next.lengthsMs ? { lengthsMs: joined(old.lengthsMs, next.lengthsMs) } : {}),
        mean: joined(old.mean, next.mean),
        min: joined(old.min, next.min),
        max: joined(old.max, next.max),
        anomalyShare: joined(old.anomalyShare, next.anomalyShare),
      },
    });
  }

  setFullRate(id: string, values: FullRate | null): void {
    if (values === null) this.#fullRate.delete(id);
    else this.#fullRate.set(id, values);
  }

  setBand(id: string, band: Band | null): void {
    if (band === null || band.timesMs.length === 0) this.#bands.delete(id);
    else this.#bands.set(id, band);
  }

  forgetBands(): void {
    this.#bands.clear();
  }

  /** End of the latest window, Unix ms; null without any. */
  latestWindowMs(): number | null {
    let latest: number | null = null;
    for (const { columns } of this.#history.values()) {
      const last = columns.timesMs.at(-1);
      if (last !== undefined && (latest === null || last > latest)) latest = last;
    }
    return latest;
  }

  isEmpty(): boolean {
    return (
      [...this.#history.values()].every(({ columns }) => columns.timesMs.length === 0) &&
      [...this.#fullRate.values()].every(({ timesMs }) => timesMs.length === 0)
    );
  }

  /** What was expected at a time: the ends of the band's nearest point; null without one. */
  expectedAt(line: Line, seconds: number): readonly [number, number] | null {
    const band = this.#bands.get(line.id);
    if (band === undefined) return null;
    const step = (band.timesMs[1] ?? 0) - (band.timesMs[0] ?? 0);
    const at = Math.round((seconds * 1000 - band.timesMs[0]!) / Math.max(step, 1));
    const low = band.low[Math.min(at, band.low.length - 1)];
    const high = band.high[Math.min(at, band.high.length - 1)];
    if (typeof low !== 'number' || typeof high !== 'number') return null;
    const { lows, highs } = shownBand(line, [low], [high]);
    return [lows[0]!, highs[0]!];
  }

  /** `live` gives the values that stream in, null where the range does not end now. */
  draw(
    chosen: string | null,
    range: { fromMs: number; toMs: number },
    live: ((id: string) => FullRate | undefined) | null,
  ): Drawn {
    const lines = shownLines(this.#chart, chosen);
    const stack = this.#chart.stack && lines.length > 1;
    const tracks = lines.map((line) => this.#track(line, live?.(line.id)));
    const aligned = align(tracks);
    const columns = stack ? stacked(aligned.columns) : aligned.columns;
    const areas = tracks.map((track) => (stack || lines.length > MOST_AREAS ? null : areaOf(track)));
    const bands = bandLines(this.#chart, chosen).flatMap((line) => this.#bandArea(line));
    const seen = extent(range, [
      ...columns.map((column) => ({ times: aligned.times, lows: column, highs: column })),
      ...areas.filter((area) => area !== null),
    ]);
    const expected = extent(range, bands);
    const size = Math.max(Math.abs(seen[0]), Math.abs(seen[1]), 0);
    const room = Number.isFinite(size) && size > 0 ? size * BAND_ROOM : Number.POSITIVE_INFINITY;
    const low = Math.min(seen[0], Math.max(expected[0], -room));
    const high = Math.max(seen[1], Math.min(expected[1], room));
    return {
      lines,
      stack,
      times: aligned.times,
      values: aligned.columns,
      columns,
      areas,
      bands,
      anomalies: this.#anomalies(lines),
      axis: axisRange(low, high, this.#chart.floating),
    };
  }

  #track(line: Line, live: FullRate | undefined): Track {
    const history = this.#history.get(line.id);
    const fullRate = this.#fullRate.get(line.id);
    return joinParts([
      ...(history === undefined ? [] : [windowPart(history.columns, history.windowMs, line.invert)]),
      ...(fullRate === undefined ? [] : [fullRatePart(fullRate.timesMs, fullRate.values, line.invert)]),
      ...(live === undefined ? [] : [fullRatePart(live.timesMs, live.values, line.invert)]),
    ]);
  }

  #bandArea(line: Line): Area[] {
    const band = this.#bands.get(line.id);
    if (band === undefined) return [];
    return [{ times: band.timesMs.map((ms) => ms / 1000), ...shownBand(line, band.low, band.high) }];
  }

  #anomalies(lines: readonly Line[]): (readonly [number, number])[] {
    const found = new Map<number, readonly [number, number]>();
    for (const { id } of lines) {
      const history = this.#history.get(id);
      history?.columns.anomalyShare?.forEach((share, i) => {
        if (share === null || share <= 0) return;
        const end = history.columns.timesMs[i]! / 1000;
        found.set(end, [end - (history.columns.lengthsMs?.[i] ?? history.windowMs) / 1000, end]);
      });
    }
    return [...found.values()];
  }
}

/** A share cannot leave 0 to 1, however unsure a model is of it. */
const isShare = (line: Line): boolean => line.invert || /\.utilization$/.test(line.series.name);

/** The band of a line as it is drawn: turned over with it, and within what is possible. */
export function shownBand(
  line: Line,
  low: Band['low'],
  high: Band['high'],
): { lows: (number | null)[]; highs: (number | null)[] } {
  const share = isShare(line);
  const shown = (values: Band['low']): (number | null)[] =>
    values.map((value) => {
      if (value === null) return null;
      const turned = line.invert ? 1 - value : value;
      return share ? Math.min(1, Math.max(0, turned)) : turned;
    });
  return line.invert ? { lows: shown(high), highs: shown(low) } : { lows: shown(low), highs: shown(high) };
}

function areaOf(track: Track): Area {
  return { times: track.times, lows: track.lows, highs: track.highs };
}

function extent(range: { fromMs: number; toMs: number }, areas: readonly Area[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { times, lows, highs } of areas) {
    for (let i = 0; i < times.length; i++) {
      const ms = times[i]! * 1000;
      if (ms < range.fromMs || ms > range.toMs) continue;
      const from = lows[i];
      const to = highs[i];
      if (typeof from === 'number' && from < low) low = from;
      if (typeof to === 'number' && to > high) high = to;
    }
  }
  return [low, high];
}

/** Incidents as spans of a chart; those whose findings name one of its series are its own. */
export function incidentSpans(
  chart: MetricChart,
  incidents: readonly {
    readonly openedMs: number;
    readonly closedMs: number | null;
    readonly severity: Span['severity'];
    readonly findings: readonly { readonly series: string; readonly sinceMs: number }[];
  }[],
  nowMs: number,
): Span[] {
  return incidents.map(({ openedMs, closedMs, severity, findings }) => {
    const mine = findings.filter(({ series }) => chart.lines.some(({ id }) => id === series));
    const sinceMs = mine.reduce((least, one) => Math.min(least, one.sinceMs), openedMs);
    return { fromS: sinceMs / 1000, toS: (closedMs ?? nowMs) / 1000, severity, mine: mine.length > 0 };
  });
}
