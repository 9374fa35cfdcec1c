/**
 * The agent's disk fills up, stays full for a moment and has room again: the agent goes on from memory, comes back by
 * itself, and is killed soon afterwards, while what it kept in memory is still on its way.
 */
import { join } from 'node:path';
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { Filler, Mounted, makeImage } from './disks.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

const DISK_MB = 32;
const OUTBOX_BYTES = 8 * 1024 * 1024;
const FULL_AT_LEAST_MS = 200;
const FULL_AT_MOST_MS = 2_500;
const RECOVERED_MS = 10_000;
/** Until the kill; some follow at once. */
const AFTERWARDS_MS = 800;
const CONNECTED_EVERY = 2;

export const diskFull: Scenario = {
  name: 'disk-full',
  doc: "the agent's disk full and freed again, then kill -9",
  goal: '0 acknowledged records lost, recovers without a restart within 10 s',
  times: 40,
  async run(context) {
    const { system, times, random } = context;
    const image = join(system.path('images'), 'disk.img');
    makeImage(image, DISK_MB);
    const disk = Mounted.image(context, image, 'disk');
    const filler = new Filler(disk.path);
    const central = await system.central();
    const agent = new LoadedAgent(system, await central.enrol('loaded'), join(disk.path, 'outbox'));
    const recoveriesMs: number[] = [];
    for (let n = 1; n <= times; n++) {
      const offline = n % CONNECTED_EVERY === 0;
      await agent.start({ limitBytes: OUTBOX_BYTES, offline });
      if (!offline) await agent.connected();
      await agent.makes(20);

      const before = agent.said.volatileCount;
      await agent.until('records are kept in memory, as the disk is full', () => {
        // The outbox has a reserve, which lets it go on at first.
        filler.fill();
        return agent.said.volatileCount > before;
      });
      await new Promise((resolve) => setTimeout(resolve, between(random, FULL_AT_LEAST_MS, FULL_AT_MOST_MS)));
      filler.fill();
      filler.giveBack();
      const freedMs = Date.now();
      context.inject('disk full and freed');
      await agent.until('records are durable again', () => (agent.said.newest?.appendedMs ?? 0) > freedMs);
      recoveriesMs.push(agent.said.newest!.durableMs - freedMs);
      await new Promise((resolve) => setTimeout(resolve, between(random, 0, AFTERWARDS_MS)));
      await agent.kill();
      context.inject('kill -9 of the agent');
      context.progress(`cycle ${n} of ${times}, ${agent.said.durableCount} records durable`);
    }
    await drain(central, agent);
    await context.ledger('agent', central, agent.id);
    await expectLedgerAddsUp(context, central, agent.id);
    const accounts = await reckon(central, agent);
    expectNothingLost(context, accounts);
    recoveriesMs.sort((a, b) => a - b);
    const slowestMs = recoveriesMs.at(-1)!;
    context.expectWithin('records are durable again within 10 s, without a restart', RECOVERED_MS, slowestMs);
    return {
      durable_records: accounts.durable,
      volatile_records: agent.said.volatileCount,
      recovered_median_ms: recoveriesMs[Math.floor(recoveriesMs.length / 2)]!,
      recovered_slowest_ms: slowestMs,
    };
  },
};
