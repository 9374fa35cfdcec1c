/**
 * Errors as `application/problem+json` (RFC 9457), with the code and the hint of the one error table. What is not ours
 * is answered as `internal` without its message: that goes to the log alone.
 */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errorTable, messageOf, PicketError } from '../../shared/errors.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly hint: string;
  /** Facts for machines, where there are any: the limit, the seconds to wait. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The problem that a thrown value is answered with. */
export function problemOf(error: unknown): Problem {
  const known = error instanceof PicketError ? error : fromFramework(error);
  const { status, hint } = errorTable[known.code];
  return {
    // A code is stable for ever, so it names the problem's type; there is no page behind it.
    type: `urn:picket:error:${known.code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: known.message,
    code: known.code,
    hint,
    ...(Object.keys(known.detail).length > 0 && { facts: known.detail }),
  };
}

/** Answers a request with a thrown value. */
export function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = problemOf(error);
  const retryAfterSeconds = problem.facts?.retryAfterSeconds;
  if (typeof retryAfterSeconds === 'number') reply.header('retry-after', String(retryAfterSeconds));
  if (problem.code === 'auth.required') reply.header('www-authenticate', 'Bearer realm="picket"');
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem);
}

/** Makes every error of the server a problem document. */
export function installProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: unknown, request: FastifyRequest, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500)
      request.log.error({ err: error }, `${request.method} ${request.url}: ${messageOf(error)}`);
    return sendProblem(reply, error);
  });
}

/** Fastify's own refusals in the words of our table. */
function fromFramework(error: unknown): PicketError {
  const { code, validation, statusCode } = error as Partial<FastifyError>;
  if (validation !== undefined)
    return new PicketError('usage.invalid', `The request does not fit: ${messageOf(error)}.`);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new PicketError('payload.too_large', 'The body is too large.');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new PicketError('payload.invalid', `The request cannot be read: ${messageOf(error)}.`);
  }
  return new PicketError('internal', 'The central failed to answer; its log says why.');
}
