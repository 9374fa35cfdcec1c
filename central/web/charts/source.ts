/**
 * Where the charts of one machine get their data. Charts that come into view together ask together; what the agent
 * still holds at full rate is asked for one request at a time, as it goes through the machine itself.
 */
import { get } from '../api.ts';
import { LiveFeed } from './live.ts';
import type { WindowColumns } from './tracks.ts';

/** Series of one request: more would keep the first chart waiting for the last. */
const BATCH_SERIES = 12;
/** `MAX_FETCHED_SERIES` of the API. */
const BATCH_VALUES = 16;

export interface History {
  readonly windowMs: number;
  readonly columns: WindowColumns;
}

export interface Band {
  readonly version: number;
  readonly timesMs: readonly number[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

export interface FullRate {
  readonly timesMs: readonly number[];
  readonly values: readonly (number | null)[];
}

interface SummariesAnswer {
  readonly resolution: 'minute' | 'hour' | 'day';
  readonly series: readonly (WindowColumns & { readonly id: string })[];
}

const windowMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const MOST_BANDS = 400;

type Fetch<T> = (ids: readonly string[], fromMs: number, toMs: number) => Promise<ReadonlyMap<string, T>>;

/** Calls in one turn of the event loop with the same range become few requests. */
function batched<T>(
  size: number,
  fetchBatch: Fetch<T>,
): (id: string, fromMs: number, toMs: number) => Promise<T | null> {
  interface Waiting {
    readonly id: string;
    readonly resolve: (value: T | null) => void;
    readonly reject: (error: unknown) => void;
  }
  let queues = new Map<string, { fromMs: number; toMs: number; waiting: Waiting[] }>();
  const flush = (): void => {
    const taken = queues;
    queues = new Map();
    for (const { fromMs, toMs, waiting } of taken.values()) {
      const ids = [...new Set(waiting.map(({ id }) => id))];
      for (let at = 0; at < ids.length; at += size) {
        const part = ids.slice(at, at + size);
        const mine = waiting.filter(({ id }) => part.includes(id));
        fetchBatch(part, fromMs, toMs).then(
          (found) => {
            for (const { id, resolve } of mine) resolve(found.get(id) ?? null);
          },
          (error: unknown) => {
            for (const { reject } of mine) reject(error);
          },
        );
      }
    }
  };
  return (id, fromMs, toMs) =>
    new Promise((resolve, reject) => {
      if (queues.size === 0) setTimeout(flush, 0);
      const key = `${fromMs} ${toMs}`;
      const queue = queues.get(key) ?? { fromMs, toMs, waiting: [] };
      queues.set(key, queue);
      queue.waiting.push({ id, resolve, reject });
    });
}

export class MachineSource {
  readonly agent: string;
  readonly live: LiveFeed;
  /** Windows of a series that overlap the range; null where there are none. */
  readonly history: (id: string, fromMs: number, toMs: number) => Promise<History | null>;
  /** Full-rate values that the machine still holds; throws when it does not answer. */
  readonly fullRate: (id: string, fromMs: number, toMs: number) => Promise<FullRate | null>;
  #bands = new Map<string, Promise<Band>>();
  #turn: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(agent: string) {
    this.agent = agent;
    this.live = new LiveFeed(agent);
    this.history = batched(BATCH_SERIES, (ids, fromMs, toMs) => this.#summaries(ids, fromMs, toMs));
    this.fullRate = batched(BATCH_VALUES, (ids, fromMs, toMs) => this.#values(ids, fromMs, toMs));
  }

  /** What the running model expects of a series; kept until `forgetBands`. */
  band(id: string, fromMs: number, toMs: number, stepMs: number): Promise<Band> {
    const query = `series=${id}&from=${fromMs}&to=${toMs}&step=${stepMs}`;
    let found = this.#bands.get(query);
    if (found === undefined) {
      if (this.#bands.size >= MOST_BANDS) this.#bands.clear();
      found = get<Band>(`/agents/${this.agent}/band?${query}`);
      found.catch(() => this.#bands.delete(query));
      this.#bands.set(query, found);
    }
    return found;
  }

  /** Another model runs now. */
  forgetBands(): void {
    this.#bands = new Map();
  }

  end(): void {
    this.#ended = true;
    this.live.end();
  }

  async #summaries(ids: readonly string[], fromMs: number, toMs: number): Promise<ReadonlyMap<string, History>> {
    const answer = await get<SummariesAnswer>(
      `/agents/${this.agent}/summaries?series=${ids.join(',')}&from=${fromMs}&to=${toMs}&columns=lengthsMs,mean,min,max,anomalyShare`,
    );
    return new Map(answer.series.map((one) => [one.id, { windowMs: windowMs[answer.resolution], columns: one }]));
  }

  #values(ids: readonly string[], fromMs: number, toMs: number): Promise<ReadonlyMap<string, FullRate>> {
    const ask = async (): Promise<ReadonlyMap<string, FullRate>> => {
      if (this.#ended) return new Map();
      const answer = await get<{ series: readonly (FullRate & { series: string })[] }>(
        `/agents/${this.agent}/values?series=${ids.join(',')}&from=${fromMs}&to=${toMs}`,
      );
      return new Map(answer.series.map((one) => [one.series, one]));
    };
    const mine = this.#turn.then(ask);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
