/** Schemas of models, rollouts and pins in answers. */
import { agentId, flag, integer, mapOf, number, object, oneOf, orNull, text, timeMs } from './schema-parts.ts';

const figures = object({
  windows: integer,
  agreed: integer,
  newFindings: integer,
  oldFindings: integer,
  newOutside: integer,
  oldOutside: integer,
  newMs: number,
  oldMs: number,
});

const modelStates = ['challenger', 'rejected', 'staged', 'published', 'applied', 'refused', 'reverted', 'superseded'];

const heldOut = object({ coverage: number, pinball: number, findingsPerDay: number });

const rollout = {
  id: integer,
  slot: text,
  cohort: text,
  stage: oneOf('shadow', 'canary', 'all', 'done', 'reverted'),
  startedMs: timeMs,
  sinceMs: timeMs,
  pausedMs: orNull(timeMs),
  reason: text,
  times: object({ shadowMs: number, canaryMs: number, share: number }),
  members: mapOf(
    object({
      agent: agentId,
      version: integer,
      oldVersion: orNull(integer),
      compares: flag,
      canary: flag,
      applied: flag,
      out: orNull(text),
      lost: flag,
      figures: orNull(figures),
    }),
  ),
};

export const rolloutSchemas = {
  ModelVersion: object(
    {
      version: integer,
      kind: text,
      agent: agentId,
      trainedMs: timeMs,
      fromMs: timeMs,
      toMs: timeMs,
      series: integer,
      releaseSha256: text,
      contentSha256: text,
      contentBytes: integer,
      state: oneOf(...modelStates),
      reason: text,
      evaluation: orNull(
        object({
          heldOutFromMs: timeMs,
          heldOutToMs: timeMs,
          windows: integer,
          challenger: heldOut,
          champion: orNull(heldOut),
        }),
      ),
      window: object({
        fromMs: timeMs,
        toMs: timeMs,
        expectedMinutes: integer,
        presentMinutes: integer,
        lateMinutes: integer,
      }),
    },
    ['window'],
  ),
  Rollout: object(rollout),
  ListedRollout: object({
    ...rollout,
    counts: object({ machines: integer, canary: integer, applied: integer, out: integer }),
  }),
  ModelPin: object({ agent: agentId, slot: text, version: integer, by: text, sinceMs: timeMs }),
};
