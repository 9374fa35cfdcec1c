import { constants } from 'node:fs';
import { access, mkdtemp, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, errorTable, messageOf, PicketError } from '../../shared/errors.ts';
import { chooseInputs, dataDirectoryOf, hostOf, timezoneOf } from '../config.ts';
import { enrolmentPath, readEnrolment } from '../enrolment.ts';
import { type AgentCommand, type AgentContext, loadConfig, parseOptions } from './context.ts';
import { type Probe, probeInput } from './probe.ts';

export const checkCommand: AgentCommand = {
  usage: 'check [--config FILE] [--data DIR]',
  doc: 'Checks the configuration, the data directory, the enrolment, and reads each input once.',
  options: [
    '  --config FILE   configuration; else /etc/picket/agent.yaml if it exists, else the defaults',
    '  --data DIR      the agent’s data directory',
    '',
    'Run it as the user that the agent runs as: rights are those of who asks. The exit code is 0 when the agent would',
    'do all that it is configured to.',
  ].join('\n'),
  async run(context) {
    const { values } = parseOptions(context.args, { config: { type: 'string' }, data: { type: 'string' } });
    const { config, file } = await loadConfig(values.config, context);
    context.stdout(
      `config     ${file === null ? `none at ${context.usualConfig}: the defaults` : `${file} is right`}\n`,
    );
    context.stdout(`time zone  ${timezoneOf(config)}\n`);
    const dataDir = dataDirectoryOf(config, values.data, context.env);
    const exits = [
      await checkDirectory(dataDir, context),
      await checkEnrolment(dataDir, context),
      await checkInputs(context, config),
    ];
    return exits.find((exit) => exit !== 0) ?? 0;
  },
};

/** Writes into it, which is the only proof: a mode says nothing of a disk that is mounted read-only. */
async function checkDirectory(dataDir: string, { stdout }: AgentContext): Promise<number> {
  try {
    const parent = await nearestExisting(dataDir);
    if (parent === dataDir) {
      await rmdir(await mkdtemp(join(dataDir, '.check-')));
      stdout(`data       ${dataDir} can be written\n`);
    } else {
      await access(parent, constants.W_OK);
      stdout(`data       ${dataDir} is not there yet; it can be made\n`);
    }
    return 0;
  } catch (error) {
    stdout(`data       ${dataDir} cannot be written: ${messageOf(error)}\n`);
    stdout('           run as the agent’s user, or give another directory with `data:` or --data\n');
    return errorTable['store.failed'].exit;
  }
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await access(at).then(
      () => true,
      () => false,
    );
    if (found || dirname(at) === at) return at;
  }
}

/** Not being enrolled is a state and no mistake: the agent measures all the same. */
async function checkEnrolment(dataDir: string, { stdout }: AgentContext): Promise<number> {
  try {
    const enrolment = await readEnrolment(dataDir);
    if (enrolment === null) {
      stdout(`enrolment  none at ${enrolmentPath(dataDir)}: see \`picket-agent enrol --help\`\n`);
    } else {
      const trust = enrolment.ca === null ? 'without encryption' : 'with its CA pinned';
      stdout(`enrolment  ${enrolment.agent} (${enrolment.name}), broker ${enrolment.broker} ${trust}\n`);
    }
    return 0;
  } catch (error) {
    stdout(`enrolment  ${messageOf(error)}\n`);
    return errorTable[codeOf(error)].exit;
  }
}

async function checkInputs(
  context: AgentContext,
  config: Awaited<ReturnType<typeof loadConfig>>['config'],
): Promise<number> {
  const { stdout, kinds, signal } = context;
  const host = hostOf(config, context.host);
  const chosen = chooseInputs(config.inputs, kinds, host);
  const width = Math.max(0, ...chosen.map(({ label }) => label.length));
  let total = 0;
  let failed = 0;
  for (const input of chosen) {
    if (signal.aborted) throw new PicketError('usage.invalid', 'stopped.');
    const probe = await probeInput(input, host, signal);
    total += probe.series;
    // An automatic input that finds nothing to read here is no failure of the configuration.
    if (probe.problem !== null && !input.automatic) failed++;
    const result =
      probe.problem === null ? `${whatCame(probe)}  ${probe.readMs.toFixed(1)} ms` : `failed: ${probe.problem}`;
    stdout(`input      ${input.label.padEnd(width)}  ${result}\n`);
    for (const right of probe.missingRights) stdout(`${' '.repeat(13 + width)}missing: ${right}\n`);
  }
  const over = total > config.limits.series ? ': more than `limits.series`, the last ones are left out' : '';
  stdout(`series     ${total} of at most ${config.limits.series}${over}\n`);
  if (over !== '') return errorTable['series.limit'].exit;
  if (failed === 0) return 0;
  stdout(`${failed} configured input${failed === 1 ? '' : 's'} failed\n`);
  return errorTable['input.failed'].exit;
}

/** `   12 series`, or of an input that gives nothing else `    1 document`. */
function whatCame({ series, documents }: Probe): string {
  const isDocument = series === 0 && documents > 0;
  return isDocument ? `${String(documents).padStart(5)} document` : `${String(series).padStart(5)} series`;
}
