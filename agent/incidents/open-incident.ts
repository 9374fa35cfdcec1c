/**
 * One incident that is open: its findings, when each was heard last, and when all of it is over.
 *
 * A finding is over when its stage says so, or when it has been quiet for longer than it usually is between two words.
 * What holds (a broken rule, a forecast) is over only when that is said. The longer an incident has lasted, the longer
 * a quiet it takes to end it, so that what comes and goes stays one.
 */
import type { Instant } from '../../shared/clock.ts';
import { type Change, categoryOf, type Finding, type Incident, type Notice } from '../../shared/findings.ts';
import { isEcho } from './explain.ts';
import { resourceOf } from './stakes.ts';

/** Quiet after which a finding is over: at least `quietMs`, and so many times what lay between its last words. */
const GAPS = 2;
const INTERVALS = 4;
/** A finding's gap counts up to this (what is looked at once a minute is told as often), or up to so many intervals. */
const LONGEST_GAP_MS = 75_000;
const GAP_INTERVALS = 2;
/** Share of an incident's length that it may be quiet, and the most of it. */
const QUIET_SHARE = 0.25;
const LONGEST_QUIET_MS = 15 * 60_000;
/** What held before a restart and is not told again is over after this time. */
const TOLD_AGAIN_MS = 15 * 60_000;

/** A finding that is rarer by as much is news. */
const NEWS_BITS = 3;

/** Findings of one incident. */
const MOST_FINDINGS = 256;

interface Entry {
  finding: Finding;
  /** It says nothing of whether the incident goes on. */
  readonly echo: boolean;
  /** Monotonic. */
  heardAtMs: number;
  gapMs: number;
  /** It holds only until then, since it was taken over from before a restart; null: as its stage says. */
  heldUntilMs: number | null;
}

export function keyOf({ series, detector, tier, rule }: Finding): string {
  return rule === undefined ? `${series}/${detector}/${tier}` : `${series}/${detector}/${tier}/${rule}`;
}

/** Whether it lasts until its stage says that it is over. */
function holds({ holds: said, detector }: Finding): boolean {
  return said === true || categoryOf(detector) === 'rule';
}

/** What is now known of a finding: since the first word, until the last, and the most unusual that was seen. */
export function merge(known: Finding | undefined, later: Finding): Finding {
  if (known === undefined) return later;
  // Whether it is over, and whether it is muted, is as it was said last.
  const { ended: _over, muted: _silent, ...before } = known;
  const stronger = later.bits >= known.bits ? later : before;
  return {
    ...stronger,
    sinceMs: Math.min(known.sinceMs, later.sinceMs),
    lastMs: Math.max(known.lastMs, later.lastMs),
    ...(later.forecast === undefined ? {} : { forecast: later.forecast, seen: later.seen }),
    ...(later.muted === undefined ? {} : { muted: later.muted }),
    ...(later.ended === undefined ? {} : { ended: later.ended }),
  };
}

export class OpenIncident {
  id: { readonly epoch: string; readonly seq: number } | null = null;
  /** The opening record is being written. */
  opening = false;
  openedMs: number;
  revision = 1;
  updatedMs: number;
  /** Of the last revision, or of the last attempt to open. Monotonic. */
  toldAtMs: number;
  /** When something joined that was not known before. Monotonic. */
  grewAtMs: number;
  /** When it was heard of last. Monotonic. */
  heardAtMs: number;
  changed = false;
  /** Something joined, ended or got graver since the last revision. */
  hasNews = false;
  /** Findings for which there was no room. */
  left = 0;
  /** What the budget of the machine knows it by; null where it paid nothing. */
  charge: number | null = null;
  notice: Notice | null = null;
  changes: readonly Change[] = [];
  readonly #entries = new Map<string, Entry>();
  #firstAtMs: number;
  #onlyEchoes = true;

  /** The bar that its findings passed; it may have risen since, by this very incident. */
  readonly barBits: number;

  constructor(openedMs: number, at: Instant, barBits: number) {
    this.barBits = barBits;
    this.openedMs = openedMs;
    this.updatedMs = at.utcMs;
    this.toldAtMs = at.monotonicMs;
    this.grewAtMs = at.monotonicMs;
    this.heardAtMs = at.monotonicMs;
    this.#firstAtMs = at.monotonicMs - (at.utcMs - openedMs);
  }

  /** One of before a restart. */
  static from(incident: Incident, at: Instant, barBits: number): OpenIncident {
    const open = new OpenIncident(incident.openedMs, at, barThen(incident) ?? barBits);
    open.id = { epoch: incident.epoch, seq: incident.seq };
    open.revision = incident.revision;
    open.updatedMs = incident.updatedMs;
    open.left = incident.more;
    open.notice = incident.notify ?? null;
    open.changes = incident.changes ?? [];
    for (const { contribution: _share, text: _text, ...finding } of incident.findings.slice(0, MOST_FINDINGS)) {
      const heldUntilMs = at.monotonicMs + TOLD_AGAIN_MS;
      const echo = isEcho(finding);
      open.#entries.set(keyOf(finding), { finding, heardAtMs: at.monotonicMs, gapMs: 0, heldUntilMs, echo });
      if (!echo) open.#onlyEchoes = false;
    }
    return open;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Whether a finding of it is about the same part of the machine. */
  isAbout(resource: string): boolean {
    for (const { finding } of this.#entries.values()) if (resourceOf(finding.key) === resource) return true;
    return false;
  }

  findings(): Finding[] {
    return Array.from(this.#entries.values(), ({ finding }) => finding);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Monotonic time of the first finding. */
  get firstAtMs(): number {
    return this.#firstAtMs;
  }

  /** @param heardAtMs monotonic */
  take(key: string, finding: Finding, heardAtMs: number): void {
    const known = this.#entries.get(key);
    this.changed = true;
    this.heardAtMs = Math.max(this.heardAtMs, heardAtMs);
    if (known === undefined) {
      if (this.#entries.size >= MOST_FINDINGS) {
        this.left++;
        return;
      }
      const echo = isEcho(finding);
      if (!echo) this.#onlyEchoes = false;
      this.#entries.set(key, { finding, heardAtMs, gapMs: 0, heldUntilMs: null, echo });
      this.grewAtMs = heardAtMs;
      this.hasNews = true;
      return;
    }
    const longest = Math.max(LONGEST_GAP_MS, (finding.intervalMs ?? 0) * GAP_INTERVALS);
    known.gapMs = Math.min(longest, Math.max(heardAtMs - known.heardAtMs, known.gapMs / 2));
    if (finding.ended !== known.finding.ended || finding.bits > known.finding.bits + NEWS_BITS) this.hasNews = true;
    known.finding = merge(known.finding, finding);
    known.heardAtMs = heardAtMs;
    known.heldUntilMs = null;
  }

  /** Whether nothing of it goes on any more. */
  isOver(nowMs: number, quietMs: number): boolean {
    for (const { finding, heardAtMs, gapMs, heldUntilMs, echo } of this.#entries.values()) {
      if (finding.ended === true || (echo && !this.#onlyEchoes)) continue;
      if (holds(finding) && (heldUntilMs === null || nowMs < heldUntilMs)) return false;
      const lasted = Math.min(LONGEST_QUIET_MS, (heardAtMs - this.#firstAtMs) * QUIET_SHARE);
      const interval = (finding.intervalMs ?? 0) * INTERVALS;
      if (nowMs - heardAtMs < Math.max(quietMs, lasted, gapMs * GAPS, interval)) return false;
    }
    return true;
  }

  /** UTC of the last time that anything was outside. */
  get lastMs(): number {
    let last = this.openedMs;
    for (const { finding, echo } of this.#entries.values()) {
      if (!echo || this.#onlyEchoes) last = Math.max(last, finding.lastMs);
    }
    return last;
  }

  moveTimes(byMs: number): void {
    for (const entry of this.#entries.values()) entry.finding = movedFinding(entry.finding, byMs);
    this.openedMs += byMs;
    this.updatedMs += byMs;
    this.changes = this.changes.map((change) => ({ ...change, atMs: change.atMs + byMs }));
    this.changed = true;
  }
}

/** The bar that it had passed before the restart; null where nothing tells. */
function barThen({ findings, excessBits }: Incident): number | null {
  const statistical = findings.filter(({ detector }) => categoryOf(detector) === 'statistical');
  if (excessBits === undefined || statistical.length === 0) return null;
  return statistical.reduce((most, { bits }) => Math.max(most, bits), 0) - excessBits;
}

export function movedFinding(finding: Finding, byMs: number): Finding {
  return { ...finding, sinceMs: finding.sinceMs + byMs, lastMs: finding.lastMs + byMs };
}
