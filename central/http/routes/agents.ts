/** The fleet: its agents, their names, their end, and the hand-over to new hardware. */
import type { FastifyInstance } from 'fastify';
import type { AgentState } from '../../api.ts';
import { audit, type RouteContext, requireAgent } from '../context.ts';
import { agentId, agentParams, answers, freeText, list, object, ref, shortText, tags, text } from '../schemas.ts';

interface ById {
  Params: { id: string };
}

export function agentRoutes(app: FastifyInstance, context: RouteContext): void {
  const { fleet, cohorts } = context.services;
  const shown = (agent: AgentState): AgentState => ({ ...agent, cohort: cohorts.nameOf(agent.id) });

  app.get(
    '/agents',
    {
      schema: {
        operationId: 'listAgents',
        tags: ['agents'],
        summary: 'All agents, retired ones too',
        response: answers(object({ agents: list(ref('AgentState')) })),
      },
    },
    async () => ({ agents: fleet.agents().map(shown) }),
  );

  app.get<ById>(
    '/agents/:id',
    {
      schema: {
        operationId: 'getAgent',
        tags: ['agents'],
        summary: 'One agent',
        params: agentParams,
        response: answers(ref('AgentState'), 404),
      },
    },
    async (request) => shown(requireAgent(context, request.params.id)),
  );

  app.patch<ById & { Body: { name?: string; site?: string; tags?: Record<string, string> } }>(
    '/agents/:id',
    {
      schema: {
        operationId: 'updateAgent',
        tags: ['agents'],
        summary: 'Change name, site or tags; what is left out stays',
        params: agentParams,
        body: { ...object({ name: shortText, site: freeText, tags }, ['name', 'site', 'tags']), minProperties: 1 },
        response: answers(ref('AgentState'), 403, 404),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      await fleet.update(id, request.body);
      await audit(context, request, 'agent.update', id, JSON.stringify(request.body));
      return requireAgent(context, id);
    },
  );

  app.post<ById>(
    '/agents/:id/retire',
    {
      schema: {
        operationId: 'retireAgent',
        tags: ['agents'],
        summary: 'End an identity: it cannot connect any more, its history stays',
        params: agentParams,
        response: answers(ref('AgentState'), 403, 404),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      await fleet.retire(id);
      await audit(context, request, 'agent.retire', id);
      return requireAgent(context, id);
    },
  );

  app.post<{ Params: { id: string; flag: string } }>(
    '/agents/:id/flags/:flag/dismiss',
    {
      schema: {
        operationId: 'dismissFlag',
        tags: ['agents'],
        summary: 'Take down a flag of an identity: somebody has seen to it',
        params: object({ id: agentId, flag: { type: 'string', pattern: '^[a-z_]+-[0-9a-f]*$', maxLength: 64 } }),
        response: answers(ref('AgentState'), 403, 404),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      await context.services.identity.dismiss(id, request.params.flag);
      await audit(context, request, 'agent.dismiss', id, request.params.flag);
      return requireAgent(context, id);
    },
  );

  app.post<ById>(
    '/agents/:id/replace',
    {
      schema: {
        operationId: 'replaceAgent',
        tags: ['agents'],
        summary: 'A token with which new hardware takes the identity over; the old credentials end when it is used',
        params: agentParams,
        response: answers(object({ token: text, command: text }), 403, 404, 409),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const made = await fleet.replace(id);
      await audit(context, request, 'agent.replace', id);
      return made;
    },
  );
}
