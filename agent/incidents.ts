/**
 * Incidents: findings that are close in time on one machine become one incident. It opens once, grows, and closes itself
 * when it has been quiet.
 *
 *   detect → add(finding) → [pending] → opens when it lasts, is extreme, or takes part in many series
 *   tick(at) each second: revisions (at most one each 10 s), closing
 *
 * A flash of one sample on one series stays a finding; it is no incident unless it is absurdly rare. An incident's id is
 * `(epoch, seq)` of the record that opened it, so `open` writes that record and answers with the id; whatever happens
 * until then is told in the first revision.
 *
 * Bounds: one open incident, 256 findings in it and 256 pending; what is beyond is counted.
 */
import type { Instant } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Finding, Incident } from '../shared/findings.ts';
import { isBeside, rank, severityOf, titleOf, type Words, wordsFor } from './incidents/explain.ts';
import type { Log } from './inputs/input.ts';

/** An incident that has no id yet: `epoch` is empty and `seq` 0, which says "this record". */
export type IncidentDraft = Incident;

export interface IncidentOptions {
  readonly log: Log;
  /** The site's zone (IANA), for times in text; null: this machine's. Asked when the first is worded. */
  readonly zone: () => string | null;
  /** From how many bits on something is a finding; see `DetectStage.barBits`. */
  readonly barBits: () => number;
  /** Writes the record that opens an incident; answers with its id when it is durable. */
  readonly open: (draft: IncidentDraft) => Promise<{ readonly epoch: string; readonly seq: number }>;
  /** Takes every later revision, the closing one too. */
  readonly revise: (incident: Incident) => void;
  /** An incident has opened (evidence before it must not be thrown away from now on), or closed. */
  readonly onState?: (state: 'open' | 'closed', openedMs: number, updatedMs: number) => void;
  readonly timing?: Partial<IncidentTiming>;
}

export interface IncidentTiming {
  /** A finding that lasts as long opens an incident. */
  readonly lastingMs: number;
  /** So many series with findings that together span `manySpanMs` open one as well. */
  readonly manySeries: number;
  readonly manySpanMs: number;
  /** Bits above the bar from which on one sample is enough. */
  readonly extremeBits: number;
  /** Findings this close belong together. */
  readonly closeMs: number;
  /** Quiet for as long: it closes. */
  readonly quietMs: number;
  /** Least time between two revisions. */
  readonly revisionMs: number;
}

export const defaultTiming: IncidentTiming = {
  lastingMs: 4_000,
  manySeries: 5,
  manySpanMs: 3_000,
  extremeBits: 60,
  closeMs: 30_000,
  quietMs: 90_000,
  revisionMs: 10_000,
};

/** Detectors that speak only after it has lasted. */
const toldWhenLasting: ReadonlySet<string> = new Set(['stuck', 'missing', 'saturated']);

const MOST_FINDINGS = 256;
/** How long it waits before it tries again to write the opening record. */
const RETRY_MS = 10_000;

interface Open {
  id: { readonly epoch: string; readonly seq: number } | null;
  /** The opening record is being written. */
  opening: boolean;
  openedMs: number;
  revision: number;
  updatedMs: number;
  /** Of the last revision, or of the last attempt to open; and of the last finding. Monotonic. */
  toldAtMs: number;
  heardAtMs: number;
  changed: boolean;
  left: number;
  readonly findings: Map<string, Finding>;
}

export class IncidentStage {
  readonly #options: IncidentOptions;
  readonly #timing: IncidentTiming;
  #words: Words | null = null;
  /** By series and detector; monotonic time of the last word on it beside it. */
  readonly #pending = new Map<string, { finding: Finding; heardAtMs: number }>();
  #open: Open | null = null;

  constructor(options: IncidentOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
  }

  /** The incident that is open now and has an id, for `status` and for going on after a restart. */
  current(): Incident | null {
    const open = this.#open;
    return open?.id == null ? null : this.#compose(open, 'open', open.updatedMs);
  }

  /** Goes on with an incident that was open when the agent ended: it closes when it stays quiet. */
  resume(incident: Incident, at: Instant): void {
    if (this.#open !== null || incident.state !== 'open') return;
    this.#open = {
      id: { epoch: incident.epoch, seq: incident.seq },
      opening: false,
      openedMs: incident.openedMs,
      revision: incident.revision,
      updatedMs: incident.updatedMs,
      toldAtMs: at.monotonicMs,
      heardAtMs: at.monotonicMs,
      changed: false,
      left: incident.more,
      findings: new Map(incident.findings.slice(0, MOST_FINDINGS).map((finding) => [keyOf(finding), finding])),
    };
  }

  /** Takes a new finding, or a later word on one that is known. */
  add(finding: Finding, at: Instant): void {
    const key = keyOf(finding);
    const open = this.#open;
    if (open !== null) {
      this.#join(open, key, finding, at);
      return;
    }
    const known = this.#pending.get(key)?.finding;
    this.#pending.delete(key);
    if (this.#pending.size >= MOST_FINDINGS) this.#pending.delete(this.#pending.keys().next().value!);
    this.#pending.set(key, { finding: merge(known, finding), heardAtMs: at.monotonicMs });
    this.#considerOpening(at);
  }

  /** The idea of UTC moved by as much: what is told from now on is told by the new one. */
  moveTimes(byMs: number): void {
    const moved = (finding: Finding): Finding => ({
      ...finding,
      sinceMs: finding.sinceMs + byMs,
      lastMs: finding.lastMs + byMs,
    });
    for (const pending of this.#pending.values()) pending.finding = moved(pending.finding);
    const open = this.#open;
    if (open === null) return;
    for (const [key, finding] of open.findings) open.findings.set(key, moved(finding));
    open.openedMs += byMs;
    open.updatedMs += byMs;
    open.changed = true;
  }

  /** Once a second: revises, closes, forgets. */
  tick(at: Instant): void {
    for (const [key, { heardAtMs }] of this.#pending) {
      if (at.monotonicMs - heardAtMs > this.#timing.closeMs) this.#pending.delete(key);
    }
    const open = this.#open;
    if (open === null || open.opening) return;
    if (open.id === null) {
      if (at.monotonicMs - open.toldAtMs >= RETRY_MS) this.#write(open, at);
      return;
    }
    const quiet = at.monotonicMs - open.heardAtMs >= this.#timing.quietMs;
    if (quiet) {
      this.#close(open, at);
    } else if (open.changed && at.monotonicMs - open.toldAtMs >= this.#timing.revisionMs) {
      open.revision++;
      open.changed = false;
      open.toldAtMs = at.monotonicMs;
      open.updatedMs = at.utcMs;
      this.#options.revise(this.#compose(open, 'open', at.utcMs));
    }
  }

  #join(open: Open, key: string, finding: Finding, at: Instant): void {
    const known = open.findings.get(key);
    open.heardAtMs = at.monotonicMs;
    open.changed = true;
    if (known === undefined && open.findings.size >= MOST_FINDINGS) open.left++;
    else open.findings.set(key, merge(known, finding));
  }

  #considerOpening(at: Instant): void {
    const { lastingMs, manySeries, manySpanMs, extremeBits } = this.#timing;
    let first = Number.POSITIVE_INFINITY;
    let last = 0;
    let enough = false;
    const series = new Set<string>();
    const bar = this.#options.barBits();
    for (const { finding } of this.#pending.values()) {
      const { sinceMs, lastMs, detector, bits } = finding;
      first = Math.min(first, sinceMs);
      last = Math.max(last, lastMs);
      if (toldWhenLasting.has(detector)) enough = true;
      // What is told only beside other findings opens nothing by itself.
      if (isBeside(finding, bar)) continue;
      series.add(finding.series);
      if (lastMs - sinceMs >= lastingMs || bits >= bar + extremeBits) enough = true;
    }
    if (series.size >= manySeries && last - first >= manySpanMs) enough = true;
    if (!enough) return;
    const open: Open = {
      id: null,
      opening: false,
      openedMs: first,
      revision: 1,
      updatedMs: at.utcMs,
      toldAtMs: at.monotonicMs,
      heardAtMs: at.monotonicMs,
      changed: false,
      left: 0,
      findings: new Map([...this.#pending].map(([key, { finding }]) => [key, finding])),
    };
    this.#pending.clear();
    this.#open = open;
    this.#options.onState?.('open', open.openedMs, at.utcMs);
    this.#write(open, at);
  }

  #write(open: Open, at: Instant): void {
    open.opening = true;
    open.changed = false;
    open.toldAtMs = at.monotonicMs;
    this.#options.open(this.#compose(open, 'open', at.utcMs)).then(
      (id) => {
        open.id = id;
        open.opening = false;
      },
      (error: unknown) => {
        open.opening = false;
        this.#options.log.warn({ error: messageOf(error) }, 'An incident could not be written; it is tried again');
      },
    );
  }

  #close(open: Open, at: Instant): void {
    this.#open = null;
    open.revision++;
    open.updatedMs = at.utcMs;
    this.#options.revise(this.#compose(open, 'closed', at.utcMs));
    this.#options.onState?.('closed', open.openedMs, at.utcMs);
  }

  #compose(open: Open, state: 'open' | 'closed', nowMs: number): Incident {
    const findings = [...open.findings.values()];
    // When there is something to say: times in a zone take megabytes of tables.
    this.#words ??= wordsFor(this.#options.zone());
    const { listed, more } = rank(findings, this.#words, this.#options.barBits());
    const last = findings.reduce((latest, { lastMs }) => Math.max(latest, lastMs), open.openedMs);
    return {
      epoch: open.id?.epoch ?? '',
      seq: open.id?.seq ?? 0,
      revision: open.revision,
      state,
      severity: severityOf(findings, this.#options.barBits(), last - open.openedMs),
      openedMs: open.openedMs,
      updatedMs: nowMs,
      closedMs: state === 'closed' ? last : null,
      title: titleOf(listed, more + open.left),
      findings: listed,
      more: more + open.left,
    };
  }
}

function keyOf(finding: Finding): string {
  return `${finding.series}/${finding.detector}/${finding.tier}`;
}

/** What is now known of a finding: since the first word, until the last, and the most unusual that was seen. */
function merge(known: Finding | undefined, later: Finding): Finding {
  if (known === undefined) return later;
  const stronger = later.bits >= known.bits ? later : known;
  return { ...stronger, sinceMs: Math.min(known.sinceMs, later.sinceMs), lastMs: Math.max(known.lastMs, later.lastMs) };
}
