/**
 * Who is asking: the operator's password, sessions that live at the server, and the admin token of the command line.
 * A session's token is never stored, only its SHA-256 (it has 256 random bits, so a plain hash is enough); the CSRF
 * token is derived from it, so that it needs no storage either.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { PicketError } from '../../shared/errors.ts';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { Documents } from '../store/store.ts';
import { checkPassword, generatePassword, hashPassword, MAX_PASSWORD_LENGTH, type PasswordHash } from './password.ts';

const ADMINS = 'admin';
export const SESSIONS = 'session';
/** From the last use. */
export const SESSION_MS = 7 * DAY_MS;
/** A session in use is written again at most this often. */
const SLIDE_MS = HOUR_MS;
/** The oldest end first. */
const MAX_SESSIONS = 200;
const TOKEN_BYTES = 32;
/** Passwords that may be checked or wait for it at one time: each takes 32 MB for a moment. */
const MAX_CHECKS = 8;

export interface Session {
  /** SHA-256 of its token, hex. */
  readonly id: string;
  readonly user: string;
  readonly expiresMs: number;
  /** What state-changing requests must carry in `x-picket-csrf`. */
  readonly csrf: string;
}

interface StoredSession {
  readonly user: string;
  readonly expiresMs: number;
}

export interface Auth {
  readonly user: string;
  /** The generated password, at the first start only: print it once, it is kept nowhere. */
  readonly newPassword: string | null;
  /** Throws `auth.denied`, and `auth.throttled` while too many are being checked. */
  login(user: string, password: string): Promise<{ token: string; session: Session }>;
  /** The session of a cookie's token, and whether its end was moved on; null when it is unknown or expired. */
  session(token: string): Promise<{ session: Session; renewed: boolean } | null>;
  logout(session: Session): Promise<void>;
  /** True for the admin token of the command line. */
  isAdminToken(token: string): boolean;
  /** Calls the listener with the id of each session that is logged out; returns what ends that. */
  onEnd(listener: (sessionId: string) => void): () => void;
}

export interface AuthOptions {
  readonly documents: Documents;
  readonly nowMs: () => number;
  /** Default `admin`. */
  readonly user?: string;
  /** At least 32 characters; without one there is no Bearer access. */
  readonly adminToken?: string;
  /** Makes a new password though there is one, and ends all sessions. */
  readonly resetPassword?: boolean;
}

/** Opens the operator's account; makes it, with a generated password, when there is none. */
export async function openAuth(options: AuthOptions): Promise<Auth> {
  const { documents, nowMs, user = 'admin' } = options;
  if (options.adminToken !== undefined && options.adminToken.length < 32) {
    throw new PicketError('config.invalid', 'The admin token must have at least 32 characters.');
  }
  const adminTokenHash = options.adminToken === undefined ? null : sha256(options.adminToken);
  const newPassword = await ensurePassword(documents, user, options.resetPassword ?? false);
  const listeners = new Set<(sessionId: string) => void>();
  let checks = 0;
  // One write of sessions after the other, so that a session cannot be renewed while it is being ended.
  let writes: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = writes.then(work);
    writes = result.catch(() => {});
    return result;
  };

  async function renew(id: string): Promise<StoredSession | null> {
    const stored = await documents.get<StoredSession>(SESSIONS, id);
    if (stored === null || stored.expiresMs <= nowMs()) return null;
    const moved: StoredSession = { ...stored, expiresMs: nowMs() + SESSION_MS };
    await documents.put(SESSIONS, id, moved);
    return moved;
  }

  return {
    user,
    newPassword,
    async login(givenUser, password) {
      if (checks >= MAX_CHECKS) {
        throw new PicketError('auth.throttled', 'Too many log-ins at one time.', { retryAfterSeconds: 2 });
      }
      checks++;
      try {
        // A wrong user name takes as long as a wrong password.
        const stored = await documents.get<PasswordHash>(ADMINS, user);
        const right = stored !== null && (await checkPassword(password.slice(0, MAX_PASSWORD_LENGTH + 1), stored));
        if (!right || !equalTexts(givenUser, user)) {
          throw new PicketError('auth.denied', 'The user or the password is wrong.');
        }
      } finally {
        checks--;
      }
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const id = sha256(token).toString('hex');
      const stored: StoredSession = { user, expiresMs: nowMs() + SESSION_MS };
      await inTurn(() => addSession(documents, id, stored, nowMs()));
      return { token, session: sessionOf(token, id, stored) };
    },
    async session(token) {
      if (token.length > 100) return null;
      const id = sha256(token).toString('hex');
      const stored = await documents.get<StoredSession>(SESSIONS, id);
      if (stored === null || stored.expiresMs <= nowMs()) return null;
      if (stored.expiresMs - nowMs() > SESSION_MS - SLIDE_MS) {
        return { session: sessionOf(token, id, stored), renewed: false };
      }
      const moved = await inTurn(() => renew(id));
      return moved === null ? null : { session: sessionOf(token, id, moved), renewed: true };
    },
    async logout(session) {
      await inTurn(() => documents.putAll([{ namespace: SESSIONS, key: session.id, value: null }]));
      for (const listener of listeners) listener(session.id);
    },
    isAdminToken(token) {
      return adminTokenHash !== null && timingSafeEqual(sha256(token), adminTokenHash);
    },
    onEnd(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** Compares in a time that does not depend on where the texts differ. */
export function equalTexts(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}

async function ensurePassword(documents: Documents, user: string, reset: boolean): Promise<string | null> {
  if (!reset && (await documents.get(ADMINS, user)) !== null) return null;
  const password = generatePassword();
  const sessions = await documents.list(SESSIONS);
  await documents.putAll([
    { namespace: ADMINS, key: user, value: await hashPassword(password) },
    ...sessions.map(({ key }) => ({ namespace: SESSIONS, key, value: null })),
  ]);
  return password;
}

/** Adds a session, and drops the expired and, above the limit, those that end first. */
async function addSession(documents: Documents, id: string, added: StoredSession, now: number): Promise<void> {
  const sessions = await documents.list<StoredSession>(SESSIONS);
  const living = sessions
    .filter(({ value }) => value.expiresMs > now)
    .sort((a, b) => a.value.expiresMs - b.value.expiresMs);
  const kept = new Set(living.slice(Math.max(0, living.length - MAX_SESSIONS + 1)).map(({ key }) => key));
  const dropped = sessions.filter(({ key }) => !kept.has(key));
  await documents.putAll([
    { namespace: SESSIONS, key: id, value: added },
    ...dropped.map(({ key }) => ({ namespace: SESSIONS, key, value: null })),
  ]);
}

function sessionOf(token: string, id: string, stored: StoredSession): Session {
  const csrf = createHash('sha256').update('picket-csrf\0').update(token).digest('base64url');
  return { id, user: stored.user, expiresMs: stored.expiresMs, csrf };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
