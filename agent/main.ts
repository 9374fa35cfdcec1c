/** `picket-agent`: arguments and signals; each command is a file in commands/. */
import { errorText, runCommand as runOne } from '../shared/command-line.ts';
import { openBootClock } from './boot.ts';
import { checkCommand } from './commands/check.ts';
import type { AgentCommand, AgentContext } from './commands/context.ts';
import { enrolCommand } from './commands/enrol.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { inputsCommand } from './commands/inputs.ts';
import { installCommand } from './commands/install.ts';
import { inventoryChildCommand } from './commands/inventory-child.ts';
import { muteCommand, unmuteCommand } from './commands/mute.ts';
import { repairOutboxCommand } from './commands/repair-outbox.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { versionCommand } from './commands/version.ts';
import { inputKinds } from './inputs/registry.ts';
import { createLog } from './log.ts';

const program = 'picket-agent';

const commands: ReadonlyMap<string, AgentCommand> = new Map([
  ['run', runCommand],
  ['check', checkCommand],
  ['status', statusCommand],
  ['inputs', inputsCommand],
  ['mute', muteCommand],
  ['unmute', unmuteCommand],
  ['enrol', enrolCommand],
  ['export', exportCommand],
  ['import', importCommand],
  ['install', installCommand],
  ['version', versionCommand],
  ['inventory-child', inventoryChildCommand],
  ['repair-outbox', repairOutboxCommand],
]);

// Small buffers that live long keep the whole block alive that they were cut from; Node's are of 64 KB.
Buffer.poolSize = 8 * 1024;

const stderr = (text: string): void => void process.stderr.write(text);
const clock = openBootClock();
const stopping = new AbortController();

const context: AgentContext = {
  // Both spellings are said.
  args: process.argv.slice(2).map((arg, index) => (index === 0 && arg === 'enroll' ? 'enrol' : arg)),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr,
  kinds: inputKinds,
  host: {
    procRoot: '/proc',
    sysRoot: '/sys',
    root: '/',
    platform: process.platform,
    clock,
    log: createLog('warn', stderr, clock.wallMs),
  },
  usualConfig: '/etc/picket/agent.yaml',
  signal: stopping.signal,
  // Loaded when it is needed: the other commands need neither MQTT nor a database.
  start: async (options) => {
    // The executable keeps the library of its database there (scripts/build/native-addon.ts); so do its children.
    process.env.PICKET_STATE = options.dataDir;
    return (await import('./agent.ts')).startAgent(options);
  },
};

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    // Who asks twice wants it now; what is durable stays so.
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  });
}
process.on('SIGHUP', () => {});

for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(name, (error: unknown) => {
    stderr(errorText(program, error, true));
    process.exit(70);
  });
}

async function main(): Promise<void> {
  process.exitCode = await runOne(program, commands, context);
  clock.close();
  // What a command left open (a device that does not let go) must not keep the process.
  setTimeout(() => process.exit(), 1000).unref();
}

// The executable is a CommonJS script, which has no top-level await.
void main();
