/** What is drawn behind and over the lines: expected band, range between points, incidents, anomalies. */
import type uPlot from 'uplot';
import { colours, faded } from './colours.ts';

export interface Area {
  readonly times: readonly number[];
  readonly lows: readonly (number | null | undefined)[];
  readonly highs: readonly (number | null | undefined)[];
}

export interface Span {
  readonly fromS: number;
  readonly toS: number;
  readonly severity: 'info' | 'warning' | 'critical';
  /** Whether a line of this chart took part. */
  readonly mine: boolean;
}

const ANOMALY_HEIGHT = 4;
const INCIDENT_EDGE = 2;

/** Runs a drawing with the plot's area as clip. */
export function clipped(plot: uPlot, draw: (context: CanvasRenderingContext2D) => void): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

/** Fills between lows and highs; holes stay open. */
export function drawArea(
  plot: uPlot,
  context: CanvasRenderingContext2D,
  area: Area,
  fill: string,
  edge?: string,
): void {
  const { times, lows, highs } = area;
  let from = 0;
  while (from < times.length) {
    while (from < times.length && !isNumber(lows[from], highs[from])) from++;
    let to = from;
    while (to < times.length && isNumber(lows[to], highs[to])) to++;
    if (to - from > 1) {
      const outline = new Path2D();
      for (let i = from; i < to; i++) outline.lineTo(...at(plot, times[i]!, highs[i]!));
      for (let i = to - 1; i >= from; i--) outline.lineTo(...at(plot, times[i]!, lows[i]!));
      outline.closePath();
      context.fillStyle = fill;
      context.fill(outline);
      if (edge !== undefined) {
        context.strokeStyle = edge;
        context.lineWidth = devicePixelRatio;
        for (const ends of [lows, highs]) {
          context.beginPath();
          for (let i = from; i < to; i++) context.lineTo(...at(plot, times[i]!, ends[i]!));
          context.stroke();
        }
      }
    }
    from = to;
  }
}

function isNumber(low: number | null | undefined, high: number | null | undefined): boolean {
  return typeof low === 'number' && typeof high === 'number';
}

function at(plot: uPlot, time: number, value: number): [number, number] {
  return [plot.valToPos(time, 'x', true), plot.valToPos(value, 'y', true)];
}

/** Incidents that this chart's lines took part in are shaded; others only show at the upper edge. */
export function drawSpans(plot: uPlot, context: CanvasRenderingContext2D, spans: readonly Span[]): void {
  const { top, height } = plot.bbox;
  for (const { fromS, toS, severity, mine } of spans) {
    const left = plot.valToPos(fromS, 'x', true);
    const width = Math.max(devicePixelRatio, plot.valToPos(toS, 'x', true) - left);
    const colour = colours().severity[severity];
    if (mine) {
      context.fillStyle = faded(colour, 0.1);
      context.fillRect(left, top, width, height);
    }
    context.fillStyle = faded(colour, mine ? 1 : 0.45);
    context.fillRect(left, top, width, INCIDENT_EDGE * devicePixelRatio);
  }
}

/** A tick at the lower edge for each window in which something was unusual. */
export function drawAnomalies(
  plot: uPlot,
  context: CanvasRenderingContext2D,
  spansS: readonly (readonly [number, number])[],
): void {
  const { top, height } = plot.bbox;
  const tall = ANOMALY_HEIGHT * devicePixelRatio;
  context.fillStyle = colours().anomaly;
  for (const [from, to] of spansS) {
    const left = plot.valToPos(from, 'x', true);
    context.fillRect(
      left,
      top + height - tall,
      Math.max(2 * devicePixelRatio, plot.valToPos(to, 'x', true) - left),
      tall,
    );
  }
}
