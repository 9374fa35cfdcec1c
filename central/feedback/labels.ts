/**
 * What operators said of incidents. One document for each, under the incident's own key, so that a later revision of
 * the incident, a restart and a backup keep it. All are in memory as well: they are few, as people make them.
 */
import { PicketError } from '../../shared/errors.ts';
import type { Incident } from '../../shared/findings.ts';
import { DAY_MS } from '../../shared/limits.ts';
import { listAll } from '../manifests.ts';
import type { AgentId, EpochId, Store, StoredIncident } from '../store/store.ts';
import type { Feedback, IncidentClass, IncidentLabel, Suggestion } from './api.ts';
import { type ContributionVector, contributionsOf, suggest } from './similar.ts';

const LABELS = 'incident-labels';
/** Some 2 KB each with what they remember of their incidents. */
const MOST_LABELS = 20_000;
/** Judged incidents that a new one is held against, the newest. */
const MOST_COMPARED = 500;
/** Offered before anybody has said one. */
const offered = ['disk full', 'failing disk', 'overload', 'memory leak', 'network', 'power', 'sensor', 'pump bearing'];

/** One series' part in an incident that was judged. */
export interface LabelledSeries {
  readonly series: string;
  readonly tier: 'full' | 'window';
  readonly side: 'high' | 'low' | null;
  /** How far from the middle of what was expected, in halves of its width; null where no range was expected. */
  readonly times: number | null;
}

/** As it is kept: with what training and comparison need after the incident itself is gone by age. */
export interface KeptLabel extends IncidentLabel {
  readonly agent: AgentId;
  readonly epoch: EpochId;
  readonly seq: number;
  /** Of the incident, as it was when it was judged. */
  readonly openedMs: number;
  readonly closedMs: number | null;
  readonly vector: ContributionVector;
  readonly series: readonly LabelledSeries[];
}

export interface LabelsOptions {
  readonly store: Pick<Store, 'incidents' | 'documents'>;
  readonly nowMs: () => number;
}

export class Labels implements Feedback {
  readonly #options: LabelsOptions;
  readonly #labels = new Map<string, KeptLabel>();
  /** What new incidents are held against; null: to be chosen anew. */
  #compared: readonly KeptLabel[] | null = null;

  constructor(options: LabelsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    for await (const { key, value } of listAll<KeptLabel>(this.#options.store.documents, LABELS)) {
      this.#labels.set(key, value);
    }
  }

  async label(
    agent: AgentId,
    epoch: EpochId,
    seq: number,
    { verdict, class: name, note, by }: Pick<IncidentLabel, 'verdict' | 'class' | 'note' | 'by'>,
  ): Promise<IncidentLabel> {
    const key = keyOf(agent, epoch, seq);
    const incident = await this.#incident(agent, epoch, seq);
    const known = this.#labels.get(key);
    if (incident === null && known === undefined) {
      throw new PicketError('not_found', `${agent} has no incident ${epoch}-${seq}.`);
    }
    if (known === undefined && this.#labels.size >= MOST_LABELS) {
      throw new PicketError('conflict', `${MOST_LABELS} incidents are judged; withdraw some that are old.`);
    }
    const remembered = incident === null ? rememberedBefore(known!) : rememberedOf(incident);
    const about = verdict === 'real' && name !== null ? this.#spelled(name) : null;
    const atMs = Math.round(this.#options.nowMs());
    const label: KeptLabel = { ...remembered, agent, epoch, seq, verdict, class: about, note, by, atMs };
    await this.#options.store.documents.put(LABELS, key, label);
    this.#labels.set(key, label);
    this.#compared = null;
    return shown(label);
  }

  async withdraw(agent: AgentId, epoch: EpochId, seq: number): Promise<boolean> {
    const key = keyOf(agent, epoch, seq);
    if (!this.#labels.has(key)) return false;
    await this.#options.store.documents.put(LABELS, key, null);
    this.#compared = null;
    return this.#labels.delete(key);
  }

  of(agent: AgentId, epoch: EpochId, seq: number): IncidentLabel | null {
    const label = this.#labels.get(keyOf(agent, epoch, seq));
    return label === undefined ? null : shown(label);
  }

  /** All that was said of a machine's incidents. */
  kept(agent: AgentId): readonly KeptLabel[] {
    return [...this.#labels.values()].filter((label) => label.agent === agent);
  }

  classes(): readonly IncidentClass[] {
    const counts = new Map<string, number>(offered.map((name) => [name, 0]));
    for (const { class: name } of this.#labels.values()) {
      if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts]
      .map(([name, incidents]) => ({ name, incidents }))
      .sort((a, b) => b.incidents - a.incidents || (a.name < b.name ? -1 : 1));
  }

  suggest(incident: StoredIncident): Suggestion | null {
    this.#compared ??= [...this.#labels.values()].sort((a, b) => b.atMs - a.atMs).slice(0, MOST_COMPARED);
    const { agent, epoch, seq } = incident;
    const others = this.#compared.filter((one) => one.seq !== seq || one.epoch !== epoch || one.agent !== agent);
    return suggest(contributionsOf(incident), others);
  }

  /** A class that is known under another spelling of its letters is that class. */
  #spelled(name: string): string {
    const plain = name.trim().replace(/\s+/g, ' ');
    const known = this.classes().find((one) => one.name.toLowerCase() === plain.toLowerCase());
    return known?.name ?? plain;
  }

  async #incident(agent: AgentId, epoch: EpochId, seq: number): Promise<StoredIncident | null> {
    // A machine's clock may be ahead: what it dates to tomorrow is found as well.
    const range = { fromMs: 0, toMs: this.#options.nowMs() + 366 * DAY_MS };
    const found = await this.#options.store.incidents({ ...range, agent });
    return found.find((incident) => incident.epoch === epoch && incident.seq === seq) ?? null;
  }
}

function keyOf(agent: AgentId, epoch: EpochId, seq: number): string {
  return `${agent}/${epoch}/${String(seq).padStart(16, '0')}`;
}

function shown({ verdict, class: name, note, by, atMs }: KeptLabel): IncidentLabel {
  return { verdict, class: name, note, by, atMs };
}

type Remembered = Pick<KeptLabel, 'openedMs' | 'closedMs' | 'vector' | 'series'>;

/** The incident is gone by age: what was kept of it stays. */
function rememberedBefore({ openedMs, closedMs, vector, series }: KeptLabel): Remembered {
  return { openedMs, closedMs, vector, series };
}

function rememberedOf(incident: Incident): Remembered {
  const { openedMs, closedMs } = incident;
  const series = incident.findings.map(({ series: id, tier, seen, expectedLow, expectedHigh }): LabelledSeries => {
    if (seen === null || expectedLow === null || expectedHigh === null || !(expectedHigh > expectedLow)) {
      return { series: id, tier, side: null, times: null };
    }
    const off = (seen - (expectedLow + expectedHigh) / 2) / ((expectedHigh - expectedLow) / 2);
    return { series: id, tier, side: off >= 0 ? 'high' : 'low', times: Math.abs(off) };
  });
  return { openedMs, closedMs, vector: contributionsOf(incident), series };
}
