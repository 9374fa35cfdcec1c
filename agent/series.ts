/**
 * The agent's series: each identity is given a small number that indexes the typed arrays of the hot path.
 *
 * Names come from devices and files that nobody vouches for: what is too long, empty or has control characters in it is
 * refused and counted. The number of series is capped; reaching the cap says once, clearly, which metric multiplies.
 *
 * A forgotten number is not given away before `recycle`, which the owner calls when no open window needs it any more.
 */

import { limits } from '../shared/limits.ts';
import {
  formatSeries,
  type SeriesDefinition,
  type SeriesId,
  type SeriesKey,
  type SeriesNumber,
} from '../shared/series.ts';
import { seriesId } from '../shared/trust/hash.ts';
import type { Log } from './inputs/input.ts';

/** Refused texts that are named in the log; beyond them they are only counted. */
const maxNamedRefusals = 10;
/** The cap's warning comes again only after the number of series fell below this share of it. */
const calmShare = 0.9;

const textEncoder = new TextEncoder();

export interface SeriesRegistryOptions {
  /** Most series at once, and so the size of every array by series number. */
  readonly limit: number;
  readonly log: Log;
}

export class SeriesRegistry {
  readonly limit: number;
  readonly #log: Log;
  readonly #definitions: (SeriesDefinition | null)[] = [];
  readonly #ids: SeriesId[] = [];
  readonly #numbers = new Map<SeriesId, SeriesNumber>();
  /** Numbers that may be given again, and numbers that wait for `recycle`. */
  readonly #free: SeriesNumber[] = [];
  readonly #retired = new Set<SeriesNumber>();
  #generation = 0;
  #refusedByLimit = 0;
  #refusedByText = 0;
  #warned = false;

  constructor(options: SeriesRegistryOptions) {
    this.limit = options.limit;
    this.#log = options.log;
  }

  /** Rises whenever the set of live series changes: a table that was made before does not fit any more. */
  get generation(): number {
    return this.#generation;
  }

  /** Live series. */
  get size(): number {
    return this.#numbers.size - this.#retired.size;
  }

  /** One more than the highest number that was ever given: where a loop over all numbers ends. */
  get end(): number {
    return this.#definitions.length;
  }

  /** How many asked in vain: because of the cap, and because of what they are called. */
  get refused(): { readonly byLimit: number; readonly byText: number } {
    return { byLimit: this.#refusedByLimit, byText: this.#refusedByText };
  }

  /**
   * The number of a series, the same for the same identity; -1 where the cap is reached or its texts are refused. A
   * definition that differs in how readings are treated (scale, kind, bounds) replaces the one before.
   */
  intern(definition: SeriesDefinition): SeriesNumber {
    const problem = textProblem(definition);
    if (problem !== null) return this.#refuseText(definition, problem);
    const id = seriesId(definition);
    const known = this.#numbers.get(id);
    if (known !== undefined) {
      this.#definitions[known] = definition;
      if (this.#retired.delete(known)) this.#generation++;
      return known;
    }
    const number = this.#free.pop() ?? this.#definitions.length;
    if (number >= this.limit) return this.#refuseByLimit(definition);
    this.#definitions[number] = definition;
    this.#ids[number] = id;
    this.#numbers.set(id, number);
    this.#generation++;
    return number;
  }

  /** The definition of a number that is live or was forgotten in this window, else null. */
  definition(number: SeriesNumber): SeriesDefinition | null {
    return this.#definitions[number] ?? null;
  }

  /** The identity of a number that has a definition. */
  id(number: SeriesNumber): SeriesId {
    return this.#ids[number] ?? '';
  }

  /** The number of an identity, live or forgotten in this window, or -1. */
  numberOf(id: SeriesId): SeriesNumber {
    return this.#numbers.get(id) ?? -1;
  }

  isLive(number: SeriesNumber): boolean {
    return number >= 0 && this.#definitions[number] != null && !this.#retired.has(number);
  }

  /** Live numbers, ascending. */
  live(): SeriesNumber[] {
    const numbers: SeriesNumber[] = [];
    for (let number = 0; number < this.end; number++) if (this.isLive(number)) numbers.push(number);
    return numbers;
  }

  /** The series is gone. Its number keeps its meaning until `recycle`. */
  forget(number: SeriesNumber): void {
    if (!this.isLive(number)) return;
    this.#retired.add(number);
    this.#generation++;
    if (this.size < this.limit * calmShare) this.#warned = false;
  }

  /** Frees the numbers that were forgotten, and returns them: whoever keeps arrays by number clears them there. */
  recycle(): readonly SeriesNumber[] {
    if (this.#retired.size === 0) return [];
    const freed = [...this.#retired];
    this.#retired.clear();
    for (const number of freed) {
      this.#numbers.delete(this.#ids[number]!);
      this.#definitions[number] = null;
      this.#ids[number] = '';
      this.#free.push(number);
    }
    return freed;
  }

  #refuseText(definition: SeriesDefinition, problem: string): -1 {
    this.#refusedByText++;
    if (this.#refusedByText <= maxNamedRefusals) {
      const name = formatSeries(definition).slice(0, limits.seriesTextBytes);
      this.#log.warn({ code: 'input.failed', series: name }, `A series was refused: ${problem}.`);
    }
    return -1;
  }

  #refuseByLimit(definition: SeriesDefinition): -1 {
    this.#refusedByLimit++;
    if (!this.#warned) {
      this.#warned = true;
      const [metric, count] = this.#mostFrequentMetric();
      this.#log.warn(
        { code: 'series.limit', metric, count, limit: this.limit, refused: formatSeries(definition) },
        `The cap of ${this.limit} series is reached; ${metric} alone has ${count}. ` +
          'Further series are left out: raise limits.series, or exclude what multiplies.',
      );
    }
    return -1;
  }

  #mostFrequentMetric(): readonly [name: string, count: number] {
    const counts = new Map<string, number>();
    for (const number of this.live()) {
      const { name } = this.#definitions[number]!;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    let most: readonly [string, number] = ['(none)', 0];
    for (const entry of counts) if (entry[1] > most[1]) most = entry;
    return most;
  }
}

/** Why a series' texts are not taken, or null. */
export function textProblem(key: SeriesKey): string | null {
  if (key.name === '') return 'its name is empty';
  const attributes = Object.entries(key.attributes);
  if (attributes.length > limits.attributesPerSeries) {
    return `it has ${attributes.length} attributes, at most ${limits.attributesPerSeries} are allowed`;
  }
  for (const text of [key.name, key.unit, ...attributes.flat()]) {
    if (text.length > limits.seriesTextBytes || textEncoder.encode(text).length > limits.seriesTextBytes) {
      return `one of its texts has more than ${limits.seriesTextBytes} bytes`;
    }
    if (/\p{Cc}|\p{Cs}/u.test(text)) return 'one of its texts has control characters in it';
  }
  if (attributes.some(([name]) => name === '')) return 'one of its attributes has no name';
  return null;
}
