/** Rollouts of models as they move, and what an operator may do with them; pins. */
import type { FastifyInstance } from 'fastify';
import type { RolloutOrder } from '../../api.ts';
import { briefOf } from '../../rollout/brief.ts';
import { type RouteContext, requireAgent } from '../context.ts';
import { actorOf } from '../guard.ts';
import { agentParams, answers, list, object, ref, text } from '../schemas.ts';

/** More machines than any cohort has. */
const MOST_MEMBERS = 100_000;

const orders: readonly RolloutOrder[] = ['pause', 'resume', 'promote', 'rollback'];
const meanings: Readonly<Record<RolloutOrder, string>> = {
  pause: 'Hold a rollout where it is',
  resume: 'Let a paused rollout go on',
  promote: 'Go on to the next stage at once',
  rollback: 'Bring all its machines back to what they ran before',
};

export function rolloutRoutes(app: FastifyInstance, context: RouteContext): void {
  const { rollouts } = context.services.models;

  app.get<{ Querystring: { members?: number } }>(
    '/rollouts',
    {
      schema: {
        operationId: 'listRollouts',
        tags: ['models'],
        summary: 'Rollouts of models, newest first, and which machines are pinned to a version',
        querystring: object(
          {
            members: {
              type: 'integer',
              minimum: 0,
              maximum: MOST_MEMBERS,
              description: 'Most machines of each rollout that are named, those that matter first; all are counted',
            },
          },
          ['members'],
        ),
        response: answers(object({ rollouts: list(ref('ListedRollout')), pins: list(ref('ModelPin')) })),
      },
    },
    async (request) => {
      const { members = MOST_MEMBERS } = request.query;
      return { rollouts: rollouts.list().map((rollout) => briefOf(rollout, members)), pins: rollouts.pins() };
    },
  );

  for (const order of orders) {
    app.post<{ Params: { id: number } }>(
      `/rollouts/:id/${order}`,
      {
        schema: {
          operationId: `${order}Rollout`,
          tags: ['models'],
          summary: meanings[order],
          params: object({ id: { type: 'integer', minimum: 1 } }),
          response: answers(ref('Rollout'), 403, 404, 409),
        },
      },
      async (request) => rollouts.order(request.params.id, order, actorOf(request)),
    );
  }

  app.post<{ Params: { version: number } }>(
    '/models/:version/pin',
    {
      schema: {
        operationId: 'pinModel',
        tags: ['models'],
        summary: 'Run this version on its machine, and keep it there whatever is trained',
        params: object({ version: { type: 'integer', minimum: 1 } }),
        response: answers(ref('ModelPin'), 403, 404, 409),
      },
    },
    async (request) => rollouts.pin(request.params.version, actorOf(request)),
  );

  app.post<{ Params: { id: string }; Body: { slot: string } }>(
    '/agents/:id/unpin',
    {
      schema: {
        operationId: 'unpinModel',
        tags: ['models'],
        summary: 'Let a pinned machine have new models again',
        params: agentParams,
        body: object({ slot: { ...text, maxLength: 65 } }),
        response: answers(object({ pins: list(ref('ModelPin')) }), 403, 404),
      },
    },
    async (request) => {
      await rollouts.unpin(requireAgent(context, request.params.id).id, request.body.slot, actorOf(request));
      return { pins: rollouts.pins() };
    },
  );
}
