/** Who is told of what: the state of the running central, or a test that the configuration's targets are sent. */
import { formatAddress } from '../../shared/address.ts';
import { describeSpan } from '../../shared/detect/wording.ts';
import { errorTable, messageOf, PicketError } from '../../shared/errors.ts';
import type { AlertsView } from '../alerts/api.ts';
import { moment, oneLine } from '../alerts/message.ts';
import { sendTest } from '../alerts/sender.ts';
import { openTarget } from '../alerts/targets/registry.ts';
import type { CentralConfig } from '../config.ts';
import { readCentralState } from '../state-files.ts';
import { getFromCentral } from './api-client.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';

type State = Pick<AlertsView, 'targets' | 'heartbeat' | 'problem'>;

export const alertsCommand: CentralCommand = {
  usage: 'alerts [--test [TARGET]]',
  doc: 'Prints who is told of troubles and how that goes; or sends a test to one target, or to all.',
  options: [
    '  --test            sends a test by the configuration; the central need not run',
    '  TARGET            to this target alone',
    '  --data DIR        data directory of the central, where it is not the configuration’s',
    '  --config FILE     its configuration',
  ].join('\n'),
  async run(context) {
    const options = { test: { type: 'boolean' }, data: { type: 'string' }, config: { type: 'string' } } as const;
    const { values, positionals } = parseOptions(context.args, options, 1);
    const { config } = await loadConfig(values, context);
    if (values.test === true) return await test(config, positionals[0], context);
    if (positionals[0] !== undefined) throw new PicketError('usage.invalid', 'a target is named with `--test` only.');
    const state = (await getFromCentral(config.data, '/api/v1/alerts')) as State;
    context.stdout(inWords(state, context.nowMs()));
    return 0;
  },
};

async function test(config: CentralConfig, name: string | undefined, context: CentralContext): Promise<number> {
  const { targets } = config.alerts;
  const chosen = targets.filter((target) => name === undefined || target.name === name);
  if (chosen.length === 0) {
    const names = targets.map((target) => target.name).join(', ');
    const there = names === '' ? 'the configuration has no targets (`alerts.targets`).' : `there are ${names}.`;
    throw new PicketError(
      'not_found',
      name === undefined ? there : `there is no target ${name.slice(0, 60)}; ${there}`,
    );
  }
  const url = await pagesOf(config);
  let failed = false;
  for (const one of chosen) {
    try {
      const target = await openTarget(one, context.nowMs);
      const naming = { nameOf: (agent: string) => agent, url };
      const answer = await sendTest(target, naming, context.nowMs(), context.signal);
      target.close();
      context.stdout(`${one.name.padEnd(16)} ${answer}\n`);
    } catch (error) {
      failed = true;
      context.stderr(`${one.name.padEnd(16)} failed: ${messageOf(error)}\n`);
    }
  }
  return failed ? errorTable['target.failed'].exit : 0;
}

/** Where the pages of the central are served, as far as that is known. */
async function pagesOf(config: CentralConfig): Promise<string> {
  if (config.publicUrl !== undefined) return config.publicUrl;
  const running = await readCentralState(config.data).catch(() => null);
  return running?.url ?? `http://${formatAddress(config.http.listen)}`;
}

function inWords({ targets, heartbeat, problem }: State, nowMs: number): string {
  const ago = (ms: number | null): string => (ms === null ? 'never' : `${describeSpan(Math.max(0, nowMs - ms))} ago`);
  const lines = targets.map((target) => {
    const { name, kind, where, lastSuccessMs, failures, lastError, waiting, dropped, nextTryMs } = target;
    const parts = [`${name.padEnd(16)} ${kind} to ${where}: last taken ${ago(lastSuccessMs)}, ${waiting} waiting`];
    if (dropped > 0) parts.push(`${dropped} given up`);
    if (failures > 0) parts.push(`failed ${failures} times: ${oneLine(lastError ?? '', 200)}`);
    if (nextTryMs !== null) parts.push(`next try ${moment(nextTryMs)}`);
    return parts.join('; ');
  });
  if (targets.length === 0) lines.push('nobody is told: `alerts.targets` of the configuration is empty');
  if (heartbeat !== null) {
    const { where, lastSuccessMs, problem: wrong } = heartbeat;
    lines.push(
      `${'heartbeat'.padEnd(16)} to ${where}: last taken ${ago(lastSuccessMs)}${wrong === null ? '' : `; ${wrong}`}`,
    );
  }
  if (problem !== null) lines.push(`the central does not do its work: ${problem}`);
  return `${lines.join('\n')}\n`;
}
