/** What the central's thread and one that trains tell each other. */
import { type ErrorCode, messageOf, PicketError } from '../../../shared/errors.ts';
import type { ReadRequest } from '../../store/remote.ts';
import type { AgentId } from '../../store/store.ts';
import type { RoundRequest, RoundSources } from '../trainings.ts';

/** One at a time. */
export type Work =
  | { readonly do: 'round'; readonly request: RoundRequest }
  | { readonly do: 'windowLength'; readonly agent: AgentId };

/** What of the central a round may ask for; its history it reads itself, from what `read` brings. */
export type Services = Required<Omit<RoundSources, 'store'>> &
  Pick<RoundSources['store'], Exclude<keyof RoundSources['store'], 'query' | 'coMoments'>> & {
    read(request: ReadRequest): Promise<unknown>;
  };

export type ServiceName = keyof Services;

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export type ToThread =
  | { readonly type: 'work'; readonly id: number; readonly work: Work }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'unanswered'; readonly call: number; readonly failure: Failure };

export type FromThread =
  | { readonly type: 'call'; readonly call: number; readonly service: ServiceName; readonly args: readonly unknown[] }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure };

export function failureOf(error: unknown): Failure {
  return { code: error instanceof PicketError ? error.code : 'internal', message: messageOf(error) };
}

export function errorOf({ code, message }: Failure): PicketError {
  return new PicketError(code, message);
}
