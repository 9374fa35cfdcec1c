/**
 * A machine that replays rows, a row a minute: the agent's stages (`../detect/engine.ts`) and its window tier, which runs
 * the model that it is given, on windows of a minute. What opens is told.
 */
import { ModelStage } from '../../../agent/models.ts';
import type { Incident } from '../../../shared/findings.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import type { WindowColumns } from '../../../shared/wire/summary.ts';
import { Engine, shippedBudget } from '../detect/engine.ts';
import { smdMetrics } from '../detect/formats/smd.ts';

/** Any Monday; the rows have no times of their own. */
export const BEGIN_MS = Date.UTC(2019, 0, 7);

export const numbers = Array.from({ length: smdMetrics }, (_, i) => i);
export const columns = numbers.map((i) => `metric.${i + 1}`);
export const idOf = (number: number): string => number.toString(16).padStart(16, '0');

export class Machine {
  readonly #engine: Engine;
  readonly #models: ModelStage;
  readonly #window: WindowColumns;
  readonly #opened = new Set<number>();

  /** @param onIncident each revision of each incident */
  constructor(onIncident: (incident: Incident, isNew: boolean) => void) {
    this.#engine = new Engine({
      columns,
      intervalMs: MINUTE_MS,
      findingsPerDay: shippedBudget,
      onIncident: (incident) => {
        const isNew = !this.#opened.has(incident.seq);
        this.#opened.add(incident.seq);
        onIncident(incident, isNew);
      },
    });
    this.#models = new ModelStage({
      limit: smdMetrics,
      windowMs: () => MINUTE_MS,
      series: {
        definition: (number) => ({ name: columns[number]!, unit: '', attributes: {}, kind: 'gauge' }),
        id: idOf,
      },
      onFinding: (finding) => this.#engine.tell(finding),
    });
    const column = (): Float64Array => new Float64Array(smdMetrics);
    const whole = { count: new Uint32Array(smdMetrics).fill(1), bad: new Uint32Array(smdMetrics) };
    const values = { mean: column(), deviation: column(), min: column(), max: column(), last: column() };
    const scores = { anomalyShare: column(), highestScore: column() };
    this.#window = { length: smdMetrics, ...whole, ...values, ...scores, sketches: numbers.map(() => null) };
  }

  run(content: Uint8Array): void {
    this.#models.activate('model/seasonal', content);
  }

  async feed(row: number, rows: Float32Array, offset: number): Promise<void> {
    const endUtcMs = BEGIN_MS + row * MINUTE_MS;
    this.#engine.feed(endUtcMs, rows, offset);
    for (const i of numbers) this.#window.mean[i] = rows[offset + i]!;
    const window = { nominalMs: MINUTE_MS, lengthMs: MINUTE_MS, endMonotonicMs: row * MINUTE_MS, endUtcMs };
    this.#models.score(numbers, this.#window, window);
    await this.#engine.settled;
  }
}
