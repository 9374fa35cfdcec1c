/**
 * The real agent by wall clocks that are wrong in each way that wall clocks are (libfaketime), four agents at a time:
 * what the central makes of it is right within two seconds, in order, without a hole and nothing twice.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownAddress } from '../support/own-address.ts';
import { until } from '../support/processes.ts';
import { type Agent, type Central, drained, System } from '../support/system.ts';
import { ClockMachine, eventsCome, FakedWallClock, libfaketime, timesOf } from '../support/wall-clock.ts';

const RIGHT_MS = 2_000;
const YEAR_1970 = '@1970-01-02 00:00:00';

let system: System;
let machine: ClockMachine;
beforeEach(() => {
  system = new System();
  machine = new ClockMachine(system);
});
afterEach(async () => {
  machine.stop();
  await system.close();
});

interface Faked {
  readonly agent: Agent;
  readonly clock: FakedWallClock;
  id: string;
}

async function faked(name: string, said: string, central: Central | null): Promise<Faked> {
  const agent = machine.agent(system, name);
  const id = central === null ? '' : (await agent.enrolAt(central)).agent;
  const clock = new FakedWallClock(system, name, said);
  await agent.start({ env: clock.env });
  return { agent, clock, id };
}

/** Real time is what this is about: it must pass. */
function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000));
}

test('started in 1970, set by a day and back, ten times too fast, and offline in 1970 first', {
  timeout: 180_000,
}, async () => {
  expect(libfaketime, 'libfaketime is not installed (Debian: faketime)').not.toBeNull();
  const central = await system.central();
  const startMs = Date.now();
  const offline = await faked('offline', YEAR_1970, null);
  const old = await faked('old', YEAR_1970, central);
  const jumping = await faked('jumping', '+0', central);
  const racing = await faked('racing', '+0 x10', central);
  const online = [old, jumping, racing];

  await Promise.all(online.map(({ id }) => eventsCome(central, id, 10)));
  jumping.clock.set('+86400');
  await seconds(4);
  jumping.clock.set('-86400');
  await seconds(4);
  // What it made without a connection, in two starts, comes when it has one.
  await offline.agent.program.end('SIGKILL');
  offline.id = (await offline.agent.enrolAt(central)).agent;
  await offline.agent.start({ env: offline.clock.env });
  const all = [...online, offline];
  await seconds(4);
  await Promise.all(all.map(({ id }) => eventsCome(central, id, 40)));
  await Promise.all(all.map(({ agent }) => agent.stop()));
  const stopMs = Date.now();
  // What was open when they ended comes with their next start.
  await Promise.all(all.map(({ agent, clock }) => agent.start({ env: clock.env })));

  for (const [i, { id }] of all.entries()) {
    const name = ['1970', 'jumping', 'ten times too fast', 'offline first'][i]!;
    await drained(central, id, name === 'offline first' ? 3 : 2);
    await until(`${name} has windows`, async () => (await timesOf(central, id)).endsMs.length > 0, 30_000);
    const seen = await timesOf(central, id);
    expect(seen, name).toMatchObject({ disorder: 0, uncertain: 0 });
    expect(seen.worstMs, name).toBeLessThan(RIGHT_MS);
    expect(seen.events, name).toBeGreaterThanOrEqual(40);
    // The first began before the central was heard; a clean stop ends the last; between them are full minutes.
    expect(Math.abs(stopMs - seen.endsMs.at(-1)!), name).toBeLessThan(15_000);
    for (const endMs of seen.endsMs.slice(1, -1)) expect(endMs % 60_000, name).toBe(0);
    expect(seen.earliestMs, name).toBeGreaterThan(startMs - RIGHT_MS);
    expect(seen.latestMs, name).toBeLessThan(Date.now() + RIGHT_MS);
    // Only what a kill took is missing.
    const missing = seen.coverage.reduce((sum, day) => sum + day.missing, 0);
    expect(missing, name).toBeLessThanOrEqual(name === 'offline first' ? 1 : 0);
  }
});

test('beyond loopback in 1970 and in 2100: no certificate is of that time, and the pinned CA is enough', {
  timeout: 120_000,
}, async () => {
  const central = await system.central({ httpHost: ownAddress() });
  const { caFingerprint } = await central.get<{ caFingerprint: string }>('/status');
  const years = { past: YEAR_1970, future: '@2100-01-01 00:00:00' };
  await Promise.all(
    Object.entries(years).map(async ([name, said]) => {
      const agent = machine.agent(system, name);
      const { agent: id, ca, broker } = await agent.enrolAt(central, '--ca-fingerprint', caFingerprint);
      expect([ca === null, broker.startsWith('mqtts:')]).toEqual([false, true]);
      await agent.start({ env: new FakedWallClock(system, name, said).env });
      await agent.connected();
      await eventsCome(central, id, 3);
      expect((await timesOf(central, id)).worstMs, name).toBeLessThan(RIGHT_MS);
    }),
  );
});
