/**
 * What the agent sends under a budget: a ladder, down which it goes in the declared order (detail, then sketches, then
 * rate), and what each rung is expected to take. Pure.
 */
import { HOUR_MS, MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';

/** Relative error of quantiles in percent; 0: no sketch. */
export type SketchPercent = 0 | 1 | 2 | 5;

/**
 * Which series each window tells. `varying`: those without a change, and `unusual`: also those within their usual range,
 * are told once an hour, a sixth of them in each ten minutes; their hours are told as all others'.
 */
export type Told = 'all' | 'varying' | 'unusual';

export interface Plan {
  /** Null: hours alone. */
  readonly windowMs: number | null;
  readonly sketchPercent: SketchPercent;
  readonly told: Told;
  /** Whether the hours of groups go, from which the central makes covariances. */
  readonly coMoments: boolean;
  /** Windows and hours wait for the next multiple of it; incidents never do. */
  readonly sendEveryMs: number;
  /** What is given up, in words, in the declared order. */
  readonly givenUp: readonly string[];
}

/**
 * The rungs, the best first.
 * @param fixedMs length of windows that the operator set: it is kept on all rungs
 */
export function ladderOf(fixedMs: number | undefined): readonly Plan[] {
  const windowMs = fixedMs ?? MINUTE_MS;
  let plan: Omit<Plan, 'givenUp'> = { windowMs, sketchPercent: 1, told: 'all', coMoments: true, sendEveryMs: windowMs };
  const rungs: Plan[] = [{ ...plan, givenUp: [] }];
  const words = new Map<'detail' | 'sketches' | 'rate', string>();
  const down = (order: 'detail' | 'sketches' | 'rate', word: string, change: Partial<typeof plan>): void => {
    plan = { ...plan, ...change };
    words.set(order, `${order}: ${word}`);
    rungs.push({ ...plan, givenUp: [...words.values()] });
  };
  // First of all: they help to train, and nobody reads them.
  const alone = 'nothing for models of groups';
  down('detail', alone, { coMoments: false });
  const unchanged = `${alone}, and series that do not change are told once an hour`;
  down('detail', unchanged, { told: 'varying' });
  if (fixedMs === undefined) {
    const ten = `${alone}, windows of ten minutes instead of one, top processes once an hour`;
    down('detail', ten, { windowMs: TEN_MINUTES_MS, sendEveryMs: TEN_MINUTES_MS, told: 'all' });
    down('detail', `${ten}, and series that do not change are told once an hour`, { told: 'varying' });
  }
  down('sketches', 'quantiles to 2 % instead of 1 %', { sketchPercent: 2 });
  down('sketches', 'quantiles to 5 % instead of 1 %', { sketchPercent: 5 });
  down('sketches', 'none', { sketchPercent: 0 });
  const usual = 'series within their usual range are told once an hour';
  down('rate', usual, { told: 'unusual' });
  for (const minutes of [10, 30, 60, 360]) {
    if (minutes * MINUTE_MS <= windowMs || (fixedMs === undefined && minutes !== 30 && minutes !== 60)) continue;
    down('rate', `${usual}, and windows are sent each ${minutes} minutes`, { sendEveryMs: minutes * MINUTE_MS });
  }
  if (fixedMs === undefined) {
    down('rate', 'hours alone, but around incidents', { windowMs: null });
    down('rate', 'hours alone, but around incidents, and sent each 6 hours', { sendEveryMs: 6 * HOUR_MS });
  }
  return rungs;
}

/** One kind of body that is made again and again. */
export interface BodyKind {
  readonly of: 'window' | 'hour';
  readonly windowMs: number;
  readonly sketchPercent: SketchPercent;
  readonly told: Told;
}

/**
 * Bytes of a series in one body before anything was measured: of real machines, half of whose series are constant, 12.5
 * with a sketch of 1 %, 10.7 of 2 %, 9.1 of 5 %, 5.0 without; 11.1 of 12.5 at ten minutes. An hour varies more.
 */
const seriesBytes: Readonly<Record<SketchPercent, number>> = { 0: 5.5, 1: 14, 2: 12, 5: 10 };
const hourFactor = 1.5;
const toldShare: Readonly<Record<Told, number>> = { all: 1, varying: 0.85, unusual: 0.3 };

/** A group of 64 of which half move, and what identifies them; a machine of fewer series has fewer of each. */
const COMOMENTS_BYTES = 6_000;
const COMOMENTS_SERIES = 128;

/** Bytes of an envelope and its answer beside the records: MQTT, TLS, TCP/IP headers, two PUBACKs, the acknowledgement. */
const ENVELOPE_BYTES = 1100;
/** Groups that a machine may have at once. */
const MOST_GROUPS = 32;
/** Before the inputs have told theirs. */
const FEWEST_SERIES = 50;
/** How fast what is measured takes the place of what was thought. */
const LEARN = 0.2;

/** What bodies take, as measured; what was not made yet follows from its likeness to what was. */
export class Sizes {
  readonly #series: () => number;
  readonly #measured = new Map<string, number>();
  /** Bytes of each group's last hour. */
  readonly #groups = new Map<string, number>();
  /** Measured bytes over those that were expected, of all kinds. */
  #factor = 1;
  envelopeBytes = ENVELOPE_BYTES;

  constructor(series: () => number) {
    this.#series = series;
  }

  /** A body was made. */
  measured(kind: BodyKind, sizeBytes: number): void {
    const perSeries = sizeBytes / Math.max(1, this.#series());
    const name = nameOf(kind);
    const before = this.#measured.get(name) ?? perSeries;
    this.#measured.set(name, before + LEARN * (perSeries - before));
    const factor = Math.min(5, Math.max(0.2, perSeries / expected(kind)));
    this.#factor += LEARN * (factor - this.#factor);
  }

  /** Bytes of the co-moments of all groups in an hour. */
  get coMomentsBytes(): number {
    let measured = 0;
    for (const sizeBytes of this.#groups.values()) measured += sizeBytes;
    if (measured > 0) return measured;
    return COMOMENTS_BYTES * Math.min(1, Math.max(FEWEST_SERIES, this.#series()) / COMOMENTS_SERIES);
  }

  /** A group's hour was made. */
  measuredGroup(name: string, sizeBytes: number): void {
    if (this.#groups.size >= MOST_GROUPS && !this.#groups.has(name)) this.#groups.clear();
    this.#groups.set(name, sizeBytes);
  }

  /** An envelope was answered: all that went over the line less the records in it. */
  answered(overheadBytes: number): void {
    this.envelopeBytes += (LEARN / 4) * (Math.min(8000, overheadBytes) - this.envelopeBytes);
  }

  of(kind: BodyKind): number {
    const series = Math.max(FEWEST_SERIES, this.#series());
    return series * (this.#measured.get(nameOf(kind)) ?? expected(kind) * this.#factor);
  }
}

function nameOf({ of, windowMs, sketchPercent, told }: BodyKind): string {
  return `${of}/${windowMs}/${sketchPercent}/${told}`;
}

function expected({ of, sketchPercent, told }: BodyKind): number {
  return seriesBytes[sketchPercent] * (of === 'hour' ? hourFactor : toldShare[told]);
}

/** The kind of the windows that a plan makes; null where it makes none. */
export function windowKind({ windowMs, sketchPercent, told }: Plan): BodyKind | null {
  return windowMs === null ? null : { of: 'window', windowMs, sketchPercent, told };
}

export function hourKind({ sketchPercent }: Plan): BodyKind {
  return { of: 'hour', windowMs: HOUR_MS, sketchPercent, told: 'all' };
}

/** Bytes a second that a plan takes. @param fixedBytesPerS what goes whatever is told: what is reported, pings */
export function needOf(plan: Plan, sizes: Sizes, fixedBytesPerS: number): number {
  const window = windowKind(plan);
  const windowBytesPerS = window === null ? 0 : sizes.of(window) / (window.windowMs / 1000);
  const hourBytes = sizes.of(hourKind(plan)) + (plan.coMoments ? sizes.coMomentsBytes : 0);
  const hourBytesPerS = hourBytes / (HOUR_MS / 1000);
  // Hours travel in an envelope of their own, beside that of the windows.
  const windowEnvelopesPerS = window === null ? 0 : 1000 / plan.sendEveryMs;
  const hourEnvelopesPerS = 1000 / Math.max(HOUR_MS, plan.sendEveryMs);
  return (
    windowBytesPerS + hourBytesPerS + (windowEnvelopesPerS + hourEnvelopesPerS) * sizes.envelopeBytes + fixedBytesPerS
  );
}

/** A better plan is taken only where its need times this fits. */
const BETTER_MARGIN = 1.2;
/** And only when the plan has stood so long. */
const BETTER_AFTER_MS = 12 * HOUR_MS;
const WORSE_AFTER_MS = HOUR_MS;

/**
 * The rung to stand on: the highest that fits; not changed for what a few hours say.
 * @param fits whether a need in bytes a second has room
 * @param stoodMs how long the present rung has stood
 */
export function choose(
  plans: readonly Plan[],
  now: number,
  stoodMs: number,
  needs: (plan: Plan) => number,
  fits: (needBytesPerS: number) => boolean,
): number {
  if (!fits(needs(plans[now]!))) {
    if (stoodMs < WORSE_AFTER_MS) return now;
    for (let rung = now + 1; rung < plans.length; rung++) if (fits(needs(plans[rung]!))) return rung;
    return plans.length - 1;
  }
  if (stoodMs < BETTER_AFTER_MS) return now;
  for (let rung = 0; rung < now; rung++) if (fits(needs(plans[rung]!) * BETTER_MARGIN)) return rung;
  return now;
}
