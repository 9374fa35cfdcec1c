/** Reads of the store what a machine is and how it behaves. */
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { AgentId, LatestSeries, Resolution, SeriesColumns, Store } from '../store/store.ts';
import { zoneNamed, zoneOffsets } from '../train/zone.ts';
import { type Behaviour, behaviourOf, type Features, familyOf, inventoryOf, together } from './features.ts';

/** Days of hours; a week has each kind of day. */
const HISTORY_MS = 7 * DAY_MS;
/** Of a machine that has fewer hours, its minutes. */
const FEW_HOURS = 24;
const MINUTES_MS = 2 * HOUR_MS;
/** Families whose behaviour is looked at, and series of each. */
const MOST_FAMILIES = 96;
const MOST_OF_ONE = 8;
/** Series that are not told any more are no part of what the machine is. */
const CURRENT_MS = DAY_MS;

type Source = Pick<Store, 'latest' | 'query' | 'document'>;

/** Null of a machine that has told nothing. */
export async function readFeatures(store: Source, agent: AgentId): Promise<Features | null> {
  const all = await store.latest(agent);
  const newestMs = all.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  const latest = all.filter(({ timeMs }) => newestMs - timeMs <= CURRENT_MS);
  if (latest.length === 0) return null;
  const inventory = (await store.document(agent, 'inventory'))?.json;
  const families = familiesOf(latest);
  const chosen = [...families].slice(0, MOST_FAMILIES);
  const ids = chosen.flatMap(([, series]) => series);
  const columns = await readColumns(store, agent, ids, newestMs);
  const zone = zoneOffsets(zoneNamed(inventory), newestMs - HISTORY_MS, newestMs);
  const behaviour = new Map<string, Behaviour>();
  for (const [family, series] of chosen) {
    const each = series.flatMap((id) => {
      const found = columns.get(id);
      const one = found === undefined ? null : behaviourOf(found, zone);
      return one === null ? [] : [one];
    });
    if (each.length > 0) behaviour.set(family, together(each));
  }
  return { ...inventoryOf(inventory), families: [...families.keys()], behaviour };
}

/** Series of each family, sorted by family and by their attributes. */
function familiesOf(latest: readonly LatestSeries[]): Map<string, string[]> {
  const families = new Map<string, string[]>();
  const sorted = latest
    .map((series) => ({ id: series.id, family: familyOf(series), of: JSON.stringify(series.attributes) }))
    .sort((a, b) => (a.family === b.family ? (a.of < b.of ? -1 : 1) : a.family < b.family ? -1 : 1));
  for (const { id, family } of sorted) {
    const series = families.get(family) ?? [];
    if (series.length < MOST_OF_ONE) series.push(id);
    families.set(family, series);
  }
  return families;
}

async function readColumns(
  store: Source,
  agent: AgentId,
  ids: readonly string[],
  newestMs: number,
): Promise<ReadonlyMap<string, SeriesColumns>> {
  const read = (fromMs: number, resolution: Resolution) =>
    store.query(agent, ids, { fromMs, toMs: newestMs + 1 }, resolution);
  const hours = await read(newestMs - HISTORY_MS, 'hour');
  const most = hours.reduce((count, { timesMs }) => Math.max(count, timesMs.length), 0);
  const columns = most >= FEW_HOURS ? hours : await read(newestMs - MINUTES_MS, 'minute');
  return new Map(columns.map((one) => [one.series, one]));
}
