import { version } from '../../shared/version.ts';
import { removeCentralState, writeCentralState } from '../state-files.ts';
import { type CentralCommand, loadConfig, overrideHelp, overrideOptions, parseOptions } from './context.ts';

export const runCommand: CentralCommand = {
  usage: 'run [--http HOST:PORT] [--mqtt HOST:PORT] [--data DIR] [--config FILE]',
  doc: 'Runs the central until SIGTERM; prints one line `ready URL user NAME` once it serves.',
  options: overrideHelp,
  async run(context) {
    const { values } = parseOptions(context.args, overrideOptions);
    const { config, file } = await loadConfig(values, context);
    const log = context.createLog(config.log.level);
    const central = await context.start({ config, configFile: file, version, log });
    const { url, mqtt, ca, user, newPassword } = central;
    try {
      await writeCentralState(config.data, { url, mqtt, ca, pid: process.pid, version });
      const password = newPassword === null ? '' : ` password ${newPassword}`;
      context.stdout(`ready ${url} user ${user}${password}\n`);
      await aborted(context.signal);
    } finally {
      await removeCentralState(config.data).catch(() => {});
      await central.stop();
    }
    return 0;
  },
};

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
