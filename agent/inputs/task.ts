/**
 * One input while it runs: opened, read, and after a failure closed and opened anew, with growing pauses.
 *
 *     starting ──► ok ⇄ (reading) ──► failing ── pause 1 s … 5 min ──► starting
 *                                └──► hanging ── as failing, but never more than two reads left behind
 *
 * What an abandoned read still brings is not let through, and a read is never begun while one of the same open input is
 * under way.
 */
import type { Clock, Instant, Timers } from '../../shared/clock.ts';
import { codeOf, type ErrorCode, messageOf, PicketError } from '../../shared/errors.ts';
import type { Host, Input, InputKind, InputTiming, Log } from './input.ts';
import { InputSink, type Intake } from './input-sink.ts';

const firstPauseMs = 1000;
const longestPauseMs = 5 * 60_000;
/** Opens and reads of one input that neither ended nor obeyed their abort; beyond these it is not opened again. */
const maxAbandoned = 2;
/** An input that does not open in this time is given up for now. */
const openDeadlineMs = 30_000;

export type InputState = 'starting' | 'ok' | 'failing' | 'hanging';

export interface InputHealth {
  readonly name: string;
  readonly state: InputState;
  readonly lastError: { readonly code: ErrorCode; readonly message: string; readonly hint: string } | null;
  /** Monotonic time of the next try; null while it is well. */
  readonly nextTryMs: number | null;
  /** Since the start. */
  readonly failures: number;
  /** Reads that were due while one was still under way. */
  readonly skipped: number;
  /** How long the last read took; null before the first. */
  readonly durationMs: number | null;
}

export interface TaskOptions {
  readonly name: string;
  readonly kind: InputKind<unknown>;
  readonly config: unknown;
  readonly host: Host;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Moves an input that is slower than the tick away from the others, so that they do not fall on one tick. */
  readonly phaseMs: number;
}

export class InputTask {
  readonly name: string;
  readonly timing: InputTiming;
  failures = 0;
  skipped = 0;
  #durationMs = Number.NaN;
  /** Whether `takeDurationMs` has handed the last duration out. */
  #durationTaken = true;
  readonly #options: TaskOptions;
  #state: InputState = 'starting';
  #input: Input | null = null;
  #sink: InputSink | null = null;
  #opening = false;
  #reading = false;
  #abort = new AbortController();
  /** Rises with each opening: what an earlier one still does is not listened to. */
  #opened = 0;
  #abandoned = 0;
  #consecutive = 0;
  #nextTryMs = 0;
  #lastError: PicketError | null = null;
  #lastSlot = Number.NaN;
  #lastReadMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: TaskOptions) {
    this.name = options.name;
    this.#options = options;
    this.timing = options.kind.timing(options.config);
  }

  health(): InputHealth {
    const error = this.#lastError;
    return {
      name: this.name,
      state: this.#state,
      lastError: error === null ? null : { code: error.code, message: error.message, hint: error.hint },
      nextTryMs: this.#state === 'ok' ? null : this.#nextTryMs,
      failures: this.failures,
      skipped: this.skipped,
      durationMs: Number.isNaN(this.#durationMs) ? null : this.#durationMs,
    };
  }

  /** How long the last read took, each read once; NaN where none has ended since. */
  takeDurationMs(): number {
    if (this.#durationTaken) return Number.NaN;
    this.#durationTaken = true;
    return this.#durationMs;
  }

  /** Opens the input; resolves when it is open or has failed. Never rejects. */
  async open(): Promise<void> {
    if (this.#opening || this.#input !== null || this.#closed) return;
    const { kind, config, host, timers, intake } = this.#options;
    const generation = ++this.#opened;
    this.#opening = true;
    let expired = false;
    const opening = Promise.resolve().then(() => kind.open(config, host));
    const timer = timers.after(openDeadlineMs, () => {
      expired = true;
      this.#abandoned++;
      if (generation === this.#opened)
        this.#fail(new PicketError('input.failed', `It did not open in ${openDeadlineMs / 1000} s.`), 'hanging');
    });
    try {
      const input = await opening;
      if (expired || this.#closed || generation !== this.#opened) return void closeQuietly(input);
      this.#input = input;
      this.#lastSlot = Number.NaN;
      this.#lastReadMs = Number.NEGATIVE_INFINITY;
      this.#sink = new InputSink(intake, this.timing.intervalMs);
      this.#abort = new AbortController();
    } catch (error) {
      if (!expired && generation === this.#opened) this.#fail(error, 'failing');
    } finally {
      timers.cancel(timer);
      if (expired) this.#abandoned--;
      if (generation === this.#opened) this.#opening = false;
    }
  }

  /** Whether a read is due at this tick; asked once a tick. */
  isDue(now: Instant, toleranceMs: number): boolean {
    const { intervalMs } = this.timing;
    const slot = Math.floor((now.utcMs - this.#options.phaseMs + toleranceMs) / intervalMs);
    const sinceMs = now.monotonicMs - this.#lastReadMs;
    const newSlot = slot !== this.#lastSlot;
    this.#lastSlot = slot;
    // Slots keep reads on round times; the elapsed time guards against a clock that was set.
    const due = (newSlot && sinceMs >= intervalMs / 2) || sinceMs >= intervalMs * 1.5;
    if (due) this.#lastReadMs = now.monotonicMs;
    return due;
  }

  /** Opens an input whose pause is over; asked every tick, since a pause is shorter than many an interval. */
  reopenWhenDue(now: Instant, toleranceMs: number): void {
    if (this.#input !== null || this.#opening || this.#closed) return;
    if (now.monotonicMs + toleranceMs >= this.#nextTryMs && this.#abandoned < maxAbandoned) void this.open();
  }

  /** One turn of a due input: reads it, unless it still reads. */
  turn(now: Instant): void {
    if (this.#reading || this.#opening) this.skipped++;
    else if (this.#input !== null) this.#read(this.#input, this.#sink!, now);
  }

  /** Aborts what is under way and closes. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#abort.abort();
    this.#sink?.shut();
    const input = this.#input;
    this.#input = null;
    if (input !== null) await closeQuietly(input);
  }

  #read(input: Input, sink: InputSink, now: Instant): void {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    sink.begin(now);
    try {
      const pending = input.read(now, sink, this.#abort.signal);
      if (pending !== undefined) {
        void this.#wait(pending, startMs);
        return;
      }
    } catch (error) {
      this.#ended(startMs);
      this.#fail(error, 'failing');
      return;
    }
    this.#ended(startMs);
    this.#succeed();
  }

  async #wait(pending: Promise<void>, startMs: number): Promise<void> {
    const { timers } = this.#options;
    const { deadlineMs } = this.timing;
    const generation = this.#opened;
    this.#reading = true;
    let late = false;
    const timer = timers.after(deadlineMs, () => {
      late = true;
      if (this.#closed) return;
      this.#abandoned++;
      this.#reading = false;
      this.#ended(startMs);
      this.#fail(new PicketError('input.failed', `It did not answer within ${deadlineMs} ms.`), 'hanging');
    });
    let failure: unknown = null;
    try {
      await pending;
    } catch (error) {
      failure = error ?? new Error('It failed without saying why.');
    }
    timers.cancel(timer);
    if (late) {
      this.#abandoned--;
      return;
    }
    if (this.#closed || generation !== this.#opened) return;
    this.#reading = false;
    this.#ended(startMs);
    if (failure === null) this.#succeed();
    else this.#fail(failure, 'failing');
  }

  #ended(startMs: number): void {
    this.#durationMs = this.#options.clock.monotonicMs() - startMs;
    this.#durationTaken = false;
  }

  #succeed(): void {
    if (this.#state === 'ok') return;
    if (this.#consecutive > 0) this.#options.log.info({ input: this.name }, `Input ${this.name} works again.`);
    this.#state = 'ok';
    this.#consecutive = 0;
    this.#lastError = null;
  }

  #fail(error: unknown, state: 'failing' | 'hanging'): void {
    const { clock, log } = this.#options;
    this.failures++;
    this.#consecutive++;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#consecutive - 1, 20));
    this.#nextTryMs = clock.monotonicMs() + pauseMs;
    this.#lastError =
      error instanceof PicketError ? error : new PicketError('input.failed', messageOf(error), {}, error);
    // Once an outage: the first failure is what an operator can act on, the tries after it are in health.
    if (this.#consecutive === 1) {
      log.warn(
        { input: this.name, code: codeOf(this.#lastError) },
        `Input ${this.name} failed: ${this.#lastError.message} Next try in ${pauseMs / 1000} s.`,
      );
    }
    this.#state = state;
    this.#opened++;
    this.#opening = false;
    this.#abort.abort();
    this.#sink?.shut();
    this.#sink = null;
    const input = this.#input;
    this.#input = null;
    if (input !== null) void closeQuietly(input);
  }
}

/** An input that fails to close has failed before; there is nothing more to do about it. */
async function closeQuietly(input: Input): Promise<void> {
  try {
    await input.close();
  } catch {
    // Said above.
  }
}
