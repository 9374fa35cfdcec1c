/**
 * Faults made for real on this machine, each with an agent that watches where it happens: the central shows an incident
 * that names the cause among its first findings, and its end. All agents learn at the same time, and all faults are made
 * at the same time: none of them is felt where the others are. Load and a leak are those of a service that is watched: of
 * the whole machine they would not stand out beside other tests, and `scripts/faults.ts` makes them so on a quiet one.
 * Needs root.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { narrowFaults } from '../../support/faults/all.ts';
import { Workshop } from '../../support/faults/fault.ts';
import { meetingHost } from '../../support/faults/packet-loss.ts';
import { sweepLeftovers } from '../../support/faults/sweep.ts';
import { Watcher } from '../../support/faults/watched.ts';
import { System } from '../../support/system.ts';

/** Half a minute to settle, and some hundred readings. */
const LEARN_MS = 80_000;
const FOUND_MS = 45_000;
/**
 * An incident closes when it has been quiet for a minute and a half; where others use the same disk or processor, once
 * more than that is no wonder.
 */
const CLOSED_MS = 330_000;

const system = new System();
const workshop = new Workshop(system);
const watchers = new Map<string, Watcher>();

beforeAll(async () => {
  sweepLeftovers();
  const made = await Promise.all(narrowFaults.map(async (fault) => [fault.name, await fault.setUp(workshop)] as const));
  const central = await system.central({ httpHost: meetingHost });
  await Promise.all(
    made.map(async ([name, one], i) => {
      const watcher = new Watcher(system, central, `agent-${i}`, one);
      await watcher.start();
      watchers.set(name, watcher);
    }),
  );
  await Promise.all([...watchers.values()].map((watcher) => watcher.learned(LEARN_MS)));
}, 5 * LEARN_MS);
afterAll(async () => {
  await workshop.close();
  await system.close();
});

test.concurrent.each(narrowFaults)(
  '$name: found, named and ended',
  { timeout: FOUND_MS + 2 * CLOSED_MS + 30_000 },
  async ({ name }) => {
    const watcher = watchers.get(name)!;
    await watcher.quiet(CLOSED_MS);
    await watcher.begin();
    const open = await watcher.incident('open', FOUND_MS).finally(() => watcher.made.end());
    const closed = await watcher.incident('closed', CLOSED_MS);
    expect(closed).toMatchObject({ epoch: open.epoch, seq: open.seq });
    expect(closed.closedMs).toBeGreaterThanOrEqual(open.openedMs);
  },
);
