/**
 * Incidents, by the record that opened them; the highest revision holds, in whatever order revisions come. Beside them
 * an index by the time of opening, whose value says enough to pass over what is not asked for:
 * state u8 (1 open), closed f64 (infinity while open).
 */
import type { Incident } from '../../shared/findings.ts';
import type { Plan } from './commit.ts';
import type { Reader } from './database.ts';
import { epochBytes, incidentTimeKey, keyOf, startingWith } from './keys.ts';
import type { TimeRange } from './store.ts';

/** Whether `a` replaces `b`; the same for any order in which they come. */
export function replacesIncident(a: Incident, b: Incident): boolean {
  if (a.revision !== b.revision) return a.revision > b.revision;
  if (a.updatedMs !== b.updatedMs) return a.updatedMs > b.updatedMs;
  return JSON.stringify(a) > JSON.stringify(b);
}

/** Whether an incident was open at any time of the range and has the wanted state. */
export function matchesIncident(
  incident: Pick<Incident, 'openedMs' | 'closedMs' | 'state'>,
  query: TimeRange & { state?: 'open' | 'closed' },
): boolean {
  const endMs = incident.closedMs ?? Number.POSITIVE_INFINITY;
  return (
    incident.openedMs <= query.toMs &&
    endMs >= query.fromMs &&
    (query.state === undefined || query.state === incident.state)
  );
}

/** As it is stored: with what its latest revision was dated by, where that is known. */
export type FiledIncident = Incident & {
  readonly filed?: { readonly boot: string; readonly monotonicMs: number; readonly timeMs: number };
};

/** What the index by time says of an incident. */
export function incidentBrief({ state, closedMs }: Incident): Buffer {
  const brief = Buffer.alloc(9);
  brief[0] = state === 'open' ? 1 : 0;
  brief.writeDoubleLE(closedMs ?? Number.POSITIVE_INFINITY, 1);
  return brief;
}

/** Answers whether it is news: no later revision was there. */
export async function planIncident(
  reader: Reader,
  plan: Plan,
  agent: number,
  incident: Incident,
  filed: FiledIncident['filed'],
): Promise<boolean> {
  const { epoch, seq } = incident;
  const key = keyOf('incident', agent, epochBytes(epoch), { u48: seq });
  const stored = await plan.getShared(reader, key);
  if (stored !== undefined) {
    const { filed: _filed, ...before } = JSON.parse(Buffer.from(stored).toString()) as FiledIncident;
    if (!replacesIncident(incident, before)) return false;
    if (Math.floor(before.openedMs) !== Math.floor(incident.openedMs)) {
      plan.operations.push({ type: 'del', key: incidentTimeKey(before.openedMs, agent, epoch, seq) });
    }
  }
  plan.putShared(key, Buffer.from(JSON.stringify(filed === undefined ? incident : { ...incident, filed })));
  plan.put(incidentTimeKey(incident.openedMs, agent, epoch, seq), incidentBrief(incident));
  return true;
}

export interface FoundIncident {
  readonly agent: number;
  readonly incident: Incident;
}

/** Newest first. @param agent null: of all agents */
export async function findIncidents(
  reader: Reader,
  query: TimeRange & { state?: 'open' | 'closed'; limit?: number },
  agent: number | null,
): Promise<FoundIncident[]> {
  const out: FoundIncident[] = [];
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  const all = startingWith('incidentTime');
  const lastMs = Math.min(Math.max(0, Math.floor(query.toMs)) + 1, 2 ** 48 - 1);
  const range = { gte: all.gte, lt: startingWith('incidentTime', { u48: lastMs }).gte };
  for await (const [key, brief] of reader.entries(range, { reverse: true })) {
    const found = key.readUInt32BE(7);
    if (agent !== null && found !== agent) continue;
    const state = brief[0] === 1 ? 'open' : 'closed';
    if (brief.readDoubleLE(1) < query.fromMs || (query.state !== undefined && query.state !== state)) continue;
    const value = await reader.get(Buffer.concat([startingWith('incident', found).gte, key.subarray(11)]));
    if (value === undefined) continue;
    const { filed: _filed, ...incident } = JSON.parse(value.toString()) as FiledIncident;
    if (!matchesIncident(incident, query)) continue;
    out.push({ agent: found, incident });
    if (out.length >= limit) break;
  }
  return out;
}
