/** Incidents of a machine and of the fleet, and the full-rate evidence around one. */
import type { FastifyInstance } from 'fastify';
import { DAY_MS } from '../../../shared/limits.ts';
import { checkedRange, type RouteContext, requireAgent } from '../context.ts';
import { agentParams, answers, list, object, oneOf, ref, timeMs } from '../schemas.ts';

const DEFAULT_SPAN_MS = 30 * DAY_MS;

interface Query {
  state?: 'open' | 'closed';
  from?: number;
  to?: number;
  limit: number;
}

const querystring = object(
  {
    state: oneOf('open', 'closed'),
    from: { ...timeMs, description: 'Unix ms; 30 days ago when absent' },
    to: { ...timeMs, description: 'Unix ms; tomorrow when absent, so that a clock that is ahead hides nothing' },
    limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
  },
  ['state', 'from', 'to', 'limit'],
);
const answer = object({ incidents: list(ref('Incident')) });

export function incidentRoutes(app: FastifyInstance, context: RouteContext): void {
  const { store, nowMs } = context.services;

  const find = async (query: Query, agent?: string) => {
    const range = checkedRange(query.from ?? nowMs() - DEFAULT_SPAN_MS, query.to ?? nowMs() + DAY_MS);
    return {
      incidents: await store.incidents({
        ...range,
        limit: query.limit,
        ...(query.state !== undefined && { state: query.state }),
        ...(agent !== undefined && { agent }),
      }),
    };
  };

  app.get<{ Querystring: Query }>(
    '/incidents',
    {
      schema: {
        operationId: 'listIncidents',
        tags: ['incidents'],
        summary: 'Incidents of the whole fleet',
        querystring,
        response: answers(answer),
      },
    },
    async (request) => find(request.query),
  );

  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/agents/:id/incidents',
    {
      schema: {
        operationId: 'listAgentIncidents',
        tags: ['incidents'],
        summary: 'Incidents of one machine',
        params: agentParams,
        querystring,
        response: answers(answer, 404),
      },
    },
    async (request) => find(request.query, requireAgent(context, request.params.id).id),
  );
}
