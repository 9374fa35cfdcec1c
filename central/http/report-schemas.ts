/** Schema of the report of how a version was judged. */
import {
  agentId,
  flag,
  integer,
  list,
  mapOf,
  number,
  numberOrNull,
  object,
  oneOf,
  orNull,
  seriesId,
  text,
  timeMs,
} from './schema-parts.ts';

const kinds = ['spike', 'shift', 'drift', 'stuck', 'variance', 'season'];

const figures = object({
  windows: integer,
  coverage: number,
  pinball: number,
  findingsPerDay: number,
  falseIncidentsPerWeek: number,
  pit: orNull(object({ shares: list(number), distance: number, windows: integer })),
  levels: list(object({ level: number, coverage: number })),
});
const caught = object({ found: integer, delayMs: numberOrNull });
const found = { cases: integer, challenger: caught, champion: orNull(caught) };
const compared = { ...found, lost: integer, gained: integer };
const band = { coverage: number, pinball: number };
const worst = { ...band, findings: integer };

export const reportSchemas = {
  EvaluationReport: object({
    version: integer,
    kind: text,
    agent: agentId,
    madeMs: timeMs,
    accepted: flag,
    reason: text,
    windowMs: number,
    heldOutFromMs: timeMs,
    heldOutToMs: timeMs,
    championVersion: { type: ['integer', 'null'] },
    bandLevel: number,
    findingsPerDay: number,
    windows: integer,
    series: integer,
    sampled: integer,
    challenger: figures,
    champion: orNull(figures),
    injected: list(object({ kind: oneOf(...kinds), size: numberOrNull, ...found })),
    recall: list(object({ kind: oneOf(...kinds, null), ...compared, deviation: number })),
    labelled: object(compared),
    origins: list(
      object({
        trainedToMs: timeMs,
        judgedToMs: timeMs,
        series: integer,
        windows: integer,
        challenger: object(band),
        champion: orNull(object(band)),
      }),
    ),
    worst: list(
      object({
        series: seriesId,
        key: object({ name: text, unit: text, attributes: mapOf(text) }),
        windows: integer,
        ...worst,
        champion: orNull(object(worst)),
      }),
    ),
  }),
};
