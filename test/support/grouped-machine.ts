/** A machine with one group of six series that a hidden load moves together, day and night, and what its agent sends. */
import { GroupMoments } from '../../agent/groups/moments.ts';
import type { StoredCoMoments } from '../../central/store/store.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import type { SeriesDefinition } from '../../shared/series.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { decodeCoMoments, encodeCoMoments } from '../../shared/wire/co-moments.ts';
import { emptyColumns, type WindowColumns } from '../../shared/wire/summary.ts';
import { history, seededNormal } from './history.ts';
import type { HistoryStore } from './learning.ts';

export const FLOW = 0;
export const CURRENT = 1;
export const HEAT = 2;
export const TOTAL = 5;
const names = ['flow', 'current', 'heat', 'noise', 'level', 'total'];

/** What is wrong in a minute: changes the values in place. */
export type Fault = (values: number[], minute: number) => void;

export class GroupedMachine {
  readonly definitions: readonly SeriesDefinition[];
  /** Rising, as an agent has them. */
  readonly members: readonly string[];
  /** Column and number of the series of each name's place. */
  readonly numbers: readonly number[];
  readonly #normal: () => number;
  #total = 0;
  readonly startMs: number;

  constructor(seed: number, startMs = Date.UTC(2026, 2, 2)) {
    this.startMs = startMs;
    this.#normal = seededNormal(seed);
    this.definitions = names.map((name) => ({ name, unit: '1', attributes: { device: 'pump' }, kind: 'gauge' }));
    this.members = this.definitions.map(seriesId).sort();
    this.numbers = names.map((_, i) => i);
  }

  id(name: number): string {
    return seriesId(this.definitions[name]!);
  }

  numberOf(id: string): number {
    return this.definitions.findIndex((definition) => seriesId(definition) === id);
  }

  /** Means of the minute, by name. */
  minute(minute: number, fault: Fault = () => {}): number[] {
    const normal = this.#normal;
    const day = Math.sin((2 * Math.PI * minute) / 1440);
    const load = 10 + 3 * day + normal();
    this.#total += 1 + Math.abs(normal());
    const values = [
      3 * load + 0.5 * normal(),
      0.1 * load + 0.03 * normal(),
      40 + 2 * load + 0.6 * normal(),
      5 * normal(),
      100 + 0.5 * normal(),
      this.#total,
    ];
    fault(values, minute);
    return values;
  }

  columns(values: readonly number[]): WindowColumns {
    const columns = emptyColumns(values.length);
    values.forEach((value, i) => {
      columns.count[i] = Number.isFinite(value) ? 60 : 0;
      columns.mean[i] = value;
    });
    return columns;
  }

  /** Lives so many minutes; what the central then has is in the store. */
  live(store: HistoryStore, agent: string, minutes: number, fault: Fault = () => {}, from = 0): void {
    const rows: number[][] = [];
    const sets: StoredCoMoments[] = store.groups.get(agent) ?? [];
    store.groups.set(agent, sets);
    const moments = new GroupMoments({
      limit: 10,
      windowMs: MINUTE_MS,
      groups: () => [{ name: 'pump', members: this.members, numbers: places }],
      utcOf: (monotonicMs) => this.startMs + monotonicMs,
      onSet: (set) => sets.push({ ...decodeCoMoments(encodeCoMoments(set)), timeMs: set.endWallMs }),
    });
    const places = Int32Array.from(this.members, (id) => this.numberOf(id));
    for (let minute = from; minute < from + minutes; minute++) {
      const values = this.minute(minute, fault);
      rows.push(values);
      const endMonotonicMs = (minute + 1) * MINUTE_MS;
      moments.closed(this.numbers, this.columns(values), {
        nominalMs: MINUTE_MS,
        lengthMs: MINUTE_MS,
        endMonotonicMs,
        endUtcMs: this.startMs + endMonotonicMs,
      });
    }
    moments.finish();
    const fromMs = this.startMs + from * MINUTE_MS;
    const blocks = this.definitions.map((definition, i) => ({
      ...history({ series: seriesId(definition), windows: minutes, fromMs }, (_, at) => rows[at]![i]!),
      key: definition,
    }));
    const before = store.blocks.get(agent) ?? [];
    store.blocks.set(
      agent,
      blocks.map((block, i) => (before[i] === undefined ? block : joined(before[i], block))),
    );
  }
}

type Block = ReturnType<typeof history>;

function joined(a: Block, b: Block): Block {
  const both = Object.entries(a).map(([name, value]) => {
    const more = (b as unknown as Record<string, unknown>)[name];
    return [name, value instanceof Float64Array ? Float64Array.of(...value, ...(more as Float64Array)) : value];
  });
  return Object.fromEntries(both) as Block;
}
