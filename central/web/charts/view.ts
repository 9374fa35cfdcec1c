/** One chart on the screen: a uPlot, what it has loaded, and its live values. Lives while the chart is in view. */
import uPlot from 'uplot';
import { nowMs } from '../api.ts';
import type { MetricChart } from '../metrics/model.ts';
import { bounds, formatMoment, MINUTE_MS, spanOf, type TimeRange } from '../time.ts';
import { timeAxis, valueAxis } from './axes.ts';
import { bandLines, ChartData, type Drawn, shownLines } from './chart-data.ts';
import { colours, faded } from './colours.ts';
import { clipped, drawAnomalies, drawArea, drawSpans, type Span } from './layers.ts';
import type { History, MachineSource } from './source.ts';

/** A chart without names below it is as much taller. */
const HEIGHT_PX = { named: 176, single: 202 } as const;
/** Up to this span the machine's own full-rate values are worth asking for. */
const FULL_RATE_SPAN_MS = 60 * MINUTE_MS;
const FULL_RATE_BACK_MS = 15 * MINUTE_MS;
/** How long an agent holds full-rate values. */
const HELD_MS = 60 * MINUTE_MS;
const BAND_POINTS = 240;

export interface Readout {
  /** Null: the latest values; else where the cursor is. */
  readonly time: string | null;
  /** In the order of the shown lines. */
  readonly values: readonly (number | null | undefined)[];
  readonly lines: readonly { readonly id: string }[];
  readonly expected: readonly [number, number] | null;
}

export interface ViewOptions {
  readonly host: HTMLElement;
  readonly chart: MetricChart;
  readonly source: MachineSource;
  readonly zone: () => string;
  readonly onReadout: (readout: Readout) => void;
  readonly onState: (state: 'loading' | 'ready' | 'empty' | { error: unknown }) => void;
  readonly onZoom: (fromMs: number, toMs: number) => void;
  readonly onZoomBack: () => void;
}

export class ChartView {
  readonly #options: ViewOptions;
  readonly #data: ChartData;
  #plot: uPlot | null = null;
  #drawn: Drawn | null = null;
  #range: TimeRange;
  #chosen: string | null = null;
  #spans: readonly Span[] = [];
  #loading = 0;
  #ended = false;
  #stopLive: () => void;
  #signature = '';

  constructor(options: ViewOptions, range: TimeRange) {
    this.#options = options;
    this.#data = new ChartData(options.chart);
    this.#range = range;
    this.#stopLive = options.source.live.want(options.chart.lines.map(({ id }) => id));
    void this.load();
  }

  setRange(range: TimeRange): void {
    this.#range = range;
    void this.load();
  }

  setChosen(id: string | null): void {
    if (id === this.#chosen) return;
    this.#chosen = id;
    void this.#loadBands();
    this.render();
  }

  setSpans(spans: readonly Span[]): void {
    this.#spans = spans;
    this.#plot?.redraw(false);
  }

  /** Loads the whole range anew. */
  async load(): Promise<void> {
    const { chart, source, onState } = this.#options;
    const turn = ++this.#loading;
    const { fromMs, toMs } = this.#ends();
    if (this.#data.isEmpty()) onState('loading');
    const fillFrom = this.#fullRateFrom();
    try {
      const found = await Promise.all(chart.lines.map(({ id }) => source.history(id, fromMs, toMs)));
      if (turn !== this.#loading || this.#ended) return;
      chart.lines.forEach(({ id }, i) => {
        this.#data.setHistory(id, found[i]!);
        if (fillFrom === null) this.#data.setFullRate(id, null);
      });
      onState(this.#data.isEmpty() ? 'empty' : 'ready');
      this.render();
      this.#options.host.dataset.spanS = String(Math.round(spanOf(this.#range) / 1000));
    } catch (error) {
      if (turn === this.#loading && !this.#ended) onState({ error });
    }
    if (turn !== this.#loading || this.#ended) return;
    void this.#loadBands();
    if (fillFrom !== null) void this.#fill(fillFrom, turn);
  }

  /** Takes in the windows that were made since. */
  async extend(): Promise<void> {
    const { chart, source, onState } = this.#options;
    const latestMs = this.#data.latestWindowMs();
    const { toMs } = this.#ends();
    if (latestMs === null || latestMs >= toMs) return this.load();
    const turn = this.#loading;
    const found = await Promise.all(chart.lines.map(({ id }) => source.history(id, latestMs, toMs))).catch(() => []);
    if (turn !== this.#loading || this.#ended) return;
    chart.lines.forEach(({ id }, i) => {
      const more: History | null | undefined = found[i];
      if (more != null) this.#data.extend(id, more);
    });
    if (!this.#data.isEmpty()) onState('ready');
    void this.#loadBands();
    this.render();
  }

  /** Draws what there is, up to now. */
  render(): void {
    if (this.#ended) return;
    const { source, chart } = this.#options;
    const range = bounds(this.#range, this.#now());
    const live = this.#range.kind === 'last' ? (id: string) => source.live.values(id) : null;
    const drawn = this.#data.draw(this.#chosen, range, live);
    this.#drawn = drawn;
    if (drawn.times.length === 0) return;
    const data = [drawn.times, ...drawn.columns] as uPlot.AlignedData;
    const signature = `${drawn.lines.map(({ id }) => id).join()} ${drawn.stack}`;
    if (this.#plot === null || signature !== this.#signature) {
      this.#signature = signature;
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#plotOptions(chart, drawn), data, this.#options.host);
      this.#options.onState('ready');
    } else {
      this.#plot.batch(() => {
        this.#plot!.setData(data, false);
        this.#plot!.setScale('x', { min: range.fromMs / 1000, max: range.toMs / 1000 });
      });
    }
    this.#readout();
  }

  /** The theme or the zone is another one. */
  restyle(): void {
    this.#plot?.redraw(true, true);
    this.#readout();
  }

  resize(): void {
    const width = this.#options.host.clientWidth;
    if (this.#plot !== null && width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: heightOf(this.#options.chart) });
    }
  }

  end(): void {
    this.#ended = true;
    this.#stopLive();
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** Whether a second's value can be seen in this range. */
  movesEachSecond(): boolean {
    return this.#range.kind === 'last' && spanOf(this.#range) <= FULL_RATE_SPAN_MS;
  }

  followsNow(): boolean {
    return this.#range.kind === 'last';
  }

  /** Later than the viewer's clock where the machine's runs ahead by a little. */
  #now(): number {
    const now = nowMs();
    const ahead = this.#options.source.live.latestMs - now;
    return ahead > 0 && ahead < 10_000 ? now + ahead : now;
  }

  #ends(): { fromMs: number; toMs: number } {
    const { fromMs, toMs } = bounds(this.#range, this.#now());
    // Full minutes, so that charts that load together ask for the same range.
    return {
      fromMs: Math.floor(fromMs / MINUTE_MS) * MINUTE_MS - MINUTE_MS,
      toMs: Math.ceil(toMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS,
    };
  }

  #fullRateFrom(): number | null {
    const now = this.#now();
    const { fromMs, toMs } = bounds(this.#range, now);
    if (toMs - fromMs > FULL_RATE_SPAN_MS || toMs < now - HELD_MS) return null;
    return Math.max(fromMs, now - HELD_MS, toMs - FULL_RATE_BACK_MS);
  }

  async #fill(fromMs: number, turn: number): Promise<void> {
    const { chart, source } = this.#options;
    const { toMs } = bounds(this.#range, this.#now());
    // To the second, so that charts ask together.
    const from = Math.floor(fromMs / 1000) * 1000;
    const to = Math.ceil(toMs / 1000) * 1000;
    // A machine that does not answer leaves its charts with the windows that the central has.
    const found = await Promise.all(chart.lines.map(({ id }) => source.fullRate(id, from, to))).catch(() => null);
    if (found === null || turn !== this.#loading || this.#ended) return;
    chart.lines.forEach(({ id }, i) => {
      this.#data.setFullRate(id, found[i] ?? null);
    });
    this.render();
  }

  async #loadBands(): Promise<void> {
    const { chart, source } = this.#options;
    const turn = this.#loading;
    const { fromMs, toMs } = this.#ends();
    const stepMs = Math.max(MINUTE_MS, Math.ceil((toMs - fromMs) / BAND_POINTS / MINUTE_MS) * MINUTE_MS);
    const from = Math.floor(fromMs / stepMs) * stepMs;
    const to = Math.ceil(toMs / stepMs) * stepMs;
    const lines = bandLines(chart, this.#chosen);
    const found = await Promise.all(lines.map(({ id }) => source.band(id, from, to, stepMs).catch(() => null)));
    if (turn !== this.#loading || this.#ended) return;
    this.#data.forgetBands();
    lines.forEach(({ id }, i) => {
      this.#data.setBand(id, found[i] ?? null);
    });
    this.render();
  }

  #readout(): void {
    const drawn = this.#drawn;
    if (drawn === null) return;
    const at = this.#plot?.cursor.idx ?? null;
    const over = at !== null && (this.#plot?.cursor.left ?? -1) >= 0;
    const seconds = over ? drawn.times[at] : drawn.times.at(-1);
    if (seconds === undefined) return;
    const values = drawn.values.map((column) => (over ? near(column, at) : latest(column)));
    const only = drawn.lines.length === 1 ? drawn.lines[0]! : null;
    this.#options.onReadout({
      time: over ? formatMoment(seconds * 1000, this.#options.zone(), nowMs()) : null,
      values,
      lines: drawn.lines,
      expected: only === null ? null : this.#data.expectedAt(only, seconds),
    });
  }

  #plotOptions(chart: MetricChart, drawn: Drawn): uPlot.Options {
    const { host, zone, onZoom, onZoomBack } = this.#options;
    const all = shownLines(chart, null);
    const colourOf = (id: string): string => colours().lines[all.findIndex((line) => line.id === id) % 8]!;
    const single = drawn.lines.length === 1;
    return {
      width: Math.max(host.clientWidth, 100),
      height: heightOf(chart),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone()),
      cursor: {
        y: false,
        points: { size: 5 },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        // Others follow where one points; what is dragged is the business of one.
        sync: { key: 'machine', scales: ['x', null], filters: { pub: (type) => /^mouse(move|leave)$/.test(type) } },
        bind: {
          dblclick: () => () => {
            onZoomBack();
            return null;
          },
        },
      },
      scales: {
        x: {
          time: true,
          range: () => {
            const { fromMs, toMs } = bounds(this.#range, this.#now());
            return [fromMs / 1000, toMs / 1000];
          },
        },
        y: { range: () => [this.#drawn!.axis[0], this.#drawn!.axis[1]] },
      },
      axes: [timeAxis(zone), valueAxis(chart.unit)],
      series: [
        {},
        ...drawn.lines.map(({ id, label }): uPlot.Series => {
          const stroke = (): string => colourOf(id);
          const fill = (): string => faded(colourOf(id), drawn.stack ? 0.72 : 0.1);
          return {
            label,
            stroke,
            width: drawn.stack ? 0 : 1.5,
            points: { show: (_plot, _series, from, to) => to - from < 2 },
            ...((drawn.stack || single) && !chart.floating && { fill }),
          };
        }),
      ],
      ...(drawn.stack && {
        bands: drawn.lines.slice(1).map((_, i) => ({ series: [i + 2, i + 1] as [number, number] })),
      }),
      hooks: {
        drawClear: [
          (plot) =>
            clipped(plot, (context) => {
              drawSpans(plot, context, this.#spans);
              const now = this.#drawn!;
              for (const band of now.bands) drawArea(plot, context, band, colours().band, colours().bandEdge);
              now.areas.forEach((area, i) => {
                if (area !== null) drawArea(plot, context, area, faded(colourOf(now.lines[i]!.id), 0.22));
              });
            }),
        ],
        draw: [(plot) => clipped(plot, (context) => drawAnomalies(plot, context, this.#drawn!.anomalies))],
        setCursor: [() => this.#readout()],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 6) return;
            const fromMs = plot.posToVal(left, 'x') * 1000;
            const toMs = plot.posToVal(left + width, 'x') * 1000;
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            onZoom(fromMs, toMs);
          },
        ],
      },
    };
  }
}

function heightOf(chart: MetricChart): number {
  return chart.lines.length > 1 ? HEIGHT_PX.named : HEIGHT_PX.single;
}

/** The value there, or the nearest before it: lines are not all read at the same times. */
function near(column: readonly (number | null | undefined)[], at: number): number | null | undefined {
  for (let i = at; i >= Math.max(0, at - 120); i--) if (column[i] !== undefined) return column[i];
  return undefined;
}

function latest(column: readonly (number | null | undefined)[]): number | null {
  for (let i = column.length - 1; i >= 0; i--) {
    const value = column[i];
    if (typeof value === 'number') return value;
  }
  return null;
}
