/**
 * Pairs of sensors that measure one thing are found by themselves: among those of one unit on one device, a few pairs at
 * a time are watched for half a day; the ones that prove to move together stay, the others give way to the next.
 *
 * Bounds: so many pairs in a group; what was learned of a pair is kept under its first series.
 */
import { emptyVerdict, type Verdict } from '../../shared/detect/detector.ts';
import { detectorKinds } from '../../shared/detect/registry.ts';
import type { SeriesNumber } from '../../shared/series.ts';

/** Pairs of one group that are watched at once. */
const MOST_PAIRS = 8;
/** Rounds after which a pair that is not proven gives way: 12 h of rounds of ten seconds. */
const TRIAL_ROUNDS = 4_320;

const kind = detectorKinds.disagree!;

export interface Pair {
  readonly a: SeriesNumber;
  readonly b: SeriesNumber;
  readonly state: unknown;
  rounds: number;
  proven: boolean;
}

export class Pairs {
  readonly pairs: Pair[] = [];
  readonly verdict: Verdict = emptyVerdict();
  readonly #saved: (a: SeriesNumber, b: SeriesNumber) => Uint8Array | null;
  #next = 0;
  readonly #x = new Float64Array(2);
  readonly #quality = new Uint8Array(1);

  /** @param saved what was learned of a pair before this start */
  constructor(saved: (a: SeriesNumber, b: SeriesNumber) => Uint8Array | null) {
    this.#saved = saved;
  }

  /** Fills the places that are free, and those of pairs that did not prove to be one. */
  choose(members: readonly SeriesNumber[]): void {
    const all = (members.length * (members.length - 1)) / 2;
    for (let i = this.pairs.length - 1; i >= 0; i--) {
      const { proven, rounds } = this.pairs[i]!;
      // Nothing else waits: it may go on trying.
      if (!proven && rounds >= TRIAL_ROUNDS && all > this.pairs.length) this.pairs.splice(i, 1);
    }
    for (let tried = 0; tried < all && this.pairs.length < Math.min(MOST_PAIRS, all); tried++) {
      const [a, b] = pairAt(members, this.#next++ % all);
      if (this.pairs.some((pair) => pair.a === a && pair.b === b)) continue;
      const saved = this.#saved(a, b);
      const state = saved === null ? kind.start(kind.defaults) : kind.state.decode(saved);
      this.pairs.push({ a, b, state, rounds: 0, proven: false });
    }
  }

  /** The two values of a round; `verdict` then says what came of it. */
  judge(pair: Pair, a: number, b: number): void {
    this.#x[0] = a;
    this.#x[1] = b;
    const at = { monotonicMs: 0, utcMs: 0 };
    kind.score(kind.defaults, pair.state, this.#x, this.#quality, at, this.verdict);
    kind.learn(kind.defaults, pair.state, this.#x, this.#quality, at);
    pair.rounds++;
    if (this.verdict.ready) pair.proven = true;
  }

  forget(series: SeriesNumber): readonly Pair[] {
    const gone = this.pairs.filter(({ a, b }) => a === series || b === series);
    for (const pair of gone) this.pairs.splice(this.pairs.indexOf(pair), 1);
    return gone;
  }

  static encode(pair: Pair): Uint8Array {
    return kind.state.encode(pair.state);
  }
}

/** The nth pair: the nearest neighbours first, since sensors of one thing have names side by side. */
function pairAt(members: readonly SeriesNumber[], nth: number): readonly [SeriesNumber, SeriesNumber] {
  let left = nth;
  for (let apart = 1; apart < members.length; apart++) {
    const count = members.length - apart;
    if (left < count) return [members[left]!, members[left + apart]!];
    left -= count;
  }
  return [members[0]!, members[1]!];
}
