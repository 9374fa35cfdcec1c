/**
 * A site's own broker that is killed, loses its state, and has no room to keep anything: mosquitto with persistence, the
 * central and the agent stay up. (The embedded broker is killed with its central: central-kill.)
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Mosquitto } from '../../test/support/mosquitto.ts';
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { Filler, Mounted } from './disks.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

const DISK = '4m';
/** Its state is deleted before each so-manieth start. */
const DELETED_EVERY = 10;
const LONGEST_LIFE_MS = 1_500;
const LONGEST_DOWN_MS = 500;
/** Its disk is full for as long in a whole run, and for a share of it in a shorter one. */
const FULL_MS = 120_000;
const SHORTEST_FULL_MS = 2_000;
const WHOLE = 100;
const LOAD = { recordsPerS: 100 };

export const brokerKill: Scenario = {
  name: 'broker-kill',
  doc: 'kill -9 of the broker (mosquitto), every tenth time with its state deleted; then its disk full for two minutes',
  goal: '0 lost, 0 twice',
  times: WHOLE,
  async run(context) {
    const { system, times, random } = context;
    const disk = Mounted.tmpfs(context, 'broker-disk', DISK);
    const mosquitto = await Mosquitto.prepare(system, [
      'persistence true',
      `persistence_location ${disk.path}/`,
      'autosave_interval 2',
    ]);
    const central = await system.central({ config: mosquitto.config });
    const agent = new LoadedAgent(system, await central.enrol('loaded'));
    await mosquitto.start();
    await agent.start(LOAD);
    const flows = async (): Promise<void> => {
      agent.said.read();
      const before = agent.said.acknowledgedCount;
      await agent.until('records are acknowledged', () => agent.said.acknowledgedCount > before);
    };
    await flows();
    for (let kill = 1; kill <= times; kill++) {
      await new Promise((resolve) => setTimeout(resolve, between(random, 0, LONGEST_LIFE_MS)));
      await mosquitto.program.end('SIGKILL');
      context.inject('kill -9 of mosquitto');
      await new Promise((resolve) => setTimeout(resolve, between(random, 0, LONGEST_DOWN_MS)));
      if (kill % DELETED_EVERY === 0) {
        for (const name of readdirSync(disk.path)) rmSync(join(disk.path, name), { recursive: true });
        context.inject('its state deleted');
      }
      await mosquitto.start();
      await flows();
      context.progress(`kill ${kill} of ${times}, ${agent.said.acknowledgedCount} records acknowledged`);
    }

    const filler = new Filler(disk.path);
    const fullMs = Math.max(SHORTEST_FULL_MS, (FULL_MS * Math.min(times, WHOLE)) / WHOLE);
    const endMs = performance.now() + fullMs;
    while (performance.now() < endMs) {
      filler.fill();
      context.progress(`its disk is full for ${Math.round((endMs - performance.now()) / 1000)} s more`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    context.inject(`its disk full for ${Math.round(fullMs / 1000)} s`);
    // What it could not write is gone with it.
    await mosquitto.program.end('SIGKILL');
    context.inject('kill -9 of mosquitto');
    filler.giveBack();
    await mosquitto.start();
    await flows();

    await drain(central, agent);
    await context.ledger('agent', central, agent.id);
    await expectLedgerAddsUp(context, central, agent.id);
    const accounts = await reckon(central, agent);
    expectNothingLost(context, accounts);
    return { durable_records: accounts.durable, acknowledged_records: accounts.acknowledged };
  },
};
