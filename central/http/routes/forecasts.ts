/** When resources come to their end: one machine's forecasts, and what runs out soonest over all. */
import type { FastifyInstance } from 'fastify';
import { type RouteContext, requireAgent } from '../context.ts';
import {
  agentId,
  agentParams,
  answers,
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
  timeMsOrNull,
} from '../schemas.ts';

const reached = object({
  expectedMs: timeMsOrNull,
  earliestMs: { ...timeMs, description: 'the interval holds nine of ten' },
  latestMs: { ...timeMsOrNull, description: 'null: open' },
  by: oneOf('hours', 'days'),
});
const stepped = object({
  model: { ...text, description: 'the model that was chosen' },
  naive: {
    ...flag,
    description: 'true where it is nothing but the values of the last season: no model came near to them',
  },
  mase: { ...number, description: 'error on time that it had not seen, in parts of the naive one within the history' },
  naiveMase: number,
  coverage90: { ...numberOrNull, description: 'share of that time which lay in the interval' },
  origins: { ...integer, description: 'places in the past from which it was tried' },
  shifted: { ...flag, description: 'true where a level shift cut the history off' },
  stepMs: number,
  firstMs: { ...timeMs, description: 'end of the first step' },
  fromMs: timeMs,
  toMs: timeMs,
  measured: { ...integer, description: 'steps of the history that were measured' },
  missing: integer,
  value: list(number),
  low: list(number),
  high: list(number),
});
const what = {
  series: seriesId,
  thing: { ...text, description: 'for people' },
  reaches: oneOf('full', 'empty', 'peak'),
  bound: number,
  current: { ...number, description: 'mean of the latest hour' },
};

const ofAgent = object({
  madeMs: timeMsOrNull,
  forecasts: list(
    object({
      ...what,
      key: object({ name: text, unit: text, attributes: mapOf(text) }),
      invert: { ...flag, description: 'true where it is of one minus the series' },
      whole: { ...number, description: 'what the series is divided by' },
      madeMs: timeMs,
      hours: orNull(stepped),
      days: orNull(stepped),
      reached: orNull(reached),
      agent: orNull(object({ expectedMs: timeMs, earliestMs: timeMsOrNull, latestMs: timeMsOrNull })),
      disagreement: { type: ['string', 'null'], description: 'where the machine itself says something else' },
    }),
  ),
});

const SOONEST = 20;

export function forecastRoutes(app: FastifyInstance, context: RouteContext): void {
  const { forecasts } = context.services;
  app.get<{ Params: { id: string } }>(
    '/agents/:id/forecasts',
    {
      schema: {
        operationId: 'getForecasts',
        tags: ['models'],
        summary: 'When a machine’s resources come to their end, and what they will be until then',
        params: agentParams,
        response: answers(ofAgent, 404),
      },
    },
    async (request) => forecasts.ofAgent(requireAgent(context, request.params.id).id),
  );

  app.get<{ Querystring: { limit: number } }>(
    '/forecasts',
    {
      schema: {
        operationId: 'listSoonestEnds',
        tags: ['models'],
        summary: 'What runs out soonest over all machines',
        querystring: object({ limit: { type: 'integer', minimum: 1, maximum: 500, default: SOONEST } }, ['limit']),
        response: answers(object({ ends: list(object({ agent: agentId, ...what, reached })) })),
      },
    },
    async (request) => ({ ends: forecasts.soonest(request.query.limit) }),
  );
}
