/** The end of an identity, and its hand-over to new hardware. */
import { PicketError } from '../../shared/errors.ts';
import { ID_PATTERN } from '../../shared/limits.ts';
import { postToCentral } from './api-client.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';
import { asToken } from './enroll.ts';

const options = '  --data DIR        data directory of the running central\n  --config FILE     its configuration';

export const retireCommand: CentralCommand = {
  usage: 'retire AGENT',
  doc: 'Ends an agent’s identity: it can connect no more, its history stays.',
  options,
  async run(context) {
    const { agent } = await post(context, 'retire');
    context.stdout(`${agent} is retired\n`);
    return 0;
  },
};

export const replaceCommand: CentralCommand = {
  usage: 'replace AGENT',
  doc: 'Prints the command with which new hardware takes over an agent’s identity and history.',
  options,
  async run(context) {
    const { answer } = await post(context, 'replace');
    context.stdout(`${asToken(answer).command}\n`);
    return 0;
  },
};

async function post(
  context: CentralContext,
  action: 'retire' | 'replace',
): Promise<{ agent: string; answer: unknown }> {
  const { values, positionals } = parseOptions(
    context.args,
    { data: { type: 'string' }, config: { type: 'string' } },
    1,
  );
  const agent = positionals[0];
  if (agent === undefined || !ID_PATTERN.test(agent)) {
    throw new PicketError(
      'usage.invalid',
      agent === undefined ? 'the id of the agent is missing.' : `\`${agent.slice(0, 64)}\` is not the id of an agent.`,
    );
  }
  const { config } = await loadConfig(values, context);
  return { agent, answer: await postToCentral(config.data, `/api/v1/agents/${agent}/${action}`, {}) };
}
