/** `kill -9` of the agent under load, again and again, while it sends what it can. */
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

/** From its start to its end. */
const SHORTEST_MS = 20;
const LONGEST_MS = 900;
/** Every other life is without a connection: what the central has already would hide what the disk lost. */
const CONNECTED_EVERY = 2;

export const agentKill: Scenario = {
  name: 'agent-kill',
  doc: 'kill -9 of the agent under load',
  goal: '0 committed records lost, 0 torn',
  times: 500,
  async run(context) {
    const { system, times, random } = context;
    const central = await system.central();
    const agent = new LoadedAgent(system, await central.enrol('loaded'));
    for (let kill = 1; kill <= times; kill++) {
      await agent.start({ offline: kill % CONNECTED_EVERY !== 0 });
      // A third of them while it still opens, sends what was left, or makes its first records.
      const lifeMs = between(random, SHORTEST_MS, kill % 3 === 0 ? LONGEST_MS / 5 : LONGEST_MS);
      await new Promise((resolve) => setTimeout(resolve, lifeMs));
      await agent.kill();
      context.inject('kill -9 of the agent');
      context.progress(`kill ${kill} of ${times}, ${agent.said.durableCount} records durable`);
    }
    await drain(central, agent);
    await context.ledger('agent', central, agent.id);
    await expectLedgerAddsUp(context, central, agent.id);
    const { totals } = await central.ledger(agent.id);
    context.expect('the ledger names nothing as lost', totals.lost === 0, totals);
    const accounts = await reckon(central, agent);
    expectNothingLost(context, accounts);
    return { durable_records: accounts.durable, acknowledged_records: accounts.acknowledged };
  },
};
