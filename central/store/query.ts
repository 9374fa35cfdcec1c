/** Queries over an agent's history: one call for charts, one in blocks for training. */
import type { SeriesId } from '../../shared/series.ts';
import { readAgent, readAgents } from './agents.ts';
import type { AgentSeries, Catalogue } from './catalogue.ts';
import type { Database, Reader } from './database.ts';
import { History, type LiveHours, type SeriesRows } from './history.ts';
import { type Row, Rows } from './rows.ts';
import type { Resolution, SeriesColumns, SummaryBlock, SummaryQuery, TimeRange } from './store.ts';
import { dayOfHour, hoursOf } from './time.ts';

/** Reads series of one agent over one range, after what all of them share was read once. */
class RangeQuery {
  readonly #history: History;
  readonly #range: TimeRange;
  readonly #resolution: Resolution;
  readonly #recent: SeriesRows;
  readonly #live: LiveHours;

  private constructor(history: History, range: TimeRange, resolution: Resolution, recent: SeriesRows, live: LiveHours) {
    this.#history = history;
    this.#range = range;
    this.#resolution = resolution;
    this.#recent = recent;
    this.#live = live;
  }

  static async start(
    reader: Reader,
    agent: number,
    numbers: readonly number[],
    range: TimeRange,
    resolution: Resolution,
  ): Promise<RangeQuery> {
    const history = new History(reader, agent);
    const [first, last] = hoursOf(range.fromMs, range.toMs);
    if (resolution === 'minute') {
      const recent = await history.windows(first, last, new Set(numbers), false);
      return new RangeQuery(history, range, resolution, recent, new Map());
    }
    const whole = resolution === 'day';
    const live = await history.liveHours(
      whole ? dayOfHour(first) * 24 : first,
      whole ? dayOfHour(last) * 24 + 23 : last,
      numbers,
    );
    return new RangeQuery(history, range, resolution, new Map(), live);
  }

  async read(number: number, id: SeriesId): Promise<SeriesColumns> {
    const { fromMs, toMs } = this.#range;
    const [first, last] = hoursOf(fromMs, toMs);
    switch (this.#resolution) {
      case 'minute': {
        const rows = await this.#history.minutes(number, this.#range, this.#recent);
        this.#recent.delete(number);
        return rows.toSeries(id, fromMs, toMs);
      }
      case 'hour':
        return inOrder(await this.#history.hours(number, first, last, this.#live)).toSeries(id, fromMs, toMs);
      case 'day':
        return inOrder(await this.#history.days(number, dayOfHour(first), dayOfHour(last), this.#live)).toSeries(
          id,
          fromMs,
          toMs,
        );
    }
  }
}

function inOrder(rows: ReadonlyMap<number, Row>): Rows {
  const out = new Rows();
  for (const [, row] of [...rows].sort(([a], [b]) => a - b)) out.push(row);
  return out;
}

/** Series that the agent never had come back empty. @param agent null: unknown to the store */
export async function querySeries(
  reader: Reader,
  agent: number | null,
  known: AgentSeries | null,
  series: readonly SeriesId[],
  range: TimeRange,
  resolution: Resolution,
): Promise<readonly SeriesColumns[]> {
  const empty = (id: SeriesId): SeriesColumns => new Rows().toSeries(id, range.fromMs, range.toMs);
  if (agent === null || known === null || range.toMs <= range.fromMs) return series.map(empty);
  const numbers = series.map((id) => known.numbers.get(id)).filter((number) => number !== undefined);
  const query = await RangeQuery.start(reader, agent, numbers, range, resolution);
  const read = new Map<SeriesId, SeriesColumns>();
  for (const id of series) {
    const number = known.numbers.get(id);
    if (number !== undefined && !read.has(id)) read.set(id, await query.read(number, id));
  }
  return series.map((id) => read.get(id) ?? empty(id));
}

/** One block a series; agents and series in the order in which the store first heard of them. */
export async function* summaryBlocks(
  database: Database,
  catalogue: Catalogue,
  query: SummaryQuery,
): AsyncGenerator<SummaryBlock> {
  const { reader, close } = await database.snapshot();
  try {
    const agents =
      query.agents === undefined
        ? (await readAgents(reader)).sort((a, b) => a.number - b.number)
        : (await Promise.all(query.agents.map((id) => readAgent(reader, id)))).filter((row) => row !== null);
    const wanted = query.series === undefined ? null : new Set(query.series);
    for (const agent of agents) {
      const { series } = await catalogue.of(reader, agent.number);
      const numbers = series.flatMap(({ id }, number) => (wanted === null || wanted.has(id) ? [number] : []));
      if (numbers.length === 0 || query.toMs <= query.fromMs) continue;
      const read = await RangeQuery.start(reader, agent.number, numbers, query, query.resolution);
      for (const number of numbers) {
        const { id, name, unit, attributes } = series[number]!;
        const columns = await read.read(number, id);
        if (columns.timesMs.length > 0) yield { ...columns, agent: agent.id, key: { name, unit, attributes } };
      }
    }
  } finally {
    await close();
  }
}
