import { version } from '../../shared/version.ts';
import type { CentralCommand } from './context.ts';

export const versionCommand: CentralCommand = {
  usage: 'version',
  doc: 'Tells the version.',
  async run({ stdout }) {
    stdout(`picket-central ${version} (node ${process.versions.node}, ${process.platform}-${process.arch})\n`);
    return 0;
  },
};
