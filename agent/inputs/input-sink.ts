/** Between one open input and the agent: gives every value the time of its read, and shuts when the read is abandoned. */
import type { Instant } from '../../shared/clock.ts';
import { Quality, type SeriesDefinition, type SeriesKey, type SeriesNumber } from '../../shared/series.ts';
import type { SampleSink } from './input.ts';

/** Where the runner hands on what inputs read; the agent's side of `SampleSink`, with the time of the read. */
export interface Intake {
  series(definition: SeriesDefinition): SeriesNumber;
  put(series: SeriesNumber, value: number, quality: Quality, at: Instant): void;
  state(key: SeriesKey, value: string, at: Instant, quality: Quality): void;
  forget(series: SeriesNumber): void;
  replaced(series: SeriesNumber, at: Instant): void;
  document(name: 'inventory' | 'top', content: unknown): void;
}

export class InputSink implements SampleSink {
  readonly #intake: Intake;
  readonly #intervalMs: number;
  #at: Instant = { monotonicMs: 0, utcMs: 0 };
  #open = true;

  /** @param intervalMs of the input: what a series that says nothing else is expected at */
  constructor(intake: Intake, intervalMs: number) {
    this.#intake = intake;
    this.#intervalMs = intervalMs;
  }

  /** What is put from now on was read at this time. */
  begin(at: Instant): void {
    this.#at = at;
  }

  /** Nothing comes through any more. */
  shut(): void {
    this.#open = false;
  }

  series(definition: SeriesDefinition): SeriesNumber {
    if (!this.#open) return -1;
    return this.#intake.series({ intervalMs: this.#intervalMs, ...definition });
  }

  put(series: SeriesNumber, value: number, quality: Quality = Quality.good): void {
    if (this.#open && series >= 0) this.#intake.put(series, value, quality, this.#at);
  }

  state(key: SeriesKey, value: string, at: Instant, quality: Quality = Quality.good): void {
    if (this.#open) this.#intake.state(key, value, at, quality);
  }

  forget(series: SeriesNumber): void {
    if (this.#open && series >= 0) this.#intake.forget(series);
  }

  replaced(series: SeriesNumber): void {
    if (this.#open && series >= 0) this.#intake.replaced(series, this.#at);
  }

  document(name: 'inventory' | 'top', content: unknown): void {
    if (this.#open) this.#intake.document(name, content);
  }
}
