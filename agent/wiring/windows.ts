/**
 * When a window ends: its columns become records, and the numbers of series that are gone become free.
 *
 * Under a budget of the uplink the clock still makes minutes, and tens of them, and each is told as the budget's plan
 * has it. While windows of ten minutes are told, or hours alone, the minutes of the open ten and of the one before are
 * held: when something happens they are told, and so is each minute until the end of the ten in which it is over. The
 * ten before had been told already: of the two the central takes whichever counts more, and never both.
 */
import type { Clock, Instant } from '../../shared/clock.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import type { SeriesNumber } from '../../shared/series.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { type SummaryPart, summaryParts, type TablePart, tableParts } from '../parts.ts';
import type { Recorder } from '../recorder.ts';
import type { SeriesRegistry } from '../series.ts';
import type { Summariser } from '../summarise.ts';
import type { UplinkBudget } from '../uplink/budget.ts';
import { type BodyKind, hourKind } from '../uplink/plan.ts';
import { Tens } from '../uplink/tens.ts';
import { Thinner } from '../uplink/thin.ts';
import type { UtcEstimate } from '../utc.ts';
import { type ClosedWindow, type ClosedWindows, WindowClock } from '../windows.ts';

/** Between two ticks a wall clock that is merely slewed moves by less (500 ppm, adjtime(3)). */
const STEADY_MS = 250;
/** A smaller step is not told. */
const STEP_MS = 1_000;
/** Minutes that are held of one ten: more only where it ended early and began anew. */
const HELD_MINUTES = 12;

/** A window as bodies of records. */
interface MadeWindow {
  readonly kind: 'summary' | 'rollup';
  readonly parts: readonly SummaryPart[];
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** What a budget of the uplink says of windows, and is told of them. */
type WindowPlan = Pick<UplinkBudget, 'bounded' | 'plan' | 'detail' | 'closed' | 'made'>;

export interface WindowsOptions {
  readonly clock: Clock;
  readonly utc: UtcEstimate;
  readonly nominalMs: number;
  readonly registry: SeriesRegistry;
  readonly summariser: Summariser;
  readonly recorder: Recorder;
  /** What is told of the windows; null: all, as it is. */
  readonly budget: WindowPlan | null;
  /** Whether the windows are minutes, of which tens are made as well. */
  readonly makesTens: boolean;
  /** Below this surprise, in bits, a series is within its usual range. */
  readonly usualBits: () => number;
  /** A window is over: `numbers` are its columns' series. */
  readonly closed: (numbers: readonly SeriesNumber[], columns: WindowColumns, window: ClosedWindow) => void;
  /** The series is gone, and its number may be given to another. */
  readonly freed: (series: SeriesNumber) => void;
  /** Between two windows the idea of UTC moved: what is still open is to move with it. */
  readonly stepped: (byMs: number) => void;
  /** A window could not be made a record. */
  readonly failed: (error: unknown) => void;
}

/**
 * A window is committed when it ends, not with the next group: little else is made then, so that the disk is written as
 * often, and it is on its way five seconds earlier.
 */
const atOnce = { urgent: true } as const;

export class Windows {
  readonly #options: WindowsOptions;
  readonly #clock: WindowClock;
  #wallOffsetMs: number;
  #generation = -1;
  #numbers: readonly SeriesNumber[] = [];
  #positions: ReadonlyMap<SeriesNumber, number> = new Map();
  #tables: readonly TablePart[] = [];
  readonly #tens: Tens | null;
  readonly #thinner: Thinner;
  /** Minutes that were not told, of the open ten and of the one before. */
  #held: MadeWindow[] = [];
  #heldBefore: MadeWindow[] = [];
  /** Minutes are told, by the plan; changed where ten of them end, so that no minute is in neither. */
  #minutes: boolean;
  /** A minute of the open ten was told: the others are, too, and the ten is not. */
  #minuteTold = false;

  constructor(options: WindowsOptions) {
    this.#options = options;
    const { clock, nominalMs, budget, registry } = options;
    this.#tens = options.makesTens ? new Tens() : null;
    this.#minutes = budget?.plan.windowMs === MINUTE_MS;
    this.#thinner = new Thinner(budget === null ? 0 : registry.limit);
    this.#wallOffsetMs = clock.wallMs() - clock.monotonicMs();
    this.#clock = new WindowClock(clock.monotonicMs(), this.#offsetMs(), nominalMs);
    options.utc.renew(clock.monotonicMs(), clock.wallMs());
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
    const { clock, utc, stepped } = this.#options;
    const byMs = utc.renew(clock.monotonicMs(), clock.wallMs());
    this.#close(closed).catch((error: unknown) => this.#options.failed(error));
    // What the window that ended told was told by the old idea, and moves, too.
    if (Math.abs(byMs) >= STEP_MS) stepped(byMs);
  }

  /** At a clean stop: the open window is kept. Resolves when it is durable. */
  async finish(): Promise<void> {
    const closed = this.#clock.finish(this.#options.clock.monotonicMs());
    if (closed !== null) await this.#close(closed);
  }

  async #close({ window, hour }: ClosedWindows): Promise<void> {
    const { registry, summariser, closed, freed } = this.#options;
    const waiting: Promise<unknown>[] = [this.#renewTables()];
    const { before = null, after = null } = this.#tens?.add(window, hour !== null) ?? {};
    if (before !== null) waiting.push(this.#closeTens(before));
    const columns = summariser.close(this.#numbers);
    waiting.push(this.#tell(columns, window));
    closed(this.#numbers, columns, window);
    if (after !== null) waiting.push(this.#closeTens(after));
    if (hour !== null) waiting.push(this.#append(this.#made('rollup', summariser.closeHour(this.#numbers), hour)));
    // A number keeps its meaning until its hour is told; then it is free for another series.
    if (hour !== null) {
      for (const number of registry.recycle()) {
        summariser.forget(number);
        this.#thinner.forget(number);
        freed(number);
      }
    }
    await Promise.all(waiting);
  }

  /** A window of the clock: told, or held for what may happen. */
  async #tell(columns: WindowColumns, window: ClosedWindow): Promise<void> {
    const { budget } = this.#options;
    if (budget === null || this.#tens === null) return this.#append(this.#made('summary', columns, window));
    const { detail } = budget;
    const earlier = detail ? [...this.#heldBefore, ...this.#held] : [];
    if (detail || this.#minutes) this.#minuteTold = true;
    const made = this.#made('summary', columns, window);
    if (this.#minuteTold) {
      this.#forgetHeld();
      await Promise.all([...earlier, made].map((each) => this.#append(each)));
      return;
    }
    this.#held.push(made);
    if (this.#held.length > HELD_MINUTES) this.#held.shift();
  }

  #forgetHeld(): void {
    this.#held = [];
    this.#heldBefore = [];
  }

  #closeTens(tens: ClosedWindow): Promise<void> {
    const { summariser, budget, closed } = this.#options;
    const columns = summariser.closeTens(this.#numbers);
    const told = !this.#minuteTold && budget?.plan.windowMs !== null;
    this.#minutes = budget?.plan.windowMs === MINUTE_MS;
    this.#minuteTold = false;
    this.#heldBefore = this.#held;
    this.#held = [];
    const waiting = told ? this.#append(this.#made('summary', columns, tens)) : Promise.resolve();
    closed(this.#numbers, columns, tens);
    return waiting;
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
    // They name a table that nothing else may keep.
    this.#forgetHeld();
    this.#positions = new Map(numbers.map((number, position) => [number, position]));
    this.#tables = tableParts(numbers.map((number) => registry.definition(number)!));
    return Promise.all(this.#tables.map(({ body, hash }) => recorder.append('table', body, 'table', { table: hash })));
  }

  async #append({ kind, parts, ...times }: MadeWindow): Promise<void> {
    const { recorder, budget } = this.#options;
    const recordClass = kind === 'summary' ? 'detail' : 'rollup';
    budget?.closed(times.toWallMs);
    await Promise.all(
      parts.map(({ table, body }) => recorder.append(kind, body, recordClass, { ...times, table, ...atOnce })),
    );
  }

  /** The window as bodies of records, as the budget's plan has it. */
  #made(kind: 'summary' | 'rollup', columns: WindowColumns, window: ClosedWindow): MadeWindow {
    const { clock, utc, budget, usualBits } = this.#options;
    const { nominalMs, endMonotonicMs } = window;
    const lengthMs = Math.max(1, Math.round(window.lengthMs));
    // Without an estimate the wall clock is all there is; the central dates it anew when it hears from this boot.
    const nowUtcMs = utc.utcMs(clock.monotonicMs(), clock.wallMs());
    const endMs = Math.round(nowUtcMs - (clock.monotonicMs() - endMonotonicMs));
    // A window that began by a wall clock that turned out to be wrong still says when it ended.
    const { endUtcMs } = window;
    const endWallMs = endUtcMs === null || Math.abs(endUtcMs - endMs) >= STEP_MS ? endMs : endUtcMs;
    const span = { lengthMs, nominalMs, endMonotonicMs: Math.round(endMonotonicMs), endWallMs };
    const times = { kind, fromWallMs: endWallMs - lengthMs, toWallMs: endWallMs };
    if (budget === null || !budget.bounded) return { ...times, parts: summaryParts(columns, this.#tables, span) };
    const told = this.#kindOf(kind, nominalMs, budget);
    const thin = this.#thinner.thin(this.#numbers, columns, {
      ...told,
      nominalMs,
      endMs: endWallMs,
      usualBits: usualBits(),
      sent: !this.#isHeld(kind, nominalMs),
    });
    const parts = summaryParts(thin.columns, this.#tables, span, thin.leftOut);
    budget.made(
      told,
      parts.reduce((sum, { body }) => sum + body.length, 0),
    );
    return { ...times, parts };
  }

  /** Minutes that are not told by the plan are for what happens, and keep all their detail. */
  #kindOf(kind: 'summary' | 'rollup', windowMs: number, budget: WindowPlan): BodyKind {
    const { plan, detail } = budget;
    if (kind === 'rollup') return hourKind(plan);
    const { sketchPercent, told } =
      detail || this.#isHeld(kind, windowMs) ? ({ sketchPercent: 1, told: 'all' } as const) : plan;
    return { of: 'window', windowMs, sketchPercent, told };
  }

  #isHeld(kind: 'summary' | 'rollup', windowMs: number): boolean {
    return kind === 'summary' && this.#tens !== null && windowMs === MINUTE_MS && !this.#minutes;
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
