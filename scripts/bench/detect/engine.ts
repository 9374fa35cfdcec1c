/**
 * The agent's engine, as the bench runs it: the only file of the bench that knows the agent's stages, and it has no
 * detector of its own. One configuration for every set: the agent's defaults.
 *
 *   feed(utcMs, row) → DetectStage for each series → Finding → IncidentStage, if asked for
 *                  → GroupStage for all of them together → Finding
 *                    → bits of each series, bits and state of the machine
 *
 * Two things differ from an agent's start, since what is replayed was recorded and not disturbed by any start: nothing
 * is left out to settle, and time runs as the rows say.
 */
import { DetectStage } from '../../../agent/detect.ts';
import { GroupStage } from '../../../agent/groups.ts';
import { describeFinding, wordsFor } from '../../../agent/incidents/explain.ts';
import { IncidentStage } from '../../../agent/incidents.ts';
import { IncidentBudget } from '../../../shared/detect/budget.ts';
import type { Finding, Incident } from '../../../shared/findings.ts';
import { Quality, type SeriesDefinition } from '../../../shared/series.ts';

export interface EngineOptions {
  /** One series each, of one machine. */
  readonly columns: readonly string[];
  readonly intervalMs: number;
  /** False findings a day that nobody minds on this machine. */
  readonly findingsPerDay: number;
  readonly onFinding?: (finding: Finding) => void;
  /** Each revision of each incident, the closing one too; without it there is no incident stage. */
  readonly onIncident?: (incident: Incident) => void;
}

/** The agent's default budget of findings a day. */
export const shippedBudget = 1;

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
/** Of this run; what the records of incidents would be numbered in. */
const EPOCH = '0'.repeat(32);

export class Engine {
  /** Bits of each series at the last row. */
  readonly bits: Float64Array;
  /** Bits of the machine at the last row: how rare what begins or worsens with it is. Counted against a budget. */
  machineBits = 0;
  /** How unusual the machine is at the last row, whether it has just become so or has been for hours; any unit. */
  machineState = 0;
  /** Range that was expected of the last series of the last row; NaN where none was. */
  expectedLow = Number.NaN;
  expectedHigh = Number.NaN;
  readonly #columns: number;
  readonly #intervalMs: number;
  readonly #detect: DetectStage;
  readonly #groups: GroupStage;
  readonly #latest: Float64Array;
  readonly #incidents: IncidentStage | null;
  readonly #budget: IncidentBudget | null;
  readonly #at = { monotonicMs: 0, utcMs: 0 };
  #rows = 0;
  #opened = 0;
  /** An incident is being opened; see `settled`. */
  #opening: Promise<unknown> | null = null;

  constructor(options: EngineOptions) {
    const { columns, intervalMs, findingsPerDay, onFinding, onIncident } = options;
    this.#columns = columns.length;
    this.#intervalMs = intervalMs;
    this.bits = new Float64Array(columns.length);
    const definitions = columns.map(
      (name): SeriesDefinition => ({ name, unit: '', attributes: {}, kind: 'gauge', intervalMs }),
    );
    // What was shown moves the bar: without incidents nothing is shown, and the bar is what the tails promise.
    this.#budget = onIncident === undefined ? null : new IncidentBudget(findingsPerDay);
    this.#incidents = onIncident === undefined ? null : this.#startIncidents(onIncident, this.#budget!);
    const tell = (finding: Finding): void => {
      onFinding?.(finding);
      this.#incidents?.add(finding, this.#at);
    };
    const numbers = columns.map((_, series) => series);
    const series = {
      definition: (number: number) => definitions[number] ?? null,
      id: (number: number) => number.toString(16).padStart(16, '0'),
      live: () => numbers,
      generation: 0,
    };
    this.#latest = new Float64Array(columns.length).fill(Number.NaN);
    this.#groups = new GroupStage({
      series,
      latest: (number) => this.#latest[number]!,
      barBits: () => this.#detect.barBits,
      ...(this.#budget === null ? {} : { setTrials: (perDay) => this.#budget!.setTrials('groups', perDay) }),
      log,
      settleMs: 0,
      onFinding: tell,
    });
    this.#detect = new DetectStage({
      limit: columns.length,
      series,
      log,
      findingsPerDay,
      ...(this.#budget === null ? {} : { budget: this.#budget }),
      settleMs: 0,
      onFinding: tell,
    });
  }

  /** Takes the next row; NaN is a missing value. */
  feed(utcMs: number, rows: ArrayLike<number>, offset = 0): void {
    const at = this.#at;
    // The boot clock never goes back, whatever a file's clock does.
    const step = this.#rows === 0 ? this.#intervalMs : Math.max(1, utcMs - at.utcMs);
    at.monotonicMs += step;
    at.utcMs = utcMs;
    this.#rows++;
    if (this.#budget !== null) {
      this.#budget.pass(step);
      this.#detect.renewBar();
    }
    this.#incidents?.tick(at);
    let most = 0;
    for (let series = 0; series < this.#columns; series++) {
      const value = rows[offset + series]!;
      this.#detect.score(series, value, Number.isFinite(value) ? Quality.good : Quality.bad, at);
      const { bits } = this.#detect;
      this.bits[series] = bits;
      this.#latest[series] = value;
      if (bits > most) most = bits;
    }
    this.expectedLow = this.#detect.expectedLow;
    this.expectedHigh = this.#detect.expectedHigh;
    this.#groups.tick(at);
    // Series that are judged together are one machine; the first rows of a machine of several are judged by nobody.
    const together = this.#groups.ready;
    this.machineBits = together ? this.#groups.bits : most;
    this.machineState = together ? this.#groups.level : this.#columns === 1 ? most : 0;
  }

  /** Takes what another stage found at the last row. */
  tell(finding: Finding): void {
    this.#incidents?.add(finding, this.#at);
  }

  /** Not null while an incident is being written: wait for it before the next row. */
  get settled(): Promise<unknown> | null {
    return this.#opening;
  }

  /** Bytes of the state that is saved, all series together. */
  stateBytes(): number {
    return this.#detect.saveState().length;
  }

  #startIncidents(onIncident: (incident: Incident) => void, budget: IncidentBudget): IncidentStage {
    return new IncidentStage({
      log,
      zone: () => 'UTC',
      barBits: () => budget.bar(),
      budget,
      open: async (draft) => {
        const id = { epoch: EPOCH, seq: ++this.#opened };
        onIncident({ ...draft, ...id });
        this.#opening = Promise.resolve().then(() => {
          this.#opening = null;
        });
        return id;
      },
      revise: onIncident,
    });
  }
}

/** A finding in words and numbers, times in UTC. */
export function describe(finding: Finding): string {
  return describeFinding(finding, wordsFor('UTC'));
}

/** Scores of one series, as it would be judged alone on a machine. */
export function scoreSeries(timesMs: Float64Array, values: Float64Array, findingsPerDay = shippedBudget): Float64Array {
  const engine = new Engine({ columns: ['value'], intervalMs: firstInterval(timesMs), findingsPerDay });
  const scores = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    engine.feed(timesMs[i]!, values, i);
    scores[i] = engine.machineBits;
  }
  return scores;
}

/** How often rows come, as an operator would have configured it: what lies between the first two. */
export function firstInterval(timesMs: Float64Array): number {
  const interval = timesMs.length < 2 ? Number.NaN : timesMs[1]! - timesMs[0]!;
  return interval > 0 ? interval : 1000;
}
