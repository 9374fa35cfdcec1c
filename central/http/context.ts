/** What routes are given, and the checks that many of them make. */
import type { FastifyRequest } from 'fastify';
import { PicketError } from '../../shared/errors.ts';
import type { AgentState, CentralServices } from '../api.ts';
import type { Auth } from './auth.ts';
import { actorOf, type SessionCookie } from './guard.ts';
import type { EventStreams } from './sse.ts';

export interface RouteContext {
  readonly services: CentralServices;
  readonly auth: Auth;
  readonly cookie: SessionCookie;
  readonly streams: EventStreams;
  /** PEM of the CA that agents pin; null without TLS. */
  readonly caPem: string | null;
}

/** The agent of that id; throws `agent.unknown`. */
export function requireAgent(context: RouteContext, id: string): AgentState {
  const agent = context.services.fleet.agent(id);
  if (agent === null) throw new PicketError('agent.unknown', `There is no agent ${id}.`);
  return agent;
}

/** Writes what the asker did into the audit trail. */
export function audit(
  context: RouteContext,
  request: FastifyRequest,
  action: string,
  target: string,
  detail = '',
): Promise<void> {
  return context.services.audit.add({ actor: actorOf(request), action, target, detail });
}

/** A range of time that is not empty nor upside down; throws `usage.invalid`. */
export function checkedRange(fromMs: number, toMs: number): { fromMs: number; toMs: number } {
  if (fromMs >= toMs) throw new PicketError('usage.invalid', `from (${fromMs}) must be before to (${toMs}).`);
  return { fromMs, toMs };
}

/** Ids of a comma-separated parameter, each once; throws `usage.invalid` above the limit. */
export function seriesOf(parameter: string, most: number): string[] {
  const ids = [...new Set(parameter.split(','))];
  if (ids.length > most) {
    throw new PicketError(
      'usage.invalid',
      `${ids.length} series were asked for; at most ${most} are answered at once.`,
    );
  }
  return ids;
}
