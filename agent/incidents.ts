/**
 * Incidents: findings that are close in time on one machine become one incident. It opens once, grows, and closes itself
 * when all that it holds is over.
 *
 *   stages → add(finding) ─┬─ known to an open one ──────────────► joins it
 *                          ├─ one is young, or about the same thing ► joins it
 *                          └─ [pending] → opens one when it lasts, is extreme, or takes part in many series
 *   tick(at) each second: revisions (at most one each 10 s), closing
 *
 * One incident is one chain of causes: for `settleMs` after something new joined it, and no longer than `chainMs` after
 * it began, whatever begins on this machine is taken for its consequence; later only what concerns the same part is. So a trouble that lasts for hours
 * hides no other. A forecast is no event: nothing but what concerns the same thing joins it, nor does it join others.
 *
 * A flash of one sample on one series stays a finding; it is no incident unless it is absurdly rare. An incident's id is
 * `(epoch, seq)` of the record that opened it, so `open` writes that record and answers with the id; whatever happens
 * until then is told in the first revision.
 *
 * Bounds: `MOST_OPEN` open incidents (what would be one more joins the one that grew last), 256 findings in each and 256
 * pending; what is beyond is counted.
 */
import type { Instant } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { type Change, categoryOf, type Finding, type Incident, type Notice } from '../shared/findings.ts';
import { firstOf, isBeside, rank, titleOf, type Words, wordsFor } from './incidents/explain.ts';
import type { NoticeRequest } from './incidents/notices.ts';
import { keyOf, OpenIncident } from './incidents/open-incident.ts';
import { type OpeningTiming, PendingFindings } from './incidents/pending.ts';
import { severityOf } from './incidents/severity.ts';
import { resourceOf } from './incidents/stakes.ts';
import type { Log } from './inputs/input.ts';

/** An incident that has no id yet: `epoch` is empty and `seq` 0, which says "this record". */
export type IncidentDraft = Incident;

export interface IncidentOptions {
  readonly log: Log;
  /** The site's zone (IANA), for times in text; null: this machine's. Asked when the first is worded. */
  readonly zone: () => string | null;
  /** From how many bits on something is a finding. */
  readonly barBits: () => number;
  /** Writes the record that opens an incident; answers with its id when it is durable. */
  readonly open: (draft: IncidentDraft) => Promise<{ readonly epoch: string; readonly seq: number }>;
  /** Takes every later revision, the closing one too. */
  readonly revise: (incident: Incident) => void;
  /** The budget of incidents that are shown (`IncidentBudget`); without it nothing is counted. */
  readonly budget?: {
    spend(bits: number): number;
    grew(charge: number, bits: number): void;
    refund(charge: number): void;
  };
  /** Decides whether somebody may be woken, given what is known now and what was decided before. */
  readonly notice?: (asked: NoticeRequest) => Notice;
  /** What changed shortly before a time (monotonic), in UTC. */
  readonly changesBefore?: (monotonicMs: number, offsetMs: number) => readonly Change[];
  readonly timing?: Partial<IncidentTiming>;
}

export interface IncidentTiming extends OpeningTiming {
  /** Quiet for at least as long: it closes. */
  readonly quietMs: number;
  /** Least time between two revisions. */
  readonly revisionMs: number;
  /** After nothing new has joined for as long, an incident takes in only what concerns the same thing. */
  readonly settleMs: number;
  /** And so it does in any case this long after it began. */
  readonly chainMs: number;
}

export const defaultTiming: IncidentTiming = {
  lastingMs: 4_000,
  manySeries: 5,
  manySpanMs: 3_000,
  extremeBits: 60,
  closeMs: 30_000,
  quietMs: 90_000,
  revisionMs: 10_000,
  settleMs: 5 * 60_000,
  chainMs: 30 * 60_000,
};

const MOST_OPEN = 8;
/** Something happens for as long after the last word on it. */
const ACTIVE_MS = 10 * 60_000;
/** How long it waits before it tries again to write the opening record. */
const RETRY_MS = 10_000;
/** Something new joins within so many intervals of a series that is looked at seldom. */
const SETTLE_INTERVALS = 3;
const CHAIN_INTERVALS = 12;
/** What statistics find on the same part of the machine later than this is another trouble; facts stay together. */
const ABOUT_MS = 2 * 3_600_000;
/** That an incident still goes on is told as often, by its age. */
const PAUSE_SHARE = 0.05;
const LONGEST_PAUSE_MS = 15 * 60_000;
/** What changed first may be heard of this much later: processes are looked at once a minute. */
const CHANGES_HEARD_MS = 2 * 60_000;

export class IncidentStage {
  readonly #options: IncidentOptions;
  readonly #timing: IncidentTiming;
  readonly #pending: PendingFindings;
  #words: Words | null = null;
  /** In the order in which they opened. */
  #open: OpenIncident[] = [];

  constructor(options: IncidentOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#pending = new PendingFindings(this.#timing);
  }

  /** The incidents that are open now and have an id, for `status` and for going on after a restart. */
  current(): Incident[] {
    return this.#open.flatMap((open) => (open.id === null ? [] : [this.#compose(open, 'open', open.updatedMs)]));
  }

  /** Whether something happens now; what merely holds (a broken rule, a forecast) goes on quietly. */
  isActive(at: Instant): boolean {
    return this.#open.some((open) => at.monotonicMs - open.heardAtMs <= ACTIVE_MS);
  }

  /** Goes on with an incident that was open when the agent ended: it closes when it stays quiet. */
  resume(incident: Incident, at: Instant): void {
    if (incident.state !== 'open' || this.#open.length >= MOST_OPEN) return;
    this.#open.push(OpenIncident.from(incident, at, this.#options.barBits()));
  }

  /** Takes a new finding, or a later word on one that is known. */
  add(finding: Finding, at: Instant): void {
    const key = keyOf(finding);
    const known = this.#open.find((open) => open.has(key));
    if (known !== undefined) {
      known.take(key, finding, at.monotonicMs);
      this.#recount(known);
      return;
    }
    if (finding.ended === true) {
      this.#pending.delete(key);
      return;
    }
    const joined = this.#incidentFor(finding, at);
    if (joined !== null) {
      joined.take(key, finding, at.monotonicMs);
      this.#recount(joined);
      return;
    }
    this.#pending.add(key, finding, at.monotonicMs);
    this.#considerOpening(at);
  }

  /** The idea of UTC moved by as much: what is told from now on is told by the new one. */
  moveTimes(byMs: number): void {
    this.#pending.moveTimes(byMs);
    for (const open of this.#open) open.moveTimes(byMs);
  }

  /** Once a second: revises, closes, forgets. */
  tick(at: Instant): void {
    this.#pending.expire(at.monotonicMs);
    for (const open of [...this.#open]) {
      if (open.opening) continue;
      const sinceToldMs = at.monotonicMs - open.toldAtMs;
      if (open.id === null) {
        if (sinceToldMs >= RETRY_MS) this.#write(open, at);
      } else if (open.isOver(at.monotonicMs, this.#timing.quietMs)) {
        this.#close(open, at);
      } else if (open.changed && sinceToldMs >= this.#pauseOf(open, at)) {
        open.revision++;
        open.changed = false;
        open.hasNews = false;
        open.toldAtMs = at.monotonicMs;
        open.updatedMs = at.utcMs;
        this.#lookAtChanges(open, at);
        this.#judge(open);
        this.#options.revise(this.#compose(open, 'open', at.utcMs));
      }
    }
  }

  /** News are told soon; that it still goes on, the more seldom the longer it has gone on. */
  #pauseOf(open: OpenIncident, at: Instant): number {
    const { revisionMs } = this.#timing;
    const age = at.monotonicMs - open.firstAtMs;
    return open.hasNews ? revisionMs : Math.max(revisionMs, Math.min(LONGEST_PAUSE_MS, age * PAUSE_SHARE));
  }

  /** The open incident that a finding belongs to that none knows; null: none. */
  #incidentFor(finding: Finding, at: Instant): OpenIncident | null {
    const resource = resourceOf(finding.key);
    const isForecast = categoryOf(finding.detector) === 'forecast';
    const intervalMs = finding.intervalMs ?? 0;
    const settleMs = Math.max(this.#timing.settleMs, intervalMs * SETTLE_INTERVALS);
    const aboutMs = Math.max(ABOUT_MS, intervalMs * CHAIN_INTERVALS);
    const byChance = categoryOf(finding.detector) === 'statistical';
    const chainMs = Math.max(this.#timing.chainMs, intervalMs * CHAIN_INTERVALS);
    let about: OpenIncident | null = null;
    let young: OpenIncident | null = null;
    for (const open of this.#open) {
      const sinceGrownMs = at.monotonicMs - open.grewAtMs;
      if ((!byChance || sinceGrownMs <= aboutMs) && open.isAbout(resource)) about = later(about, open);
      else if (sinceGrownMs > settleMs || at.monotonicMs - open.firstAtMs > chainMs) continue;
      else if (isForecast || isForecasts(open)) continue;
      else young = later(young, open);
    }
    const found = about ?? young;
    if (found !== null || this.#open.length < MOST_OPEN) return found;
    return this.#open.reduce<OpenIncident | null>(later, null);
  }

  #considerOpening(at: Instant): void {
    const taken = this.#pending.takeIncident(this.#options.barBits());
    if (taken === null) return;
    const first = firstOf(Array.from(taken.values(), ({ finding }) => finding));
    const open = new OpenIncident(first, at, this.#options.barBits());
    for (const [key, { finding, heardAtMs }] of taken) open.take(key, finding, heardAtMs);
    open.grewAtMs = at.monotonicMs;
    this.#open.push(open);
    const peak = this.#peakOf(open);
    if (peak !== null) open.charge = this.#options.budget?.spend(peak) ?? null;
    this.#recount(open);
    this.#lookAtChanges(open, at);
    this.#judge(open);
    this.#write(open, at);
  }

  /** What the budget knows of it moves with it; what a fact confirms was no false alarm. */
  #recount(open: OpenIncident): void {
    const { budget } = this.#options;
    if (open.charge === null || budget === undefined) return;
    if (open.findings().some(({ detector }) => categoryOf(detector) === 'rule')) {
      budget.refund(open.charge);
      open.charge = null;
      return;
    }
    const peak = this.#peakOf(open);
    if (peak !== null) budget.grew(open.charge, peak);
  }

  /** Bits of the rarest that statistics found; null where they found nothing of their own. */
  #peakOf(open: OpenIncident): number | null {
    let peak: number | null = null;
    for (const finding of open.findings()) {
      if (categoryOf(finding.detector) !== 'statistical' || isBeside(finding, open.barBits)) continue;
      peak = Math.max(peak ?? 0, finding.bits);
    }
    return peak;
  }

  /** Whether somebody may be woken, each time that it is told. */
  #judge(open: OpenIncident): void {
    const { notice } = this.#options;
    if (notice === undefined) return;
    const { barBits, openedMs, lastMs, notice: before } = open;
    open.notice = notice({ findings: open.findings(), barBits, lastedMs: lastMs - openedMs, before });
  }

  #lookAtChanges(open: OpenIncident, at: Instant): void {
    const { changesBefore } = this.#options;
    if (changesBefore === undefined || at.monotonicMs - open.firstAtMs > CHANGES_HEARD_MS) return;
    open.changes = changesBefore(open.firstAtMs, at.utcMs - at.monotonicMs);
  }

  #write(open: OpenIncident, at: Instant): void {
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

  #close(open: OpenIncident, at: Instant): void {
    this.#open = this.#open.filter((each) => each !== open);
    open.revision++;
    open.updatedMs = at.utcMs;
    this.#judge(open);
    this.#options.revise(this.#compose(open, 'closed', at.utcMs));
  }

  #compose(open: OpenIncident, state: 'open' | 'closed', nowMs: number): Incident {
    const findings = open.findings();
    const { barBits } = open;
    // When there is something to say: times in a zone take megabytes of tables.
    this.#words ??= wordsFor(this.#options.zone());
    const { listed, more } = rank(findings, this.#words, barBits);
    const last = open.lastMs;
    const peak = this.#peakOf(open);
    return {
      epoch: open.id?.epoch ?? '',
      seq: open.id?.seq ?? 0,
      revision: open.revision,
      state,
      severity: severityOf(findings, barBits, last - open.openedMs),
      openedMs: open.openedMs,
      updatedMs: nowMs,
      closedMs: state === 'closed' ? last : null,
      title: titleOf(listed, more + open.left),
      findings: listed,
      more: more + open.left,
      ...(open.changes.length === 0 ? {} : { changes: open.changes }),
      ...(open.notice === null ? {} : { notify: open.notice }),
      // What is told by a record of its own (a resource at its limit) is held against no bar.
      ...(peak === null || peak < barBits ? {} : { excessBits: peak - barBits }),
    };
  }
}

/** The one that grew later. */
function later(a: OpenIncident | null, b: OpenIncident): OpenIncident {
  return a !== null && a.grewAtMs > b.grewAtMs ? a : b;
}

function isForecasts(open: OpenIncident): boolean {
  return open.findings().every(({ detector }) => categoryOf(detector) === 'forecast');
}
