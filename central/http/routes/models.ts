/** Models: what was trained, how it compared, what runs where. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { audit, type RouteContext, requireAgent } from '../context.ts';
import { agentId, agentParams, answers, list, object, ref } from '../schemas.ts';

const answer = object({ models: list(ref('ModelVersion')) });

export function modelRoutes(app: FastifyInstance, context: RouteContext): void {
  const { models } = context.services;

  app.get(
    '/models',
    {
      schema: {
        operationId: 'listModels',
        tags: ['models'],
        summary: 'All versions of all models',
        response: answers(answer),
      },
    },
    async () => ({ models: await models.list() }),
  );

  app.get<{ Params: { id: string } }>(
    '/agents/:id/models',
    {
      schema: {
        operationId: 'listAgentModels',
        tags: ['models'],
        summary: "One machine's models",
        params: agentParams,
        response: answers(answer, 404),
      },
    },
    async (request) => ({ models: await models.list(requireAgent(context, request.params.id).id) }),
  );

  app.get<{ Params: { version: number } }>(
    '/models/:version',
    {
      schema: {
        operationId: 'getModel',
        tags: ['models'],
        summary: 'One version, with its comparison',
        params: object({ version: { type: 'integer', minimum: 1 } }),
        response: answers(ref('ModelVersion'), 404),
      },
    },
    async (request) => {
      const model = await models.get(request.params.version);
      if (model === null) throw new PicketError('not_found', `There is no model version ${request.params.version}.`);
      return model;
    },
  );

  app.get<{ Params: { version: number } }>(
    '/models/:version/report',
    {
      schema: {
        operationId: 'getModelReport',
        tags: ['models'],
        summary:
          'How a version was judged: champion beside challenger, calibration, faults found, origins, worst series',
        params: object({ version: { type: 'integer', minimum: 1 } }),
        response: answers(ref('EvaluationReport'), 404),
      },
    },
    async (request) => {
      const { version } = request.params;
      const report = await models.report(version);
      if (report === null) throw new PicketError('not_found', `There is no report of model version ${version}.`);
      return report;
    },
  );

  app.post<{ Body: { agent?: string } | null }>(
    '/models/train',
    {
      schema: {
        operationId: 'trainModels',
        tags: ['models'],
        summary: 'Train now, for one machine or all; answers with what came of it',
        body: { ...object({ agent: agentId }, ['agent']), type: ['object', 'null'] },
        response: answers(answer, 403, 404, 409),
      },
    },
    async (request) => {
      const agent = request.body?.agent;
      if (agent !== undefined) requireAgent(context, agent);
      await audit(context, request, 'models.train', agent ?? '*');
      return { models: await models.trainNow(agent) };
    },
  );
}
