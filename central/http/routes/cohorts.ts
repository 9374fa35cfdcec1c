/** Cohorts: machines that behave alike, and what an operator says of them. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { type RouteContext, requireAgent } from '../context.ts';
import { actorOf } from '../guard.ts';
import { agentParams, answers, object, orNull, ref, text } from '../schemas.ts';

const name = { ...text, pattern: '^[A-Za-z0-9_-]{1,64}$' } as const;

export function cohortRoutes(app: FastifyInstance, context: RouteContext): void {
  const { cohorts } = context.services;

  app.get(
    '/cohorts',
    {
      schema: {
        operationId: 'listCohorts',
        tags: ['cohorts'],
        summary: 'Machines that behave alike: who is in which cohort, since when and why; and who is alone',
        response: answers(ref('Cohorts')),
      },
    },
    async () => cohorts.state(),
  );

  app.post(
    '/cohorts/round',
    {
      schema: {
        operationId: 'findCohorts',
        tags: ['cohorts'],
        summary: 'Look at all machines now, as is done once a day',
        response: answers(ref('Cohorts'), 403),
      },
    },
    async () => cohorts.round(),
  );

  app.post<{ Params: { name: string }; Body: { name: string } }>(
    '/cohorts/:name/rename',
    {
      schema: {
        operationId: 'renameCohort',
        tags: ['cohorts'],
        summary: 'Give a cohort another name, which it keeps',
        params: object({ name }),
        body: object({ name }),
        response: answers(ref('Cohorts'), 403, 404, 409),
      },
    },
    async (request) => {
      await cohorts.rename(request.params.name, request.body.name, actorOf(request));
      return cohorts.state();
    },
  );

  app.post<{ Params: { id: string }; Body: { cohort: string | null } }>(
    '/agents/:id/cohort',
    {
      schema: {
        operationId: 'setCohort',
        tags: ['cohorts'],
        summary: 'Put a machine into a cohort, where it stays (a name that is new begins one); null: as it behaves',
        params: agentParams,
        body: object({ cohort: orNull(name) }),
        response: answers(ref('Cohorts'), 403, 404, 409),
      },
    },
    async (request) => {
      const { id, retiredMs } = requireAgent(context, request.params.id);
      if (retiredMs !== null) throw new PicketError('conflict', `${id} is retired.`);
      await cohorts.set(id, request.body.cohort, actorOf(request));
      return cohorts.state();
    },
  );
}
