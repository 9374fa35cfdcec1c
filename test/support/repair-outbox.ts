/** The child process of a repair, as the agent's executable starts one: the database's directory is the argument. */
import { repairDatabase } from '../../agent/outbox/repair.ts';

await repairDatabase(process.argv[2]!);
