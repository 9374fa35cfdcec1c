/** Keys: public parts and who knows which, for all who log in; changes are for the admin token alone. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import type { KeyRole, SignedEnvelope } from '../../../shared/trust/messages.ts';
import type { Rotation } from '../../keys/api.ts';
import { checkedRole } from '../../keys/service.ts';
import { mayBeOffline, workingRoles } from '../../keys.ts';
import { audit, type RouteContext } from '../context.ts';
import { envelopeSchema, offlineBody, rotateBody } from '../keys-schemas.ts';
import { answers, flag, object, ref } from '../schemas.ts';

export function keyRoutes(app: FastifyInstance, context: RouteContext): void {
  const { keys } = context.services;
  // A list with another key is believed by the whole fleet: whoever may read the data directory could make one anyway.
  const tokenOnly = (request: FastifyRequest): void => {
    if (request.principal?.session == null) return;
    throw new PicketError('auth.denied', 'Keys are changed with the admin token alone: `picket-central keys`.');
  };

  app.get(
    '/keys',
    {
      schema: {
        operationId: 'getKeys',
        tags: ['keys'],
        summary: 'The signing keys: public parts, and which machines know which',
        response: answers(ref('KeysState')),
      },
    },
    () => keys.state(),
  );

  app.post<{ Body: Rotation & { role: string } }>(
    '/keys/rotate',
    {
      schema: {
        operationId: 'rotateKey',
        tags: ['keys'],
        summary: 'A new key for a role (see `picket-central keys`); with the admin token only',
        body: rotateBody,
        response: answers(ref('KeysState'), 403, 409),
      },
    },
    async (request) => {
      tokenOnly(request);
      const { role: named, ...rotation } = request.body;
      const role = checkedRole(named, workingRoles);
      await audit(context, request, 'keys.rotate', role, rotation.now === true ? 'the key before it is dropped' : '');
      return await keys.rotate(role, rotation);
    },
  );

  app.post<{ Body: { role: KeyRole } }>(
    '/keys/offline',
    {
      schema: {
        operationId: 'forgetKey',
        tags: ['keys'],
        summary: 'Delete a private key that was moved elsewhere; with the admin token only',
        body: offlineBody,
        response: answers(ref('KeysState'), 403, 409),
      },
    },
    async (request) => {
      tokenOnly(request);
      const role = checkedRole(request.body.role, mayBeOffline);
      await audit(context, request, 'keys.offline', role);
      return await keys.setOffline(role);
    },
  );

  app.get(
    '/keys/request',
    {
      schema: {
        operationId: 'getKeysRequest',
        tags: ['keys'],
        summary: 'What waits for a key that is kept elsewhere',
        response: answers(ref('KeysRequest')),
      },
    },
    async () => ({ madeMs: context.services.nowMs(), items: await keys.request() }),
  );

  app.post<{ Body: SignedEnvelope }>(
    '/keys/take',
    {
      schema: {
        operationId: 'takeSigned',
        tags: ['keys'],
        summary: 'Bring one document that was signed elsewhere; with the admin token only',
        body: envelopeSchema,
        response: answers(
          object({ taken: { ...flag, description: 'false: it was here, or nothing waits for it' } }),
          400,
          403,
          409,
        ),
      },
    },
    async (request) => {
      tokenOnly(request);
      const taken = await keys.take(request.body);
      if (taken) await audit(context, request, 'keys.take', request.body.payloadType);
      return { taken };
    },
  );
}
