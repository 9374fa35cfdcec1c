/**
 * Enrolment tokens: secrets of 24 random bytes, of which only the SHA-256 is kept (they have 192 bits, so a plain hash
 * is enough). A token is for a number of machines until a time, or for one identity that new hardware takes over.
 */
import { createHash, randomBytes } from 'node:crypto';
import { PicketError } from '../shared/errors.ts';
import type { EnrolmentToken } from './api.ts';
import type { AgentId, Documents } from './store/store.ts';

export const TOKENS = 'token';
const SECRET_BYTES = 24;
const ID_BYTES = 6;
/** Dead tokens are forgotten first; living ones beyond this are refused. */
const MAX_TOKENS = 10_000;

export interface StoredToken extends EnrolmentToken {
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  readonly createdMs: number;
  /** The identity that its one use takes over. */
  readonly replaces: AgentId | null;
}

export interface NewToken {
  readonly note: string;
  readonly site: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly maxUses: number;
  readonly expiresMs: number;
  readonly replaces: AgentId | null;
}

/** The tokens of a central, in memory by their hash; whoever changes one writes the document that it is given. */
export class TokenBook {
  readonly #byHash = new Map<string, StoredToken>();

  static async open(documents: Documents): Promise<TokenBook> {
    const book = new TokenBook();
    for (const { value } of await documents.list<StoredToken>(TOKENS)) book.#byHash.set(value.hash, value);
    return book;
  }

  /** Makes a token; it is in the book once it is `set`. */
  make(wanted: NewToken, nowMs: number): { secret: string; stored: StoredToken } {
    if (this.#byHash.size >= MAX_TOKENS) {
      throw new PicketError('conflict', `There are ${this.#byHash.size} tokens, the most that are kept; revoke some.`);
    }
    const secret = newSecret();
    const id = randomBytes(ID_BYTES).toString('hex');
    return { secret, stored: { ...wanted, id, uses: 0, revoked: false, hash: hashOf(secret), createdMs: nowMs } };
  }

  /** The token of a secret, if it may be used now. Throws `token.invalid`, and says no more than that to strangers. */
  usable(secret: string, nowMs: number): StoredToken {
    // The lookup is by hash: its time tells nothing about the secret.
    const token = this.#byHash.get(hashOf(secret));
    if (token === undefined) throw new PicketError('token.invalid', 'The token is unknown.');
    const end = endOf(token, nowMs);
    if (end !== null) throw new PicketError('token.invalid', `The token ${token.id} is ${end}.`);
    return token;
  }

  byId(id: string): StoredToken | null {
    for (const token of this.#byHash.values()) if (token.id === id) return token;
    return null;
  }

  set(token: StoredToken): void {
    this.#byHash.set(token.hash, token);
  }

  remove(token: StoredToken): void {
    this.#byHash.delete(token.hash);
  }

  all(): readonly StoredToken[] {
    return [...this.#byHash.values()].sort((a, b) => b.createdMs - a.createdMs);
  }

  /** Those that ended longer ago than this; they may be forgotten. */
  endedBefore(beforeMs: number): readonly StoredToken[] {
    return this.all().filter((token) => token.expiresMs < beforeMs);
  }
}

/** On a command line one that begins with `-` would be taken for an option. */
function newSecret(): string {
  for (;;) {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    if (!secret.startsWith('-')) return secret;
  }
}

/** A token as the API shows it, without its hash. */
export function publicToken(token: StoredToken): EnrolmentToken {
  const { id, note, site, tags, uses, maxUses, expiresMs, revoked } = token;
  return { id, note, site, tags, uses, maxUses, expiresMs, revoked };
}

function endOf(token: StoredToken, nowMs: number): string | null {
  if (token.revoked) return 'revoked';
  if (token.uses >= token.maxUses) return 'used up';
  return token.expiresMs <= nowMs ? 'expired' : null;
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
