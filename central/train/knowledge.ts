/** What is known of a machine's time beside its windows: what operators said, planned work, guessed clocks. */
import { group } from '../../shared/detect/group.ts';
import type { Verdict } from '../feedback/api.ts';
import type { KeptLabel, Labels } from '../feedback/labels.ts';
import type { Maintenance } from '../feedback/maintenance.ts';
import type { AgentId, Store, StoredIncident, TimeRange } from '../store/store.ts';
import type { UsualElsewhere } from './trainer.ts';

/** An incident's time, and when each series took part in it. */
export interface JudgedTime extends TimeRange {
  readonly verdict: Verdict | null;
  readonly series: ReadonlyMap<string, TimeRange>;
  /** What groups found in it. */
  readonly groups?: readonly GroupTime[];
}

/** When a group was found unusual, by how much, and the series that had a great part in it. */
export interface GroupTime extends TimeRange {
  readonly bits: number;
  readonly series: readonly string[];
}

export interface Knowledge {
  readonly incidents: readonly JudgedTime[];
  readonly planned: readonly TimeRange[];
  /** Minutes that the machine's clock, or the central, only guessed. */
  readonly uncertain: readonly TimeRange[];
  /** False alarms of machines of the same cohort, by series. */
  readonly elsewhere: ReadonlyMap<string, readonly UsualElsewhere[]>;
  /** When operators last judged anything that this machine learns from; -Infinity: never. */
  readonly saidMs: number;
}

export const knowsNothing: Knowledge = {
  incidents: [],
  planned: [],
  uncertain: [],
  elsewhere: new Map(),
  saidMs: Number.NEGATIVE_INFINITY,
};

export interface KnowledgeSource {
  readonly store: Pick<Store, 'incidents' | 'coverage'>;
  readonly labels: Pick<Labels, 'of' | 'kept'>;
  readonly maintenance: Pick<Maintenance, 'spans'>;
  /** The machines that share a cohort with one, itself left out. */
  readonly cohortOf?: (agent: AgentId) => readonly AgentId[];
}

/** A member of a group with this share of a finding has a great part in it. */
const GREAT_PART = 0.2;
/** Findings that began long before their incident was opened began with it, as far as training is concerned. */
const EARLIER_MS = 6 * 3_600_000;

export async function knowledgeOf(source: KnowledgeSource, agent: AgentId, range: TimeRange): Promise<Knowledge> {
  const { store, labels, maintenance, cohortOf } = source;
  const found = await store.incidents({ ...range, agent });
  const incidents = found.map((incident): JudgedTime => {
    const verdict = labels.of(agent, incident.epoch, incident.seq)?.verdict ?? null;
    return { ...timesOf(incident, range), verdict };
  });
  const days = await store.coverage(agent, range);
  const uncertain = days.flatMap(({ spans }) => spans.filter((span) => span.uncertain === true));
  const own = labels.kept(agent);
  const others = (cohortOf?.(agent) ?? []).filter((other) => other !== agent).flatMap((other) => labels.kept(other));
  const alarms = others.filter(({ verdict }) => verdict === 'false_alarm');
  return {
    incidents,
    planned: maintenance.spans(agent, range),
    uncertain,
    elsewhere: elsewhereOf(alarms),
    saidMs: [...own, ...alarms].reduce((latest, { atMs }) => Math.max(latest, atMs), Number.NEGATIVE_INFINITY),
  };
}

function timesOf(incident: StoredIncident, range: TimeRange): Omit<JudgedTime, 'verdict'> {
  const { openedMs, closedMs, findings } = incident;
  const toMs = closedMs ?? range.toMs;
  const series = new Map<string, TimeRange>();
  const groups: GroupTime[] = [];
  let fromMs = openedMs;
  const add = (id: string, span: TimeRange): void => {
    const known = series.get(id);
    const joined = {
      fromMs: Math.min(span.fromMs, known?.fromMs ?? span.fromMs),
      toMs: Math.max(span.toMs, known?.toMs ?? 0),
    };
    series.set(id, joined);
  };
  for (const { series: id, members = [], sinceMs, lastMs, bits, detector } of findings) {
    const since = Math.max(openedMs - EARLIER_MS, Math.min(sinceMs, openedMs));
    fromMs = Math.min(fromMs, since);
    const span = { fromMs: Math.max(openedMs - EARLIER_MS, sinceMs), toMs: Math.max(sinceMs, lastMs) };
    add(id, span);
    for (const member of members) add(member.series, span);
    if (detector !== group.name) continue;
    const great = members.filter(({ share }, i) => i === 0 || share >= GREAT_PART).map((member) => member.series);
    groups.push({ ...span, bits, series: great });
  }
  return { fromMs, toMs, series, ...(groups.length > 0 && { groups }) };
}

function elsewhereOf(alarms: readonly KeptLabel[]): Map<string, UsualElsewhere[]> {
  const out = new Map<string, UsualElsewhere[]>();
  for (const { series, openedMs, closedMs } of alarms) {
    for (const { series: id, tier, side, times } of series) {
      // A single sample says nothing of how far a window's mean may be off.
      if (tier !== 'window' || side === null || times === null || times <= 1) continue;
      out.set(id, [...(out.get(id) ?? []), { fromMs: openedMs, toMs: closedMs ?? openedMs, side, times }]);
    }
  }
  return out;
}
