/** The reckoning of a load: what the agent said was durable or acknowledged, held against what the central stored. */
import { join } from 'node:path';
import { countSeqs } from '../../shared/wire/ranges.ts';
import { run } from '../../test/support/processes.ts';
import type { Central } from '../../test/support/system.ts';
import { drained } from '../../test/support/system.ts';
import type { LoadedAgent } from './loaded.ts';
import type { Said, SaidRecord } from './said.ts';
import type { SoakContext } from './scenario.ts';
import { readStored, type StoredAgent } from './stored.ts';

const centralMain = join(import.meta.dirname, '..', '..', 'central', 'main.ts');
const DRAIN_MS = 180_000;
const LEDGER_MS = 20_000;
/** Examples in a message. */
const SHOWN = 5;

export interface Accounts {
  readonly durable: number;
  /** Reported durable and not at the central, `EPOCH SEQ`. */
  readonly missing: readonly string[];
  /** At the central with other bytes than were reported, or with bytes that don't have the CRC that was settled. */
  readonly torn: readonly string[];
  readonly acknowledged: number;
  /** Acknowledged and not stored. */
  readonly unstored: readonly string[];
  readonly quarantined: number;
  readonly stored: StoredAgent;
}

/** Starts the agent (again) without a load, waits until all that it holds is at the central, and ends it. */
export async function drain(central: Central, agent: LoadedAgent, deadlineMs = DRAIN_MS): Promise<void> {
  if (agent.program.alive) await agent.kill();
  await agent.start({ recordsPerS: 0 });
  await agent.until('all that it holds is acknowledged', () => /^drained$/m.test(agent.program.stdout), deadlineMs);
  // The agent has an answer for all of it. Where the ledger still has something pending, its goal says so.
  await drained(central, agent.id, 1, LEDGER_MS).catch(() => {});
  await agent.kill();
}

/**
 * Stops the central and compares.
 * @param acknowledgedBy incarnations whose acknowledgements must hold; all by default
 */
export async function reckon(central: Central, agent: LoadedAgent, acknowledgedBy?: readonly string[]) {
  await central.program.end('SIGTERM');
  agent.said.read();
  return compared(agent.said, await readStored(central.data, agent.id), acknowledgedBy);
}

function compared(said: Said, stored: StoredAgent, acknowledgedBy?: readonly string[]): Accounts {
  const missing: string[] = [];
  const torn: string[] = [];
  const compare = (epoch: string, seq: number, { crc }: SaidRecord, must: boolean): void => {
    const settled = stored.settled.get(epoch)?.get(seq);
    if (settled === undefined) {
      if (must) missing.push(`${epoch} ${seq}`);
    } else if (settled !== crc || stored.records.get(epoch)?.get(seq) !== crc) torn.push(`${epoch} ${seq}`);
  };
  for (const [epoch, records] of said.durable) {
    for (const [seq, record] of records) compare(epoch, seq, record, true);
  }
  for (const [epoch, records] of said.volatile) {
    for (const [seq, record] of records) compare(epoch, seq, record, false);
  }
  // What the agent never heard of as durable (killed before it could say so) has its bytes checked all the same.
  for (const [epoch, records] of stored.records) {
    for (const [seq, crc] of records) {
      if (stored.settled.get(epoch)?.get(seq) !== crc) torn.push(`${epoch} ${seq}`);
    }
  }
  const unstored: string[] = [];
  let acknowledged = 0;
  for (const [incarnation, epochs] of said.acknowledged) {
    if (acknowledgedBy !== undefined && !acknowledgedBy.includes(incarnation)) continue;
    for (const [epoch, ranges] of epochs) {
      acknowledged += countSeqs(ranges);
      for (const [from, to] of ranges) {
        for (let seq = from; seq <= to; seq++) {
          if (!stored.settled.get(epoch)?.has(seq)) unstored.push(`${epoch} ${seq}`);
        }
      }
    }
  }
  return {
    durable: said.durableCount,
    missing,
    torn: [...new Set(torn)],
    acknowledged,
    unstored,
    quarantined: stored.quarantined,
    stored,
  };
}

/** States the goals that hold for every load. */
export function expectNothingLost(context: SoakContext, accounts: Accounts): void {
  const { durable, missing, acknowledged } = accounts;
  context.expect('records were made and acknowledged', durable > 0 && acknowledged > 0, { durable, acknowledged });
  context.expect('0 records lost that were reported durable', missing.length === 0, shown(missing));
  expectNothingBad(context, accounts);
}

/** What holds even where records may be lost. */
export function expectNothingBad(context: SoakContext, accounts: Accounts): void {
  const { torn, unstored, quarantined, stored } = accounts;
  context.expect('0 records torn, 0 bad payloads at the central', torn.length + quarantined === 0, {
    torn: shown(torn),
    quarantined,
  });
  context.expect('0 records acknowledged and not stored', unstored.length === 0, shown(unstored));
  context.expect('0 records stored twice', stored.doubled.length === 0, shown(stored.doubled));
}

/**
 * In the ledger: each epoch's row adds up, nothing waits, and nothing is missing without a name.
 * @param unheld true where the central was set back: what the agent does not hold any more is lost, and no gap names it
 */
export async function expectLedgerAddsUp(
  context: SoakContext,
  central: Central,
  agent: string,
  { unheld = false } = {},
): Promise<void> {
  const { rows } = await central.ledger(agent);
  const wrong = rows.filter(({ made, committed, quarantined, pending, lost }) => {
    return committed + quarantined + pending + lost !== made;
  });
  context.expect('the ledger adds up', rows.length > 0 && wrong.length === 0, wrong.slice(0, SHOWN));
  const open = rows.filter(({ pending, lostByCause }) => pending > 0 || (!unheld && (lostByCause.unnamed ?? 0) > 0));
  context.expect('what is missing is named, nothing is pending', open.length === 0, open.slice(0, SHOWN));
  const command = [process.execPath, centralMain, 'ledger', agent, '--verify', '--data', central.data];
  const { code, stdout, stderr } = await run('ledger --verify', command);
  context.expect('`picket-central ledger --verify` counts the same from what is stored', code === 0, stderr + stdout);
}

export function shown(keys: readonly string[]): string {
  return `${keys.length}${keys.length > 0 ? `: ${keys.slice(0, SHOWN).join(', ')}` : ''}`;
}
