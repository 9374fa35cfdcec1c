/** What `export` and `import` begin with: the machine's enrolment, and who has its outbox. */
import { PicketError } from '../../shared/errors.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import { credentialOf } from '../../shared/trust/exchange.ts';
import { version } from '../../shared/version.ts';
import { type AgentContext, loadConfig } from '../commands/context.ts';
import { dataDirectoryOf, hostOf } from '../config.ts';
import { readEnrolment } from '../enrolment.ts';
import { callAgent } from './call.ts';
import type { Desk } from './desk.ts';

export interface ByHand {
  readonly desk: Desk;
  readonly enrolment: Enrolment;
  /** What seals the files. */
  readonly credential: string;
}

/** The running agent's desk, or one of our own where none runs. Throws `conflict` where the machine is not enrolled. */
export async function openByHand(
  context: AgentContext,
  given: { readonly data?: string | undefined; readonly config?: string | undefined },
): Promise<ByHand> {
  const { config } = await loadConfig(given.config, context);
  const dataDir = dataDirectoryOf(config, given.data, context.env);
  const enrolment = await readEnrolment(dataDir);
  if (enrolment === null) {
    throw new PicketError('conflict', `${dataDir} has no enrolment: no central could open what is exported here.`);
  }
  const credential = credentialOf(enrolment.password);
  const running = await callAgent(dataDir);
  if (running !== null) return { desk: running, enrolment, credential };
  process.env.PICKET_STATE = dataDir;
  const { localDesk } = await import('./local.ts');
  const { clock, procRoot } = hostOf(config, context.host);
  const { log } = context.host;
  return { desk: localDesk({ dataDir, config, enrolment, version, clock, procRoot, log }), enrolment, credential };
}
