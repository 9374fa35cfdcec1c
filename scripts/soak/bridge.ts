/**
 * The way through a site's own mosquitto, which bridges to the central's with another prefix. Each of the three that a
 * record passes is killed in turn: site's broker, central's broker, central.
 */
import { Mosquitto } from '../../test/support/mosquitto.ts';
import { bridgeAcl, SiteBroker } from '../../test/support/site-broker.ts';
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

const SHORTEST_MS = 300;
const LONGEST_MS = 3_000;
/** Records that must become durable between two kills. */
const FLOW = 100;

export const bridge: Scenario = {
  name: 'bridge',
  doc: "kill -9 of the site's broker, the central's broker and the central, with a bridge between the brokers",
  goal: "through a site's mosquitto that bridges with a remapped prefix: 0 lost, 0 twice",
  times: 30,
  async run(context) {
    const { system, times, random } = context;
    const mosquitto = await Mosquitto.prepare(system);
    const central = await system.central({ config: mosquitto.config });
    const enrolment = await central.enrol('loaded');
    mosquitto.allow(bridgeAcl([enrolment.agent]));
    const site = await SiteBroker.prepare(system, mosquitto, [enrolment.agent]);
    await mosquitto.start();
    await site.start();
    const agent = new LoadedAgent(system, site.behind(enrolment));
    await agent.start();
    await agent.connected();
    const parts = [
      { what: "kill -9 of the site's broker", part: site },
      { what: "kill -9 of the central's broker", part: mosquitto },
      { what: 'kill -9 of the central', part: central },
    ];
    for (let kill = 1; kill <= times; kill++) {
      await agent.makes(FLOW);
      const { what, part } = parts[kill % parts.length]!;
      await new Promise((resolve) => setTimeout(resolve, between(random, SHORTEST_MS, LONGEST_MS)));
      await part.program.end('SIGKILL');
      context.inject(what);
      context.progress(`kill ${kill} of ${times}`);
      await part.start();
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
