/** The agent's own figures as series, each ten seconds: what it takes of the machine, and what it holds. */
import { availableParallelism } from 'node:os';
import { memoryUsage } from 'node:process';
import type { Instant } from '../shared/clock.ts';
import { Quality, type SeriesDefinition, type SeriesNumber } from '../shared/series.ts';

const INTERVAL_MS = 10_000;

/** The parts that are asked. */
export interface HealthOptions {
  readonly intake: {
    series(definition: SeriesDefinition): SeriesNumber;
    put(series: SeriesNumber, value: number, quality: Quality, at: Instant): void;
  };
  readonly preprocess: {
    report(sink: {
      series(definition: SeriesDefinition): SeriesNumber;
      put(series: SeriesNumber, value: number): void;
    }): void;
  };
  readonly outbox: {
    stats(): { readonly pendingRecords: number; readonly diskBytes: number; readonly lostRecords: number };
  };
  readonly detect: { readonly barBits: number };
}

type Own = readonly [definition: SeriesDefinition, read: () => number];

export class Health {
  readonly #options: HealthOptions;
  #nextMs = 0;
  #own: readonly (readonly [series: SeriesNumber, read: () => number])[] | null = null;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  tick(now: Instant): void {
    if (now.monotonicMs < this.#nextMs) return;
    this.#nextMs = now.monotonicMs + INTERVAL_MS - 500;
    const { intake, preprocess } = this.#options;
    this.#own ??= this.#definitions().map(([definition, read]) => [intake.series(definition), read] as const);
    for (const [series, read] of this.#own) if (series >= 0) intake.put(series, read(), Quality.good, now);
    preprocess.report({
      series: (definition) => intake.series({ intervalMs: INTERVAL_MS, ...definition }),
      put: (series, value) => {
        if (series >= 0) intake.put(series, value, Quality.good, now);
      },
    });
  }

  #definitions(): readonly Own[] {
    const { outbox, detect } = this.#options;
    const gauge = (name: string, unit: string, more: Partial<SeriesDefinition> = {}): SeriesDefinition => ({
      name,
      unit,
      attributes: {},
      kind: 'gauge',
      min: 0,
      intervalMs: INTERVAL_MS,
      ...more,
    });
    return [
      [gauge('process.memory.usage', 'By'), () => memoryUsage.rss()],
      // OpenTelemetry: 1 is all processors.
      [
        gauge('process.cpu.utilization', '1', { kind: 'counter', scale: 1e-6 / availableParallelism() }),
        () => cpuMicroseconds(),
      ],
      [gauge('picket.outbox.pending', '{record}', { steady: true }), () => outbox.stats().pendingRecords],
      [gauge('picket.outbox.size', 'By', { steady: true }), () => outbox.stats().diskBytes],
      [gauge('picket.outbox.lost', '{record}', { steady: true }), () => outbox.stats().lostRecords],
      [gauge('picket.finding.bar', 'bit', { steady: true }), () => detect.barBits],
    ];
  }
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
