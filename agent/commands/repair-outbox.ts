import { messageOf, PicketError } from '../../shared/errors.ts';
import { type AgentCommand, parseOptions } from './context.ts';

/** What the outbox starts to repair a database: LevelDB was seen to abort the process over it. */
export const repairOutboxCommand: AgentCommand = {
  usage: 'repair-outbox DIRECTORY',
  doc: 'Repairs the database of an outbox. The agent starts it by itself, after it has taken a copy.',
  hidden: true,
  async run({ args, stderr }) {
    const { positionals } = parseOptions(args, {}, 1);
    const directory = positionals[0];
    if (directory === undefined) throw new PicketError('usage.invalid', 'the directory of the database is missing.');
    const { repairDatabase } = await import('../outbox/repair.ts');
    try {
      await repairDatabase(directory);
      return 0;
    } catch (error) {
      stderr(`the database in ${directory} could not be repaired: ${messageOf(error)}\n`);
      return 1;
    }
  },
};
