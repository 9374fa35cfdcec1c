/** Tokens, what an agent trades one for, and the CA that it pins. */
import type { FastifyInstance } from 'fastify';
import { isLoopback } from '../../../shared/address.ts';
import { PicketError } from '../../../shared/errors.ts';
import { DAY_MS } from '../../../shared/limits.ts';
import { BROKER_PATTERN } from '../../../shared/trust/enrolment.ts';
import type { EnrolmentRequest } from '../../api.ts';
import { audit, type RouteContext } from '../context.ts';
import { answers, freeText, list, object, ref, shortText, tags, text, timeMs } from '../schemas.ts';
import { createThrottle } from '../throttle.ts';

const DEFAULT_LIFE_MS = DAY_MS;
const LONGEST_LIFE_MS = 400 * DAY_MS;

interface TokenBody {
  note: string;
  site: string;
  tags: Record<string, string>;
  maxUses: number;
  expiresMs?: number;
}

export function enrolmentRoutes(app: FastifyInstance, context: RouteContext): void {
  const { fleet, nowMs } = context.services;
  const throttle = createThrottle(nowMs);

  app.get(
    '/tokens',
    {
      schema: {
        operationId: 'listTokens',
        tags: ['enrolment'],
        summary: 'Enrolment tokens; their secrets are not kept',
        response: answers(object({ tokens: list(ref('EnrolmentToken')) })),
      },
    },
    async () => ({ tokens: await fleet.tokens() }),
  );

  app.post<{ Body: TokenBody }>(
    '/tokens',
    {
      schema: {
        operationId: 'createToken',
        tags: ['enrolment'],
        summary: 'A new token, and the command to paste on the machine; the token is shown this once',
        body: object(
          {
            note: { ...freeText, default: '' },
            site: { ...freeText, default: '' },
            tags: { ...tags, default: {} },
            maxUses: { type: 'integer', minimum: 1, maximum: 100_000, default: 1 },
            expiresMs: { ...timeMs, description: 'Unix ms; a day from now when absent' },
          },
          ['note', 'site', 'tags', 'maxUses', 'expiresMs'],
        ),
        response: answers(object({ token: text, record: ref('EnrolmentToken'), command: text }), 403),
      },
    },
    async (request) => {
      const { note, site, tags, maxUses } = request.body;
      const expiresMs = request.body.expiresMs ?? nowMs() + DEFAULT_LIFE_MS;
      if (expiresMs <= nowMs() || expiresMs > nowMs() + LONGEST_LIFE_MS) {
        throw new PicketError('usage.invalid', 'expiresMs must lie in the future, at most 400 days from now.');
      }
      const made = await fleet.createToken({ note, site, tags, maxUses, expiresMs });
      await audit(context, request, 'token.create', made.record.id, `${maxUses} uses`);
      return made;
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/tokens/:id',
    {
      schema: {
        operationId: 'revokeToken',
        tags: ['enrolment'],
        summary: 'Revoke a token; who enrolled with it stays',
        params: object({ id: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' } }),
        response: answers('nothing', 403, 404),
      },
    },
    async (request, reply) => {
      await fleet.revokeToken(request.params.id);
      await audit(context, request, 'token.revoke', request.params.id);
      return reply.code(204).send();
    },
  );

  app.post<{ Body: EnrolmentRequest }>(
    '/enrol',
    {
      config: { open: true },
      schema: {
        operationId: 'enrol',
        tags: ['enrolment'],
        summary: 'What a machine trades its token for: its identity, its credentials, and whom to trust',
        security: [],
        body: object(
          { token: { type: 'string', minLength: 1, maxLength: 128 }, name: shortText, site: freeText, tags },
          ['name', 'site', 'tags'],
        ),
        response: answers(ref('Enrolment'), 403, 413, 429),
      },
    },
    async (request) => {
      throttle.begin(request.ip);
      const enrolment = await fleet.enrol(request.body);
      throttle.forgive(request.ip);
      const entry = { actor: 'enrolment', action: 'agent.enrol', target: enrolment.agent, detail: request.ip };
      // The token is spent and the password is told only now: a disk that fails must not take it from the machine.
      await context.services.audit.add(entry).catch((error: unknown) => request.log.error({ err: error }, 'audit'));
      return { ...enrolment, broker: brokerFor(enrolment.broker, request.hostname) };
    },
  );

  app.get(
    '/ca',
    {
      config: { open: true },
      schema: {
        operationId: 'getCa',
        tags: ['enrolment'],
        summary: 'PEM of the CA that agents pin; hold it against the fingerprint that came with the token',
        security: [],
        response: {
          ...answers('nothing', 404),
          200: { description: 'PEM', content: { 'application/x-pem-file': { schema: { type: 'string' } } } },
        },
      },
    },
    async (_request, reply) => {
      if (context.caPem === null)
        throw new PicketError('not_found', 'This central serves loopback without TLS; it has no CA.');
      return reply.type('application/x-pem-file').send(context.caPem);
    },
  );
}

/**
 * The broker's address for a machine that reached us under this host: a broker that says loopback is beside us, so from
 * another machine it is where we are. The Host header is the machine's own, and misleads nobody else.
 */
function brokerFor(broker: string, requestedHost: string): string {
  if (!URL.canParse(broker)) return broker;
  const url = new URL(broker);
  const host = requestedHost.replace(/^\[|\]$/g, '');
  if (!isLoopback(url.hostname.replace(/^\[|\]$/g, '')) || host === '' || isLoopback(host)) return broker;
  const moved = `${url.protocol}//${host.includes(':') ? `[${host}]` : host}${url.port === '' ? '' : `:${url.port}`}`;
  return new RegExp(BROKER_PATTERN).test(moved) ? moved : broker;
}
