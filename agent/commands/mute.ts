/** `mute` and `unmute`: silence for a while, asked of the running agent. */
import { parseDuration } from '../../shared/config/units.ts';
import { PicketError } from '../../shared/errors.ts';
import { type Mute, mutedWhat, muteLimits, readMute } from '../../shared/mute.ts';
import { integerOf, listOf, objectOf } from '../../shared/trust/strict.ts';
import { dataDirectoryOf } from '../config.ts';
import { type AgentCommand, type AgentContext, loadConfig, parseOptions } from './context.ts';

const where = { data: { type: 'string' }, config: { type: 'string' } } as const;
const what = { rule: { type: 'string' }, series: { type: 'string' } } as const;
const whatHelp = [
  '  --rule ID       only what this rule finds; `*` stands for any text',
  '  --series NAME   only these series, by name or written out as `name{attribute="value"}`; `*` stands for any text',
];
const whereHelp = ['  --data DIR      the agent’s data directory', '  --config FILE   its configuration'];

export const muteCommand: AgentCommand = {
  usage: 'mute DURATION [--rule ID] [--series NAME] [--reason TEXT]',
  doc: 'Nobody is woken for a while; what is found is recorded and shown as before.',
  options: [
    '  DURATION        such as 2h or 1h30m, from 1m to 30d; it ends by itself, and survives a restart',
    ...whatHelp,
    '  --reason TEXT   shown with it, and in the central’s audit trail',
    ...whereHelp,
  ].join('\n'),
  async run(context) {
    const options = { ...where, ...what, reason: { type: 'string', default: '' } } as const;
    const { values, positionals } = parseOptions(context.args, options, 1);
    const forMs = parseDuration(positionals[0] ?? '');
    if (forMs === null || forMs < muteLimits.leastMs || forMs > muteLimits.mostMs) {
      throw new PicketError('usage.invalid', 'say for how long: a duration such as 2h or 1h30m, from 1m to 30d.');
    }
    const { rule = null, series = null, reason } = values;
    const { mutes } = await ask(context, values, { do: 'mute', forMs, rule, series, reason, by: userOf(context) });
    context.stdout(describeMutes(mutes));
    return 0;
  },
};

export const unmuteCommand: AgentCommand = {
  usage: 'unmute [--rule ID] [--series NAME]',
  doc: 'Ends all mutes, or the one of this rule or these series.',
  options: [...whatHelp, ...whereHelp].join('\n'),
  async run(context) {
    const { values } = parseOptions(context.args, { ...where, ...what });
    const { rule = null, series = null } = values;
    const { ended, mutes } = await ask(context, values, { do: 'unmute', rule, series });
    context.stdout(`${ended === 0 ? 'nothing like that was muted' : `${ended} ended`}\n${describeMutes(mutes)}`);
    return 0;
  },
};

/** What is muted, a line each. */
function describeMutes(mutes: readonly Mute[]): string {
  if (mutes.length === 0) return 'nothing is muted\n';
  return mutes.map((mute) => `muted: ${describeMute(mute)}\n`).join('');
}

/** `everything until 2026-11-23 20:05 UTC, by root: boiler service`. */
export function describeMute(mute: Mute): string {
  const until = `${new Date(mute.untilMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const text = `${mutedWhat(mute)} until ${until}, by ${mute.by}${mute.reason === '' ? '' : `: ${mute.reason}`}`;
  return text.replace(/\p{Cc}/gu, ' ');
}

async function ask(
  context: AgentContext,
  given: { readonly data?: string | undefined; readonly config?: string | undefined },
  request: object,
): Promise<{ ended: number; mutes: readonly Mute[] }> {
  const { config } = await loadConfig(given.config, context);
  const dataDir = dataDirectoryOf(config, given.data, context.env);
  const { askAgent } = await import('../by-hand/call.ts');
  const answer = await askAgent(dataDir, request);
  if (answer === null)
    throw new PicketError('agent.offline', `no agent runs with ${dataDir}: there is nothing to mute.`);
  const { ended, mutes } = objectOf(answer, 'answer');
  return {
    ended: ended === undefined ? 0 : integerOf(ended, 'answer.ended'),
    mutes: listOf(mutes, 'answer.mutes', muteLimits.most, readMute),
  };
}

function userOf({ env }: AgentContext): string {
  const name = env.SUDO_USER ?? env.USER ?? `uid ${process.getuid?.() ?? '?'}`;
  return `${name} on the machine`.slice(0, muteLimits.byCharacters);
}
