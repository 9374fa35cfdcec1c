/** Events and documents of a machine. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { DAY_MS } from '../../../shared/limits.ts';
import { checkedRange, type RouteContext, requireAgent } from '../context.ts';
import { agentId, agentParams, answers, anything, list, object, oneOf, ref, timeMs } from '../schemas.ts';

/** Days of events when no range is given. */
const DEFAULT_SPAN_MS = 14 * DAY_MS;

export function historyRoutes(app: FastifyInstance, context: RouteContext): void {
  const { store, nowMs } = context.services;
  const rangeOf = (query: { from?: number; to?: number }) =>
    checkedRange(query.from ?? nowMs() - DEFAULT_SPAN_MS, query.to ?? nowMs() + DAY_MS);

  app.get<{ Params: { id: string }; Querystring: { from?: number; to?: number; limit: number } }>(
    '/agents/:id/events',
    {
      schema: {
        operationId: 'listEvents',
        tags: ['events'],
        summary: 'Changes of states, booleans and texts',
        params: agentParams,
        querystring: object(
          { from: timeMs, to: timeMs, limit: { type: 'integer', minimum: 1, maximum: 5000, default: 500 } },
          ['from', 'to', 'limit'],
        ),
        response: answers(object({ events: list(ref('StateEvent')) }), 404),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      return { events: await store.events(id, rangeOf(request.query), request.query.limit) };
    },
  );

  app.get<{ Params: { id: string; name: 'inventory' | 'top' | 'applied' } }>(
    '/agents/:id/documents/:name',
    {
      schema: {
        operationId: 'getDocument',
        tags: ['agents'],
        summary: 'The latest inventory, list of top processes, or applied models',
        params: object({ id: agentId, name: oneOf('inventory', 'top', 'applied') }),
        response: answers(object({ timeMs, json: anything }), 404),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { name } = request.params;
      const found = await store.document(id, name);
      if (found === null) throw new PicketError('not_found', `${id} has not sent its ${name} yet.`);
      return { timeMs: found.timeMs, json: found.json };
    },
  );
}
