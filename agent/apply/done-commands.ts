/** Commands that were done, with the time of their expiry: each id is done once, and a repetition only reported. */
import { PicketError } from '../../shared/errors.ts';
import { parseEnvelope } from '../../shared/trust/dsse.ts';
import type { Command, KeyList } from '../../shared/trust/messages.ts';
import { verifyCommand } from '../../shared/trust/verify.ts';

/** Ids that are remembered until they expire. */
const COMMANDS = 128;

export class DoneCommands {
  readonly #done = new Map<string, number>();

  ids(): string[] {
    return [...this.#done.keys()];
  }

  /** Does what the message asks, unless it was done; answers with its name, and what is wrong with it. */
  receive(
    bytes: Uint8Array,
    context: { readonly agent: string; readonly keys: KeyList; readonly nowMs: number },
    perform: (command: Command) => void,
  ): { id: string; error: unknown } {
    let id = 'command';
    try {
      const command = verifyCommand(parseEnvelope(bytes, 'command'), context);
      id = `command:${command.id}`;
      if (!this.#done.has(command.id)) {
        this.#remember(command, context.nowMs);
        perform(command);
      }
      return { id, error: null };
    } catch (error) {
      return { id, error };
    }
  }

  /** Throws `payload.too_large` where too many are in force. */
  #remember(command: Command, nowMs: number): void {
    for (const [id, expiresMs] of this.#done) if (expiresMs <= nowMs) this.#done.delete(id);
    if (this.#done.size >= COMMANDS) {
      throw new PicketError(
        'payload.too_large',
        `${COMMANDS} commands are in force; command ${command.id} is one too many`,
      );
    }
    this.#done.set(command.id, command.expiresMs);
  }
}
