import { writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { type AgentCommand, parseOptions } from './context.ts';

/** What the agent starts to ask for the costly part of the inventory. */
export const inventoryChildCommand: AgentCommand = {
  usage: 'inventory-child [--identifiers]',
  doc: 'Writes what systeminformation finds out about the machine, as JSON. The agent starts it by itself.',
  hidden: true,
  async run({ args, stdout }) {
    const { values } = parseOptions(args, { identifiers: { type: 'boolean' } });
    await stepBack();
    const { fitted, inventoryDetail, loadQuestions, maxDetailBytes } = await import('../inputs/inventory/detail.ts');
    const detail = await inventoryDetail(await loadQuestions(), values.identifiers === true);
    stdout(JSON.stringify(fitted(detail, maxDetailBytes)));
    return 0;
  },
};

/** If the processor or the memory is scarce, the agent comes first. */
async function stepBack(): Promise<void> {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
    await writeFile('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not on this system; then it shares alike.
  }
}
