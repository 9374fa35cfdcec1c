/**
 * Runs inputs: one timer, ticks on round UTC times, and on each tick one pass over the inputs that are due, all with
 * the same instant.
 *
 *     timer ─► onTickStart(now) ─► each due input: read(now) ─► own metrics ─► onTickEnd(now) ─► next round time
 *
 * A tick that took long does not pile up: the next one is on the next round time that lies ahead, and what was skipped
 * is counted. What an asynchronous input brings comes after the tick in which its read began, with that tick's time.
 */
import type { Clock, Instant, Timers } from '../../shared/clock.ts';
import { Quality, type SeriesDefinition, type SeriesNumber } from '../../shared/series.ts';
import type { Host, InputKind, Log } from './input.ts';
import type { Intake } from './input-sink.ts';
import { type InputHealth, InputTask } from './task.ts';

const longestTickMs = 1000;
const shortestTickMs = 100;
/** At the start, inputs that open slowly hold the first tick up for at most this long. */
const openGraceMs = 2000;
/** How long `stop` waits for inputs to close. */
const closeGraceMs = 2000;
const millisecondsPerSecond = 1000;

export interface RunnerOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The current instant on both clocks; the estimate of UTC in it is the agent's. */
  readonly now: () => Instant;
  readonly intake: Intake;
  readonly host: Host;
  readonly log: Log;
  readonly onTickStart?: (now: Instant) => void;
  readonly onTickEnd?: (now: Instant) => void;
}

interface Slot {
  readonly task: InputTask;
  duration: SeriesNumber;
  failures: SeriesNumber;
}

export class InputRunner {
  readonly #options: RunnerOptions;
  readonly #slots: Slot[] = [];
  #tickMs = longestTickMs;
  #timer: unknown = null;
  #running = false;
  #lastTickMs = Number.NaN;
  #skippedTicks = 0;
  #skippedSeries: SeriesNumber = -1;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Ticks that were not run because the one before took too long, or the machine slept. */
  get skippedTicks(): number {
    return this.#skippedTicks;
  }

  /**
   * Adds an input; before `start`.
   * @param name unique, as people see it: `linux.cpu`, `modbus.chiller`
   * @param config what the kind's own schema has parsed
   */
  add(name: string, kind: InputKind<unknown>, config: unknown): void {
    const { intake, host, clock, timers, log } = this.#options;
    const { intervalMs } = kind.timing(config);
    // Slow inputs are dealt out over the seconds of their interval instead of all falling on its first one.
    const phaseMs = intervalMs > longestTickMs ? (this.#slots.length * longestTickMs) % intervalMs : 0;
    const task = new InputTask({ name, kind, config, host, intake, clock, timers, log, phaseMs });
    this.#slots.push({ task, duration: -1, failures: -1 });
    this.#tickMs = Math.max(shortestTickMs, Math.min(this.#tickMs, intervalMs));
  }

  /** Opens all inputs (waiting for the slow ones only so long) and begins to tick. */
  async start(): Promise<void> {
    this.#running = true;
    for (const slot of this.#slots) {
      const attributes = { input: slot.task.name };
      const { intervalMs } = slot.task.timing;
      slot.duration = this.#own('picket.input.duration', 's', attributes, 'gauge', intervalMs);
      slot.failures = this.#own('picket.input.failures', '{failure}/s', attributes, 'counter', intervalMs);
    }
    this.#skippedSeries = this.#own('picket.tick.skipped', '{tick}/s', {}, 'counter', this.#tickMs);
    await this.#settled(
      this.#slots.map((slot) => slot.task.open()),
      openGraceMs,
    );
    if (this.#running) this.#schedule();
  }

  /** Stops ticking, aborts what is under way and closes all inputs. */
  async stop(): Promise<void> {
    this.#running = false;
    if (this.#timer !== null) this.#options.timers.cancel(this.#timer);
    this.#timer = null;
    await this.#settled(
      this.#slots.map((slot) => slot.task.close()),
      closeGraceMs,
    );
  }

  /** How every input is. */
  health(): readonly InputHealth[] {
    return this.#slots.map((slot) => slot.task.health());
  }

  /** One pass over all inputs that are due. Called by the timer; benches and tests may call it themselves. */
  tick(): void {
    const { onTickStart, onTickEnd, now: instantNow } = this.#options;
    const now = instantNow();
    this.#countSkipped(now);
    onTickStart?.(now);
    const toleranceMs = this.#tickMs / 4;
    for (const slot of this.#slots) {
      slot.task.reopenWhenDue(now, toleranceMs);
      if (!slot.task.isDue(now, toleranceMs)) continue;
      slot.task.turn(now);
      this.#putOwn(slot, now);
    }
    this.#put(this.#skippedSeries, this.#skippedTicks, now);
    onTickEnd?.(now);
  }

  #putOwn(slot: Slot, now: Instant): void {
    const durationMs = slot.task.takeDurationMs();
    if (!Number.isNaN(durationMs)) this.#put(slot.duration, durationMs / millisecondsPerSecond, now);
    this.#put(slot.failures, slot.task.failures, now);
  }

  #put(series: SeriesNumber, value: number, now: Instant): void {
    if (series >= 0) this.#options.intake.put(series, value, Quality.good, now);
  }

  #own(
    name: string,
    unit: string,
    attributes: Readonly<Record<string, string>>,
    kind: SeriesDefinition['kind'],
    intervalMs: number,
  ): SeriesNumber {
    return this.#options.intake.series({
      name,
      unit,
      attributes,
      kind,
      min: 0,
      intervalMs,
      steady: kind === 'counter',
    });
  }

  #countSkipped(now: Instant): void {
    const sinceMs = now.monotonicMs - this.#lastTickMs;
    this.#lastTickMs = now.monotonicMs;
    if (sinceMs >= this.#tickMs * 2) this.#skippedTicks += Math.round(sinceMs / this.#tickMs) - 1;
  }

  /** To the next round time that is at least half a tick away: early timers and set clocks make no double ticks. */
  #schedule(): void {
    const { utcMs } = this.#options.now();
    const passedMs = ((utcMs % this.#tickMs) + this.#tickMs) % this.#tickMs;
    const restMs = this.#tickMs - passedMs;
    const delayMs = restMs < this.#tickMs / 2 ? restMs + this.#tickMs : restMs;
    this.#timer = this.#options.timers.after(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    try {
      this.tick();
    } finally {
      // Whatever a hook threw, the next tick comes.
      if (this.#running) this.#schedule();
    }
  }

  /** Waits for all, or for the grace to pass. */
  async #settled(promises: readonly Promise<void>[], graceMs: number): Promise<void> {
    const { timers } = this.#options;
    await new Promise<void>((resolve) => {
      const timer = timers.after(graceMs, resolve);
      void Promise.all(promises).then(() => {
        timers.cancel(timer);
        resolve();
      });
    });
  }
}
