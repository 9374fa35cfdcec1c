/** The child process of a repair, as the agent's executable starts one: the database's directory is the last argument. */
import { checkDatabase, repairDatabase } from '../../agent/outbox/repair.ts';

if (process.argv[2] === '--check') await checkDatabase(process.argv[3]!);
else await repairDatabase(process.argv[2]!);
