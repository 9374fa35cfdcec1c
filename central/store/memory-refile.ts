/** `refile` of the store in memory: the same rules as `refile.ts`, over maps. */
import type { AgentData } from './memory-agent.ts';
import type { Refiling } from './store.ts';
import { movedEvent, movedIncident, snapped } from './times.ts';
import { minutesOf } from './values.ts';

const MATERIAL_MS = 1_000;

export function refileInMemory(agent: AgentData, boot: string, { utcMs, dated }: Refiling): number {
  const moves = new Map<string, { readonly toMs: number; readonly byMs: number }>();
  const touched = new Set<string>();
  for (const [record, filed] of agent.filed) {
    const key = agent.settled.get(record);
    if (filed.boot !== boot || key === undefined) continue;
    touched.add(key.epoch);
    const utc = Math.max(0, utcMs(filed.monotonicMs));
    const toMs = dated && (key.place === 'window' || key.place === 'rollup') ? snapped(utc) : utc;
    if (Math.abs(toMs - key.timeMs) <= MATERIAL_MS && filed.dated === dated) continue;
    moves.set(record, { toMs, byMs: toMs - key.timeMs });
    agent.settled.set(record, { ...key, timeMs: toMs });
    agent.filed.set(record, { ...filed, dated });
  }
  for (const { record, timeMs, lengthMs } of agent.windows) {
    if (!moves.has(record)) continue;
    const [from, to] = minutesOf(timeMs, lengthMs);
    for (let minute = from; minute < to; minute++) agent.minutes.delete(minute);
  }
  const moved = <T extends { readonly record: string; readonly timeMs: number }>(window: T): T => {
    const move = moves.get(window.record);
    return move === undefined ? window : { ...window, timeMs: move.toMs };
  };
  agent.windows = agent.windows.map(moved);
  agent.rollups = agent.rollups.map(moved);
  for (const { timeMs, lengthMs } of agent.windows) {
    const [from, to] = minutesOf(timeMs, lengthMs);
    for (let minute = from; minute < to; minute++) agent.minutes.add(minute);
  }
  agent.events = agent.events.map(({ order, event }) => {
    const [, epoch, seq, index] = order.split('/');
    const move = moves.get(`${epoch}/${Number(seq)}`);
    if (move === undefined) return { order, event };
    const after = movedEvent(event, move.byMs, dated);
    const at = String(Math.floor(after.atMs)).padStart(16, '0');
    return { order: `${at}/${epoch}/${seq}/${index}`, event: after };
  });
  for (const [key, incident] of agent.incidents) {
    const move = moves.get(agent.revisions.get(key) ?? '');
    if (move !== undefined) agent.incidents.set(key, movedIncident(incident, move.byMs, dated));
  }
  for (const [record, kept] of agent.coMoments) {
    const move = moves.get(record);
    if (move !== undefined) agent.coMoments.set(record, { ...kept, timeMs: move.toMs });
  }
  for (const [name, document] of agent.documents) {
    const move = moves.get(`${document.epoch}/${document.seq}`);
    if (move !== undefined) agent.documents.set(name, { ...document, timeMs: move.toMs });
  }
  for (const epoch of touched) {
    const ledger = agent.ledgers.get(epoch);
    const records = [...agent.settled].filter(([, key]) => key.epoch === epoch && key.place !== 'quarantine');
    const times = records.map(([, { timeMs }]) => timeMs);
    if (ledger === undefined || times.length === 0) continue;
    const undated = records.filter(([record]) => agent.filed.get(record)?.dated === false).length;
    agent.ledgers.set(epoch, { ...ledger, firstMs: Math.min(...times), lastMs: Math.max(...times), undated });
  }
  return moves.size;
}
