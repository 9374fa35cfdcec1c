/** Silence for a while: asked for here, done by the machine. */
import type { FastifyInstance } from 'fastify';
import { mutedWhat, muteLimits } from '../../../shared/mute.ts';
import { audit, type RouteContext, requireAgent } from '../context.ts';
import { actorOf } from '../guard.ts';
import { agentParams, answers, list, object, ref } from '../schemas.ts';

interface ById {
  Params: { id: string };
}

interface What {
  rule?: string;
  series?: string;
}

const pattern = { type: 'string', minLength: 1, maxLength: muteLimits.patternCharacters } as const;
const what = { rule: pattern, series: pattern };

export function muteRoutes(app: FastifyInstance, context: RouteContext): void {
  const { mutes } = context.services;

  app.get<ById>(
    '/agents/:id/mutes',
    {
      schema: {
        operationId: 'listMutes',
        tags: ['agents'],
        summary: 'What is muted on a machine, as it reports, and what it was asked for',
        params: agentParams,
        response: answers(object({ mutes: list(ref('Mute')), orders: list(ref('MuteOrder')) }), 404),
      },
    },
    async (request) => {
      const { id, reported } = requireAgent(context, request.params.id);
      return { mutes: reported?.mutes ?? [], orders: mutes.orders(id) };
    },
  );

  app.post<ById & { Body: What & { forMs: number; reason?: string } }>(
    '/agents/:id/mute',
    {
      schema: {
        operationId: 'muteAgent',
        tags: ['agents'],
        summary: 'Ask a machine to wake nobody for a while; what it finds is recorded and shown as before',
        params: agentParams,
        body: object(
          {
            forMs: { type: 'integer', minimum: muteLimits.leastMs, maximum: muteLimits.mostMs },
            ...what,
            reason: { type: 'string', maxLength: muteLimits.reasonCharacters },
          },
          ['rule', 'series', 'reason'],
        ),
        response: answers(ref('MuteOrder'), 403, 404, 409),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { forMs, rule = null, series = null, reason = '' } = request.body;
      const by = `${actorOf(request)} at the central`.slice(0, muteLimits.byCharacters);
      const order = await mutes.mute(id, { forMs, rule, series, reason, by });
      const until = new Date(order.endsMs).toISOString();
      await audit(context, request, 'agent.mute', id, `${mutedWhat(order)} until ${until}: ${reason}`);
      return order;
    },
  );

  app.post<ById & { Body: What | null }>(
    '/agents/:id/unmute',
    {
      schema: {
        operationId: 'unmuteAgent',
        tags: ['agents'],
        summary: 'Ask a machine to end all its mutes, or the one of this rule or these series',
        params: agentParams,
        body: { ...object(what, ['rule', 'series']), type: ['object', 'null'] },
        response: answers(ref('MuteOrder'), 403, 404, 409),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { rule = null, series = null } = request.body ?? {};
      const by = `${actorOf(request)} at the central`.slice(0, muteLimits.byCharacters);
      const order = await mutes.unmute(id, { rule, series, by });
      await audit(context, request, 'agent.unmute', id, mutedWhat(order));
      return order;
    },
  );
}
