/** The report of a version, as it is kept: figures to as many digits as anybody reads. */
import type { ModelVersion } from '../api.ts';
import type { EvaluationReport, Judgement } from './api.ts';

const DIGITS = 5;

export function reportOf(
  {
    version,
    kind,
    agent,
    trainedMs,
    reason,
  }: Pick<ModelVersion, 'version' | 'kind' | 'agent' | 'trainedMs' | 'reason'>,
  { judgement, accepted }: { readonly judgement: Judgement; readonly accepted: boolean },
): EvaluationReport {
  return { version, kind, agent, madeMs: trainedMs, accepted, reason, ...rounded(judgement) };
}

/** Whole numbers (times, counts) stay as they are. */
function rounded<T>(value: T): T {
  if (typeof value === 'number') {
    return (Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS))) as T;
  }
  if (Array.isArray(value)) return value.map(rounded) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, rounded(each)])) as T;
}
