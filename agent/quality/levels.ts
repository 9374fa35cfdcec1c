/** Where a value stands among its own: in deviations from a mean that fades over two days of rounds. Twenty-four bytes. */
import { PicketError } from '../../shared/errors.ts';
import { numbersBytes, numbersIn } from './numbers.ts';

/** Nearly three hours of rounds of ten seconds. */
const LEAST_ROUNDS = 1_000;
const MEMORY_ROUNDS = 20_000;
const MOST_DEVIATIONS = 5;
/** Beyond this a value's square is no number. */
const LARGEST = 1e150;
const SIZE = 3;

export class Levels {
  /** Name under which it is kept. */
  static readonly kind = 'levels';
  #rounds = 0;
  #mean = 0;
  #variance = 0;

  /** Whether it has seen enough to say where a value stands. */
  get known(): boolean {
    return this.#rounds >= LEAST_ROUNDS;
  }

  /** Takes a value in. @returns where it stands */
  learn(value: number): number {
    if (!(Math.abs(value) <= LARGEST)) return 0;
    this.#rounds = Math.min(this.#rounds + 1, MEMORY_ROUNDS);
    const weight = 1 / this.#rounds;
    const off = value - this.#mean;
    this.#mean += off * weight;
    this.#variance = (this.#variance + off * off * weight) * (1 - weight);
    if (!(this.#variance > 0)) return 0;
    const standing = (value - this.#mean) / Math.sqrt(this.#variance);
    return Math.min(MOST_DEVIATIONS, Math.max(-MOST_DEVIATIONS, standing));
  }

  encode(): Uint8Array {
    return numbersBytes(this.#rounds, this.#mean, this.#variance);
  }

  static decode(bytes: Uint8Array): Levels {
    const numbers = numbersIn(bytes, SIZE);
    const [rounds = -1, mean = 0, variance = -1] = numbers;
    if (!numbers.every(Number.isFinite) || rounds < 0 || variance < 0) {
      throw new PicketError('payload.invalid', `levels of a series: ${bytes.length} bytes that make no sense`);
    }
    const levels = new Levels();
    levels.#rounds = Math.min(rounds, MEMORY_ROUNDS);
    levels.#mean = mean;
    levels.#variance = variance;
    return levels;
  }
}
