/** Log in, who am I, log out. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import type { RouteContext } from '../context.ts';
import { answers, object, ref } from '../schemas.ts';
import { createThrottle } from '../throttle.ts';

const credentials = object({
  user: { type: 'string', minLength: 1, maxLength: 64 },
  password: { type: 'string', minLength: 1, maxLength: 256 },
});

export function sessionRoutes(app: FastifyInstance, context: RouteContext): void {
  const { auth, cookie, services } = context;
  const throttle = createThrottle(services.nowMs);

  app.post<{ Body: { user: string; password: string } }>(
    '/session',
    {
      config: { open: true },
      schema: {
        operationId: 'logIn',
        tags: ['session'],
        summary: 'Log in; the answer sets the cookie of the session',
        security: [],
        body: credentials,
        response: answers(ref('Session'), 403, 413, 429),
      },
    },
    async (request, reply) => {
      throttle.begin(request.ip);
      try {
        const { token, session } = await auth.login(request.body.user, request.body.password);
        throttle.forgive(request.ip);
        cookie.set(reply, token);
        await services.audit.add({ actor: session.user, action: 'session.begin', target: '', detail: request.ip });
        return { user: session.user, csrf: session.csrf, expiresMs: session.expiresMs };
      } catch (error) {
        if (error instanceof PicketError && error.code === 'auth.denied') {
          await services.audit.add({ actor: 'anybody', action: 'session.denied', target: '', detail: request.ip });
        }
        throw error;
      }
    },
  );

  app.get(
    '/session',
    {
      schema: {
        operationId: 'getSession',
        tags: ['session'],
        summary: 'Who is logged in, and the CSRF token that changes must carry',
        response: answers(ref('Session')),
      },
    },
    async (request) => {
      const session = request.principal?.session;
      if (session == null) throw new PicketError('auth.required', 'The admin token has no session.');
      return { user: session.user, csrf: session.csrf, expiresMs: session.expiresMs };
    },
  );

  app.delete(
    '/session',
    {
      schema: {
        operationId: 'logOut',
        tags: ['session'],
        summary: 'Log out; the session and its streams end',
        response: answers('nothing', 403),
      },
    },
    async (request, reply) => {
      const session = request.principal?.session;
      if (session != null) {
        await auth.logout(session);
        await services.audit.add({ actor: session.user, action: 'session.end', target: '', detail: request.ip });
      }
      cookie.clear(reply);
      return reply.code(204).send();
    },
  );
}
