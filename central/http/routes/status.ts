/** The central about itself: status, audit trail, and the description of this API. */
import type { FastifyInstance } from 'fastify';
import type { RouteContext } from '../context.ts';
import { answers, list, mapOf, number, object, ref, text, timeMs } from '../schemas.ts';

export function statusRoutes(app: FastifyInstance, context: RouteContext): void {
  const { services } = context;

  app.get(
    '/status',
    {
      schema: {
        operationId: 'getStatus',
        tags: ['central'],
        summary: 'Version, store, counters',
        response: answers(
          object({
            version: text,
            nowMs: timeMs,
            caFingerprint: { type: ['string', 'null'], description: 'SHA-256 of the CA, hex; null without TLS' },
            streams: { ...number, description: 'open streams of server-sent events' },
            store: ref('StoreStats'),
            counters: mapOf(number),
            strangers: list(
              object({ agent: text, firstMs: timeMs, lastMs: timeMs, advice: text }),
              'agents that knock and are not enrolled here',
            ),
          }),
        ),
      },
    },
    async () => ({
      version: services.version,
      nowMs: services.nowMs(),
      caFingerprint: services.caFingerprint,
      streams: context.streams.count(),
      store: await services.store.stats(),
      counters: services.counters(),
      strangers: services.strangers(),
    }),
  );

  app.get<{ Querystring: { limit: number; before?: number } }>(
    '/audit',
    {
      schema: {
        operationId: 'listAudit',
        tags: ['central'],
        summary: 'Who did what, the newest first',
        querystring: object(
          {
            limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
            before: { ...timeMs, description: 'only entries older than this (Unix ms)' },
          },
          ['limit', 'before'],
        ),
        response: answers(object({ entries: list(ref('AuditEntry')) })),
      },
    },
    async (request) => ({ entries: await services.audit.list(request.query.limit, request.query.before) }),
  );

  app.get(
    '/openapi.json',
    {
      config: { open: true },
      schema: {
        operationId: 'getOpenapi',
        tags: ['central'],
        summary: 'This description (OpenAPI 3.1)',
        security: [],
        response: answers({ type: 'object' }),
      },
    },
    async () => app.swagger(),
  );
}
