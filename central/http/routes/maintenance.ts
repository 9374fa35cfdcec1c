/** Planned work: its data is not learned from, and what is found in it wakes nobody. */
import type { FastifyInstance } from 'fastify';
import type { MaintenanceWindow } from '../../feedback/api.ts';
import { audit, type RouteContext, requireAgent } from '../context.ts';
import { actorOf } from '../guard.ts';
import { agentId, answers, list, object, ref, shortText, text } from '../schemas.ts';

const time = { type: 'integer', minimum: 0, maximum: 2 ** 48 - 1 } as const;

export function maintenanceRoutes(app: FastifyInstance, context: RouteContext): void {
  const { maintenance } = context.services;

  app.get<{ Querystring: { agent?: string } }>(
    '/maintenance',
    {
      schema: {
        operationId: 'listMaintenance',
        tags: ['maintenance'],
        summary: 'Planned work, the newest first; of one machine: what covers it',
        querystring: object({ agent: agentId }, ['agent']),
        response: answers(object({ windows: list(ref('MaintenanceWindow')) }), 404),
      },
    },
    async (request) => {
      const { agent } = request.query;
      if (agent === undefined) return { windows: maintenance.list() };
      const always = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
      return { windows: maintenance.spans(requireAgent(context, agent).id, always) };
    },
  );

  app.post<{ Body: { agent?: string; site?: string; fromMs?: number; toMs: number; reason: string } }>(
    '/maintenance',
    {
      schema: {
        operationId: 'planMaintenance',
        tags: ['maintenance'],
        summary: 'Say when there is or was work on a machine, a site, or (neither named) the fleet',
        body: object({ agent: agentId, site: shortText, fromMs: time, toMs: time, reason: shortText }, [
          'agent',
          'site',
          'fromMs',
        ]),
        response: answers(ref('MaintenanceWindow'), 403, 404, 409),
      },
    },
    async (request) => {
      const { agent = null, site = null, toMs, reason } = request.body;
      if (agent !== null) requireAgent(context, agent);
      const fromMs = request.body.fromMs ?? Math.round(context.services.nowMs());
      const by = actorOf(request);
      const window = await maintenance.plan({ agent, site, fromMs, toMs, reason, by });
      await audit(context, request, 'maintenance.plan', targetOf(window), `${spanOf(window)}: ${reason}`);
      return window;
    },
  );

  app.post<{ Params: { window: string } }>(
    '/maintenance/:window/end',
    {
      schema: {
        operationId: 'endMaintenance',
        tags: ['maintenance'],
        summary: 'End planned work before its time, or call it off',
        params: object({ window: { ...text, pattern: '^[0-9a-f-]{36}$' } }),
        response: answers(ref('MaintenanceWindow'), 403, 404, 409),
      },
    },
    async (request) => {
      const window = await maintenance.end(request.params.window);
      await audit(context, request, 'maintenance.end', targetOf(window), spanOf(window));
      return window;
    },
  );
}

function targetOf({ agent, site }: MaintenanceWindow): string {
  if (agent !== null) return agent;
  return site === null ? 'the fleet' : `site ${site}`;
}

function spanOf({ fromMs, toMs }: MaintenanceWindow): string {
  return `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
}
