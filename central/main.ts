/** `picket-central`: arguments and signals; each command is a file in commands/. */
import pino from 'pino';
import { errorText, runCommand as runOne } from '../shared/command-line.ts';
import { terminalAsker } from './backup/passphrase.ts';
import { alertsCommand } from './commands/alerts.ts';
import { backupCommand } from './commands/backup.ts';
import { checkCommand } from './commands/check.ts';
import { cohortsCommand } from './commands/cohorts.ts';
import { configurationCommand } from './commands/configuration.ts';
import type { CentralCommand, CentralContext } from './commands/context.ts';
import { enrollCommand } from './commands/enroll.ts';
import { forecastCommand } from './commands/forecast.ts';
import { replaceCommand, retireCommand } from './commands/identity.ts';
import { importCommand } from './commands/import.ts';
import { keysCommand } from './commands/keys.ts';
import { ledgerCommand } from './commands/ledger.ts';
import { maintenanceCommand } from './commands/maintenance.ts';
import { modelsCommand } from './commands/models.ts';
import { muteCommand, unmuteCommand } from './commands/mute.ts';
import { restoreCommand } from './commands/restore.ts';
import { runCommand } from './commands/run.ts';
import { versionCommand } from './commands/version.ts';

const program = 'picket-central';

const commands: ReadonlyMap<string, CentralCommand> = new Map([
  ['run', runCommand],
  ['check', checkCommand],
  ['enroll', enrollCommand],
  ['retire', retireCommand],
  ['replace', replaceCommand],
  ['mute', muteCommand],
  ['unmute', unmuteCommand],
  ['maintenance', maintenanceCommand],
  ['cohorts', cohortsCommand],
  ['backup', backupCommand],
  ['restore', restoreCommand],
  ['import', importCommand],
  ['ledger', ledgerCommand],
  ['alerts', alertsCommand],
  ['keys', keysCommand],
  ['models', modelsCommand],
  ['configuration', configurationCommand],
  ['version', versionCommand],
  ['make-forecasts', forecastCommand],
]);

const stopping = new AbortController();

const context: CentralContext = {
  // Both spellings are said.
  args: process.argv.slice(2).map((arg, index) => (index === 0 && arg === 'enrol' ? 'enroll' : arg)),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  usualConfig: '/etc/picket/central.yaml',
  signal: stopping.signal,
  nowMs: Date.now,
  askSecret: terminalAsker(process.stdin, process.stderr),
  createLog: (level) => pino({ level }, pino.destination({ dest: 2, sync: true })),
  // Loaded when it is needed: the other commands need neither a broker nor a database.
  start: async (options) => {
    // The executable keeps the library of its database there (scripts/build/native-addon.ts); so do its children.
    process.env.PICKET_STATE = options.config.data;
    return (await import('./central.ts')).startCentral(options);
  },
};

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    // Who asks twice wants it now; what is committed stays so.
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  });
}
process.on('SIGHUP', () => {});

for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(name, (error: unknown) => {
    process.stderr.write(errorText(program, error, true));
    process.exit(70);
  });
}

async function main(): Promise<void> {
  process.exitCode = await runOne(program, commands, context);
  // What was left open must not keep the process.
  setTimeout(() => process.exit(), 1000).unref();
}

// The executable is a CommonJS script, which has no top-level await.
void main();
