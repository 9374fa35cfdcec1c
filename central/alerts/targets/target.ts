/** What a kind of target must do: bring one message to somebody, or say why it could not. */
import type { Message } from '../due.ts';
import type { Naming, Wording } from '../message.ts';

export interface Delivery extends Wording {
  readonly message: Message;
  readonly naming: Naming;
  readonly atMs: number;
  /** Messages that were given up since the last one that was delivered. */
  readonly dropped: number;
}

export interface Target {
  readonly name: string;
  readonly kind: 'webhook' | 'email';
  /** Where it goes, for people: nothing of it is secret. */
  readonly where: string;
  /** Resolves with what the receiver said, when it has it; throws `Undelivered` or what went wrong. */
  send(delivery: Delivery, signal: AbortSignal): Promise<string>;
  close(): void;
}

/** The receiver said no. */
export class Undelivered extends Error {
  /** When it wants to be asked again; null where it did not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'Undelivered';
    this.retryAfterMs = retryAfterMs;
  }
}
