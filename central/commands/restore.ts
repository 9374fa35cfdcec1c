import { PicketError } from '../../shared/errors.ts';
import { passphraseFrom } from '../backup/passphrase.ts';
import { passphraseHelp } from './backup.ts';
import { type CentralCommand, loadConfig, parseOptions } from './context.ts';

export const restoreCommand: CentralCommand = {
  usage: 'restore FILE [--check] [--passphrase-file FILE] [--data DIR] [--config FILE]',
  doc: 'Brings a central back from a backup onto an empty data directory; agents find it again by themselves.',
  options: [
    '  --check                  reads and verifies all of the backup, and restores nothing',
    passphraseHelp,
    '  --data DIR               the directory to restore to, where it is not the configuration’s',
    '  --config FILE            the configuration',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(
      context.args,
      {
        check: { type: 'boolean' },
        'passphrase-file': { type: 'string' },
        data: { type: 'string' },
        config: { type: 'string' },
      },
      1,
    );
    const [path] = positionals;
    if (path === undefined) throw new PicketError('usage.invalid', 'the backup to restore is missing.');
    const { config } = await loadConfig(values, context);
    const sources = { file: values['passphrase-file'], env: context.env, ask: context.askSecret ?? null };
    const [{ BackupFile }, { restoreBackup, requireEmpty }, { verifyBackup }] = await Promise.all([
      import('../backup/read.ts'),
      import('../backup/restore.ts'),
      import('../backup/verify.ts'),
    ]);
    if (!values.check) await requireEmpty(config.data);
    const file = await BackupFile.open(path, () => passphraseFrom(sources, false));
    try {
      const { header, totals } = await verifyBackup(file);
      const made = new Date(header.madeMs).toISOString();
      const what = `backup of ${made} by Picket ${header.version}: ${header.agents} agents, ${totals.pairs} entries, ${totals.files} files`;
      if (values.check) {
        context.stdout(`${what}; it is whole\n`);
        return 0;
      }
      const { brought, revokedTokens } = await restoreBackup(file, config.data, context.nowMs);
      context.stdout(`restored to ${config.data}: ${what}\n`);
      for (const name of brought) context.stdout(`  put where it belongs: ${name}\n`);
      context.stderr(
        `Start the central at the address that the lost one had; agents connect by themselves and send what they hold.\n` +
          `Not known any more is what was decided after ${made}: retire again whoever was retired, enrol again whoever was\n` +
          `enrolled. ${revokedTokens} tokens for enrolment are revoked and all sessions ended; the password is that of the backup.\n`,
      );
      return 0;
    } finally {
      await file.close();
    }
  },
};
