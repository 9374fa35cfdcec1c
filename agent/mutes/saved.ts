/** What mutes keep over a restart, as JSON in the outbox; read back as carefully as if it came from outside. */
import { type Mute, muteLimits, readMute } from '../../shared/mute.ts';
import { listOf, numberOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';

const SAVED_BYTES = 60 * 1024;
const COMMANDS = 64;

export interface KeptMute extends Mute {
  /** On the boot that it was kept in. */
  readonly endMonotonicMs: number;
}

export interface SavedMutes {
  readonly boot: string;
  readonly savedMonotonicMs: number;
  readonly mutes: readonly KeptMute[];
  /** Ids of commands that were done, and until when one of that id could come. */
  readonly done: readonly (readonly [id: string, untilMs: number])[];
}

export function encodeMutes(saved: SavedMutes): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(saved));
}

/** Throws `payload.invalid`, `payload.too_large`. */
export function decodeMutes(bytes: Uint8Array): SavedMutes {
  const json = objectOf(parseJson(bytes, SAVED_BYTES, 'mutes'), 'mutes');
  return {
    boot: textOf(json.boot, 'mutes.boot', 64),
    savedMonotonicMs: numberOf(json.savedMonotonicMs, 'mutes.savedMonotonicMs'),
    mutes: listOf(json.mutes, 'mutes.mutes', muteLimits.most, (item, at) => ({
      ...readMute(item, at),
      endMonotonicMs: numberOf(objectOf(item, at).endMonotonicMs, `${at}.endMonotonicMs`),
    })),
    done: listOf(json.done, 'mutes.done', COMMANDS, (item, at) => {
      const [id, untilMs] = listOf(item, at, 2, (part) => part);
      return [textOf(id, at, 64), numberOf(untilMs, at)] as const;
    }),
  };
}
