/** The rows of the ledger that a batch changes: its own epoch's, those that it speaks of, and the notes of identity. */
import type { AgentCache, Agents } from './agents.ts';
import type { Plan } from './commit.ts';
import type { Reader } from './database.ts';
import { type Decision, isEpoch, noteOthers, otherEpochs } from './decide.ts';
import { type IdentityNotes, isNews, noNotes } from './identity.ts';
import { epochBytes, keyOf } from './keys.ts';
import { type EpochLedger, isOpenVolatile, isSettled } from './ledger.ts';
import type { Batch, EpochId } from './store.ts';

/** True where something new was noted of who the agent is. */
export async function planLedgers(
  reader: Reader,
  agents: Agents,
  plan: Plan,
  agent: AgentCache,
  batch: Batch,
  before: EpochLedger,
  decision: Decision,
): Promise<true | false> {
  const earlier = new Map<EpochId, EpochLedger>([[batch.epoch, before]]);
  const later = new Map<EpochId, EpochLedger>([[batch.epoch, decision.ledger]]);
  for (const epoch of otherEpochs(batch)) {
    if (later.has(epoch) || !isEpoch(epoch)) continue;
    const ledger = await agents.ledger(reader, agent, epoch);
    earlier.set(epoch, ledger);
    later.set(epoch, ledger);
  }
  const concerns = decision.conflicts.length > 0 || decision.accepted.some(isDurableStart);
  const notesBefore = concerns ? await readNotes(reader, agent.number, plan) : noNotes;
  let notes = notesBefore;
  noteOthers(batch, decision, {
    get: (epoch) => later.get(epoch)!,
    put: (ledger) => later.set(ledger.epoch, ledger),
    notes: () => notes,
    putNotes: (changed) => {
      notes = changed;
    },
  });
  for (const [epoch, ledger] of later) {
    const was = earlier.get(epoch)!;
    if (was === ledger && epoch !== batch.epoch) continue;
    agents.putLedger(agent, ledger, plan.operations);
    plan.ledgers.push({ agent: agent.id, before: was, after: ledger });
    const hasNewKeys = epoch === batch.epoch && decision.accepted.length + decision.refused.length > 0;
    if (isSettled(ledger) && (hasNewKeys || !isSettled(was))) {
      plan.put(keyOf('settled', agent.number, epochBytes(epoch)), Buffer.alloc(0));
    }
    if (isOpenVolatile(ledger)) plan.put(keyOf('volatile', agent.number, epochBytes(epoch)), Buffer.alloc(0));
  }
  if (notes === notesBefore) return false;
  plan.putShared(keyOf('identity', agent.number), Buffer.from(JSON.stringify(notes)));
  return isNews(notesBefore, notes);
}

export async function readNotes(reader: Reader, agent: number, plan?: Pick<Plan, 'getShared'>): Promise<IdentityNotes> {
  const key = keyOf('identity', agent);
  const value = plan === undefined ? await reader.get(key) : await plan.getShared(reader, key);
  return value === undefined ? noNotes : (JSON.parse(Buffer.from(value).toString()) as IdentityNotes);
}

function isDurableStart({ record }: Decision['accepted'][number]): boolean {
  return record.content.kind === 'epoch' && !record.content.volatile;
}
