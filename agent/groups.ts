/**
 * Groups: judges the series of the machine together, and those of each device, row by row, where they are taken.
 *
 *   latest values ─ tick(at) ─► a row of each group that is due ─► shared/detect/group ─► Finding, with the parts of
 *                                                                                        the series ─► incidents
 *
 * Which series make a group is settled when no new one comes any more (where there are more than it may have, after two
 * minutes of rows, when it is known which of them move). In the next two minutes of rows new series begin it again; later
 * it is looked at every hour whether much has changed.
 *
 * Constraints: nothing is allocated in a tick but when a group is made or found something; at most 32 groups of at most
 * 64 series. A row of 64 costs some 15 µs, so a group is judged at full rate.
 */
import type { Instant } from '../shared/clock.ts';
import { group } from '../shared/detect/group.ts';
import { MOST_GROUP_SERIES } from '../shared/detect/group-reference.ts';
import type { GroupState } from '../shared/detect/group-state.ts';
import { messageOf } from '../shared/errors.ts';
import { type Finding, findingLimits, type Member } from '../shared/findings.ts';
import { DAY_MS, HOUR_MS } from '../shared/limits.ts';
import type { SeriesDefinition, SeriesId, SeriesNumber } from '../shared/series.ts';
import { type Candidate, chooseMembers, groupOf, stillFits } from './groups/membership.ts';
import { decodeGroups, encodeGroups, type SavedGroup } from './groups/saved-groups.ts';
import { isDue, type Part, WatchedGroup } from './groups/watched-group.ts';
import type { Log } from './inputs/input.ts';

/** What the stage asks about series. */
export interface GroupSeries {
  definition(series: SeriesNumber): SeriesDefinition | null;
  id(series: SeriesNumber): SeriesId;
  /** Numbers that are live now. */
  live(): readonly SeriesNumber[];
  /** Rises whenever the set of live series changes. */
  readonly generation: number;
}

export interface GroupOptions {
  readonly series: GroupSeries;
  /** Latest clean value of a series; NaN where there is none. */
  readonly latest: (series: SeriesNumber) => number;
  /** Bits that a finding must have; asked with each row, and told how many verdicts a day there are. */
  readonly barBits: () => number;
  readonly setTrials?: (perDay: number) => void;
  readonly log: Log;
  /** Takes each finding; must not throw. */
  readonly onFinding: (finding: Finding, at: Instant) => void;
  /** How often a series is expected that does not say so itself; default 1 s. */
  readonly intervalMs?: number;
  /** After the first tick nothing is judged or learned for as long; default 30 s. */
  readonly settleMs?: number;
}

const MOST_GROUPS = 32;
/** The start of an agent disturbs the machine that it is to learn. */
const SETTLE_MS = 30_000;
/**
 * Rows without a new series after which the series are known: few where nothing is lost by beginning again, more where
 * what was learned before waits for all of its series; and rows in which it shows which of many move.
 */
const KNOWN_ROWS = 2;
const CLAIM_ROWS = 10;
const MOVING_ROWS = 120;
const LOOK_AGAIN_MS = HOUR_MS;
/** Two are the least that can be judged together. */
const LEAST_SERIES = 2;
const DEFAULT_INTERVAL_MS = 1000;
/** Return periods are told up to this: a thousand years. */
const LONGEST_RETURN_MS = 1000 * 365 * DAY_MS;

/** A group that is being put together. */
interface Forming {
  readonly numbers: SeriesNumber[];
  rows: number;
  /** Rows since a series came. */
  quiet: number;
  intervalMs: number;
  rowAtMs: number;
}

/** Whether more have come than come and go all the time, where containers and mounts do. */
function hasGrown(before: number, now: number): boolean {
  return now - before > before / 16;
}

export class GroupStage {
  /** Of the last tick: bits of the most unusual group, its level (0 is as ever), and whether any is ready. */
  bits = 0;
  level = 0;
  ready = false;

  readonly #options: GroupOptions;
  readonly #groups = new Map<string, WatchedGroup>();
  readonly #forming = new Map<string, Forming>();
  /** What was learned before this start and not claimed yet. */
  readonly #parked = new Map<string, SavedGroup>();
  /** By series number: how often it moved while its group was formed, and its value before. */
  readonly #moves = new Map<SeriesNumber, { count: number; value: number }>();
  #generation = -1;
  #settledAtMs = Number.NaN;
  #lookAgainAtMs = Number.NaN;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /** Names and members of the groups, for tests and for people. */
  groups(): readonly { readonly name: string; readonly members: readonly SeriesId[]; readonly ready: boolean }[] {
    return [...this.#groups.values()].map(({ name, members, ready }) => ({ name, members, ready }));
  }

  /** The groups as they are watched now. */
  watched(): Iterable<WatchedGroup> {
    return this.#groups.values();
  }

  /** All values of a tick are in. */
  tick(at: Instant): void {
    const { series, barBits, settleMs = SETTLE_MS, latest } = this.#options;
    const nowMs = at.monotonicMs;
    if (Number.isNaN(this.#settledAtMs)) {
      this.#settledAtMs = nowMs + settleMs;
      this.#lookAgainAtMs = nowMs + settleMs + LOOK_AGAIN_MS;
    }
    if (nowMs < this.#settledAtMs) return;
    if (series.generation !== this.#generation) this.#resolve();
    if (nowMs >= this.#lookAgainAtMs) this.#lookAgain(nowMs);
    for (const [name, forming] of this.#forming) this.#form(name, forming, nowMs);
    this.bits = 0;
    this.level = 0;
    this.ready = false;
    if (this.#groups.size === 0) return;
    const bar = barBits();
    for (const watched of this.#groups.values()) {
      if (watched.row(latest, bar, at)) this.#tell(watched, at);
      this.bits = Math.max(this.bits, watched.bits);
      this.level = Math.max(this.level, watched.level);
      this.ready ||= watched.ready;
    }
  }

  /** What was learned of all groups, here or parked. */
  saveState(): Uint8Array {
    const all = new Map(this.#parked);
    for (const [name, watched] of this.#groups) all.set(name, watched.saved());
    return encodeGroups([...all.values()].slice(0, MOST_GROUPS));
  }

  /** Takes up what was saved, before the first tick. What cannot be read is said once, and learning starts afresh. */
  loadState(bytes: Uint8Array): void {
    try {
      for (const saved of decodeGroups(bytes, MOST_GROUPS)) {
        this.#decode(saved);
        this.#parked.set(saved.name, saved);
      }
    } catch (error) {
      this.#parked.clear();
      this.#options.log.warn(
        { error: messageOf(error) },
        'What was learned of groups of series could not be read; it starts afresh and says nothing for some minutes',
      );
    }
  }

  #decode(saved: SavedGroup): GroupState | null {
    const state = group.state.decode(saved.state);
    return state.series === saved.members.length ? state : null;
  }

  /** Series have come or gone: members are found anew, and who belongs to no group yet begins one. */
  #resolve(): void {
    const { series } = this.#options;
    this.#generation = series.generation;
    const numbers = new Map<SeriesId, SeriesNumber>();
    const byGroup = this.#candidates();
    for (const all of byGroup.values()) for (const number of all) numbers.set(series.id(number), number);
    for (const { members, numbers: places } of this.#groups.values()) {
      for (const [i, id] of members.entries()) places[i] = numbers.get(id) ?? -1;
    }
    for (const [name, all] of byGroup) {
      const known = this.#groups.get(name);
      // One that has learned next to nothing begins again with the new series; later the hourly look must do.
      if (known !== undefined && (known.rows > MOVING_ROWS || !hasGrown(known.chosenFrom, all.length))) continue;
      if (all.length < LEAST_SERIES) continue;
      this.#groups.delete(name);
      this.#begin(name, all, this.#forming.get(name));
    }
    for (const name of this.#forming.keys()) if (!byGroup.has(name)) this.#forming.delete(name);
  }

  #candidates(): Map<string, SeriesNumber[]> {
    const { series } = this.#options;
    const byGroup = new Map<string, SeriesNumber[]>();
    for (const number of series.live()) {
      const definition = series.definition(number);
      const name = definition === null ? null : groupOf(definition);
      if (name === null) continue;
      const all = byGroup.get(name);
      if (all !== undefined) all.push(number);
      else if (byGroup.size < MOST_GROUPS) byGroup.set(name, [number]);
    }
    return byGroup;
  }

  #begin(name: string, numbers: SeriesNumber[], before: Forming | undefined): void {
    const intervals = numbers.map((number) => this.#options.series.definition(number)?.intervalMs ?? this.#intervalMs);
    this.#forming.set(name, {
      numbers,
      rows: before?.rows ?? 0,
      quiet: before === undefined || hasGrown(before.numbers.length, numbers.length) ? 0 : before.quiet,
      intervalMs: Math.max(1, Math.min(...intervals)),
      rowAtMs: before?.rowAtMs ?? Number.NEGATIVE_INFINITY,
    });
  }

  get #intervalMs(): number {
    return this.#options.intervalMs ?? DEFAULT_INTERVAL_MS;
  }

  #form(name: string, forming: Forming, nowMs: number): void {
    if (!isDue(forming.rowAtMs, forming.intervalMs, nowMs)) return;
    forming.rowAtMs = nowMs;
    forming.rows++;
    forming.quiet++;
    const many = forming.numbers.length > MOST_GROUP_SERIES;
    if (many) for (const number of forming.numbers) this.#follow(number);
    const known = this.#parked.has(name) ? CLAIM_ROWS : KNOWN_ROWS;
    if (forming.rows <= MOVING_ROWS && (many || forming.quiet <= known)) return;
    this.#make(name, forming);
  }

  #follow(number: SeriesNumber): void {
    const value = this.#options.latest(number);
    const known = this.#moves.get(number);
    if (known === undefined) this.#moves.set(number, { count: 0, value });
    else if (Number.isFinite(value) && value !== known.value) {
      known.count++;
      known.value = value;
    }
  }

  #make(name: string, { numbers, intervalMs }: Forming): void {
    const { series } = this.#options;
    this.#forming.delete(name);
    const candidates = numbers.flatMap((number): Candidate[] => {
      const definition = series.definition(number);
      const moves = this.#moves.get(number)?.count ?? 1;
      return definition === null ? [] : [{ id: series.id(number), definition, moves }];
    });
    for (const number of numbers) this.#moves.delete(number);
    const parked = this.#parked.get(name);
    this.#parked.delete(name);
    const fits = parked !== undefined && stillFits(parked.members, new Set(candidates.map(({ id }) => id)));
    const state = fits ? this.#decode(parked) : null;
    const members = state === null ? chooseMembers(candidates) : parked!.members;
    const watched = new WatchedGroup(name, members, candidates.length, intervalMs, state);
    for (const [i, id] of members.entries()) watched.numbers[i] = numbers.find((n) => series.id(n) === id) ?? -1;
    this.#groups.set(name, watched);
    this.#countTrials();
  }

  /** A group of which much has gone or come is made anew. */
  #lookAgain(nowMs: number): void {
    this.#lookAgainAtMs = nowMs + LOOK_AGAIN_MS;
    const { series } = this.#options;
    const byGroup = this.#candidates();
    for (const [name, { members }] of this.#groups) {
      const all = byGroup.get(name) ?? [];
      if (stillFits(members, new Set(all.map((number) => series.id(number))))) continue;
      this.#groups.delete(name);
      if (all.length >= LEAST_SERIES) this.#begin(name, all, undefined);
    }
    this.#countTrials();
  }

  /** A group's verdict stands for that of each of its series, and is credited as much: see `WatchedGroup`. */
  #countTrials(): void {
    let perDay = 0;
    for (const { members, intervalMs } of this.#groups.values()) perDay += (members.length * DAY_MS) / intervalMs;
    this.#options.setTrials?.(perDay);
  }

  #tell(watched: WatchedGroup, at: Instant): void {
    const offset = at.utcMs - at.monotonicMs;
    const parts = watched.parts().flatMap((part) => this.#member(part) ?? []);
    const first = parts.find(({ series }) => series === watched.first) ?? parts[0];
    if (first === undefined) return;
    watched.first = first.series;
    const { share: _, ...own } = first;
    this.#options.onFinding(
      {
        ...own,
        detector: group.name,
        tier: 'full',
        sinceMs: watched.sinceMs + offset,
        lastMs: watched.lastMs + offset,
        bits: watched.mostBits,
        returnPeriodMs: Math.min(
          LONGEST_RETURN_MS,
          (watched.intervalMs * 2 ** watched.mostBits) / watched.members.length,
        ),
        intervalMs: watched.intervalMs,
        members: parts.slice(0, findingLimits.members),
      },
      at,
    );
  }

  #member({ id, number, share, seen, low, high }: Part): Member | null {
    const definition = this.#options.series.definition(number);
    if (definition === null) return null;
    const { name, unit, attributes, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = definition;
    const ranged = Number.isFinite(low) && Number.isFinite(high);
    return {
      series: id,
      key: { name, unit, attributes },
      share,
      seen: Number.isFinite(seen) ? seen : null,
      expectedLow: ranged ? Math.min(max, Math.max(min, low)) : null,
      expectedHigh: ranged ? Math.max(min, Math.min(max, high)) : null,
    };
  }
}
