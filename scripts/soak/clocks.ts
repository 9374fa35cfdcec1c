/**
 * Agents by wall clocks that are wrong in each way that wall clocks are (libfaketime), beside monotonic time that is
 * right. Each round sets the clocks again while the agents run, kills one, and keeps one offline.
 */
import { drained } from '../../test/support/system.ts';
import { ClockMachine, eventsCome, FakedWallClock, libfaketime, timesOf } from '../../test/support/wall-clock.ts';
import { between, type Scenario } from './scenario.ts';

const RIGHT_MS = 2_000;
const ROUND_S = 15;
const DAY_S = 86_400;
/** What each clock begins with; `jumping` is set again in each round. */
const clocks = {
  old: '@1970-01-02 00:00:00',
  jumping: '+0',
  racing: '+0 x10',
  future: '@2098-06-01 00:00:00',
  offline: '@1970-01-02 00:00:00',
} as const;

export const wallClocks: Scenario = {
  name: 'clocks',
  doc: 'wall clocks in 1970 and 2098, set by up to a day both ways while running, ten times too fast, offline in 1970 first',
  goal: 'order intact, times right within 2 s, no minute missing but by kills, none twice',
  times: 8,
  async run(context) {
    const { system, times, random } = context;
    if (libfaketime === null) throw new Error('libfaketime is not installed (Debian: faketime)');
    const machine = new ClockMachine(system);
    context.defer(() => machine.stop());
    const central = await system.central();
    const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const agents = Object.entries(clocks).map(([name, said]) => ({
      name,
      id: '',
      starts: 0,
      agent: machine.agent(system, name),
      clock: new FakedWallClock(system, name, said),
    }));
    const startMs = Date.now();
    for (const one of agents) {
      if (one.name !== 'offline') one.id = (await one.agent.enrolAt(central)).agent;
      await one.agent.start({ env: one.clock.env });
      one.starts++;
      context.inject(`wall clock ${clocks[one.name as keyof typeof clocks]}`);
    }
    const online = agents.filter(({ id }) => id !== '');
    const jumping = agents.find(({ name }) => name === 'jumping')!;
    for (let round = 0; round < times; round++) {
      const offsetS = Math.round(between(random, -DAY_S, DAY_S));
      jumping.clock.set(`${offsetS < 0 ? '' : '+'}${offsetS}`);
      context.inject('wall clock set while running');
      context.progress(`round ${round + 1} of ${times}: set by ${offsetS} s`);
      await pause(ROUND_S);
      const victim = online[Math.floor(random() * online.length)]!;
      await victim.agent.program.end('SIGKILL');
      await victim.agent.start({ env: victim.clock.env });
      victim.starts++;
      context.inject('kill -9 of an agent');
    }
    const offline = agents.find(({ name }) => name === 'offline')!;
    await offline.agent.program.end('SIGKILL');
    offline.id = (await offline.agent.enrolAt(central)).agent;
    await offline.agent.start({ env: offline.clock.env });
    offline.starts++;
    context.inject('offline since its start, then online');

    let [worstMs, disorder, events, uncertain] = [0, 0, 0, 0];
    let [earliestMs, latestMs] = [Number.POSITIVE_INFINITY, 0];
    for (const { name, id, starts } of agents) {
      await eventsCome(central, id, times * ROUND_S, 120_000);
      await drained(central, id, starts, 120_000);
      const seen = await timesOf(central, id);
      worstMs = Math.max(worstMs, seen.worstMs);
      disorder += seen.disorder;
      events += seen.events;
      uncertain += seen.uncertain;
      earliestMs = Math.min(earliestMs, seen.earliestMs);
      latestMs = Math.max(latestMs, seen.latestMs);
      const offMinutes = seen.endsMs.filter((ms) => ms % 60_000 !== 0).length;
      // One that began before the central was heard, for each start.
      context.expect(`${name}: windows end on full minutes`, offMinutes <= 2 * starts, `${offMinutes} do not`);
      const minutes = new Set(seen.endsMs).size;
      context.expect(`${name}: no window twice`, minutes === seen.endsMs.length, seen.endsMs);
      await context.ledger(name, central, id);
    }
    context.expect('times right within 2 s', worstMs < RIGHT_MS, `${worstMs} ms`);
    context.expect('order intact', disorder === 0, `${disorder} events are not in order`);
    context.expect('nothing is dated by a guess', uncertain === 0, `${uncertain} events`);
    const span = earliestMs >= startMs - RIGHT_MS && latestMs <= Date.now() + RIGHT_MS;
    context.expect('no record lies before the start or after now', span, `${earliestMs}, ${latestMs}`);
    return { worst_time_ms: worstMs, events, disorder, uncertain };
  },
};
