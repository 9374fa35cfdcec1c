/**
 * What was shown lately, by how rare it was: the peaks (in bits) of a machine's incidents, each with a weight that fades
 * with the time in which the machine was watched, and that time, faded alike. Constant memory: of more than `PEAKS` the
 * lightest goes, and what it still weighs counts with the next below it.
 */
import { DAY_MS } from '../limits.ts';
import { integerOf, listOf, numberOf, objectOf } from '../trust/strict.ts';

const PEAKS = 64;
/** What one kept peak may stand for. */
const MOST_WEIGHT = 1e6;
/** How far above a peak the bar stands that shuts it out. */
const ABOVE_PEAK_BITS = 1;

/**
 * An incident this far above the bar that it passed counts for the least: chance rarely goes so far, even by tails that
 * are off, and a day of real trouble must not raise the bar for the next one.
 */
const FAR_BITS = 32;
const LEAST_COUNT = 0.25;

interface Peak {
  readonly id: number;
  bits: number;
  /** Bar that it passed. */
  readonly bar: number;
  weight: number;
}

function countOf({ bits, bar, weight }: Peak): number {
  return weight * Math.max(LEAST_COUNT, 1 - Math.max(0, bits - bar) / FAR_BITS);
}

export class ShownTail {
  readonly memoryDays: number;
  /** The greatest first. */
  #peaks: Peak[] = [];
  #days = 0;

  constructor(memoryDays: number) {
    this.memoryDays = memoryDays;
  }

  /** Days that were watched, the last `memoryDays` of them in the main. */
  get days(): number {
    return this.#days;
  }

  /** Incidents in these days, each by how likely it was a false one. */
  get count(): number {
    return this.#peaks.reduce((sum, peak) => sum + countOf(peak), 0);
  }

  get lastId(): number {
    return this.#peaks.reduce((most, { id }) => Math.max(most, id), 0);
  }

  pass(ms: number): void {
    const kept = Math.exp(-ms / DAY_MS / this.memoryDays);
    for (const peak of this.#peaks) peak.weight *= kept;
    this.#days = this.memoryDays * (1 - (1 - this.#days / this.memoryDays) * kept);
  }

  add(id: number, bits: number, bar: number): void {
    this.#peaks.push({ id, bits, bar, weight: 1 });
    this.#sort();
    if (this.#peaks.length > PEAKS) this.#dropLightest();
  }

  /** The peak of one of them is higher now. */
  grew(id: number, bits: number): void {
    const peak = this.#peaks.find((each) => each.id === id);
    if (peak === undefined || !(bits > peak.bits)) return;
    peak.bits = bits;
    this.#sort();
  }

  remove(id: number): void {
    this.#peaks = this.#peaks.filter((peak) => peak.id !== id);
  }

  /**
   * The lowest bar b at which those that would still have passed, and what else is expected to pass b, are no more than
   * `allowed`; `leastFor` gives the lowest bar for so many that are left for what else. Infinity: no bar is enough.
   */
  lowestBar(allowed: number, leastFor: (left: number) => number): number {
    let above = this.count;
    // From the lowest peak up: between two peaks the number of those above is constant.
    for (let k = this.#peaks.length; k >= 0; k--) {
      const shutOut = this.#peaks[k];
      if (shutOut !== undefined) above -= countOf(shutOut);
      const left = allowed - Math.max(0, above);
      if (left <= 0) continue;
      const abovePeak = shutOut === undefined ? Number.NEGATIVE_INFINITY : shutOut.bits + ABOVE_PEAK_BITS;
      const bar = Math.max(abovePeak, leastFor(left));
      if (k === 0 || bar <= this.#peaks[k - 1]!.bits) return bar;
    }
    return Number.POSITIVE_INFINITY;
  }

  save(): unknown {
    return { days: this.#days, peaks: this.#peaks.map(({ id, bits, bar, weight }) => [id, bits, bar, weight]) };
  }

  /** Throws `payload.invalid` where it is no such thing. */
  load(saved: unknown, where: string): void {
    const state = objectOf(saved, where);
    this.#days = Math.min(numberOf(state.days, `${where}.days`, 0), this.memoryDays);
    this.#peaks = listOf(state.peaks, `${where}.peaks`, PEAKS, (item, at) => {
      const [id, bits, bar, weight] = listOf(item, at, 4, (value) => value);
      return {
        id: integerOf(id, `${at}.id`),
        bits: numberOf(bits, `${at}.bits`, 0),
        bar: numberOf(bar, `${at}.bar`, 0),
        weight: numberOf(weight, `${at}.weight`, 0, MOST_WEIGHT),
      };
    });
    this.#sort();
  }

  #sort(): void {
    this.#peaks.sort((a, b) => b.bits - a.bits);
  }

  #dropLightest(): void {
    let lightest = 0;
    for (let k = 1; k < this.#peaks.length; k++) {
      if (this.#peaks[k]!.weight < this.#peaks[lightest]!.weight) lightest = k;
    }
    const [gone] = this.#peaks.splice(lightest, 1);
    this.#peaks[Math.min(lightest, this.#peaks.length - 1)]!.weight += gone!.weight;
  }
}
