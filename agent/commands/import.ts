import { errorTable, PicketError } from '../../shared/errors.ts';
import type { ImportResult } from '../by-hand/incoming.ts';
import { type AgentCommand, parseOptions } from './context.ts';

export const importCommand: AgentCommand = {
  usage: 'import FILE|DIR',
  doc: 'Takes in what the central wrote for this machine: acknowledgements, models, configuration.',
  options: [
    '  FILE|DIR        the reply of `picket-central import`; of a directory all that are for this machine',
    '  --data DIR      the agent’s data directory',
    '  --config FILE   its configuration',
    '',
    'The agent may run or not. Twice, or in another order, changes nothing. The exit code is 65 where a part was damaged.',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(
      context.args,
      { data: { type: 'string' }, config: { type: 'string' } },
      1,
    );
    const path = positionals[0];
    if (path === undefined) throw new PicketError('usage.invalid', 'the file is missing.');
    // What only these two commands need is loaded with them.
    const { openByHand } = await import('../by-hand/command.ts');
    const { findReplies, openStick } = await import('../by-hand/files.ts');
    const { desk, enrolment, credential } = await openByHand(context, values);
    const replies = await findReplies(path, enrolment.agent);
    if (replies.length === 0) throw new PicketError('payload.invalid', `${path} has no reply for ${enrolment.agent}.`);
    let code = 0;
    for (const reply of replies) {
      const messages = await openStick(reply.path, credential, (problem) => {
        context.stderr(`${reply.path}: ${problem}\n`);
        code = errorTable['frame.corrupt'].exit;
      });
      context.stdout(described(reply.path, await desk.import(messages)));
    }
    return code;
  },
};

function described(path: string, result: ImportResult): string {
  const { pendingBefore, pendingAfter, outdated, manifestVersion, waiting, applied, refusals } = result;
  const lines = [
    outdated
      ? `${path}: older than what is known; its acknowledgements change nothing`
      : `${path}: ${Math.max(0, pendingBefore - pendingAfter)} records settled, ${pendingAfter} pending`,
    ...(waiting ? ['what the machine is to run waits for the agent’s start'] : []),
    ...applied.map(
      ({ slot, releaseSha256 }) => `runs ${slot} ${releaseSha256.slice(0, 12)} (manifest ${manifestVersion})`,
    ),
    ...refusals.map((refusal) => `refused: ${refusal}`),
  ];
  return `${lines.join('\n')}\n`;
}
