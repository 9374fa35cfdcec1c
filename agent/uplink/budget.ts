/**
 * Holds the uplink's budget: counts what went, chooses the plan, and says who may send now.
 *
 *   meter ─► count ─► month ─► spare ─► plan (hourly) ─► windows: length, sketches, who is told
 *                                  └─► publisher: when windows go, how fast the backlog; models, watch, connections
 *
 * A fifth of the budget is left for incidents, counted apart: plans must fit into the rest, and incidents have no more
 * of their own. What is beyond all plans is stopped just below the limit: then nothing goes until enough of it is older
 * than 30 days, and records wait in the outbox.
 *
 * Time is counted by the monotonic clock; of the time between two runs as much as the wall clock says has gone by, and
 * nothing where it says nonsense.
 */
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import { ByteReader, ByteWriter } from '../../shared/wire/bytes.ts';
import { MONTH_MS, Month } from './month.ts';
import { type BodyKind, choose, ladderOf, needOf, type Plan, Sizes } from './plan.ts';
import { Share } from './share.ts';

/** Left for incidents, their minutes and their evidence. */
const RESERVE_SHARE = 0.2;
/** Kept below the limit for what is on its way: envelopes in flight, answers, a goodbye. */
const MARGIN_SHARE = 0.02;
const MARGIN_BYTES = 160 * 1024;
/** A first plan is changed as soon as the series are known; later ones stand for hours. */
const SETTLE_MS = 15 * MINUTE_MS;
/** How often the plan is looked at, and what was counted is written. */
const PLAN_EVERY_MS = 10 * MINUTE_MS;
const KEEP_EVERY_MS = 10 * MINUTE_MS;
/** Minutes are told until so long after an incident's end. */
const DETAIL_AFTER_MS = 10 * MINUTE_MS;
/** One incident may take this share of what is left of the reserve. */
const INCIDENT_SHARE = 0.5;
/** What the backlog may take beside the plan is spread over this time. */
const BACKLOG_SPREAD_S = 6 * 3600;
/** A batch has this long to get on its way. */
const BATCH_OPEN_MS = 2 * MINUTE_MS;
/** Shares of the budget, the most of them at once. */
const shares = { connections: 0.15, models: 0.1, watch: 0.1 } as const;
/** A connection: TCP, TLS with a certificate, CONNECT, subscription, presence, reported, the retained manifest. */
const CONNECTION_BYTES = 12 * 1024;
const FIRST_CONNECTIONS = 20;
/** Envelopes that may be under way; while as many stay unanswered, the next try waits longer each time. */
const UNANSWERED = 8;
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 3_600_000;
const PING_BYTES = 256;
const PING_SHARE = 0.03;
const REPORT_BYTES = 2_000;
const REPORT_SHARE = 0.02;
const SHORTEST_KEEPALIVE_S = 20;
const LONGEST_KEEPALIVE_S = 1200;
const VERSION = 1;

export interface BudgetOptions {
  /** Null: no bound; then all is counted and nothing is held. */
  readonly bytesPerMonth: number | null;
  /** Length of windows that the operator set. */
  readonly windowMs: number | undefined;
  readonly series: () => number;
  readonly saved: Uint8Array | null;
  readonly monotonicMs: number;
  readonly utcMs: number;
  /** Keeps what was counted, with the records. */
  readonly keep: (bytes: Uint8Array) => void;
}

type Lane = 'live' | 'backlog';

export class UplinkBudget {
  readonly bounded: boolean;
  readonly connectionBytes = CONNECTION_BYTES;
  readonly sizes: Sizes;
  readonly connections: Share;
  readonly models: Share;
  readonly watch: Share;
  readonly #options: BudgetOptions;
  readonly #limit: number;
  readonly #plans: readonly Plan[];
  readonly #startedMs: number;
  readonly #settlesUntilMs: number;
  #month: Month;
  /** What of it went while something happened. */
  #incidents: Month;
  /** The agent's own count of time when this process began. */
  #baseMs: number;
  #rung = 0;
  #stoodSinceMs = Number.NEGATIVE_INFINITY;
  #plannedMs = Number.NEGATIVE_INFINITY;
  #keptMs = 0;
  #monotonicMs: number;
  /** What is still left of the present incident's part; null without one. */
  #incidentBytes: number | null = null;
  #detailUntilMs = Number.NEGATIVE_INFINITY;
  #batchOpenMs = Number.NEGATIVE_INFINITY;
  #topMs = Number.NEGATIVE_INFINITY;
  #evidenceLeft = 0;
  #unanswered = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  #backlogBytesPerS = Number.POSITIVE_INFINITY;

  constructor(options: BudgetOptions) {
    const { bytesPerMonth, monotonicMs, utcMs, saved } = options;
    this.#options = options;
    this.bounded = bytesPerMonth !== null;
    this.#limit = bytesPerMonth ?? Number.POSITIVE_INFINITY;
    this.#plans = ladderOf(options.windowMs);
    this.sizes = new Sizes(options.series);
    this.#startedMs = monotonicMs;
    this.#monotonicMs = monotonicMs;
    this.#keptMs = monotonicMs;
    this.#baseMs = utcMs;
    this.#month = new Month(utcMs);
    this.#incidents = new Month(utcMs);
    if (saved !== null) this.#restore(saved, utcMs);
    this.#settlesUntilMs = saved === null ? monotonicMs + SETTLE_MS : Number.NEGATIVE_INFINITY;
    const perS = this.bounded ? (this.#limit * (1 - RESERVE_SHARE)) / (MONTH_MS / 1000) : Number.POSITIVE_INFINITY;
    const share = (of: keyof typeof shares, mostBytes: number, firstBytes: number): Share =>
      new Share(perS * shares[of], mostBytes, firstBytes, monotonicMs);
    const first = FIRST_CONNECTIONS * CONNECTION_BYTES;
    this.connections = share('connections', Math.min(first, this.#limit * 0.02), Math.min(first, this.#limit * 0.02));
    this.models = share('models', this.#limit * shares.models, this.#limit * 0.02);
    this.watch = share('watch', this.#limit * shares.watch, this.#limit * 0.02);
    this.#look();
  }

  get plan(): Plan {
    return this.#plans[this.#rung]!;
  }

  /** Whether minutes are told, though the plan's windows are longer: something is happening. */
  get detail(): boolean {
    return this.bounded && this.#options.windowMs === undefined && this.#monotonicMs < this.#detailUntilMs;
  }

  /** Backlog, bytes a second. */
  get backlogBytesPerS(): number {
    return this.exhausted ? 0 : this.#backlogBytesPerS;
  }

  /** Nothing may go. */
  get exhausted(): boolean {
    return this.usedBytes >= this.#mostBytes;
  }

  /** Nothing goes beyond it. */
  get #mostBytes(): number {
    return this.#limit - Math.max(MARGIN_BYTES, this.#limit * MARGIN_SHARE);
  }

  /** What is left of the part for incidents. */
  get #reserveBytes(): number {
    return Math.max(0, this.#limit * RESERVE_SHARE - this.#incidents.used(this.#nowMs()));
  }

  /** Of the last 30 days. */
  get usedBytes(): number {
    return this.#month.used(this.#nowMs());
  }

  get limitBytes(): number | null {
    return this.#options.bytesPerMonth;
  }

  /** Longer where pings would take more than their part: a broker then sees later that the agent is gone. */
  get keepaliveS(): number {
    return this.#everyS(PING_BYTES, PING_SHARE, SHORTEST_KEEPALIVE_S, LONGEST_KEEPALIVE_S);
  }

  /** How often what is reported is said again though nothing of it is new. */
  reportEveryMs(shortestMs: number): number {
    return this.#everyS(REPORT_BYTES, REPORT_SHARE, shortestMs / 1000, DAY_MS / 1000) * 1000;
  }

  /** These bytes went over the line, in either direction. */
  count(sizeBytes: number): void {
    if (sizeBytes <= 0) return;
    this.#month.spend(sizeBytes, this.#nowMs());
    if (this.#incidentBytes === null) return;
    this.#incidentBytes -= sizeBytes;
    this.#incidents.spend(sizeBytes, this.#nowMs());
  }

  /** An envelope was sent. A broker whose central is away takes everything, again and again. */
  sent(): void {
    this.#unanswered++;
    this.#sentMs = this.#monotonicMs;
  }

  /** The central answered. */
  answered(): void {
    this.#unanswered = 0;
  }

  get #patienceMs(): number {
    if (this.#unanswered < UNANSWERED) return 0;
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#unanswered - UNANSWERED));
  }

  /** A body was made of a window or an hour. */
  made(kind: BodyKind, sizeBytes: number): void {
    this.sizes.measured(kind, sizeBytes);
  }

  /** Windows or an hour ended at this time: whether they go on their way now. */
  closed(endMs: number): void {
    const { sendEveryMs } = this.plan;
    const phaseMs = endMs % sendEveryMs;
    if (Math.min(phaseMs, sendEveryMs - phaseMs) < MINUTE_MS / 2) this.#batchOpenMs = this.#monotonicMs;
  }

  /** Whether records of this class may go now. */
  allows(recordClass: string, lane: Lane): boolean {
    if (!this.bounded) return true;
    if (this.exhausted || this.#monotonicMs < this.#sentMs + this.#patienceMs) return false;
    if (lane === 'backlog' || recordClass === 'incident' || recordClass === 'control' || recordClass === 'table') {
      return true;
    }
    return (
      this.plan.sendEveryMs <= 10 * MINUTE_MS || this.detail || this.#monotonicMs - this.#batchOpenMs < BATCH_OPEN_MS
    );
  }

  /** Whether a document of the machine is recorded: what runs most is told once an hour where windows are longer. */
  takesDocument(name: string): boolean {
    if (!this.bounded || name !== 'top' || this.plan.windowMs === MINUTE_MS) return true;
    if (this.#monotonicMs - this.#topMs < (this.detail ? 10 : 60) * MINUTE_MS) return false;
    this.#topMs = this.#monotonicMs;
    return true;
  }

  /** Whether a group's hour of co-moments is recorded: they go first. */
  takesCoMoments(group: string, sizeBytes: number): boolean {
    this.sizes.measuredGroup(group, sizeBytes);
    return !this.bounded || this.plan.coMoments;
  }

  /** Whether full-rate evidence of an incident has room in its part. */
  takesEvidence(sizeBytes: number): boolean {
    if (!this.bounded) return true;
    // The first of it comes in the moment in which an incident opens, before the tick that tells of it.
    this.#beginIncident();
    if (this.#incidentBytes! >= sizeBytes) return true;
    this.#evidenceLeft++;
    return false;
  }

  /** Once a tick. True where the plan is another. */
  tick(monotonicMs: number, utcMs: number, incidentOpen: boolean): boolean {
    this.#monotonicMs = monotonicMs;
    if (!this.bounded) return false;
    this.#follow(incidentOpen);
    if (monotonicMs - this.#keptMs >= KEEP_EVERY_MS) this.save(utcMs);
    const everyMs = monotonicMs < this.#settlesUntilMs ? MINUTE_MS : PLAN_EVERY_MS;
    if (monotonicMs - this.#plannedMs < everyMs) return false;
    this.#plannedMs = monotonicMs;
    return this.#look();
  }

  /** What was counted is written; also at a clean stop. */
  save(utcMs: number): void {
    if (!this.bounded) return;
    this.#keptMs = this.#monotonicMs;
    const writer = new ByteWriter(1024);
    writer.byte(VERSION);
    writer.float64(utcMs);
    writer.float64(this.#nowMs());
    writer.varint(this.#rung);
    const month = this.#month.encode();
    writer.varint(month.length);
    writer.raw(month);
    writer.raw(this.#incidents.encode());
    this.#options.keep(writer.finish());
  }

  /** What is given up, in the declared order. */
  warnings(): readonly string[] {
    if (!this.bounded) return [];
    const { givenUp } = this.plan;
    const used = `${megabytes(this.usedBytes)} of ${megabytes(this.#limit)} MB used in 30 days`;
    if (this.exhausted) return [`uplink: ${used}; nothing is sent until some of it is older; records are kept`];
    const evidence =
      this.#evidenceLeft === 0
        ? []
        : [`uplink: no room for ${this.#evidenceLeft} records of incidents' full-rate values`];
    if (givenUp.length === 0) return evidence;
    const around = this.#incidentBytes !== null && !this.detail ? '; the reserve for incidents is used' : '';
    return [`uplink: given up to hold the budget (${used}${around}): ${givenUp.join('; ')}`, ...evidence];
  }

  #look(): boolean {
    if (!this.bounded) return false;
    const nowMs = this.#nowMs();
    const limit = this.#mostBytes - this.#reserveBytes;
    const fixed = this.#fixedBytesPerS();
    const need = (plan: Plan): number => needOf(plan, this.sizes, fixed);
    const fits = (bytesPerS: number): boolean => this.#month.spare(limit, bytesPerS, nowMs) >= 0;
    const first = this.#stoodSinceMs === Number.NEGATIVE_INFINITY;
    const settles = first || this.#monotonicMs < this.#settlesUntilMs;
    const stoodMs = settles ? Number.POSITIVE_INFINITY : this.#monotonicMs - this.#stoodSinceMs;
    const rung = choose(this.#plans, this.#rung, stoodMs, need, fits);
    const changed = rung !== this.#rung;
    if (changed || first) this.#stoodSinceMs = this.#monotonicMs;
    this.#rung = rung;
    const ours = need(this.plan);
    // What was made before a reconnection is backlog, too: it must at least keep up with the plan.
    this.#backlogBytesPerS = Math.max(ours, this.#month.spare(limit, ours, nowMs) / BACKLOG_SPREAD_S);
    return changed;
  }

  /** What goes whatever is told: what is reported, and pings where nothing else goes for so long. */
  #fixedBytesPerS(): number {
    const reports = REPORT_BYTES / (this.reportEveryMs(5 * MINUTE_MS) / 1000);
    return reports + PING_BYTES / this.keepaliveS;
  }

  #everyS(sizeBytes: number, share: number, shortestS: number, longestS: number): number {
    if (!this.bounded) return shortestS;
    const perS = (this.#limit * (1 - RESERVE_SHARE)) / (MONTH_MS / 1000);
    return Math.round(Math.min(longestS, Math.max(shortestS, sizeBytes / (share * perS))));
  }

  #follow(incidentOpen: boolean): void {
    if (incidentOpen) this.#beginIncident();
    const may = this.#incidentBytes !== null && this.#incidentBytes > 0;
    if (incidentOpen && may) this.#detailUntilMs = this.#monotonicMs + DETAIL_AFTER_MS;
    if (!may) this.#detailUntilMs = Number.NEGATIVE_INFINITY;
    if (!incidentOpen && this.#monotonicMs >= this.#detailUntilMs) this.#incidentBytes = null;
  }

  #beginIncident(): void {
    this.#incidentBytes ??= Math.min(this.#mostBytes - this.usedBytes, this.#reserveBytes) * INCIDENT_SHARE;
  }

  #nowMs(): number {
    return this.#baseMs + (this.#monotonicMs - this.#startedMs);
  }

  #restore(saved: Uint8Array, utcMs: number): void {
    try {
      const reader = new ByteReader(saved, 'uplink budget');
      if (reader.byte() !== VERSION) return;
      const savedUtcMs = reader.float64();
      const savedNowMs = reader.float64();
      const rung = reader.varint(1000);
      const month = Month.decode(reader.raw(reader.varint(reader.left)));
      const incidents = Month.decode(reader.raw(reader.left));
      if (!Number.isFinite(savedNowMs) || !Number.isFinite(savedUtcMs)) return;
      this.#baseMs = savedNowMs + Math.min(MONTH_MS, Math.max(0, utcMs - savedUtcMs));
      this.#month = month;
      this.#incidents = incidents;
      this.#rung = Math.min(rung, this.#plans.length - 1);
      // What went after the last writing is not known.
      if (this.bounded) month.spend((this.#limit * KEEP_EVERY_MS) / MONTH_MS, this.#baseMs);
    } catch {
      // Counted from nothing: what cannot be read says nothing of what went.
    }
  }
}

function megabytes(sizeBytes: number): string {
  return (sizeBytes / 1e6).toFixed(1);
}
