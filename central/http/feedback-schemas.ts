/** Schemas of what people say of incidents, and of planned work. */

import { verdicts } from '../feedback/api.ts';
import { changeKinds } from '../train/meaning.ts';
import {
  flag,
  integer,
  mapOf,
  numberOrNull,
  object,
  oneOf,
  seriesId,
  text,
  timeMs,
  timeMsOrNull,
} from './schema-parts.ts';

const textOrNull = { type: ['string', 'null'] } as const;

const label = {
  verdict: oneOf(...verdicts),
  class: { ...textOrNull, description: 'of a real one: what it was; null where nobody said' },
  note: text,
  by: text,
  atMs: timeMs,
};
const suggested = {
  verdict: oneOf(...verdicts, 'unknown'),
  class: textOrNull,
  agreeing: { ...integer, description: 'so many of the similar ones that were judged say so' },
  similar: integer,
};

/** What is added to an incident when it is shown; each only where there is something. */
export const judgedParts = {
  label: object(label),
  suggested: { ...object(suggested), description: 'what it looks like, from those that were judged before' },
  maintenance: { ...object({ id: text, reason: text }), description: 'the planned work that it fell into' },
} as const;

export const feedbackSchemas = {
  SeriesChange: object({
    series: seriesId,
    key: object({ name: text, unit: text, attributes: mapOf(text) }),
    kind: oneOf(...changeKinds),
    atMs: timeMs,
    factor: { ...numberOrNull, description: 'values (of `resolution`: steps) are so many times as large since' },
    text,
  }),
  IncidentLabel: object(label),
  MaintenanceWindow: object({
    id: text,
    agent: { type: ['string', 'null'], description: 'one machine; null: all of the site' },
    site: { ...textOrNull, description: 'all machines of a site; null with no agent: the fleet' },
    fromMs: timeMs,
    toMs: timeMs,
    reason: text,
    by: text,
    madeMs: timeMs,
    afterwards: { ...flag, description: 'entered after it had begun' },
    endedMs: { ...timeMsOrNull, description: 'when somebody ended it before its time' },
  }),
} as const;
