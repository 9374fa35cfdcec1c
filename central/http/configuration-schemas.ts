/** Schemas of configurations in answers. */
import { agentId, flag, integer, list, mapOf, number, object, oneOf, orNull, text, timeMs } from './schema-parts.ts';

const member = object({
  agent: agentId,
  canary: flag,
  toldMs: orNull(timeMs),
  appliedMs: orNull(timeMs),
  awayMs: orNull(timeMs),
  starts: integer,
  lost: orNull(text),
});

export const configurationSchemas = {
  ConfigurationVersion: object({
    scope: text,
    version: integer,
    text,
    author: text,
    comment: text,
    atMs: timeMs,
  }),
  ConfigurationRollout: object({
    scope: text,
    version: integer,
    from: integer,
    stage: oneOf('canary', 'all', 'done', 'reverted'),
    startedMs: timeMs,
    sinceMs: timeMs,
    pausedMs: orNull(timeMs),
    reason: text,
    times: object({ settleMs: number, backMs: number, share: number }),
    members: mapOf(member),
  }),
  ConfigurationLayer: object({
    scope: text,
    newest: integer,
    stable: integer,
    wanted: orNull({ $ref: 'ConfigurationVersion#' }),
    rollout: orNull({ $ref: 'ConfigurationRollout#' }),
  }),
  ConfigurationProblem: object({ line: integer, column: integer, key: text, message: text }),
  AgentConfiguration: object({
    agent: agentId,
    cohort: text,
    state: oneOf('none', 'unsupported', 'not managed', 'waits for key', 'sent', 'trial', 'applied', 'refused'),
    version: integer,
    running: integer,
    layers: mapOf(integer),
    values: { type: 'object', additionalProperties: true },
    origins: list(object({ key: text, layer: text })),
    left: list(text),
    problem: orNull(text),
  }),
};
