/** The file of secrets: a line `name=value` for each; nobody but the agent's own user may read it. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { SECRET_NAME } from '../../shared/config/placeholders.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';

const MOST_BYTES = 64 * 1024;

/** Secrets by name. Throws `config.unreadable`, `config.invalid`; no message has a value in it. */
export async function readSecrets(path: string): Promise<ReadonlyMap<string, string>> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new PicketError('config.unreadable', `secrets: ${path} cannot be read: ${messageOf(error)}.`, {}, error);
  });
  try {
    // Of what was opened, so that nothing comes between the look and the reading.
    const { mode, uid, size } = await file.stat();
    const own = process.getuid?.() ?? uid;
    const wrong = !(mode & constants.S_IFREG)
      ? 'is no file'
      : uid !== own
        ? `belongs to user ${uid}, and the agent runs as ${own}: \`chown ${own} ${path}\``
        : (mode & 0o077) !== 0
          ? `may be read by others (mode ${(mode & 0o777).toString(8)}): \`chmod 600 ${path}\``
          : size > MOST_BYTES
            ? `has more than ${MOST_BYTES} bytes`
            : null;
    if (wrong !== null) throw new PicketError('config.invalid', `secrets: ${path} ${wrong}.`);
    const buffer = Buffer.alloc(MOST_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return secretsOf(buffer.toString('utf8', 0, bytesRead), path);
  } finally {
    await file.close();
  }
}

function secretsOf(text: string, path: string): ReadonlyMap<string, string> {
  const secrets = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fail = (what: string) => new PicketError('config.invalid', `${path}:${index + 1}: ${what}`);
    const end = line.indexOf('=');
    const name = line.slice(0, Math.max(0, end)).trim();
    if (!SECRET_NAME.test(name)) throw fail('must be `name=value`; a name has letters, digits, `-` and `_`.');
    if (secrets.has(name)) throw fail(`"${name}" is there already.`);
    const value = line.slice(end + 1);
    if (value === '') throw fail(`"${name}" has no value.`);
    secrets.set(name, value);
  }
  return secrets;
}
