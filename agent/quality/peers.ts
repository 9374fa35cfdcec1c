/**
 * Sensors of one device, or of one metric on this machine, as peers of each other: rounds in which those that have a new
 * value are held against one another. What stands still while the others move is stuck; two that used to go together and
 * do so no longer disagree.
 *
 * Bounds: so many groups, so many members in each; what is beyond has no peers. A round is every ten seconds at most, and
 * as slow as the slowest member; nothing of this is on the way of a sample.
 */
import type { Instant } from '../../shared/clock.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { detectorKinds } from '../../shared/detect/registry.ts';
import type { SeriesDefinition, SeriesId, SeriesKey, SeriesNumber } from '../../shared/series.ts';
import { Levels } from './levels.ts';
import { type Pair, Pairs } from './pairs.ts';
import type { Teller } from './teller.ts';
import { disagreeWords, frozenWords } from './words.ts';

const MOST_GROUPS = 64;
const MOST_MEMBERS = 32;
const LEAST_ROUND_MS = 10_000;
const frozen = detectorKinds.frozen!;

/** What groups ask of the stage. */
export interface PeerWorld {
  readonly teller: Teller;
  readonly latest: (series: SeriesNumber) => number;
  /** Monotonic time of the last good value. */
  readonly goodMs: (series: SeriesNumber) => number;
  /** What was learned before this start, once. */
  readonly saved: (id: SeriesId, name: string) => Uint8Array | null;
}

interface Member {
  readonly series: SeriesNumber;
  readonly id: SeriesId;
  readonly definition: SeriesDefinition;
  readonly state: unknown;
  readonly levels: Levels;
  last: number;
  /** Monotonic time of the value that was taken last. */
  takenMs: number;
  changedMs: number;
  /** Of this round: whether it has a new value, and where that is in deviations. */
  fresh: boolean;
  standing: number;
}

interface Group {
  readonly members: Member[];
  /** By unit: which of them may measure one thing. */
  readonly pairs: Map<string, Pairs>;
  roundMs: number;
  lastMs: number;
}

export class Peers {
  readonly #world: PeerWorld;
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<SeriesNumber, string>();
  readonly #verdict = emptyVerdict();
  readonly #x = new Float64Array(2);
  readonly #quality = new Uint8Array(1);

  constructor(world: PeerWorld) {
    this.#world = world;
  }

  add(series: SeriesNumber, id: SeriesId, definition: SeriesDefinition, at: Instant): void {
    const label = groupOf(definition);
    let group = this.#groups.get(label);
    if (group === undefined) {
      if (this.#groups.size >= MOST_GROUPS) return;
      group = { members: [], pairs: new Map(), roundMs: LEAST_ROUND_MS, lastMs: at.monotonicMs };
      this.#groups.set(label, group);
    }
    if (group.members.length >= MOST_MEMBERS) return;
    const state = this.#world.saved(id, 'frozen');
    const levels = this.#world.saved(id, Levels.kind);
    group.members.push({
      series,
      id,
      definition,
      state: state === null ? frozen.start(frozen.defaults) : frozen.state.decode(state),
      levels: levels === null ? new Levels() : Levels.decode(levels),
      last: Number.NaN,
      takenMs: Number.NEGATIVE_INFINITY,
      changedMs: at.monotonicMs,
      fresh: false,
      standing: 0,
    });
    group.roundMs = Math.max(LEAST_ROUND_MS, ...group.members.map((one) => one.definition.intervalMs ?? 0));
    this.#groupOf.set(series, label);
    if (mayBeRedundant(definition) && !group.pairs.has(definition.unit))
      group.pairs.set(definition.unit, new Pairs((a, b) => this.#savedPair(a, b)));
  }

  forget(series: SeriesNumber, at: Instant): void {
    const label = this.#groupOf.get(series);
    const group = label === undefined ? undefined : this.#groups.get(label);
    this.#groupOf.delete(series);
    if (group === undefined) return;
    const index = group.members.findIndex((member) => member.series === series);
    const [member] = group.members.splice(index, 1);
    this.#world.teller.end(`stuck/${member!.id}`, at);
    for (const pair of group.pairs.get(member!.definition.unit)?.forget(series) ?? []) this.#endPair(pair, at);
    if (group.members.length === 0) this.#groups.delete(label!);
  }

  /** Plays the rounds that are due. */
  look(at: Instant): void {
    for (const group of this.#groups.values()) {
      if (group.members.length < 2 || at.monotonicMs - group.lastMs < group.roundMs - LEAST_ROUND_MS / 10) continue;
      this.#play(group, at);
      group.lastMs = at.monotonicMs;
    }
  }

  /** What was learned of a series, by name. */
  *learned(series: SeriesNumber, idOf: (series: SeriesNumber) => SeriesId): Iterable<readonly [string, Uint8Array]> {
    const member = this.#member(series);
    if (member === undefined) return;
    yield ['frozen', frozen.state.encode(member.state)];
    yield [Levels.kind, member.levels.encode()];
    const group = this.#groups.get(this.#groupOf.get(series)!)!;
    for (const pair of group.pairs.get(member.definition.unit)?.pairs ?? []) {
      if (pair.a === series) yield [pairName(idOf(pair.b)), Pairs.encode(pair)];
    }
  }

  #play(group: Group, at: Instant): void {
    let sum = 0;
    let count = 0;
    for (const member of group.members) {
      const value = this.#world.latest(member.series);
      const goodMs = this.#world.goodMs(member.series);
      member.fresh = goodMs !== member.takenMs && Number.isFinite(value);
      if (!member.fresh) continue;
      member.takenMs = goodMs;
      if (value !== member.last) member.changedMs = at.monotonicMs;
      member.last = value;
      member.standing = member.levels.learn(value);
      if (!member.levels.known) continue;
      sum += member.standing;
      count++;
    }
    for (const member of group.members) {
      if (count > 1 && member.fresh && member.levels.known)
        this.#judge(member, (sum - member.standing) / (count - 1), group.roundMs, at);
    }
    for (const [unit, pairs] of group.pairs) this.#playPairs(group, unit, pairs, at);
  }

  #judge(member: Member, peers: number, roundMs: number, at: Instant): void {
    const { teller } = this.#world;
    const told = `stuck/${member.id}`;
    this.#x[0] = member.last;
    this.#x[1] = peers;
    frozen.score(frozen.defaults, member.state, this.#x, this.#quality, at, this.#verdict);
    frozen.learn(frozen.defaults, member.state, this.#x, this.#quality, at);
    // Peers that come back to where they were have moved all the same: only its own movement ends it.
    const { finding, bits } = this.#verdict;
    const still = member.changedMs < at.monotonicMs;
    if (!finding && !(still && teller.tells(told))) {
      teller.end(told, at);
      return;
    }
    const { id, last, changedMs } = member;
    teller.say(told, at, () => ({
      ...about(member),
      detector: 'stuck',
      series: id,
      seen: last,
      expectedLow: null,
      expectedHigh: null,
      bits,
      intervalMs: roundMs,
      sinceMs: changedMs,
      wrong: frozenWords(about(member).key, last, at.monotonicMs - changedMs),
    }));
  }

  #playPairs(group: Group, unit: string, pairs: Pairs, at: Instant): void {
    const members = group.members.filter((member) => member.definition.unit === unit);
    if (members.length < 2) return;
    pairs.choose(members.map(({ series }) => series));
    for (const pair of pairs.pairs) {
      const a = members.find(({ series }) => series === pair.a)!;
      const b = members.find(({ series }) => series === pair.b)!;
      if (!a.fresh || !b.fresh) continue;
      pairs.judge(pair, a.last, b.last);
      if (pairs.verdict.finding) this.#tellPair(a, b, pairs, group.roundMs, at);
      else if (pairs.verdict.bits === 0) this.#endPair(pair, at, a.id, b.id);
    }
  }

  #tellPair(a: Member, b: Member, pairs: Pairs, roundMs: number, at: Instant): void {
    const { bits, expectedLow, expectedHigh } = pairs.verdict;
    const usual = (expectedHigh - expectedLow) / 2;
    const offset = (expectedHigh + expectedLow) / 2 - b.last;
    const other = { series: b.id, ...about(b), share: 0.5, seen: b.last };
    this.#world.teller.say(`disagree/${a.id}/${b.id}`, at, () => ({
      ...about(a),
      detector: 'disagree',
      series: a.id,
      seen: a.last,
      expectedLow,
      expectedHigh,
      bits,
      intervalMs: roundMs,
      sinceMs: at.monotonicMs - LASTING_ROUNDS * roundMs,
      wrong: disagreeWords({ ...about(a), seen: a.last }, { ...about(b), seen: b.last }, Math.abs(offset) + usual),
      members: [{ ...other, expectedLow: a.last - offset - usual, expectedHigh: a.last - offset + usual }],
    }));
  }

  #endPair(pair: Pair, at: Instant, a = this.#member(pair.a)?.id, b = this.#member(pair.b)?.id): void {
    if (a !== undefined && b !== undefined) this.#world.teller.end(`disagree/${a}/${b}`, at);
  }

  #savedPair(a: SeriesNumber, b: SeriesNumber): Uint8Array | null {
    const of = this.#member(a);
    const with_ = this.#member(b);
    return of === undefined || with_ === undefined ? null : this.#world.saved(of.id, pairName(with_.id));
  }

  #member(series: SeriesNumber): Member | undefined {
    const label = this.#groupOf.get(series);
    return label === undefined
      ? undefined
      : this.#groups.get(label)?.members.find((member) => member.series === series);
  }
}

/** A pair is told when it has disagreed for as many rounds. */
const LASTING_ROUNDS = detectorKinds.disagree!.defaults.rounds as number;

function about({ definition: { name, unit, attributes } }: Member): { readonly key: SeriesKey } {
  return { key: { name, unit, attributes } };
}

function pairName(id: SeriesId): string {
  return `disagree:${id}`;
}

/** Who is whose peer: all of a device; of the machine itself, those of one metric on one chip. */
function groupOf({ name, unit, attributes }: SeriesDefinition): string {
  const { device } = attributes;
  return device === undefined ? `/${name}/${unit}/${attributes['hw.parent'] ?? ''}` : device;
}

/** The cores of a processor are no two sensors of one thing: each is as warm as its load. */
function mayBeRedundant({ attributes }: SeriesDefinition): boolean {
  return !/core|cpu|k10temp|zenpower/i.test(attributes['hw.parent'] ?? '');
}
