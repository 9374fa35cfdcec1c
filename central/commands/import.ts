import { join } from 'node:path';
import { errorTable, messageOf, PicketError } from '../../shared/errors.ts';
import { Answers } from '../exchange/answers.ts';
import { ExchangeClient } from '../exchange/client.ts';
import { bytesOf, type FoundFile, findExports, isDirectory, writePieces } from '../exchange/files.ts';
import { replyFile } from '../exchange/reply.ts';
import { takeIn } from '../exchange/take-in.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';

export const importCommand: CentralCommand = {
  usage: 'import FILE|DIR [--reply FILE|DIR]',
  doc: 'Takes in what agents without a network exported, and writes what goes back to them.',
  options: [
    '  FILE|DIR           an export of an agent, or a directory with those of several',
    '  --reply FILE|DIR   acknowledgements, models and configuration for the agent, to be imported there; a directory',
    '                     gets a file for each agent',
    '  --data DIR         data directory of the running central',
    '  --config FILE      its configuration',
    '',
    'Twice, or in another order, changes nothing. The exit code is 65 where a part was damaged; the rest is taken then.',
  ].join('\n'),
  async run(context) {
    const options = { reply: { type: 'string' }, data: { type: 'string' }, config: { type: 'string' } } as const;
    const { values, positionals } = parseOptions(context.args, options, 1);
    const path = positionals[0];
    if (path === undefined) throw new PicketError('usage.invalid', 'the file is missing.');
    const { config } = await loadConfig(values, context);
    const files = await findExports(path);
    if (files.length === 0) throw new PicketError('payload.invalid', `${path} has no export of an agent.`);
    const agents = Object.values(Object.groupBy(files, ({ header }) => `${header.agent} ${header.series}`));
    const toDirectory = values.reply !== undefined && (await isDirectory(values.reply));
    if (agents.length > 1 && values.reply !== undefined && !toDirectory) {
      throw new PicketError('usage.invalid', `there are exports of several agents: --reply must be a directory.`);
    }
    const client = await ExchangeClient.open(config.data);
    try {
      let code = 0;
      for (const group of agents) {
        const { agent, number } = group!.at(-1)!.header;
        const reply = toDirectory ? join(values.reply!, `${agent}-${number}.picket-reply`) : (values.reply ?? null);
        code = Math.max(code, await importAll(client, group!, reply, context, agents.length === 1));
      }
      return code;
    } finally {
      client.close();
    }
  },
};

/** The files of one agent, in their order, and its reply. */
async function importAll(
  client: ExchangeClient,
  files: readonly FoundFile[],
  reply: string | null,
  context: CentralContext,
  alone: boolean,
): Promise<number> {
  const answers = new Answers();
  let applied: ReadonlySet<string> = new Set();
  let answered: FoundFile | null = null;
  let code = 0;
  for (const file of files) {
    const { agent, number } = file.header;
    try {
      const taken = await takeIn(client, file.header, bytesOf(file.path), answers);
      answered = file;
      applied = taken.applied ?? applied;
      context.stdout(
        `${file.path}: ${agent}, export ${number}: ${taken.records} records in ${taken.envelopes} envelopes\n`,
      );
      for (const problem of taken.problems) context.stderr(`${file.path}: ${problem}\n`);
      if (taken.problems.length > 0) code = errorTable['frame.corrupt'].exit;
    } catch (error) {
      // One file or one agent that cannot be taken must not stop the others of a stick.
      if (alone && files.length === 1) throw error;
      context.stderr(`${file.path}: ${agent}, export ${number}: ${messageOf(error)}\n`);
      code = errorTable['frame.corrupt'].exit;
    }
  }
  if (reply === null || answered === null) return code;
  const nowMs = context.nowMs();
  await writePieces(reply, replyFile({ client, header: answered.header, answers, applied, nowMs }));
  context.stdout(`${reply}: for \`picket-agent import\` on ${answered.header.agent}\n`);
  return code;
}
