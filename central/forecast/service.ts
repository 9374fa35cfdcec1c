/**
 * Forecasts of all machines, kept as one document each.
 *
 *   store (hours) ── targets ─► columns ─► child process ─► outlooks ─► when a bound is reached ─► document
 *
 * Each machine has its minute of the day, so that a thousand of them are spread over it; what has an end within days is
 * looked at each hour. Machines are done one after another: what is not done in time is late, never more at once.
 */
import type { Timers } from '../../shared/clock.ts';
import type { ZoneOffsets } from '../../shared/detect/civil.ts';
import { messageOf } from '../../shared/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import type { AgentId, LatestSeries, Store, TimeRange } from '../store/store.ts';
import { type Knowledge, knowsNothing } from '../train/knowledge.ts';
import { saidTime } from '../train/preprocess.ts';
import { zoneNamed, zoneOffsets } from '../train/zone.ts';
import type { AgentForecasts, CapacityForecast, Forecasts, Reached, SoonestEnd, SteppedOutlook } from './api.ts';
import { type Column, daysOf, hoursOf, without } from './history.ts';
import type { Outlook, OutlookTask } from './outlook.ts';
import { disagreementOf, reachedIn, soonerOf } from './reached.ts';
import { agentsForecast, type Target, targetsOf } from './targets.ts';

const NAMESPACE = 'forecast';
const LOOK_MS = MINUTE_MS;
/** Documents that are read at once at the start. */
const LISTED = 50;
/** Steps of a line as they are kept: what is drawn shows no more. */
const PLACES = 1e5;
/** What the hours are forecast from, and how far. */
const HOURS_DAYS = 28;
const HOURS_AHEAD = 7 * 24;
/** What the days are forecast from, and how far. */
const DAYS_DAYS = 180;
const DAYS_AHEAD = 56;
/** An end that is nearer is looked at each hour. */
const NEAR_MS = 7 * DAY_MS;
/** A series that ended is no longer forecast; one budgeted tells once an hour. */
const CURRENT_MS = 3 * HOUR_MS;
const AGENT_CURRENT_MS = 75 * MINUTE_MS;

interface Kept extends AgentForecasts {
  readonly madeMs: number;
  /** When all of it was made; single ones may be newer. */
  readonly wholeMs: number;
}

/** What stays in memory: lines and bands of a thousand machines would be tens of megabytes. */
interface Known {
  readonly madeMs: number;
  readonly wholeMs: number;
  /** No history was long enough yet. */
  readonly young: boolean;
  readonly ends: readonly Omit<SoonestEnd, 'agent'>[];
}

/** Of a machine: its clock, and what is known of its time. */
interface About {
  readonly zone: ZoneOffsets;
  readonly knowledge: Knowledge;
}

export interface ForecastServiceOptions {
  readonly store: Store;
  readonly agents: () => readonly AgentId[];
  /** Makes one outlook; in a child process. */
  readonly outlook: (task: OutlookTask) => Promise<Outlook | null>;
  /** What operators and their plans say of a machine's time; default nothing. */
  readonly knowledge?: (agent: AgentId, range: TimeRange) => Promise<Knowledge>;
  /** Nothing is to do for now. */
  readonly idle: () => void;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
}

export class ForecastService implements Forecasts {
  readonly #options: ForecastServiceOptions;
  readonly #known = new Map<AgentId, Known>();
  #timer: unknown = null;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ForecastServiceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { documents } = this.#options.store;
    let after = '';
    for (;;) {
      const page = await documents.list<Kept>(NAMESPACE, { after, limit: LISTED });
      for (const { key, value } of page) this.#known.set(key, knownOf(value));
      if (page.length < LISTED) break;
      after = page.at(-1)!.key;
    }
    this.#wait();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) this.#options.timers.cancel(this.#timer);
    this.#options.idle();
    await this.#working;
  }

  async ofAgent(agent: AgentId): Promise<AgentForecasts> {
    const kept = await this.#keptOf(agent);
    return kept === null ? { madeMs: null, forecasts: [] } : { madeMs: kept.madeMs, forecasts: kept.forecasts };
  }

  soonest(limit: number): readonly SoonestEnd[] {
    const agents = new Set(this.#options.agents());
    const found: SoonestEnd[] = [];
    for (const [agent, { ends }] of this.#known) {
      if (agents.has(agent)) found.push(...ends.map((end) => ({ agent, ...end })));
    }
    return found.sort((a, b) => timeOf(a.reached) - timeOf(b.reached)).slice(0, limit);
  }

  /** Does what is due; for the timer and for tests. */
  async work(): Promise<void> {
    for (const agent of this.#options.agents()) {
      if (this.#closed) return;
      const due = dueOf(agent, this.#known.get(agent), this.#options.nowMs());
      if (due === null) continue;
      try {
        await this.#make(agent, due);
      } catch (error) {
        if (this.#closed) return;
        this.#options.log.warn({ agent, problem: messageOf(error) }, 'forecasts could not be made; tried again later');
      }
    }
    this.#options.idle();
  }

  #wait(): void {
    if (this.#closed) return;
    this.#timer = this.#options.timers.after(LOOK_MS, () => {
      this.#working = this.work().finally(() => this.#wait());
    });
  }

  async #make(agent: AgentId, due: 'whole' | 'near'): Promise<void> {
    const { store, nowMs } = this.#options;
    const now = nowMs();
    const before = await this.#keptOf(agent);
    const latest = await store.latest(agent);
    const targets = targetsOf(latest).filter(({ series }) => now - series.timeMs <= CURRENT_MS);
    const about = await this.#about(agent, now);
    const forecasts: CapacityForecast[] = [];
    for (const target of targets) {
      const old = before?.forecasts.find((one) => one.series === target.series.id && one.reaches === target.reaches);
      if (due === 'near' && old !== undefined && !isNear(old, now)) {
        forecasts.push(old);
        continue;
      }
      const made = await this.#forecast(agent, target, latest, about, now).catch((error: unknown) => {
        if (!this.#closed) {
          this.#options.log.warn({ agent, thing: target.thing, problem: messageOf(error) }, 'a forecast is missing');
        }
        return null;
      });
      if (this.#closed) return;
      if (made !== null) forecasts.push(made);
    }
    const wholeMs = due === 'whole' ? now : (before?.wholeMs ?? now);
    const kept: Kept = { madeMs: now, wholeMs, forecasts };
    await store.documents.put(NAMESPACE, agent, kept);
    this.#known.set(agent, knownOf(kept));
  }

  async #about(agent: AgentId, now: number): Promise<About> {
    const { store, knowledge } = this.#options;
    const range = { fromMs: now - DAYS_DAYS * DAY_MS, toMs: now };
    const inventory = (await store.document(agent, 'inventory'))?.json;
    return {
      zone: zoneOffsets(zoneNamed(inventory), range.fromMs, range.toMs),
      knowledge: (await knowledge?.(agent, range)) ?? knowsNothing,
    };
  }

  #keptOf(agent: AgentId): Promise<Kept | null> {
    return this.#options.store.documents.get<Kept>(NAMESPACE, agent);
  }

  async #forecast(
    agent: AgentId,
    target: Target,
    latest: readonly LatestSeries[],
    about: About,
    now: number,
  ): Promise<CapacityForecast | null> {
    const toMs = Math.floor(now / HOUR_MS) * HOUR_MS;
    const fromMs = toMs - DAYS_DAYS * DAY_MS;
    const { series } = target;
    const [windows] = await this.#options.store.query(agent, [series.id], { fromMs, toMs }, 'hour');
    const { zone, knowledge } = about;
    const range = { fromMs, toMs };
    const whole = hoursOf(windows, target, range, zone);
    const current = whole.values.findLast((value) => Number.isFinite(value));
    if (current === undefined) return null;
    const said = saidTime(series.id, knowledge, MINUTE_MS);
    const all = said.length === 0 ? whole : hoursOf(without(windows, said), target, range, zone);
    const hours = await this.#outlook(
      { values: all.values.subarray(-HOURS_DAYS * 24), toMs },
      { stepMs: HOUR_MS, season: 24, horizon: HOURS_AHEAD },
    );
    const days = await this.#outlook(daysOf(all, target.reaches === 'peak', zone), {
      stepMs: DAY_MS,
      season: 7,
      horizon: DAYS_AHEAD,
    });
    const reached = soonerOf(reachedIn(hours, target, 'hours'), reachedIn(days, target, 'days'));
    const own = agentsOwn(series, latest);
    const horizonMs = hours === null ? 0 : hours.value.length * HOUR_MS;
    return {
      series: series.id,
      key: { name: series.name, unit: series.unit, attributes: series.attributes },
      thing: target.thing,
      reaches: target.reaches,
      bound: target.bound,
      invert: target.invert,
      whole: target.whole,
      madeMs: now,
      current,
      hours,
      days,
      reached,
      agent: own,
      disagreement: hours === null ? null : disagreementOf(reached, own, horizonMs, now),
    };
  }

  async #outlook(
    { values, toMs }: Column,
    { stepMs, season, horizon }: { stepMs: number; season: number; horizon: number },
  ): Promise<SteppedOutlook | null> {
    // A copy: what is sent to the child would else take the whole history with it.
    const task = { column: values.slice(), season, horizon, lowest: 0, highest: 1 };
    const outlook = await this.#options.outlook(task);
    if (outlook === null) return null;
    const { behind, steps, missing, ...rest } = outlook;
    const endMs = toMs - behind * stepMs;
    return {
      ...rest,
      value: rest.value.map(rounded),
      low: rest.low.map(rounded),
      high: rest.high.map(rounded),
      stepMs,
      firstMs: endMs + stepMs,
      fromMs: endMs - steps * stepMs,
      toMs: endMs,
      measured: steps - missing,
      missing,
    };
  }
}

function timeOf({ expectedMs, earliestMs }: Reached): number {
  return expectedMs ?? earliestMs;
}

function rounded(value: number): number {
  return Math.round(value * PLACES) / PLACES;
}

function knownOf({ madeMs, wholeMs, forecasts }: Kept): Known {
  const ends = forecasts.flatMap(({ series, thing, reaches, bound, current, reached }) =>
    reached === null ? [] : [{ series, thing, reaches, bound, current, reached }],
  );
  return { madeMs, wholeMs, young: forecasts.every(({ hours }) => hours === null), ends };
}

function isNear({ reached }: Pick<CapacityForecast, 'reached'>, now: number): boolean {
  return reached !== null && timeOf(reached) - now < NEAR_MS;
}

/** What is due of a machine: all once a day in its minute, or each hour while its history is too short. */
function dueOf(agent: AgentId, known: Known | undefined, now: number): 'whole' | 'near' | null {
  if (known === undefined) return 'whole';
  const slotMs = slotOf(agent);
  const since = (everyMs: number, lastMs: number): boolean =>
    Math.floor((now - (slotMs % everyMs)) / everyMs) > Math.floor((lastMs - (slotMs % everyMs)) / everyMs);
  if (since(known.young ? HOUR_MS : DAY_MS, known.wholeMs)) return 'whole';
  return known.ends.some((one) => isNear(one, now)) && since(HOUR_MS, known.madeMs) ? 'near' : null;
}

/** A machine's place in the day, the same after a restart (FNV-1a). */
function slotOf(agent: AgentId): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < agent.length; i++) hash = Math.imul(hash ^ agent.charCodeAt(i), 0x01000193) >>> 0;
  return (hash % (DAY_MS / MINUTE_MS)) * MINUTE_MS;
}

function agentsOwn(series: LatestSeries, latest: readonly LatestSeries[]): CapacityForecast['agent'] {
  const fresh = (edge: 'expected' | 'earliest' | 'latest'): number | null => {
    const told = agentsForecast(series, edge, latest);
    if (told === undefined || told.timeMs < series.timeMs - AGENT_CURRENT_MS) return null;
    return told.timeMs + told.last * 1000;
  };
  const expectedMs = fresh('expected');
  return expectedMs === null ? null : { expectedMs, earliestMs: fresh('earliest'), latestMs: fresh('latest') };
}
