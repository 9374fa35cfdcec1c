import { messageOf, PicketError } from '../../shared/errors.ts';
import { type AgentCommand, parseOptions } from './context.ts';

/** What the outbox starts to repair a database: LevelDB was seen to abort the process over it. */
export const repairOutboxCommand: AgentCommand = {
  usage: 'repair-outbox [--check] DIRECTORY',
  doc: 'Repairs the database of an outbox, or tries all of it. The agent starts it by itself, after it has taken a copy.',
  hidden: true,
  async run({ args, stderr }) {
    const { positionals, values } = parseOptions(args, { check: { type: 'boolean' } }, 1);
    const directory = positionals[0];
    if (directory === undefined) throw new PicketError('usage.invalid', 'the directory of the database is missing.');
    const { checkDatabase, repairDatabase } = await import('../outbox/repair.ts');
    try {
      await (values.check ? checkDatabase(directory) : repairDatabase(directory));
      return 0;
    } catch (error) {
      stderr(`the database in ${directory} could not be ${values.check ? 'read' : 'repaired'}: ${messageOf(error)}\n`);
      return 1;
    }
  },
};
