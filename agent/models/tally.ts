/**
 * What two models said of the same windows, whatever they judge: series, or groups of them. In a shadow the second one
 * is new; in a trial the first one is, and the second is the one that it replaced, or none.
 *
 * Whichever is new is held to bounds that need no central: it may not throw, say NaN, be slow, or be far louder than
 * the other. Without another to be held against, it may not call a quarter of all windows unusual.
 */
import { messageOf } from '../../shared/errors.ts';
import type { BesideReport } from '../../shared/trust/messages.ts';

export type BesideMode = 'shadow' | 'trial';
export type Comparison = Omit<BesideReport, 'mainSha256' | 'besideSha256'>;

/** Findings, and windows with one, that the new one may have more, whatever the other has: chance, or one incident. */
const FINDINGS_MORE = 10;
const OUTSIDE_MORE = 60;
/** ... and how many times the other's. */
const TIMES = 10;
/** Windows that are outside for long (another unit) are much only as a share of all. */
const OUTSIDE_SHARE = 0.1;
/** Windows, and the share of them, after which a model without another to be held against is too loud. */
const ALONE_WINDOWS = 200;
const ALONE_SHARE = 0.25;
/** One round over all series takes a few ms; this for several in a row is too slow. */
const SLOW_MS = 250;
const SLOW_ROUNDS = 3;

const outcome = { none: 0, inside: 1, outside: 2 } as const;

export interface TallyOptions {
  readonly slot: string;
  readonly mode: BesideMode;
  /** Whether there is a second one; without, the first alone is counted. */
  readonly two: boolean;
  /** What is judged has numbers below this. */
  readonly limit: number;
  readonly clockMs: () => number;
}

export class Tally {
  readonly slot: string;
  readonly mode: BesideMode;
  readonly #two: boolean;
  readonly #clockMs: () => number;
  /** By number: what the first said of this window, and whether each was outside in the last one. */
  readonly #said: Uint8Array;
  readonly #mainWas: Uint8Array;
  readonly #besideWas: Uint8Array;
  readonly #counts = {
    windows: 0,
    agreed: 0,
    mainFindings: 0,
    besideFindings: 0,
    mainOutside: 0,
    besideOutside: 0,
    mainBits: 0,
    besideBits: 0,
    mainMs: 0,
    besideMs: 0,
  };
  #mainWindows = 0;
  #slowRounds = 0;
  #dropped: string | null = null;

  constructor({ slot, mode, two, limit, clockMs }: TallyOptions) {
    this.slot = slot;
    this.mode = mode;
    this.#two = two;
    this.#clockMs = clockMs;
    this.#said = new Uint8Array(limit);
    this.#mainWas = new Uint8Array(limit);
    this.#besideWas = new Uint8Array(limit);
  }

  comparison(): Comparison | null {
    if (!this.#two) return null;
    return { slot: this.slot, ...this.#counts, ...(this.#dropped === null ? {} : { dropped: this.#dropped }) };
  }

  /** The first one judged a window of this number. */
  main(number: number, finding: boolean, bits: number): void {
    this.#mainWindows++;
    this.#said[number] = finding ? outcome.outside : outcome.inside;
    this.#counts.mainBits = Math.max(this.#counts.mainBits, bits);
    if (finding) this.#counts.mainOutside++;
    if (finding && this.#mainWas[number] === 0) this.#counts.mainFindings++;
    this.#mainWas[number] = finding ? 1 : 0;
  }

  /** The second one judged it; answers with what is wrong with that, or null. */
  beside(number: number, finding: boolean, bits: number): string | null {
    if (!Number.isFinite(bits)) return 'it says NaN';
    const counts = this.#counts;
    const said = this.#said[number];
    if (said !== outcome.none) {
      counts.windows++;
      if ((said === outcome.outside) === finding) counts.agreed++;
    }
    counts.besideBits = Math.max(counts.besideBits, bits);
    if (finding) counts.besideOutside++;
    if (finding && this.#besideWas[number] === 0) counts.besideFindings++;
    this.#besideWas[number] = finding ? 1 : 0;
    return null;
  }

  forget(number: number): void {
    this.#mainWas[number] = 0;
    this.#besideWas[number] = 0;
  }

  /**
   * The second one's turn, after the first had its own. Answers with what is wrong with the new one, or null.
   * @param judge asks the second one of all; what it answers is wrong with it
   */
  round(judge: () => string | null, mainMs: number): string | null {
    const counts = this.#counts;
    counts.mainMs += mainMs;
    const beganMs = this.#clockMs();
    let wrong: string | null = null;
    if (this.#two && this.#dropped === null) {
      try {
        wrong = judge();
      } catch (error) {
        wrong = `it threw: ${messageOf(error)}`;
      }
    }
    const besideMs = Math.max(0, this.#clockMs() - beganMs);
    counts.besideMs += besideMs;
    this.#said.fill(outcome.none);
    // What the old one does wrong in a trial is nobody's fault now: there is just nothing to be held against any more.
    if (wrong !== null) this.#dropped = wrong;
    const shadow = this.mode === 'shadow';
    if (wrong !== null) return shadow ? wrong : null;
    if (shadow && this.#dropped !== null) return null;
    this.#slowRounds = (shadow ? besideMs : mainMs) > SLOW_MS ? this.#slowRounds + 1 : 0;
    if (this.#slowRounds >= SLOW_ROUNDS) wrong = `it is slow: over ${SLOW_MS} ms for each of ${SLOW_ROUNDS} rounds`;
    wrong ??= this.#loudness();
    if (wrong !== null) this.#dropped = wrong;
    return wrong;
  }

  #loudness(): string | null {
    const { mainFindings, besideFindings, mainOutside, besideOutside, windows } = this.#counts;
    const shadow = this.mode === 'shadow';
    if (!this.#two || this.#dropped !== null) {
      const much = this.#mainWindows >= ALONE_WINDOWS && mainOutside > ALONE_SHARE * this.#mainWindows;
      return much ? `it is too loud: ${mainOutside} of ${this.#mainWindows} windows are unusual to it` : null;
    }
    const [mine, others] = shadow ? [besideFindings, mainFindings] : [mainFindings, besideFindings];
    if (mine > FINDINGS_MORE + TIMES * others) {
      return `it is too loud: ${mine} findings, where the other model has ${others} in the same windows`;
    }
    const [out, othersOut] = shadow ? [besideOutside, mainOutside] : [mainOutside, besideOutside];
    if (out > OUTSIDE_MORE + TIMES * othersOut && out > OUTSIDE_SHARE * windows) {
      return `it is too loud: ${out} windows are unusual to it, ${othersOut} to the other model`;
    }
    return null;
  }
}
