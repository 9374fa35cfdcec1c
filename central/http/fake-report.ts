/** A report for tests of routes and schemas. */
import type { EvaluationReport, ReportFigures } from '../evaluate/api.ts';
import { SERIES, START_MS, someModel } from './fake-values.ts';

const figures: ReportFigures = {
  windows: 1440,
  coverage: 0.985,
  pinball: 0.21,
  findingsPerDay: 0.5,
  falseIncidentsPerWeek: 2,
  pit: { shares: Array.from({ length: 20 }, () => 0.05), distance: 0, windows: 1440 },
  levels: [{ level: 0.9, coverage: 0.91 }],
};
const found = { cases: 8, challenger: { found: 5, delayMs: 60_000 }, champion: { found: 4, delayMs: 120_000 } };

export const someReport: EvaluationReport = {
  version: someModel.version,
  kind: someModel.kind,
  agent: someModel.agent,
  madeMs: START_MS,
  accepted: true,
  reason: someModel.reason,
  windowMs: 60_000,
  heldOutFromMs: START_MS - 1000,
  heldOutToMs: START_MS,
  championVersion: 2,
  bandLevel: 0.98,
  findingsPerDay: 1,
  windows: 1440,
  series: 12,
  sampled: 4,
  challenger: figures,
  champion: { ...figures, pit: null },
  injected: [{ kind: 'drift', size: 5, ...found }],
  recall: [{ kind: null, ...found, lost: 0, gained: 1, deviation: 1 }],
  labelled: { ...found, lost: 0, gained: 1 },
  origins: [
    {
      trainedToMs: START_MS - 1000,
      judgedToMs: START_MS,
      series: 12,
      windows: 1440,
      challenger: { coverage: 0.98, pinball: 0.21 },
      champion: null,
    },
  ],
  worst: [
    {
      series: SERIES,
      key: { name: 'system.cpu.utilization', unit: '1', attributes: {} },
      windows: 120,
      coverage: 0.9,
      pinball: 1.5,
      findings: 2,
      champion: null,
    },
  ],
};
