/** Incidents of a machine and of the fleet, and the full-rate evidence around one. */
import type { FastifyInstance } from 'fastify';
import { DAY_MS } from '../../../shared/limits.ts';
import { type Verdict, verdicts } from '../../feedback/api.ts';
import { hasLabel, showIncident } from '../../feedback/shown.ts';
import { checkedRange, type RouteContext, requireAgent } from '../context.ts';
import { agentParams, answers, list, object, oneOf, ref, timeMs } from '../schemas.ts';

const DEFAULT_SPAN_MS = 30 * DAY_MS;

interface Query {
  state?: 'open' | 'closed';
  from?: number;
  to?: number;
  limit: number;
  label?: Verdict | 'none';
}

const querystring = object(
  {
    state: oneOf('open', 'closed'),
    from: { ...timeMs, description: 'Unix ms; 30 days ago when absent' },
    to: { ...timeMs, description: 'Unix ms; tomorrow when absent, so that a clock that is ahead hides nothing' },
    limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    label: { ...oneOf(...verdicts, 'none'), description: 'what operators said; `none`: nobody has judged it' },
  },
  ['state', 'from', 'to', 'limit', 'label'],
);
const answer = object({ incidents: list(ref('Incident')) });

export function incidentRoutes(app: FastifyInstance, context: RouteContext): void {
  const { store, nowMs, feedback, maintenance } = context.services;

  const find = async (query: Query, agent?: string) => {
    const range = checkedRange(query.from ?? nowMs() - DEFAULT_SPAN_MS, query.to ?? nowMs() + DAY_MS);
    const { label, limit } = query;
    const found = await store.incidents({
      ...range,
      // Which of them have a label is known here alone.
      ...(label === undefined && { limit }),
      ...(query.state !== undefined && { state: query.state }),
      ...(agent !== undefined && { agent }),
    });
    const wanted = label === undefined ? found : found.filter((one) => hasLabel(feedback, one, label)).slice(0, limit);
    return { incidents: wanted.map((incident) => showIncident({ feedback, maintenance }, incident, nowMs())) };
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
