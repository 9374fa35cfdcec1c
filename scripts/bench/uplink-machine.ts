/**
 * A machine for hours: series like a small server's (`machine-minute.ts`), whose levels go on from minute to minute, and
 * what its windows, tens and hours are as bytes under each way of telling them. Seeded.
 */
import { type SummaryPart, summaryParts, tableParts } from '../../agent/parts.ts';
import { Summariser } from '../../agent/summarise.ts';
import type { BodyKind, SketchPercent, Told } from '../../agent/uplink/plan.ts';
import { Thinner } from '../../agent/uplink/thin.ts';
import { HOUR_MS, MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import { Quality } from '../../shared/series.ts';
import { packPayload } from '../../shared/transport/compress.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { seededRandom } from '../../test/support/history.ts';

const SAMPLES = 60;
const HOURS = 2;
const USUAL_BITS = 9;
/** A window has some series that are not quite as usual. */
const UNUSUAL_SHARE = 0.03;
const START_MS = Date.UTC(2026, 0, 5);

interface Metric {
  readonly kind: number;
  readonly size: number;
  level: number;
}

function sampleOf(metric: Metric, random: () => number): number {
  const normal = (): number => random() + random() + random() + random() - 2;
  const burst = random() < 0.1 ? 4 : 1;
  const rate = (things: number): number =>
    Math.fround((Math.max(0, Math.round(things)) * 1000) / (1000 + (random() - 0.5) * 4));
  switch (metric.kind) {
    case 1:
      return Math.fround(rate(5 * burst + 5 * normal()) / 100);
    case 3:
      return rate(metric.size * burst * (1 + 0.3 * normal()));
    case 5:
      return random() < 0.8 ? 0 : rate(random() * 160);
    case 7:
      metric.level += Math.round(normal() * 50 * burst);
      return Math.abs(metric.level) * 4096;
    case 9:
      return Math.round(450 + normal() * 20) / 10;
    default:
      return metric.level;
  }
}

/** Mean bytes of a body, packed as an envelope packs it, by the kind of body. */
export function bodySizes(series: number): (kind: BodyKind) => number {
  const random = seededRandom(series);
  const metrics: Metric[] = Array.from({ length: series }, (_, i) => {
    const kind = i % 10;
    // Constants are mostly counters that stand still, and else sizes and limits.
    const level =
      kind % 2 === 0 ? (random() < 0.6 ? 0 : Math.round(random() * 1e6) * 1024) : Math.round(random() * 1e6);
    return { kind, size: 10 ** (random() * 4), level };
  });
  const numbers = metrics.map((_, i) => i);
  const tables = tableParts(
    metrics.map((_, i) => ({ name: `machine.metric.${i % 40}`, unit: 'By', attributes: { device: String(i) } })),
  );
  const made: {
    readonly of: 'window' | 'hour';
    readonly windowMs: number;
    readonly columns: WindowColumns;
    readonly endMs: number;
  }[] = [];
  const summariser = new Summariser(series, true, true);
  for (let minute = 1; minute <= HOURS * 60; minute++) {
    const unusual = Math.floor(random() * series);
    for (let at = 0; at < SAMPLES; at++) {
      metrics.forEach((metric, i) => {
        const odd = random() < UNUSUAL_SHARE / SAMPLES / 10 || (i === unusual && at === 30);
        summariser.add(i, sampleOf(metric, random), Quality.good, odd ? 12 : random() * 7, odd);
      });
    }
    const endMs = START_MS + minute * MINUTE_MS;
    made.push({ of: 'window', windowMs: MINUTE_MS, columns: summariser.close(numbers), endMs });
    if (minute % 10 === 0) {
      made.push({ of: 'window', windowMs: TEN_MINUTES_MS, columns: summariser.closeTens(numbers), endMs });
    }
    if (minute % 60 === 0) made.push({ of: 'hour', windowMs: HOUR_MS, columns: summariser.closeHour(numbers), endMs });
  }
  const known = new Map<string, number>();
  const measure = (of: 'window' | 'hour', windowMs: number, sketchPercent: SketchPercent, told: Told): number => {
    const thinner = new Thinner(series);
    let bytes = 0;
    let bodies = 0;
    for (const window of made) {
      if (window.of !== of || window.windowMs !== windowMs) continue;
      const { endMs } = window;
      const options = { sketchPercent, told, nominalMs: windowMs, endMs, usualBits: USUAL_BITS, sent: true };
      const thin = thinner.thin(numbers, window.columns, options);
      const span = { lengthMs: windowMs, nominalMs: windowMs, endMonotonicMs: endMs - START_MS, endWallMs: endMs };
      const parts = summaryParts(thin.columns, tables, span, thin.leftOut);
      // The first window of an hour knows of nothing that was told before.
      if (endMs > START_MS + HOUR_MS || of === 'hour') {
        bytes += parts.reduce((sum, part: SummaryPart) => sum + packPayload(part.body).length, 0);
        bodies++;
      }
    }
    return bytes / bodies;
  };
  return ({ of, windowMs, sketchPercent, told }) => {
    const name = `${of} ${windowMs} ${sketchPercent} ${told}`;
    let bytes = known.get(name);
    if (bytes === undefined) {
      bytes = measure(of, windowMs, sketchPercent, told);
      known.set(name, bytes);
    }
    return bytes;
  };
}
