/**
 * Bytes a month on the uplink, for 100 and 300 series, without a budget and with 30, 10 and 3 MB a month: what the line
 * takes is measured (`uplink-line.ts`), what windows and hours take is encoded from a machine's series
 * (`uplink-machine.ts`), and a month of it is lived minute by minute under the real budget: an incident each
 * two days with its minutes and its full-rate values, two reconnections a day, new models. With everything counted: TLS, TCP/IP headers,
 * keep-alive, PUBACKs, acknowledgements.
 *
 * The peer is a client that sends each metric each minute as Sparkplug B does: 109 bytes (without its overhead).
 */
import { UplinkBudget } from '../../agent/uplink/budget.ts';
import { MONTH_MS } from '../../agent/uplink/month.ts';
import { type BodyKind, hourKind, windowKind } from '../../agent/uplink/plan.ts';
import { slowestTraining } from '../../central/train/schedule.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { type LineCosts, lineCosts } from './uplink-line.ts';
import { bodySizes } from './uplink-machine.ts';

const START_MS = Date.UTC(2026, 0, 5);
const DAYS = 90;
const SPARKPLUG_BYTES = 109;
const REPORT_MS = 5 * MINUTE_MS;
const INCIDENT_EVERY_MS = 48 * HOUR_MS;
const RECONNECT_EVERY_MS = 12 * HOUR_MS;
const INCIDENT_MS = 10 * MINUTE_MS;
const INCIDENT_BYTES = 4_000;
const EVIDENCE_BYTES = 60_000;
/** As a central trains for a machine with such a budget. */
const modelEveryMs = (bytesPerMonth: number | null): number =>
  slowestTraining(bytesPerMonth ?? undefined) ?? 6 * HOUR_MS;
const MODEL_BYTES_PER_SERIES = 70;
const MANIFEST_BYTES = 3_900;
const TOP_BYTES = 900;
const ENVELOPE_BYTES = 56_000;
const budgets: readonly (readonly [name: string, bytes: number | null])[] = [
  ['unlimited', null],
  ['30mb', 30e6],
  ['10mb', 10e6],
  ['3mb', 3e6],
];

const minuteKind: BodyKind = { of: 'window', windowMs: MINUTE_MS, sketchPercent: 1, told: 'all' };

/** Most bytes in any 30 days, and the plan at the end. */
function month(series: number, bytesPerMonth: number | null, line: LineCosts, sizeOf: (kind: BodyKind) => number) {
  const budget = new UplinkBudget({
    bytesPerMonth,
    windowMs: undefined,
    series: () => series,
    saved: null,
    monotonicMs: 0,
    utcMs: START_MS,
    keep: () => {},
  });
  const hours: number[] = [];
  let hourBytes = 0;
  let waitingBytes = 0;
  let sentMs = 0;
  let reportedMs = 0;
  let rungs = 0;
  const go = (sizeBytes: number): void => {
    budget.count(sizeBytes);
    hourBytes += sizeBytes;
  };
  const make = (kind: BodyKind): void => {
    const sizeBytes = sizeOf(kind);
    budget.made(kind, sizeBytes);
    waitingBytes += sizeBytes;
  };
  for (let atMs = MINUTE_MS; atMs <= DAYS * 24 * HOUR_MS; atMs += MINUTE_MS) {
    const inIncident = atMs % INCIDENT_EVERY_MS < INCIDENT_MS && atMs > HOUR_MS;
    budget.tick(atMs, START_MS + atMs, inIncident);
    const { plan } = budget;
    rungs = plan.givenUp.length;
    if (atMs % RECONNECT_EVERY_MS === 0 && !budget.exhausted) {
      if (budget.connections.waitMs(line.connectionBytes, atMs) === 0) {
        budget.connections.spend(line.connectionBytes, atMs);
        go(line.connectionBytes);
      }
    }
    if (atMs % INCIDENT_EVERY_MS === 0 && budget.allows('incident', 'live')) {
      go(INCIDENT_BYTES + line.envelopeBytes);
      if (budget.takesEvidence(EVIDENCE_BYTES)) go(EVIDENCE_BYTES + 2 * line.envelopeBytes);
    }
    const window = windowKind(plan);
    if (budget.detail) make(minuteKind);
    else if (window !== null && atMs % window.windowMs === 0) make(window);
    if (budget.takesDocument('top')) waitingBytes += TOP_BYTES;
    budget.closed(START_MS + atMs);
    if (atMs % HOUR_MS === 0 && budget.allows('rollup', 'live')) {
      // An envelope of its own: another class of record.
      go(line.envelopeBytes);
      make(hourKind(plan));
    } else if (atMs % HOUR_MS === 0) make(hourKind(plan));
    while (waitingBytes > 0 && budget.allows('detail', 'live')) {
      const sizeBytes = Math.min(ENVELOPE_BYTES, waitingBytes);
      go(sizeBytes + line.envelopeBytes);
      waitingBytes -= sizeBytes;
      sentMs = atMs;
    }
    if (atMs % modelEveryMs(bytesPerMonth) === 0 && !budget.exhausted) {
      go(MANIFEST_BYTES);
      const modelBytes = series * MODEL_BYTES_PER_SERIES;
      if (budget.models.waitMs(modelBytes, atMs) === 0) {
        budget.models.spend(modelBytes, atMs);
        go(modelBytes + (1 + Math.ceil(modelBytes / 32_768)) * line.envelopeBytes);
      }
    }
    if (!budget.exhausted && atMs - reportedMs >= budget.reportEveryMs(REPORT_MS)) {
      reportedMs = atMs;
      go(line.reportBytes);
    }
    // A ping goes where nothing else did for so long.
    const keepaliveMs = budget.keepaliveS * 1000;
    if (!budget.exhausted && (keepaliveMs < MINUTE_MS || atMs - sentMs > keepaliveMs)) {
      go((line.pingBytes * MINUTE_MS) / keepaliveMs);
    }
    if (atMs % HOUR_MS === 0) {
      hours.push(hourBytes);
      hourBytes = 0;
    }
  }
  let within = 0;
  let most = 0;
  const span = MONTH_MS / HOUR_MS;
  hours.forEach((bytes, hour) => {
    within += bytes - (hour >= span ? hours[hour - span]! : 0);
    most = Math.max(most, within);
  });
  return { most, plan: budget.plan, rungs };
}

export async function run(): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  const lines = { plain: await lineCosts(false), tls: await lineCosts(true) } as const;
  for (const [name, line] of Object.entries(lines)) {
    for (const [what, bytes] of Object.entries(line))
      figures[`${name}_${what.replace('Bytes', '')}_bytes`] = Math.round(bytes);
  }
  for (const series of [100, 300]) {
    const sizeOf = bodySizes(series);
    const peerBytes = (SPARKPLUG_BYTES * series * MONTH_MS) / MINUTE_MS;
    for (const [budgetName, bytesPerMonth] of budgets) {
      for (const [lineName, line] of Object.entries(lines)) {
        const { most, plan } = month(series, bytesPerMonth, line, sizeOf);
        const name = `series_${series}_${budgetName}_${lineName}`;
        figures[`${name}_mb_month`] = most / 1e6;
        if (bytesPerMonth !== null) figures[`${name}_of_budget`] = most / bytesPerMonth;
        figures[`${name}_of_sparkplug`] = most / peerBytes;
        if (lineName !== 'tls' || bytesPerMonth === null) continue;
        figures[`${name}_window_minutes`] = (plan.windowMs ?? 0) / MINUTE_MS;
        figures[`${name}_sketch_percent`] = plan.sketchPercent;
        figures[`${name}_send_minutes`] = plan.sendEveryMs / MINUTE_MS;
        console.log(`${series} series, ${budgetName}: ${plan.givenUp.join('; ') || 'nothing given up'}`);
      }
    }
  }
  return figures;
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(await run())) console.log(`${name.padEnd(48)} ${value.toFixed(2)}`);
  process.exit(0);
}
