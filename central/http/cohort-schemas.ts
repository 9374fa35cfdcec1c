/** Schemas of cohorts in answers. */
import {
  agentId,
  flag,
  integer,
  list,
  number,
  object,
  oneOf,
  orNull,
  text,
  timeMs,
  timeMsOrNull,
} from './schema-parts.ts';

const nameOrNull = orNull(text);

export const cohortSchemas = {
  Cohorts: object({
    cohorts: list(
      object({
        id: text,
        name: text,
        namedByHand: flag,
        sinceMs: timeMs,
        traits: list(object({ what: text, here: text, elsewhere: text })),
        members: list(
          object({
            agent: agentId,
            by: oneOf('hand', 'clusters', 'first'),
            sinceMs: timeMs,
            distance: orNull(number),
            leaning: orNull(object({ cohort: nameOrNull, rounds: integer })),
          }),
        ),
      }),
    ),
    alone: list(object({ agent: agentId, why: oneOf('alone', 'young') })),
    roundMs: timeMsOrNull,
  }),
};
