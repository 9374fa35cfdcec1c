/** Keys, as pages and the command line see them: public parts, and what waits for a signature made elsewhere. */
import type { KeyRole, SignedEnvelope } from '../../shared/trust/messages.ts';

export type WorkingRole = Exclude<KeyRole, 'root'>;

export interface Rotation {
  /** The new key's public part, where its private part is kept elsewhere; not said: made here. */
  readonly publicKey?: string | undefined;
  /** Those before it are dropped with the same list. */
  readonly now?: boolean;
  readonly notAfterMs?: number | undefined;
}

export interface KeyState {
  readonly role: KeyRole;
  readonly keyid: string;
  /** raw ed25519 public key, base64 */
  readonly publicKey: string;
  /** `joining`: not every machine knows it; `leaving`: its successor signs beside it; `waiting`: the root did not sign. */
  readonly state: 'in force' | 'joining' | 'leaving' | 'waiting' | 'expired';
  /** The private part is in the central's data directory. */
  readonly here: boolean;
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
  /** Machines whose list has it, of `KeysState.machines`. */
  readonly acceptedBy: number;
}

export interface KeysState {
  /** Of the list in force. */
  readonly version: number;
  readonly madeMs: number | null;
  readonly keys: readonly KeyState[];
  /** Machines that ever reported, and are not retired. */
  readonly machines: number;
  /** Those that have an older list; null where they have none. */
  readonly behind: readonly { readonly agent: string; readonly version: number | null }[];
  /** What waits for a key that is kept elsewhere. */
  readonly waiting: { readonly list: boolean; readonly releases: number };
}

/** One document that waits for a signature. */
export interface RequestItem {
  readonly payloadType: string;
  /** base64 of the exact bytes to sign */
  readonly payload: string;
  /** Any of these keys may sign it. */
  readonly keyids: readonly string[];
  /** For people. */
  readonly about: string;
}

export interface KeysService {
  state(): Promise<KeysState>;
  rotate(role: WorkingRole, rotation: Rotation): Promise<KeysState>;
  /** The role's private key was moved away: it is deleted here. */
  setOffline(role: KeyRole): Promise<KeysState>;
  request(): Promise<readonly RequestItem[]>;
  /** False: it was here already. Throws where nothing waits for it, or a key signed it that may not. */
  take(envelope: SignedEnvelope): Promise<boolean>;
}
