/** The API below /api/v1: requests, problems, who is logged in, and whether the central can be reached at all. */
import { cell } from './cell.ts';

export interface Session {
  readonly user: string;
  readonly csrf: string;
  readonly expiresMs: number;
}

/** `undefined` until it is known. */
export const session = cell<Session | null | undefined>(undefined);
/** False while the central does not answer; `reconnects` then counts up when it does again. */
export const reachable = cell(true);
export const reconnects = cell(0);

const BASE = '/api/v1';
const PING_MS = 2_000;

/** An answer of the central that says no, in its words. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;

  constructor(status: number, about: { detail?: string; title?: string; code?: string; hint?: string }) {
    super(about.detail ?? about.title ?? `The central answered ${status}.`);
    this.status = status;
    this.code = about.code ?? '';
    this.hint = about.hint ?? '';
  }
}

/** Nobody answered, or something between us and the central did. */
export class Unreachable extends Error {
  constructor() {
    super('The central cannot be reached.');
  }
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>('GET', path, undefined, signal);
}

export function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<T> {
  return request<T>(method, path, body, undefined, headers);
}

async function request<T>(
  method: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
  own: Readonly<Record<string, string>> = {},
): Promise<T> {
  const csrf = session.get()?.csrf;
  const headers: Record<string, string> = { ...own };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (csrf !== undefined && method !== 'GET') headers['x-picket-csrf'] = csrf;
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    lost();
    throw new Unreachable();
  }
  const json = /[/+]json/.test(response.headers.get('content-type') ?? '');
  if (response.ok) {
    reachable.set(true);
    return (json ? await response.json() : undefined) as T;
  }
  // A proxy in front of a central that is down answers in a language of its own.
  if (!json && response.status >= 502) {
    lost();
    throw new Unreachable();
  }
  const problem = new Problem(response.status, json ? await response.json() : {});
  if (response.status === 401 && path !== '/session') session.set(null);
  throw problem;
}

let pinging = false;

/** Asks until the central answers again. */
function lost(): void {
  reachable.set(false);
  if (pinging) return;
  pinging = true;
  const ping = async (): Promise<void> => {
    const answered = await fetch('/healthz', { cache: 'no-store' }).then(
      (response) => response.ok,
      () => false,
    );
    if (!answered) {
      setTimeout(() => void ping(), PING_MS);
      return;
    }
    pinging = false;
    reachable.set(true);
    reconnects.set(reconnects.get() + 1);
  };
  setTimeout(() => void ping(), PING_MS);
}

/** Finds out whether somebody is logged in. Throws `Unreachable`. */
export async function resume(): Promise<void> {
  try {
    session.set(await get<Session>('/session'));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    session.set(null);
  }
}

export async function logIn(user: string, password: string): Promise<void> {
  session.set(await send<Session>('POST', '/session', { user, password }));
}

export async function logOut(): Promise<void> {
  await send('DELETE', '/session').catch(() => undefined);
  session.set(null);
}

let skewMs = 0;

/** Now, by the central's clock: what the axes end at, even where the viewer's clock is wrong. Unix ms. */
export function nowMs(): number {
  return Date.now() + skewMs;
}

/** Told of the central's time with each status. */
export function learnTime(centralMs: number): void {
  const difference = centralMs - Date.now();
  // Within the time of a request it is no difference.
  skewMs = Math.abs(difference) > 1_500 ? difference : 0;
}

/** Words for any error. */
export function wordsOf(error: unknown): string {
  if (error instanceof Problem) return error.hint === '' ? error.message : `${error.message} ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}
