/** The totals of each agent's ledger: counted from its rows once, then kept up by each commit. */
import { readAgent, readLedgers } from './agents.ts';
import type { LedgerChange } from './commit.ts';
import type { Reader } from './database.ts';
import { addToTotals, type EpochLedger, ledgerRow, noTotals } from './ledger.ts';
import type { AgentId, LedgerTotals } from './store.ts';

export function totalsOf(ledgers: readonly EpochLedger[]): LedgerTotals {
  return ledgers.filter(counts).reduce((totals, ledger) => addToTotals(totals, ledgerRow(ledger), 1), noTotals);
}

/** An epoch of which nothing was ever heard but its name is none yet. */
function counts({ made }: EpochLedger): boolean {
  return made > 0;
}

export class LedgerSums {
  readonly #totals = new Map<AgentId, LedgerTotals>();

  /** @param exclusive runs while nothing is written, so that the count and what follows fit together */
  async of(
    reader: Reader,
    agent: AgentId,
    exclusive: (run: () => Promise<void>) => Promise<void>,
  ): Promise<LedgerTotals> {
    const known = this.#totals.get(agent);
    if (known !== undefined) return known;
    await exclusive(async () => {
      if (this.#totals.has(agent)) return;
      const row = await readAgent(reader, agent);
      if (row !== null) this.#totals.set(agent, totalsOf(await readLedgers(reader, row.number)));
    });
    return this.#totals.get(agent) ?? noTotals;
  }

  /** These rows are durable. */
  take(changes: readonly LedgerChange[]): void {
    for (const { agent, before, after } of changes) {
      let totals = this.#totals.get(agent);
      if (totals === undefined) continue;
      if (counts(before)) totals = addToTotals(totals, ledgerRow(before), -1);
      if (counts(after)) totals = addToTotals(totals, ledgerRow(after), 1);
      this.#totals.set(agent, totals);
    }
  }

  forget(agent?: AgentId): void {
    if (agent === undefined) this.#totals.clear();
    else this.#totals.delete(agent);
  }
}
