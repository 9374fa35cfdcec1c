/** Full-rate values: as they come, and those that the agent still holds. What leaves a site is audited (`live.ts`). */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { HOUR_MS, limits } from '../../../shared/limits.ts';
import type { LiveTick } from '../../api.ts';
import { audit, checkedRange, type RouteContext, requireAgent, seriesOf } from '../context.ts';
import { actorOf } from '../guard.ts';
import { problemOf } from '../problem.ts';
import { agentParams, answers, list, object, ref, seriesList, timeMs } from '../schemas.ts';

const MAX_FETCHED_SERIES = 16;

export function liveRoutes(app: FastifyInstance, context: RouteContext): void {
  const { live } = context.services;

  app.get<{ Params: { id: string }; Querystring: { series: string } }>(
    '/agents/:id/live',
    {
      schema: {
        operationId: 'watch',
        tags: ['live'],
        summary: 'Stream of full-rate values (server-sent events named `tick`) while the connection lasts',
        params: agentParams,
        querystring: object({ series: seriesList }),
        response: streamAnswers(404),
      },
    },
    async (request, reply) => {
      const { id } = requireAgent(context, request.params.id);
      const series = seriesOf(request.query.series, limits.watchedSeries);
      await audit(context, request, 'live.watch', id, `${series.length} series`);
      const stream = context.streams.open(reply, request.principal?.session?.id ?? null);
      try {
        const watcher = {
          by: actorOf(request),
          onTick: (tick: LiveTick) => stream.send('tick', tick),
          onRefused: (problem: Error) => {
            stream.send('problem', problemOf(problem));
            // What a budget refuses now may begin again.
            if (problem instanceof PicketError && problem.code === 'raw.refused') stream.close();
          },
        };
        live.watch(id, series, watcher, stream.signal);
      } catch (error) {
        // The stream has begun, so its client is told in it.
        stream.send('problem', problemOf(error));
        stream.close();
      }
    },
  );

  app.get<{ Params: { id: string }; Querystring: { series: string; from: number; to: number } }>(
    '/agents/:id/values',
    {
      schema: {
        operationId: 'fetchValues',
        tags: ['live'],
        summary: 'Full-rate values of a past range, as far as the agent still holds them (about an hour)',
        params: agentParams,
        querystring: object({ series: seriesList, from: timeMs, to: timeMs }),
        response: answers(object({ series: list(ref('FullRateSeries')) }), 403, 404, 504),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { fromMs, toMs } = checkedRange(request.query.from, request.query.to);
      if (toMs - fromMs > 2 * HOUR_MS) throw new PicketError('usage.invalid', 'At most two hours are fetched at once.');
      const series = seriesOf(request.query.series, MAX_FETCHED_SERIES);
      await audit(context, request, 'live.fetch', id, `${series.length} series, ${fromMs} to ${toMs}`);
      return { series: await live.fetch(id, series, { fromMs, toMs }, actorOf(request)) };
    },
  );

  app.get(
    '/events',
    {
      schema: {
        operationId: 'streamEvents',
        tags: ['live'],
        summary:
          'Stream of what happens in the fleet (server-sent events: agent, summary, incident, label, flag, model)',
        response: streamAnswers(),
      },
    },
    async (request, reply) => {
      const stream = context.streams.open(reply, request.principal?.session?.id ?? null);
      const unsubscribe = context.services.bus.subscribe((event) => stream.send(event.type, event));
      stream.signal.addEventListener('abort', unsubscribe, { once: true });
    },
  );
}

function streamAnswers(...problems: number[]): Record<number, Readonly<Record<string, unknown>>> {
  return {
    ...answers('nothing', 429, ...problems),
    200: { description: 'Events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
  };
}
