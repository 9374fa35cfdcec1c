/**
 * The agent's file system becomes read-only while it runs, as ext4 does to itself after an error of the device
 * (`errors=remount-ro`; here by `remount,abort`, as a plain remount is refused while files are open). Then what lies on
 * the device is mounted anew in the same place, under the running agent.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { Mounted, makeImage } from './disks.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

const DISK_MB = 32;
const OUTBOX_BYTES = 8 * 1024 * 1024;
const READ_ONLY_AT_MOST_MS = 2_500;
const RECOVERED_MS = 10_000;
const CONNECTED_EVERY = 2;

export const readOnly: Scenario = {
  name: 'read-only',
  doc: "the agent's disk read-only while it runs, and writable again",
  goal: 'it goes on from memory, 0 acknowledged records lost, recovers without a restart within 10 s',
  times: 20,
  async run(context) {
    const { system, times, random } = context;
    let image = join(system.path('images'), 'disk-0.img');
    makeImage(image, DISK_MB);
    const central = await system.central();
    const agent = new LoadedAgent(system, await central.enrol('loaded'), join(system.path('disk'), 'outbox'));
    const recoveriesMs: number[] = [];
    for (let n = 1; n <= times; n++) {
      const disk = Mounted.image(context, image, 'disk');
      await agent.start({ limitBytes: OUTBOX_BYTES, offline: n % CONNECTED_EVERY === 0 });
      await agent.makes(20);

      const before = agent.said.volatileCount;
      disk.abort();
      context.inject('file system read-only');
      await agent.until('records are kept in memory', () => agent.said.volatileCount > before);
      await new Promise((resolve) => setTimeout(resolve, between(random, 0, READ_ONLY_AT_MOST_MS)));

      const next = join(system.path('images'), `disk-${n}.img`);
      cpSync(image, next);
      const again = Mounted.image(context, next, 'disk');
      const againMs = Date.now();
      await agent.until('records are durable again', () => (agent.said.newest?.appendedMs ?? 0) > againMs);
      recoveriesMs.push(agent.said.newest!.durableMs - againMs);
      await agent.kill();
      await again.unmount();
      await disk.unmount();
      rmSync(image);
      image = next;
      context.progress(`cycle ${n} of ${times}, ${agent.said.durableCount} records durable`);
    }
    const disk = Mounted.image(context, image, 'disk');
    await drain(central, agent);
    await disk.unmount();
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
      recovered_slowest_ms: slowestMs,
    };
  },
};
