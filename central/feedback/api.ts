/** What operators say of incidents, and which time is planned work: what the HTTP side and the trainers need of it. */
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import type { AgentId, EpochId, StoredIncident, TimeRange } from '../store/store.ts';
import type { MeaningChange } from '../train/meaning.ts';

export const verdicts = ['real', 'false_alarm', 'planned'] as const;
/** `real`: a fault. `false_alarm`: usual for this machine. `planned`: somebody worked on it. */
export type Verdict = (typeof verdicts)[number];

/** An operator's word on an incident. */
export interface IncidentLabel {
  readonly verdict: Verdict;
  /** Of a real one: what it was, in a short free name; null where nobody said. */
  readonly class: string | null;
  readonly note: string;
  readonly by: string;
  readonly atMs: number;
}

/** What the incident looks like, from those that were judged before. */
export interface Suggestion {
  /** `unknown`: nothing near was judged, or those that are near disagree. */
  readonly verdict: Verdict | 'unknown';
  readonly class: string | null;
  /** So many of the similar ones say so. */
  readonly agreeing: number;
  readonly similar: number;
}

export interface IncidentClass {
  readonly name: string;
  /** Incidents that have it now; 0 of those that are only offered. */
  readonly incidents: number;
}

/** An incident with what people and their plans say of it. */
export interface ShownIncident extends StoredIncident {
  readonly label?: IncidentLabel;
  /** Only of one that nobody has judged. */
  readonly suggested?: Suggestion;
  /** The planned work that it fell into. */
  readonly maintenance?: Pick<MaintenanceWindow, 'id' | 'reason'>;
}

export interface Feedback {
  /** Throws `not_found`, `conflict` where there are too many. */
  label(
    agent: AgentId,
    epoch: EpochId,
    seq: number,
    what: Pick<IncidentLabel, 'verdict' | 'class' | 'note' | 'by'>,
  ): Promise<IncidentLabel>;
  /** False where there was none. */
  withdraw(agent: AgentId, epoch: EpochId, seq: number): Promise<boolean>;
  of(agent: AgentId, epoch: EpochId, seq: number): IncidentLabel | null;
  /** Those in use and those that are offered, by how often they were said. */
  classes(): readonly IncidentClass[];
  suggest(incident: StoredIncident): Suggestion | null;
}

/** A time in which work is planned: its data is not learned from, and what is found in it wakes nobody. */
export interface MaintenanceWindow {
  readonly id: string;
  /** One machine; null: all of the site. */
  readonly agent: AgentId | null;
  /** All machines of a site; null with no agent: the fleet. */
  readonly site: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string;
  readonly by: string;
  readonly madeMs: number;
  /** Entered after it had begun. */
  readonly afterwards: boolean;
  /** When somebody ended it before its time; null: it ran or runs its time. */
  readonly endedMs: number | null;
}

export interface MaintenancePlan {
  /** The newest first. */
  list(): readonly MaintenanceWindow[];
  /** Throws `usage.invalid` of times that are not, `conflict` where there are too many. */
  plan(
    what: Pick<MaintenanceWindow, 'agent' | 'site' | 'fromMs' | 'toMs' | 'reason' | 'by'>,
  ): Promise<MaintenanceWindow>;
  /** Ends one that holds, or calls off one that has not begun. Throws `not_found`, `conflict` where it is over. */
  end(id: string): Promise<MaintenanceWindow>;
  /** The one that covers some of that time of a machine; null where none does. */
  during(agent: AgentId, range: TimeRange): MaintenanceWindow | null;
  /** All that cover some of that time of a machine. */
  spans(agent: AgentId, range: TimeRange): readonly MaintenanceWindow[];
}

/** A series that says something else under the same name since some time. */
export interface ToldChange extends MeaningChange {
  readonly series: SeriesId;
  readonly key: SeriesKey;
  /** `values are about 1024 times as large`. */
  readonly text: string;
}

export interface SeriesMeanings {
  of(agent: AgentId): readonly ToldChange[];
}
