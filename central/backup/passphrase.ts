/**
 * The passphrase of a backup: from a file, from the environment, or asked at the terminal; never an argument, which
 * every user of the machine can read.
 */
import { open } from 'node:fs/promises';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { checkedPassphrase, LONGEST_PASSPHRASE } from './format.ts';

export const PASSPHRASE_VARIABLE = 'PICKET_BACKUP_PASSPHRASE';
const CONTROL_C = '\u0003';

export interface PassphraseSources {
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks at the terminal without an echo; null where there is none. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/**
 * Throws `usage.invalid`, `config.unreadable`.
 * @param repeated asked twice: a new one that was mistyped opens nothing
 */
export async function passphraseFrom({ file, env, ask }: PassphraseSources, repeated: boolean): Promise<string> {
  if (file !== undefined) return checkedPassphrase(await firstLine(file));
  const given = env[PASSPHRASE_VARIABLE];
  if (given !== undefined && given !== '') return checkedPassphrase(given);
  if (ask === null) {
    throw new PicketError(
      'usage.invalid',
      `the passphrase of the backup is missing: --passphrase-file FILE, ${PASSPHRASE_VARIABLE}, or a terminal to ask at.`,
    );
  }
  const answer = checkedPassphrase(await ask('Passphrase of the backup: '));
  if (repeated && (await ask('The same again: ')) !== answer) {
    throw new PicketError('usage.invalid', 'the two passphrases differ.');
  }
  return answer;
}

async function firstLine(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(4 * LONGEST_PASSPHRASE + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/, 1)[0] ?? '';
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new PicketError(
      'config.unreadable',
      `cannot read the passphrase in ${path}: ${messageOf(error)}.`,
      {},
      error,
    );
  }
}

/** A line from the terminal, not shown; null where standard input is none. */
export function terminalAsker(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): ((question: string) => Promise<string>) | null {
  if (!input.isTTY || !output.isTTY) return null;
  return (question) =>
    new Promise((resolve, reject) => {
      let line = '';
      output.write(question);
      input.setRawMode(true);
      input.setEncoding('utf8').resume();
      const end = (): void => {
        input.off('data', take);
        input.setRawMode(false);
        input.pause();
        output.write('\n');
      };
      const take = (text: string): void => {
        for (const character of text) {
          if (character === '\r' || character === '\n') {
            end();
            resolve(line);
            return;
          }
          if (character === CONTROL_C) {
            end();
            reject(new PicketError('usage.invalid', 'no passphrase was given.'));
            return;
          }
          if (character === '\u007f' || character === '\b') line = line.slice(0, -1);
          else if (line.length <= LONGEST_PASSPHRASE) line += character;
        }
      };
      input.on('data', take);
    });
}
