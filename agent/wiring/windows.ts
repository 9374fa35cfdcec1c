/** When a window ends: its columns become records, and the numbers of series that are gone become free. */
import type { Clock, Instant } from '../../shared/clock.ts';
import type { SeriesNumber } from '../../shared/series.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { summaryParts, type TablePart, tableParts } from '../parts.ts';
import type { Recorder } from '../recorder.ts';
import type { SeriesRegistry } from '../series.ts';
import type { Summariser } from '../summarise.ts';
import type { UtcEstimate } from '../utc.ts';
import { type ClosedWindow, type ClosedWindows, WindowClock } from '../windows.ts';

/** Between two ticks a wall clock that is merely slewed moves by less (500 ppm, adjtime(3)). */
const STEADY_MS = 250;

export interface WindowsOptions {
  readonly clock: Clock;
  readonly utc: UtcEstimate;
  readonly nominalMs: number;
  readonly registry: SeriesRegistry;
  readonly summariser: Summariser;
  readonly recorder: Recorder;
  /** A window is over: `numbers` are its columns' series. */
  readonly closed: (numbers: readonly SeriesNumber[], columns: WindowColumns, window: ClosedWindow) => void;
  /** The series is gone, and its number may be given to another. */
  readonly freed: (series: SeriesNumber) => void;
  /** A window could not be made a record. */
  readonly failed: (error: unknown) => void;
}

export class Windows {
  readonly #options: WindowsOptions;
  readonly #clock: WindowClock;
  #wallOffsetMs: number;
  #generation = -1;
  #numbers: readonly SeriesNumber[] = [];
  #positions: ReadonlyMap<SeriesNumber, number> = new Map();
  #tables: readonly TablePart[] = [];

  constructor(options: WindowsOptions) {
    this.#options = options;
    const { clock, nominalMs } = options;
    this.#wallOffsetMs = clock.wallMs() - clock.monotonicMs();
    this.#clock = new WindowClock(clock.monotonicMs(), this.#offsetMs(), nominalMs);
  }

  /** Where a series stands in a table that is in the outbox or on its way there; null where it is in none. */
  placeOf(series: SeriesNumber): { readonly table: string; readonly index: number } | null {
    void this.#renewTables();
    const position = this.#positions.get(series);
    if (position === undefined) return null;
    const part = this.#tables.find(({ first, length }) => position >= first && position < first + length);
    return part === undefined ? null : { table: part.hash, index: position - part.first };
  }

  /** At the start of each tick, before its samples. */
  tick(now: Instant): void {
    const closed = this.#clock.advance(now.monotonicMs, this.#offsetMs());
    if (closed === null) return;
    this.#close(closed).catch((error: unknown) => this.#options.failed(error));
  }

  /** At a clean stop: the open window is kept. Resolves when it is durable. */
  async finish(): Promise<void> {
    const closed = this.#clock.finish(this.#options.clock.monotonicMs());
    // At once: nobody is to wait for the next commit when the machine goes down.
    if (closed !== null) await this.#close(closed, true);
  }

  async #close({ window, hour }: ClosedWindows, urgent = false): Promise<void> {
    const { registry, summariser, closed, freed } = this.#options;
    const waiting: Promise<unknown>[] = [this.#renewTables()];
    const columns = summariser.close(this.#numbers);
    waiting.push(this.#append('summary', columns, window, urgent));
    if (hour !== null) waiting.push(this.#append('rollup', summariser.closeHour(this.#numbers), hour, urgent));
    closed(this.#numbers, columns, window);
    // A number keeps its meaning until its hour is told; then it is free for another series.
    if (hour !== null) {
      for (const number of registry.recycle()) {
        summariser.forget(number);
        freed(number);
      }
    }
    await Promise.all(waiting);
  }

  /** A new table where the set of series changed. Its record goes ahead of those that name it. */
  #renewTables(): Promise<unknown> {
    const { registry, recorder } = this.#options;
    if (registry.generation === this.#generation) return Promise.resolve();
    this.#generation = registry.generation;
    const numbers: SeriesNumber[] = [];
    for (let number = 0; number < registry.end; number++)
      if (registry.definition(number) !== null) numbers.push(number);
    this.#numbers = numbers;
    this.#positions = new Map(numbers.map((number, position) => [number, position]));
    this.#tables = tableParts(numbers.map((number) => registry.definition(number)!));
    return Promise.all(this.#tables.map(({ body, hash }) => recorder.append('table', body, 'table', { table: hash })));
  }

  #append(kind: 'summary' | 'rollup', columns: WindowColumns, window: ClosedWindow, urgent: boolean): Promise<unknown> {
    const { recorder, clock, utc } = this.#options;
    const { nominalMs, endMonotonicMs } = window;
    const lengthMs = Math.max(1, Math.round(window.lengthMs));
    // Without an estimate the wall clock is all there is; the central dates it anew when it hears from this boot.
    const nowUtcMs = utc.utcMs(clock.monotonicMs(), clock.wallMs());
    const endWallMs = window.endUtcMs ?? Math.round(nowUtcMs - (clock.monotonicMs() - endMonotonicMs));
    const span = { lengthMs, nominalMs, endMonotonicMs: Math.round(endMonotonicMs), endWallMs };
    const times = { fromWallMs: endWallMs - lengthMs, toWallMs: endWallMs };
    const recordClass = kind === 'summary' ? 'detail' : 'rollup';
    return Promise.all(
      summaryParts(columns, this.#tables, span).map(({ table, body }) =>
        recorder.append(kind, body, recordClass, { ...times, table, urgent }),
      ),
    );
  }

  /**
   * Estimate of UTC minus monotonic time: the central's; before it was heard the wall clock's, while that goes as fast
   * as monotonic time does. Null for none.
   */
  #offsetMs(): number | null {
    const { clock, utc } = this.#options;
    if (utc.offsetMs !== null) return utc.offsetMs;
    const offsetMs = clock.wallMs() - clock.monotonicMs();
    const steady = Math.abs(offsetMs - this.#wallOffsetMs) < STEADY_MS;
    this.#wallOffsetMs = offsetMs;
    return steady ? offsetMs : null;
  }
}
