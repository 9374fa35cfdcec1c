/** The two budgets of false alarms: what may be spent, what was, and each machine's part of it. */
import type { FastifyInstance } from 'fastify';
import type { RouteContext } from '../context.ts';
import { agentId, answers, list, number, object } from '../schemas.ts';

const numberOrNull = { type: ['number', 'null'] };

const answer = object({
  notificationsPerWeek: { ...number, description: 'of the whole fleet' },
  spentLastWeek: { ...number, description: 'notifications of the last seven days that statistics caused' },
  refusedLastWeek: { ...number, description: 'incidents that would have woken somebody, had there been any left' },
  agents: list(
    object({
      agent: agentId,
      notificationsPerWeek: { ...numberOrNull, description: 'the share that it was told last' },
      appliedPerWeek: { ...numberOrNull, description: 'the share that it goes by' },
      spentLastWeek: number,
      refusedLastWeek: number,
      findingsPerDay: { ...numberOrNull, description: 'incidents a day that it may show without waking anybody' },
      findingsSpentPerDay: { ...numberOrNull, description: 'incidents a day that it showed in the last week' },
      barBits: { ...numberOrNull, description: 'bits from which on it calls something a finding' },
    }),
  ),
});

export function budgetRoutes(app: FastifyInstance, context: RouteContext): void {
  const { budget } = context.services;
  app.get<{ Querystring: { agents: boolean } }>(
    '/budget',
    {
      schema: {
        operationId: 'getBudget',
        tags: ['incidents'],
        summary: 'What may be spent on false alarms, what was, and each machine’s part',
        querystring: object(
          { agents: { type: 'boolean', default: true, description: 'false: the fleet’s figures alone' } },
          ['agents'],
        ),
        response: answers(answer),
      },
    },
    async (request) => (request.query.agents ? budget() : { ...budget(), agents: [] }),
  );
}
