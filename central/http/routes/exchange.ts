/** What is carried by hand: the command line opens the files and hands their messages over here. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import { parseReported } from '../../../shared/trust/reported.ts';
import { audit, type RouteContext } from '../context.ts';
import { agentId, agentParams, answers, integer, list, object, oneOf, text } from '../schemas.ts';

const BYTES = 'application/octet-stream';
const bytes = { type: 'string', format: 'binary' } as const;
const base64 = { type: 'string', contentEncoding: 'base64' } as const;
const sha256 = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const series = { type: 'string', pattern: '^[0-9a-f]{32}$' } as const;
const wholeNumber = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

/** An answer of bytes, as MQTT would have brought them. */
const binary = (description: string, ...codes: readonly number[]) => ({
  ...answers('nothing', ...codes),
  200: { description, content: { [BYTES]: { schema: bytes } } },
});

export function exchangeRoutes(app: FastifyInstance, context: RouteContext): void {
  const { exchange } = context.services;

  app.post<{ Body: { agent: string; direction: 'up' | 'down'; salt: string } }>(
    '/exchange/key',
    {
      schema: {
        operationId: 'openExchange',
        tags: ['exchange'],
        summary: 'The key of one file that is carried by hand, by the salt in its header',
        body: object({ agent: agentId, direction: oneOf('up', 'down'), salt: sha256 }),
        response: answers(object({ key: base64 }), 403, 404, 409),
      },
    },
    async (request) => {
      // Who has the admin token may read the central's disk and needs no key; a session of the pages is not that much.
      if (request.principal?.session != null) {
        throw new PicketError('auth.denied', 'A file is opened with the admin token alone: `picket-central import`.');
      }
      const { agent, direction, salt } = request.body;
      const key = exchange.key({ agent, direction, salt });
      await audit(
        context,
        request,
        direction === 'up' ? 'exchange.import' : 'exchange.reply',
        agent,
        salt.slice(0, 16),
      );
      return { key: Buffer.from(key).toString('base64') };
    },
  );

  void app.register(async (scope) => {
    scope.addContentTypeParser(BYTES, { parseAs: 'buffer', bodyLimit: limits.payloadBytes }, (_request, body, done) =>
      done(null, body),
    );

    scope.post<{ Params: { id: string }; Body: Buffer }>(
      '/agents/:id/exchange/records',
      {
        schema: {
          operationId: 'importRecords',
          tags: ['exchange'],
          summary: 'Commits an envelope that came by hand; answers with its acknowledgement',
          params: agentParams,
          response: binary('the acknowledgement', 400, 404, 409, 413),
        },
      },
      async (request, reply) => {
        const ack = await exchange.records(request.params.id, bodyOf(request.body));
        return reply.type(BYTES).send(Buffer.from(ack));
      },
    );

    scope.post<{ Params: { id: string }; Querystring: { series: string; number: number }; Body: Buffer }>(
      '/agents/:id/exchange/reported',
      {
        schema: {
          operationId: 'importReported',
          tags: ['exchange'],
          summary: 'Takes in what an agent reported by hand, unless newer news are known',
          params: agentParams,
          querystring: object({ series, number: wholeNumber }),
          response: answers('nothing', 400, 404, 409, 413),
        },
      },
      async (request, reply) => {
        await exchange.reported(request.params.id, request.query, parseReported(bodyOf(request.body)));
        return reply.code(204).send();
      },
    );
  });

  app.get<{ Params: { id: string } }>(
    '/agents/:id/exchange/desired',
    {
      schema: {
        operationId: 'getHandover',
        tags: ['exchange'],
        summary: 'The manifest that is in force for an agent, and the releases that it names',
        params: agentParams,
        response: answers(
          object({
            manifest: { ...base64, type: ['string', 'null'] },
            releases: list(object({ releaseSha256: text, contentSha256: text })),
          }),
          404,
          409,
        ),
      },
    },
    async (request) => {
      const { manifest, releases } = await exchange.handover(request.params.id);
      return { manifest: manifest === null ? null : Buffer.from(manifest).toString('base64'), releases };
    },
  );

  app.get<{ Params: { id: string; sha256: string; index: number } }>(
    '/agents/:id/exchange/blobs/:sha256/:index',
    {
      schema: {
        operationId: 'getExchangeChunk',
        tags: ['exchange'],
        summary: 'A piece of a release or model that the agent’s manifest names',
        params: object({ id: agentId, sha256, index: integer }),
        response: binary('the piece, as on down/chunk', 404, 409),
      },
    },
    async (request, reply) => {
      const { id, sha256: hash, index } = request.params;
      const chunk = await exchange.chunk(id, hash, index);
      if (chunk === null)
        throw new PicketError('not_found', `The manifest of ${id} names no such blob, or no piece ${index}.`);
      return reply.type(BYTES).send(Buffer.from(chunk));
    },
  );
}

function bodyOf(body: unknown): Buffer {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new PicketError('payload.invalid', `The body must be bytes (${BYTES}).`);
  }
  return body;
}
