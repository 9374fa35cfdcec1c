/** What is told of forecasts: to routes, to pages, and kept as one document a machine. */
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import type { AgentId } from '../store/store.ts';
import type { Outlook } from './outlook.ts';

/** The future in even steps; `value[i]` is what is expected of the step that ends at `firstMs + i * stepMs`. */
export interface SteppedOutlook extends Omit<Outlook, 'behind' | 'steps' | 'missing'> {
  readonly stepMs: number;
  readonly firstMs: number;
  /** What it is from. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Steps of it that were measured, and those that were not. */
  readonly measured: number;
  readonly missing: number;
}

/** When a bound is reached. */
export interface Reached {
  readonly expectedMs: number | null;
  /** The interval holds nine of ten; an open end is null. */
  readonly earliestMs: number;
  readonly latestMs: number | null;
  /** Which of the two told it. */
  readonly by: 'hours' | 'days';
}

/** The agent's own forecast of the same, as it told it last. */
interface AgentForecast {
  readonly expectedMs: number;
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
}

export interface CapacityForecast {
  readonly series: SeriesId;
  readonly key: SeriesKey;
  /** For people: `File system /var`. */
  readonly thing: string;
  /** `full`, `empty`: a stock comes to its end; `peak`: the highest hour of a day comes to the bound. */
  readonly reaches: 'full' | 'empty' | 'peak';
  readonly bound: number;
  /** True where the series says what is free, and the forecast what is used: one minus it. */
  readonly invert: boolean;
  /** Values of the series are divided by it (a link's speed); 1 of shares. */
  readonly whole: number;
  readonly madeMs: number;
  /** The latest hour. */
  readonly current: number;
  /** Null where the history is too short. */
  readonly hours: SteppedOutlook | null;
  readonly days: SteppedOutlook | null;
  /** Null where nothing is in sight. */
  readonly reached: Reached | null;
  readonly agent: AgentForecast | null;
  /** In words; null where both say the same, or one of them nothing. */
  readonly disagreement: string | null;
}

export interface AgentForecasts {
  /** Null before the first. */
  readonly madeMs: number | null;
  readonly forecasts: readonly CapacityForecast[];
}

/** What runs out, over all machines. */
export interface SoonestEnd extends Pick<CapacityForecast, 'series' | 'thing' | 'reaches' | 'bound' | 'current'> {
  readonly agent: AgentId;
  readonly reached: Reached;
}

export interface Forecasts {
  ofAgent(agent: AgentId): Promise<AgentForecasts>;
  /** The soonest first. */
  soonest(limit: number): readonly SoonestEnd[];
}
