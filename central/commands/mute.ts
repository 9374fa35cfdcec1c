/** `mute` and `unmute`: asks a machine for silence, through the central that runs here. */
import { parseDuration } from '../../shared/config/units.ts';
import { PicketError } from '../../shared/errors.ts';
import { ID_PATTERN } from '../../shared/limits.ts';
import { mutedWhat, muteLimits } from '../../shared/mute.ts';
import type { MuteOrder } from '../api.ts';
import { postToCentral } from './api-client.ts';
import { type CentralCommand, loadConfig, parseOptions } from './context.ts';

const where = { data: { type: 'string' }, config: { type: 'string' } } as const;
const what = { rule: { type: 'string' }, series: { type: 'string' } } as const;
const whatHelp = [
  '  --rule ID         only what this rule finds; `*` stands for any text',
  '  --series NAME     only these series, by name; `*` stands for any text',
];
const whereHelp = [
  '  --data DIR        data directory of the running central, where it is not the configuration’s',
  '  --config FILE     its configuration',
];

export const muteCommand: CentralCommand = {
  usage: 'mute AGENT DURATION [--rule ID] [--series NAME] [--reason TEXT]',
  doc: 'Asks a machine to wake nobody for a while; what it finds is recorded and shown as before.',
  options: [
    '  DURATION          such as 2h or 1h30m, from 1m to 30d, from now on; it ends by itself',
    ...whatHelp,
    '  --reason TEXT     shown with it, and in the audit trail',
    ...whereHelp,
    '',
    'A machine that is offline is told when it is back, as long as the time is not over.',
  ].join('\n'),
  async run(context) {
    const options = { ...where, ...what, reason: { type: 'string' } } as const;
    const { values, positionals } = parseOptions(context.args, options, 2);
    const forMs = parseDuration(positionals[1] ?? '');
    if (forMs === null || forMs < muteLimits.leastMs || forMs > muteLimits.mostMs) {
      throw new PicketError('usage.invalid', 'say for how long: a duration such as 2h or 1h30m, from 1m to 30d.');
    }
    const { config } = await loadConfig(values, context);
    const { rule, series, reason } = values;
    const agent = agentOf(positionals[0]);
    const body = { forMs, ...defined({ rule, series, reason }) };
    const order = (await postToCentral(config.data, `/api/v1/agents/${agent}/mute`, body)) as MuteOrder;
    const until = `${new Date(order.endsMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    context.stdout(`${agent} was asked to mute ${mutedWhat(order)} until ${until}\n`);
    return 0;
  },
};

export const unmuteCommand: CentralCommand = {
  usage: 'unmute AGENT [--rule ID] [--series NAME]',
  doc: 'Asks a machine to end all its mutes, or the one of this rule or these series.',
  options: [...whatHelp, ...whereHelp].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(context.args, { ...where, ...what }, 1);
    const { config } = await loadConfig(values, context);
    const { rule, series } = values;
    const agent = agentOf(positionals[0]);
    await postToCentral(config.data, `/api/v1/agents/${agent}/unmute`, defined({ rule, series }));
    context.stdout(`${agent} was asked to end what is muted\n`);
    return 0;
  },
};

function agentOf(id: string | undefined): string {
  if (id === undefined) throw new PicketError('usage.invalid', 'the id of the agent is missing.');
  if (!ID_PATTERN.test(id)) throw new PicketError('usage.invalid', `\`${id.slice(0, 64)}\` is not the id of an agent.`);
  return id;
}

/** What was said of these. */
function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
