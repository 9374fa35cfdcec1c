/**
 * Power cuts: the outbox lies on ext4 on a loop device, and what the device has at a random moment is all that the next
 * start finds. The device's file lies on a file system of its own that is frozen (fsfreeze) at that moment: every write
 * of the device either was made or was not, in the order in which the file system above gave them out, and the copy that
 * is taken of it is of one moment. What a process or a file system has in memory is in no copy. The agent is killed
 * while the file system is frozen: nothing can become durable, and so nothing new be sent, between the cut and its end.
 *
 * What this is not: a device that loses or reorders what it has in a cache of its own and was not told to flush.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { Mounted, makeImage, sh } from './disks.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario } from './scenario.ts';

const DISK_MB = 48;
/** Twice the disk, as a copy comes back while the old one still lies there, and a journal. */
const OUTER_MB = 160;
const OUTBOX_BYTES = 16 * 1024 * 1024;
const COMMIT_MS = 1_000;
/** A sync may take as long on a slow or busy disk. */
const SYNC_MS = 2_000;
const SHORTEST_MS = 50;
const LONGEST_MS = 1_500;
/** Slow: the commit interval decides when to sync; fast: the bytes do. */
const RATES = [60, 600] as const;
/** Only every third life is connected: what the central has already would hide what the disk lost. */
const CONNECTED_EVERY = 3;

export const powerCut: Scenario = {
  name: 'power-cut',
  doc: "power cuts of the agent's disk: the block image of an ext4 loop device at a random moment",
  goal: '0 committed records lost, loss at most the open window and the commit interval, starts every time',
  times: 200,
  async run(context) {
    const { system, times, random } = context;
    const outerImage = join(system.path('images'), 'outer.img');
    const cut = join(system.path('images'), 'cut.img');
    makeImage(outerImage, OUTER_MB);
    const outer = Mounted.image(context, outerImage, 'outer');
    let image = join(outer.path, 'disk-0.img');
    makeImage(image, DISK_MB);
    let disk = Mounted.image(context, image, 'disk');

    const central = await system.central();
    const agent = new LoadedAgent(system, await central.enrol('loaded'), join(disk.path, 'outbox'));
    let starts = 0;
    const lossesMs: number[] = [];
    for (let n = 1; n <= times; n++) {
      await agent.start({
        recordsPerS: RATES[n % RATES.length]!,
        commitIntervalMs: COMMIT_MS,
        limitBytes: OUTBOX_BYTES,
        offline: n % CONNECTED_EVERY !== 0,
      });
      starts++;
      await agent.makes(1);
      await new Promise((resolve) => setTimeout(resolve, between(random, SHORTEST_MS, LONGEST_MS)));

      const cutMs = Date.now();
      sh('fsfreeze', '--freeze', outer.path);
      try {
        agent.program.signal('SIGKILL');
        cpSync(image, cut);
      } finally {
        sh('fsfreeze', '--unfreeze', outer.path);
      }
      await agent.kill();
      context.inject('power cut');
      lossesMs.push(cutMs - agent.said.newest!.appendedMs);

      await disk.unmount();
      // Another file for the next life: who else looked at the mount may keep its device for a while.
      rmSync(image);
      image = join(outer.path, `disk-${n}.img`);
      cpSync(cut, image);
      disk = Mounted.image(context, image, 'disk');
      context.progress(`cut ${n} of ${times}, ${agent.said.durableCount} records durable`);
    }
    await drain(central, agent);
    starts++;
    await context.ledger('agent', central, agent.id);
    await expectLedgerAddsUp(context, central, agent.id);
    const accounts = await reckon(central, agent);
    expectNothingLost(context, accounts);
    context.expect(`starts after every cut`, starts === times + 1, { starts: starts - 1, cuts: times });
    lossesMs.sort((a, b) => a - b);
    const worstMs = lossesMs.at(-1)!;
    context.expectWithin(
      `a cut loses what was made in the last ${COMMIT_MS} ms (and a sync's time) at most`,
      COMMIT_MS + SYNC_MS,
      worstMs,
    );
    const warned = agent.said.warnings;
    const given = warned.filter((line) => /the database of the outbox/.test(line));
    context.expect('no database was repaired or moved aside after a cut', given.length === 0, given);
    return {
      durable_records: accounts.durable,
      lost_at_a_cut_median_ms: lossesMs[Math.floor(lossesMs.length / 2)]!,
      lost_at_a_cut_most_ms: worstMs,
      // Its audit found something to put right, though nothing was lost.
      warnings_of_damage: warned.filter((line) => /the outbox was damaged/.test(line)).length,
    };
  },
};
