/**
 * A central whose data directory is set back to an older copy, in turn to yesterday's and to one from before its first
 * record: what agents still hold is there again, and the rest is named as lost. The agent's outbox is too small for all
 * that was acknowledged meanwhile, so that there is such a rest.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { countSeqs, type SeqRanges } from '../../shared/wire/ranges.ts';
import { drain, expectLedgerAddsUp, expectNothingBad, reckon, shown } from './accounts.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

const OUTBOX_BYTES = 1024 * 1024;
const FEWEST_RECORDS = 200;
const MOST_RECORDS = 1_200;
const LOAD = { recordsPerS: 600, limitBytes: OUTBOX_BYTES };

export const centralRestored: Scenario = {
  name: 'central-restored',
  doc: "the central's data set back to yesterday's copy, and to one from before the first record",
  goal: 'all that agents still hold is there again, the rest is named as lost',
  times: 10,
  async run(context) {
    const { system, times, random } = context;
    const central = await system.central();
    const agent = new LoadedAgent(system, await central.enrol('loaded'));
    const copies = system.path('copies');
    const copyTo = async (name: string): Promise<void> => {
      await central.program.end('SIGTERM');
      rmSync(join(copies, name), { recursive: true, force: true });
      cpSync(central.data, join(copies, name), { recursive: true });
      await central.start();
    };
    await copyTo('emptied');
    for (let n = 1; n <= times; n++) {
      const copy = n % 2 === 1 ? 'yesterday' : 'emptied';
      await agent.start(LOAD);
      await agent.makes(Math.round(between(random, FEWEST_RECORDS, MOST_RECORDS)));
      if (copy === 'yesterday') await copyTo(copy);
      await agent.makes(Math.round(between(random, FEWEST_RECORDS, MOST_RECORDS)));
      await agent.until('something is acknowledged', () => agent.said.acknowledgedCount > 0);
      await central.program.end('SIGKILL');
      rmSync(central.data, { recursive: true });
      cpSync(join(copies, copy), central.data, { recursive: true });
      await central.start();
      context.inject(copy === 'emptied' ? 'central emptied' : "central restored from yesterday's copy");
      const { incarnation } = agent.said;
      await agent.until('the new incarnation is adopted', () => agent.said.incarnation !== incarnation);
      // Some go on at once, some are killed while they send again.
      await agent.kill();
      context.inject('kill -9 of the agent');
      context.progress(`restore ${n} of ${times}, ${agent.said.durableCount} records durable`);
    }
    await drain(central, agent);
    await context.ledger('agent', central, agent.id);
    // What was acknowledged once and is not held any more no gap names: the agent does not report it as held.
    await expectLedgerAddsUp(context, central, agent.id, { unheld: true });
    const { rows } = await central.ledger(agent.id);
    const made = new Map(rows.map((row) => [row.epoch, row.made]));
    const incarnation = agent.said.incarnation!;
    const accounts = await reckon(central, agent, [incarnation]);
    expectNothingBad(context, accounts);

    const held = agent.said.held.get(incarnation) ?? new Map<string, SeqRanges>();
    // What is held and not acknowledged any more may have to give way to what is made until the agent is killed.
    const overflown = new Map(rows.map((row) => [row.epoch, row.lostByCause.overflow ?? 0]));
    const notThere: string[] = [];
    let heldCount = 0;
    for (const [epoch, ranges] of held) {
      heldCount += countSeqs(ranges);
      const missing: string[] = [];
      for (const [from, to] of ranges) {
        for (let seq = from; seq <= to; seq++) {
          if (!accounts.stored.settled.get(epoch)?.has(seq)) missing.push(`${epoch} ${seq}`);
        }
      }
      if (missing.length > (overflown.get(epoch) ?? 0)) notThere.push(...missing);
    }
    context.expect(
      'all that the agent held when it met the restored central is there again, or named as overflow',
      heldCount > 0 && notThere.length === 0,
      { heldCount, notThere: shown(notThere) },
    );
    // Nobody can tell of an epoch of which nothing is held any more, not even that there was one.
    const unnamed = accounts.missing.filter((key) => {
      const [epoch, seq] = key.split(' ');
      return made.has(epoch!) && Number(seq) > made.get(epoch!)!;
    });
    context.expect('the rest is named as lost', unnamed.length === 0, shown(unnamed));
    return {
      durable_records: accounts.durable,
      held_at_the_last_restore_records: heldCount,
      not_held_any_more_records: accounts.missing.length,
      of_epochs_that_nobody_knows_records: accounts.missing.filter((key) => !made.has(key.split(' ')[0]!)).length,
    };
  },
};
