import { chown, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf, messageOf, PicketError } from '../../shared/errors.ts';
import { version } from '../../shared/version.ts';
import { PASSPHRASE_VARIABLE, passphraseFrom } from '../backup/passphrase.ts';
import type { CentralConfig } from '../config.ts';
import { streamFromCentral } from './api-client.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';

export const passphraseHelp = [
  '  --passphrase-file FILE   its first line is the passphrase',
  `                           else ${PASSPHRASE_VARIABLE} of the environment, else it is asked at the terminal`,
].join('\n');

export const backupCommand: CentralCommand = {
  usage: 'backup FILE [--passphrase-file FILE] [--data DIR] [--config FILE]',
  doc: 'Writes all of the central (history, models, identities, keys) to one encrypted file, while it runs or not.',
  options: [
    passphraseHelp,
    '  --data DIR               data directory of the central, where it is not the configuration’s',
    '  --config FILE            its configuration',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(
      context.args,
      { 'passphrase-file': { type: 'string' }, data: { type: 'string' }, config: { type: 'string' } },
      1,
    );
    const [file] = positionals;
    if (file === undefined) throw new PicketError('usage.invalid', 'the file to write is missing.');
    const { config, file: configFile } = await loadConfig(values, context);
    const sources = { file: values['passphrase-file'], env: context.env, ask: context.askSecret ?? null };
    const passphrase = await passphraseFrom(sources, true);
    const path = resolve(file);
    const temporary = `${path}.tmp`;
    try {
      await writeDurably(temporary, takeBackup(context, config, configFile, passphrase));
      // Read back before anybody relies on it; a stream that was cut is no backup.
      const { verified, sizeBytes } = await (await import('../backup/verify.ts')).verifyFile(temporary, passphrase);
      await rename(temporary, path);
      await syncDirectory(dirname(path));
      const { files, pairs } = verified.totals;
      context.stdout(
        `${path}: ${sizeBytes} bytes, ${verified.header.agents} agents, ${pairs} entries, ${files} files; read back and whole\n`,
      );
      return 0;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  },
};

/** From the central that runs with this directory; where none answers, from the directory itself. */
async function* takeBackup(
  context: CentralContext,
  config: CentralConfig,
  configFile: string | null,
  passphrase: string,
): AsyncGenerator<Buffer> {
  let stream: AsyncIterable<Buffer> | null = null;
  try {
    stream = await streamFromCentral(config.data, '/api/v1/backup', { passphrase });
  } catch (error) {
    if (codeOf(error) !== 'central.unreachable') throw error;
  }
  if (stream === null) {
    yield* fromDirectory(context, config, configFile, passphrase);
    return;
  }
  try {
    yield* stream;
  } catch (error) {
    throw new PicketError('central.unreachable', `the central broke off: ${messageOf(error)}.`, {}, error);
  }
}

async function* fromDirectory(
  { nowMs }: CentralContext,
  config: CentralConfig,
  configFile: string | null,
  passphrase: string,
): AsyncGenerator<Buffer> {
  const directory = join(config.data, 'store');
  // Opening makes a database where there is none.
  const there = await stat(join(directory, 'CURRENT')).catch(() => null);
  if (there === null) {
    throw new PicketError(
      'config.unreadable',
      `there is no central's data in ${config.data}, and none runs with it: name its directory with --data.`,
    );
  }
  // Where the executable keeps the library of its database.
  process.env.PICKET_STATE ??= config.data;
  const [{ openLevelStore }, { makeBackup }] = await Promise.all([
    import('../store/level.ts'),
    import('../backup/content.ts'),
  ]);
  const store = await openLevelStore(directory).catch((error: unknown) => {
    const hint = /lock/i.test(messageOf(error)) ? ': a program has it open that does not answer as a central' : '';
    throw error instanceof PicketError && hint !== ''
      ? new PicketError('conflict', `${error.message}${hint}.`, {}, error)
      : error;
  });
  try {
    yield* makeBackup({ config, configFile, store, version, nowMs }, passphrase);
  } finally {
    await store.close();
    await giveBack(directory, there);
  }
}

/** What root's opening made in the directory is for the central's user. */
async function giveBack(directory: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  if (process.getuid?.() !== 0 || uid === 0) return;
  for (const name of await readdir(directory)) await chown(join(directory, name), uid, gid).catch(() => {});
}

async function writeDurably(path: string, content: AsyncIterable<Buffer>): Promise<void> {
  let file: Awaited<ReturnType<typeof open>> | null = null;
  try {
    for await (const part of content) {
      // Made with the first bytes: what cannot be backed up leaves no file.
      file ??= await open(path, 'w', 0o600);
      await file.writeFile(part);
    }
    await file?.sync();
  } catch (error) {
    if (error instanceof PicketError) throw error;
    throw new PicketError('store.failed', `cannot write ${path}: ${messageOf(error)}.`, {}, error);
  } finally {
    await file?.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}
