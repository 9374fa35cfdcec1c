/**
 * `node scripts/faults.ts [--learn MINUTES] [NAME…]`: faults made for real on a machine that does nothing else, one
 * after the other, watched by agents as they are shipped, with all their inputs. Says for each whether an incident named
 * the cause among its first three findings, after how long, and whether it closed. The tests make some of these faults
 * with agents that learn within a minute and each watch one thing; this shows the whole. Needs root.
 */
import { parseArgs } from 'node:util';
import { narrowFaults, wideFaults } from '../test/support/faults/all.ts';
import { type Made, Workshop } from '../test/support/faults/fault.ts';
import { meetingHost, packetLoss } from '../test/support/faults/packet-loss.ts';
import { sweepLeftovers } from '../test/support/faults/sweep.ts';
import { tellIncident, Watcher } from '../test/support/faults/watched.ts';
import { System } from '../test/support/system.ts';

const FOUND_MS = 120_000;
const CLOSED_MS = 600_000;
const MINUTE_MS = 60_000;

const { values, positionals } = parseArgs({
  options: { learn: { type: 'string', default: '15' } },
  allowPositionals: true,
});
const faults = [...wideFaults, ...narrowFaults];
const chosen = faults.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0) {
  console.error(`There is no such fault. There are: ${faults.map(({ name }) => name).join(', ')}`);
  process.exit(64);
}

sweepLeftovers();
const system = new System();
const workshop = new Workshop(system);

/** One agent for all that happens on this machine; one each for what happens in a place of its own. */
function agentsFor(made: ReadonlyMap<string, Made>): Map<string, Made> {
  const agents = new Map<string, Made>();
  let here: Made = { inputs: {}, needs: {}, begin() {}, end() {}, isCause: () => false };
  for (const [name, one] of made) {
    if (one.through !== undefined || one.config?.host !== undefined) agents.set(name, one);
    else here = { ...here, needs: together(here.needs, one.needs), config: { ...here.config, ...one.config } };
  }
  return agents.set('here', here);
}

/** Inputs of one kind stand beside one another. */
function together(before: Made['needs'] = {}, more: Made['needs'] = {}): Readonly<Record<string, object>> {
  const joined = (kind: string, settings: object) => (kind in before ? [before[kind]!, settings].flat() : settings);
  return { ...before, ...Object.fromEntries(Object.entries(more).map(([kind, one]) => [kind, joined(kind, one)])) };
}

async function makeFault(name: string, fault: Made, watcher: Watcher): Promise<void> {
  console.log(`\n${name}`);
  try {
    const beganMs = Date.now();
    await watcher.begin(fault);
    const found = await watcher.incident('open', FOUND_MS).finally(() => fault.end());
    console.log(`found after ${((Date.now() - beganMs) / 1000).toFixed(1)} s\n${tellIncident(found)}`);
    const { closedMs, openedMs } = await watcher.incident('closed', CLOSED_MS);
    console.log(`closed; it lasted for ${((closedMs! - openedMs) / 1000).toFixed(0)} s`);
  } catch (error) {
    console.log(`not found, or not closed: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

try {
  // Where the central listens is made with this one, chosen or not.
  const made = new Map([[packetLoss.name, await packetLoss.setUp(workshop)]]);
  for (const fault of chosen) if (!made.has(fault.name)) made.set(fault.name, await fault.setUp(workshop));
  const central = await system.central({ httpHost: meetingHost });
  const watchers = new Map(
    [...agentsFor(made)].map(([name, one], i) => [name, new Watcher(system, central, `agent-${i}`, one, 'whole')]),
  );
  await Promise.all([...watchers.values()].map((watcher) => watcher.start()));
  console.log(`${watchers.size} agents learn for ${values.learn} minutes`);
  await Promise.all([...watchers.values()].map((watcher) => watcher.learned(Number(values.learn) * MINUTE_MS)));
  for (const { name } of chosen) {
    await makeFault(name, made.get(name)!, watchers.get(name) ?? watchers.get('here')!);
  }
} finally {
  await workshop.close();
  await system.close();
}
