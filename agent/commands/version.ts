import { version } from '../../shared/version.ts';
import type { AgentCommand } from './context.ts';

export const versionCommand: AgentCommand = {
  usage: 'version',
  doc: 'Tells the version.',
  async run({ stdout }) {
    stdout(`picket-agent ${version} (node ${process.versions.node}, ${process.platform}-${process.arch})\n`);
    return 0;
  },
};
