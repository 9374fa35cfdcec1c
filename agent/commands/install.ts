import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isSea } from 'node:sea';
import { promisify } from 'node:util';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { systemdUnit, unitName } from '../systemd.ts';
import { type AgentCommand, type AgentContext, parseOptions } from './context.ts';

const execute = promisify(execFile);
const systemctlTimeoutMs = 60_000;
const programPath = '/usr/local/bin/picket-agent';
const unitPath = `/etc/systemd/system/${unitName}`;
const wantsPath = `/etc/systemd/system/multi-user.target.wants/${unitName}`;

export const installCommand: AgentCommand = {
  usage: 'install [--config FILE] [--root DIR] [--print]',
  doc: 'Installs the agent as a systemd service that starts with the machine.',
  options: [
    '  --config FILE   configuration that the service uses; else /etc/picket/agent.yaml if it exists',
    '  --root DIR      writes below this directory (an image that is being built) and starts nothing',
    '  --print         prints the unit and does nothing',
  ].join('\n'),
  async run(context) {
    const options = { config: { type: 'string' }, root: { type: 'string' }, print: { type: 'boolean' } } as const;
    const { values } = parseOptions(context.args, options);
    const unit = systemdUnit({ command: serviceCommand(values.config) });
    if (values.print) {
      context.stdout(unit);
      return 0;
    }
    const root = values.root === undefined ? '/' : resolve(values.root);
    try {
      if (isSea()) await installProgram(join(root, programPath), context);
      await writeUnit(root, unit);
    } catch (error) {
      throw new PicketError('install.failed', `cannot install: ${messageOf(error)}.`, {}, error);
    }
    context.stdout(`wrote ${join(root, unitPath)}, enabled at every start\n`);
    if (root !== '/' || !(await exists('/run/systemd/system'))) {
      context.stdout('systemd does not run here: the service starts with the machine\n');
      return 0;
    }
    await systemctl('daemon-reload');
    await systemctl('restart', unitName);
    context.stdout('started; `picket-agent status` tells how it does\n');
    return 0;
  },
};

/** The packed executable is copied to its place; from sources, Node and the script are run where they are. */
function serviceCommand(config: string | undefined): string[] {
  const script = process.argv[1];
  const program = isSea() || script === undefined ? [programPath] : [process.execPath, resolve(script)];
  return [...program, 'run', ...(config === undefined ? [] : ['--config', resolve(config)])];
}

async function installProgram(path: string, { stdout }: AgentContext): Promise<void> {
  if (process.execPath === path) return;
  await mkdir(dirname(path), { recursive: true });
  // A running program cannot be written over, only replaced.
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await copyFile(process.execPath, temporary);
    await chmod(temporary, 0o755);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  stdout(`copied this program to ${path}\n`);
}

async function writeUnit(root: string, unit: string): Promise<void> {
  const path = join(root, unitPath);
  const wants = join(root, wantsPath);
  await mkdir(dirname(wants), { recursive: true });
  await writeFile(path, unit, { mode: 0o644 });
  // What `systemctl enable` does, which also works in an image where systemd does not run.
  if ((await readlink(wants).catch(() => null)) === unitPath) return;
  await rm(wants, { force: true });
  await symlink(unitPath, wants);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function systemctl(...args: string[]): Promise<void> {
  try {
    await execute('systemctl', args, { timeout: systemctlTimeoutMs });
  } catch (error) {
    throw new PicketError('install.failed', `systemctl ${args.join(' ')} failed: ${messageOf(error)}`, {}, error);
  }
}
