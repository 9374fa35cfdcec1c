/** Who is told of what, what was said, and which machines are overdue. */
import type { FastifyInstance } from 'fastify';
import { messageOf, PicketError } from '../../../shared/errors.ts';
import { audit, type RouteContext } from '../context.ts';
import { answers, list, object, ref, text } from '../schemas.ts';

const LOG_ENTRIES = 100;

export function alertRoutes(app: FastifyInstance, context: RouteContext): void {
  const { alerts } = context.services;

  app.get<{ Querystring: { limit: number } }>(
    '/alerts',
    {
      schema: {
        operationId: 'getAlerts',
        tags: ['alerts'],
        summary: 'Targets of notifications, the heartbeat, and what was told to whom',
        querystring: object(
          {
            limit: {
              type: 'integer',
              minimum: 1,
              maximum: 500,
              default: LOG_ENTRIES,
              description: 'entries of the log',
            },
          },
          ['limit'],
        ),
        response: answers(
          object({
            targets: list(ref('AlertTarget')),
            heartbeat: { anyOf: [ref('Heartbeat'), { type: 'null' }] },
            problem: { type: ['string', 'null'], description: 'why the central cannot do its work' },
            log: list(ref('AlertLogEntry'), 'the newest first'),
          }),
        ),
      },
    },
    async (request) => {
      const { targets, heartbeat, problem, log } = alerts.view();
      return { targets, heartbeat, problem, log: log.slice(0, request.query.limit) };
    },
  );

  app.get<{ Querystring: { overdue: boolean } }>(
    '/alerts/contacts',
    {
      schema: {
        operationId: 'listContacts',
        tags: ['alerts'],
        summary: 'When each machine was last heard of, and when it would be overdue',
        querystring: object({ overdue: { type: 'boolean', default: false, description: 'only those that are' } }, [
          'overdue',
        ]),
        response: answers(object({ contacts: list(ref('Contact')) })),
      },
    },
    async (request) => {
      const { contacts } = alerts.view();
      return { contacts: request.query.overdue ? contacts.filter(({ overdueMs }) => overdueMs !== null) : contacts };
    },
  );

  app.post<{ Params: { name: string } }>(
    '/alerts/targets/:name/test',
    {
      schema: {
        operationId: 'testTarget',
        tags: ['alerts'],
        summary: 'Sends a test to a target; answers with what its receiver said',
        params: object({ name: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,40}$' } }),
        response: answers(object({ answer: text }), 403, 404, 502),
      },
    },
    async (request) => {
      const { name } = request.params;
      await audit(context, request, 'alerts.test', name);
      const answer = await alerts.test(name).catch((error: unknown) => {
        throw new PicketError('target.failed', `${name} did not take the test: ${messageOf(error)}`, {}, error);
      });
      if (answer === null) throw new PicketError('not_found', `There is no target ${name}.`);
      return { answer };
    },
  );
}
