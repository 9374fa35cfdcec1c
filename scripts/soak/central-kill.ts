/** `kill -9` of the central with its embedded broker, while an agent sends: what it acknowledged it has. */
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

const LONGEST_LIFE_MS = 1_500;
const LONGEST_DOWN_MS = 300;
const LOAD = { recordsPerS: 200 };

export const centralKill: Scenario = {
  name: 'central-kill',
  doc: 'kill -9 of the central with its embedded broker',
  goal: 'no acknowledgement before commit, 0 lost, 0 twice',
  times: 100,
  async run(context) {
    const { system, times, random } = context;
    const central = await system.central();
    const agent = new LoadedAgent(system, await central.enrol('loaded'));
    await agent.start(LOAD);
    await agent.connected();
    for (let kill = 1; kill <= times; kill++) {
      agent.said.read();
      const before = agent.said.acknowledgedCount;
      // Two of three die while they take in what waited, the others when they have begun to answer.
      if (kill % 3 === 0) await agent.until('it acknowledges', () => agent.said.acknowledgedCount > before);
      await new Promise((resolve) => setTimeout(resolve, between(random, 0, LONGEST_LIFE_MS)));
      await central.program.end('SIGKILL');
      context.inject('kill -9 of the central');
      await new Promise((resolve) => setTimeout(resolve, between(random, 0, LONGEST_DOWN_MS)));
      await central.start();
      context.progress(`kill ${kill} of ${times}, ${agent.said.acknowledgedCount} records acknowledged`);
    }
    await drain(central, agent);
    await context.ledger('agent', central, agent.id);
    await expectLedgerAddsUp(context, central, agent.id);
    const accounts = await reckon(central, agent);
    expectNothingLost(context, accounts);
    return {
      durable_records: accounts.durable,
      acknowledged_records: accounts.acknowledged,
      incarnations_that_acknowledged: agent.said.acknowledged.size,
    };
  },
};
