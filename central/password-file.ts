/**
 * The fleet's credentials for an external broker: a file in mosquitto's format that follows every enrolment, hand-over
 * and retirement. The central keeps only hashes of passwords, so that a line is written when the password is made.
 *
 *     user:$7$ITERATIONS$SALT$HASH        PBKDF2-HMAC-SHA512, 12 bytes of salt, 64 of hash, base64 (mosquitto_passwd(1))
 *
 * The broker reads the file again when it is told to (mosquitto: SIGHUP); until then an agent tries again.
 */
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PicketError } from '../shared/errors.ts';

const SALT_BYTES = 12;
const HASH_BYTES = 64;
/** As mosquitto_passwd has it; agents' passwords have 256 random bits, which no number of rounds makes better. */
const ITERATIONS = 101;

export class PasswordFile {
  readonly #path: string;
  readonly #lines: Map<string, string>;
  /** One write after the other. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, lines: Map<string, string>) {
    this.#path = path;
    this.#lines = lines;
  }

  /** Reads what is there; users that others put there stay. Throws `config.unreadable`. */
  static async open(path: string): Promise<PasswordFile> {
    let text = '';
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw new PicketError(
          'config.unreadable',
          `broker.passwords: cannot read ${path}: ${messageOf(error)}`,
          {},
          error,
        );
      }
    }
    const lines = text.split('\n').filter((line) => line.includes(':'));
    return new PasswordFile(path, new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line])));
  }

  /** Resolves when the file has it. Throws `store.failed`. */
  set(user: string, password: string): Promise<void> {
    const line = passwordLine(user, password, randomBytes(SALT_BYTES));
    return this.#change(() => this.#lines.set(user, line));
  }

  remove(user: string): Promise<void> {
    return this.#change(() => this.#lines.delete(user));
  }

  #change(change: () => void): Promise<void> {
    const written = this.#writing.then(async () => {
      change();
      await this.#write();
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  async #write(): Promise<void> {
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      // The broker's group may read it: the directory's group, where it has the setgid bit.
      const file = await open(temporary, 'w', 0o640);
      try {
        await file.writeFile([...this.#lines.values()].map((line) => `${line}\n`).join(''));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
      const directory = await open(dirname(this.#path), 'r');
      await directory.sync().finally(() => directory.close());
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw new PicketError(
        'store.failed',
        `broker.passwords: cannot write ${this.#path}: ${messageOf(error)}`,
        {},
        error,
      );
    }
  }
}

/** One line of such a file. */
export function passwordLine(user: string, password: string, salt: Uint8Array): string {
  const hash = pbkdf2Sync(password, salt, ITERATIONS, HASH_BYTES, 'sha512').toString('base64');
  return `${user}:$7$${ITERATIONS}$${Buffer.from(salt).toString('base64')}$${hash}`;
}
