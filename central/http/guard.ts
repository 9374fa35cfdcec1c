/**
 * The door of the API: every route needs a session or the admin token, unless it says `config: { open: true }`.
 * Requests that change something and come with a cookie must carry the session's CSRF token as well.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PicketError } from '../../shared/errors.ts';
import { type Auth, equalTexts, SESSION_MS, type Session } from './auth.ts';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Answers without a log in. */
    open?: boolean;
  }
}

/** Who asks, as the audit names it. */
export interface Principal {
  readonly actor: string;
  /** Null for the admin token. */
  readonly session: Session | null;
}

const CSRF_HEADER = 'x-picket-csrf';
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Cookies of the log in; the name tells the browser to hold them to this host and to TLS. */
export interface SessionCookie {
  set(reply: FastifyReply, token: string): void;
  clear(reply: FastifyReply): void;
  read(request: FastifyRequest): string | null;
}

export function sessionCookie(secure: boolean): SessionCookie {
  // `__Host-`: https, no Domain, path `/` (RFC 6265bis 4.1.3.2); a plain loopback address cannot have it.
  const name = secure ? '__Host-picket' : 'picket';
  const flags = { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
  return {
    set: (reply, token) => void reply.setCookie(name, token, { ...flags, maxAge: SESSION_MS / 1000 }),
    clear: (reply) => void reply.clearCookie(name, flags),
    read: (request) => request.cookies[name] ?? null,
  };
}

/** Finds out who asks; null when nobody known does. Throws `auth.denied` for a Bearer token that is wrong. */
export async function identify(
  auth: Auth,
  cookie: SessionCookie,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Principal | null> {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const bearer = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(authorization)?.[1];
    if (bearer !== undefined && auth.isAdminToken(bearer)) return { actor: 'token', session: null };
    throw new PicketError('auth.required', 'The Bearer token is not the admin token.');
  }
  const token = cookie.read(request);
  if (token === null) return null;
  const found = await auth.session(token);
  if (found === null) return null;
  if (found.renewed) cookie.set(reply, token);
  return { actor: found.session.user, session: found.session };
}

/** Guards all routes that are registered in this scope. */
export function installGuard(scope: FastifyInstance, auth: Auth, cookie: SessionCookie): void {
  scope.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const changes = !SAFE_METHODS.has(request.method);
    if (request.routeOptions.config.open === true) {
      // Log in and enrolment have no session to protect them: a browser tells where the request was made.
      if (changes && request.headers['sec-fetch-site'] === 'cross-site') {
        throw new PicketError('auth.denied', 'This request was made by another site.');
      }
      return;
    }
    const principal = await identify(auth, cookie, request, reply);
    if (principal === null) throw new PicketError('auth.required', 'This needs a log in.');
    if (changes && principal.session !== null) checkCsrf(request, principal.session);
    request.principal = principal;
  });
}

function checkCsrf(request: FastifyRequest, session: Session): void {
  const given = request.headers[CSRF_HEADER];
  if (typeof given !== 'string' || !equalTexts(given, session.csrf)) {
    throw new PicketError(
      'auth.denied',
      `The header ${CSRF_HEADER} must carry the session's token (GET /api/v1/session).`,
    );
  }
}

/** Who asked, in a route behind the guard. */
export function actorOf(request: FastifyRequest): string {
  return request.principal?.actor ?? 'anybody';
}
