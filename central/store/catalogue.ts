/**
 * Series of agents for readers: id to number and number to key. Numbers are only ever added, so that what was read
 * once holds; what is new is read when there are more numbers than are known. The writer keeps its own, as it is ahead
 * of the disk (`agents.ts`).
 */
import type { SeriesId } from '../../shared/series.ts';
import type { Reader } from './database.ts';
import { keyOf, startingWith } from './keys.ts';
import type { TableSeries } from './store.ts';

/** Machines have the same series: one object for all of them. */
export class SeriesInterner {
  readonly #known = new Map<string, TableSeries>();

  take(series: TableSeries): TableSeries {
    const text = JSON.stringify(series);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, series);
    return series;
  }
}

export interface AgentSeries {
  /** By number. */
  readonly series: readonly TableSeries[];
  readonly numbers: ReadonlyMap<SeriesId, number>;
}

export class Catalogue {
  readonly #interner: SeriesInterner;
  readonly #byAgent = new Map<number, { series: TableSeries[]; numbers: Map<SeriesId, number> }>();

  constructor(interner: SeriesInterner) {
    this.#interner = interner;
  }

  /** All series that an agent ever had; perhaps more than the reader's snapshot has. */
  async of(reader: Reader, agent: number): Promise<AgentSeries> {
    let known = this.#byAgent.get(agent);
    if (known === undefined) {
      known = { series: [], numbers: new Map() };
      this.#byAgent.set(agent, known);
    }
    if ((await countSeries(reader, agent)) <= known.series.length) return known;
    const { lt } = startingWith('series', agent);
    for await (const [key, value] of reader.entries({ gte: keyOf('series', agent, known.series.length), lt })) {
      // Two readers may be here at once: what one has added the other passes over.
      const number = key.readUInt32BE(5);
      if (number !== known.series.length) continue;
      const series = this.#interner.take(JSON.parse(value.toString()) as TableSeries);
      known.series.push(series);
      known.numbers.set(series.id, number);
    }
    return known;
  }

  /** The agent was purged; its number may be given again. */
  forget(agent: number): void {
    this.#byAgent.delete(agent);
  }
}

/** Series numbers of an agent are below this. */
export async function countSeries(reader: Reader, agent: number): Promise<number> {
  for await (const key of reader.keys(startingWith('series', agent), { reverse: true, limit: 1 })) {
    return key.readUInt32BE(5) + 1;
  }
  return 0;
}
