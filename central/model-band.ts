/** What the models that a machine runs expect of a series, at given times. */
import { emptyVerdict } from '../shared/detect/detector.ts';
import type { SeriesId } from '../shared/series.ts';
import type { Band, ModelVersion } from './api.ts';
import type { ModelContents } from './model-contents.ts';
import { modelKinds } from './train/registry.ts';

export interface RunningModels {
  /** Versions by slot. */
  readonly running: Readonly<Record<string, number>>;
  readonly get: (version: number) => Promise<ModelVersion | null>;
  readonly contents: ModelContents;
}

/** Null where no model that runs knows the series. */
export async function bandOf(
  { running, get, contents }: RunningModels,
  series: SeriesId,
  timesMs: readonly number[],
): Promise<Band | null> {
  // The newest first: it is for the windows that the agent makes now.
  for (const kind of modelKinds.toSorted((a, b) => (running[b.slot] ?? 0) - (running[a.slot] ?? 0))) {
    const version = running[kind.slot];
    const model = version === undefined ? null : await get(version);
    const params = model && (await contents.parameters(kind, model.contentSha256))?.get(series);
    if (version === undefined || params === null || params === undefined) continue;
    const state = kind.detector.start(params);
    const x = new Float64Array(1);
    const quality = new Uint8Array(1);
    const out = emptyVerdict();
    const low: (number | null)[] = [];
    const high: (number | null)[] = [];
    for (const utcMs of timesMs) {
      kind.detector.score(params, state, x, quality, { monotonicMs: 0, utcMs }, out);
      low.push(Number.isFinite(out.expectedLow) ? out.expectedLow : null);
      high.push(Number.isFinite(out.expectedHigh) ? out.expectedHigh : null);
    }
    return { version, timesMs, low, high };
  }
  return null;
}
