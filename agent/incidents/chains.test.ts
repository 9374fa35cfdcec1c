/** Which findings are one incident, and when it is over: streams of findings, and what stays true whatever they are. */
import { describe, expect, it } from 'vitest';
import { IncidentBudget } from '../../shared/detect/budget.ts';
import type { Finding, Incident } from '../../shared/findings.ts';
import { readIncident } from '../../shared/incident-json.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import { defaultTiming, IncidentStage } from '../incidents.ts';
import { RecentChanges } from './changes.ts';
import { Notices } from './notices.ts';

const START_MS = Date.UTC(2026, 6, 1, 12, 0, 0);
const EPOCH = 'cd'.repeat(16);
const BAR = 24;

const cpu = { name: 'system.cpu.utilization', unit: '1', attributes: { 'cpu.mode': 'user' } };
const disk = { name: 'system.disk.operation_latency', unit: 's', attributes: { 'system.device': 'sda' } };
const space = {
  name: 'system.filesystem.utilization',
  unit: '1',
  attributes: { 'system.filesystem.mountpoint': '/d' },
};

class Machine {
  readonly told: Incident[] = [];
  readonly budget = new IncidentBudget(1);
  readonly notices = new Notices(this.budget, 5);
  readonly changes = new RecentChanges();
  second = 0;
  #seq = 0;
  readonly stage = new IncidentStage({
    log: { debug() {}, info() {}, warn() {}, error() {} },
    zone: () => 'UTC',
    barBits: () => BAR,
    budget: this.budget,
    notice: (asked) => this.notices.judge(asked),
    changesBefore: (ms, offsetMs) => this.changes.before(ms, offsetMs),
    open: (draft) => {
      const opened = { ...draft, epoch: EPOCH, seq: ++this.#seq };
      this.told.push(opened);
      return Promise.resolve(opened);
    },
    revise: (incident) => void this.told.push(incident),
  });

  at(second = this.second) {
    return { monotonicMs: 5e6 + second * 1000, utcMs: START_MS + second * 1000 };
  }

  /** A finding that began `lastedSeconds` ago. */
  add(key: Finding['key'], lastedSeconds = 5, more: Partial<Finding> = {}): void {
    const { utcMs } = this.at();
    const id = sha256Hex(Buffer.from(JSON.stringify(key))).slice(0, 16);
    this.stage.add(
      {
        series: id,
        key,
        detector: 'surprise',
        tier: 'full',
        sinceMs: utcMs - lastedSeconds * 1000,
        lastMs: utcMs,
        seen: 0.98,
        expectedLow: 0.01,
        expectedHigh: 0.12,
        bits: 34,
        returnPeriodMs: 2 ** 34 * 1000,
        ...more,
      },
      this.at(),
    );
  }

  async pass(seconds: number, each?: () => void): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.second++;
      each?.();
      this.stage.tick(this.at());
      await Promise.resolve();
      await Promise.resolve();
    }
  }

  /** The latest revision of each incident. */
  incidents(): Incident[] {
    return [...new Map(this.told.map((incident) => [incident.seq, incident])).values()];
  }
}

describe('a chain of causes', () => {
  it('takes in what begins while it is young, and hides no other trouble that begins later', async () => {
    const machine = new Machine();
    machine.add(cpu);
    await machine.pass(60, () => machine.add(cpu));
    machine.add(disk);
    expect(machine.stage.current().length).toBe(1);
    await machine.pass(20 * 60, () => machine.add(cpu, 0));
    machine.add(space);
    await machine.pass(1, () => machine.add(cpu, 0));
    expect(machine.stage.current().map(({ findings }) => findings.length)).toEqual([2, 1]);
    // What concerns the same part of the machine still joins.
    machine.add({ ...space, attributes: { ...space.attributes, 'system.filesystem.state': 'used' } });
    machine.add({ ...cpu, attributes: { 'cpu.mode': 'system' } });
    await machine.pass(1);
    expect(machine.stage.current().map(({ findings }) => findings.length)).toEqual([3, 2]);
  });

  it('takes what statistics find a long time later for another trouble, and a fact for the same', async () => {
    const machine = new Machine();
    const rule = { detector: 'rule', severity: 'warning', bits: 0, holds: true, wrong: 'it is full' } as const;
    machine.add(space, 0, { ...rule, rule: 'a' });
    await machine.pass(60 * 60);
    machine.add({ ...space, name: 'system.filesystem.usage' }, 5);
    await machine.pass(3 * 3600);
    expect(machine.incidents().map(({ findings }) => findings.length)).toEqual([2]);
    machine.add({ ...space, name: 'system.filesystem.inodes' }, 5);
    machine.add(space, 0, { ...rule, rule: 'b' });
    await machine.pass(15);
    expect(machine.incidents().map(({ findings }) => findings.length)).toEqual([2, 2]);
  });

  it('that goes on for long is told the more seldom, until there is news', async () => {
    const machine = new Machine();
    await machine.pass(24 * 3600, () => {
      if (machine.second % 10 === 0) machine.add(cpu, machine.second);
    });
    expect(machine.told.length).toBeLessThan(250);
    const { length } = machine.told;
    machine.add({ ...cpu, attributes: { 'cpu.mode': 'system' } });
    machine.add(cpu, 5, { bits: 60 });
    await machine.pass(11);
    expect(machine.told.length).toBeGreaterThan(length);
  });

  it('ends, however steadily something new begins', async () => {
    const machine = new Machine();
    for (let i = 0; i < 20; i++) {
      machine.add({ name: `device${i}.level`, unit: '1', attributes: {} }, 5);
      await machine.pass(4 * 60, () => machine.add(cpu, 0));
    }
    expect(machine.incidents().length).toBeGreaterThanOrEqual(3);
    for (const { findings, more } of machine.incidents()) expect(findings.length + more).toBeLessThanOrEqual(10);
  });

  it('is never more than eight at once: what would be one more joins', async () => {
    const machine = new Machine();
    for (let i = 0; i < 12; i++) {
      const key = { name: `device${i}.level`, unit: '1', attributes: {} };
      machine.add(key, 5, { detector: 'rule', rule: `r${i}`, holds: true, bits: 0, severity: 'warning', wrong: 'it' });
      await machine.pass(10 * 60);
    }
    const open = machine.stage.current();
    expect(open.length).toBe(8);
    expect(open.reduce((sum, { findings }) => sum + findings.length, 0)).toBe(12);
  });

  it('keeps a forecast apart: it joins no event, and no event joins it', async () => {
    const machine = new Machine();
    const forecast = { reaches: 'full', bound: 1, etaMs: START_MS + 3e8, earliestMs: null, latestMs: null } as const;
    const more = { detector: 'forecast', holds: true, bits: 0, forecast: { ...forecast, perDay: 0.02 } } as const;
    machine.add(space, 5, more);
    await machine.pass(10);
    machine.add(cpu);
    await machine.pass(2);
    expect(machine.stage.current().map(({ findings }) => findings.length)).toEqual([1, 1]);
    expect(machine.stage.current()[0]!.title).toBe('filesystem utilisation (/d) 98 %: full in 3 days (Sat 4 Jul)');
    await machine.pass(600);
    machine.add(space, 5, { ...more, ended: true });
    await machine.pass(1);
    expect(machine.stage.current()).toEqual([]);
  });

  it('that a rule holds open lasts until the rule says that it is over', async () => {
    const machine = new Machine();
    const rule = { detector: 'rule', rule: 'space', limit: 0.95, severity: 'critical', bits: 0, holds: true } as const;
    machine.add(space, 0, { ...rule, wrong: 'little space is left on /d', advice: 'Delete something.' });
    await machine.pass(3600);
    expect(machine.incidents()).toMatchObject([{ state: 'open', severity: 'critical' }]);
    expect(machine.incidents()[0]!.title).toBe('Little space is left on /d: 98 %, limit 95 %; since 12:00:00');
    machine.add(space, 3600, { ...rule, wrong: 'little space is left on /d', ended: true });
    await machine.pass(2);
    const [closed] = machine.incidents();
    expect(closed).toMatchObject({ state: 'closed', closedMs: START_MS + 3_600_000 });
    // It is told when it begins and when it ends, and not in between.
    expect(machine.told.length).toBe(2);
  });

  it('goes on after a restart with what held, and drops what is not told again', async () => {
    const before = new Machine();
    const rule = { detector: 'rule', severity: 'warning', bits: 0, holds: true, wrong: 'it is bad' } as const;
    before.add(space, 0, { ...rule, rule: 'a' });
    before.add(disk, 0, { ...rule, rule: 'b' });
    await before.pass(1);
    const after = new Machine();
    for (const each of before.stage.current()) after.stage.resume(readIncident(each, '', 0), after.at());
    after.add(space, 0, { ...rule, rule: 'a' });
    await after.pass(1200);
    expect(after.incidents()).toMatchObject([{ state: 'open', seq: 1 }]);
    after.add(space, 0, { ...rule, rule: 'a', ended: true });
    await after.pass(1);
    expect(after.incidents()).toMatchObject([{ state: 'closed', seq: 1 }]);
  });

  it('that comes and goes is one incident, and a series that is looked at seldom has its own pace', async () => {
    const machine = new Machine();
    const slow = { intervalMs: 600_000, bits: 40 };
    machine.add(disk, 0, slow);
    await machine.pass(600);
    machine.add(disk, 0, slow);
    await machine.pass(1800);
    machine.add(disk, 0, slow);
    expect(machine.incidents()).toMatchObject([{ state: 'open' }]);
    await machine.pass(3 * 3600);
    expect(machine.incidents()).toMatchObject([{ state: 'closed' }]);
  });

  it('names what changed first, and what followed', async () => {
    const machine = new Machine();
    machine.changes.add('service', 'unit old.service went from active to failed', machine.at(-1200).monotonicMs);
    machine.changes.add('mount', '/d was mounted', machine.at(-60).monotonicMs);
    for (let i = 0; i < 9; i++)
      machine.changes.add('process', `cron started (PID ${i})`, machine.at(-50 - i).monotonicMs);
    machine.changes.add('process', 'stress started (PID 7)', machine.at(-6).monotonicMs);
    machine.add(disk, 5);
    await machine.pass(8);
    machine.add({ name: 'system.cpu.load_average.1m', unit: '{thread}', attributes: {} }, 5);
    // Heard of later: processes are looked at once a minute.
    machine.changes.add('process', 'tar started (PID 8)', machine.at(-20).monotonicMs);
    machine.changes.add('process', 'late started (PID 9)', machine.at(3).monotonicMs);
    await machine.pass(15);
    const [incident] = machine.incidents();
    expect(incident!.changes!.map(({ text, atMs }) => [text, (atMs - START_MS) / 1000])).toEqual([
      ['stress started (PID 7)', -6],
      ['tar started (PID 8)', -20],
      ['cron started (PID 0)', -50],
      ['cron started (PID 1)', -51],
      ['/d was mounted', -60],
    ]);
    expect(incident!.title).toMatch(
      /^disk latency \(sda\) .* since 11:59:55, 8 s before load average \(1 min\); and 1 more/,
    );
  });

  it('tells of a group which series take part, and how much', async () => {
    const machine = new Machine();
    const member = { seen: 1, expectedLow: null, expectedHigh: null };
    machine.add(disk, 60, {
      detector: 'group',
      seen: 0.041,
      expectedLow: 0.0004,
      expectedHigh: 0.0021,
      members: [
        { series: 'a'.repeat(16), key: cpu, share: 0.31, ...member },
        { series: 'b'.repeat(16), key: space, share: 0.2, ...member },
      ],
    });
    await machine.pass(1);
    expect(machine.incidents()[0]!.title).toBe(
      'disk latency (sda) 41 ms, expected 0.4–2.1 ms: unlike before together with CPU utilisation (user) 31 %, filesystem utilisation (/d) 20 %; rarer than once in 10 years; since 11:59:00',
    );
  });

  it('is over when its causes are: what lags or only echoes holds it not, and opens nothing afterwards', async () => {
    const machine = new Machine();
    const load = { name: 'system.cpu.load_average.15m', unit: '1', attributes: {} };
    const own = { name: 'picket.input.duration', unit: 's', attributes: { 'picket.input': 'disk' } };
    machine.add(cpu);
    await machine.pass(60, () => {
      machine.add(cpu, 0);
      machine.add(load, 0);
      machine.add(own, 0);
    });
    await machine.pass(600, () => {
      machine.add(load, 0);
      machine.add(own, 0);
    });
    const [closed] = machine.incidents();
    expect(closed).toMatchObject({ state: 'closed', closedMs: START_MS + 60_000 });
    expect(machine.incidents().length).toBe(1);
    // What began long before is told with the next one, and does not make it begin earlier.
    machine.add(disk);
    await machine.pass(1);
    expect(machine.incidents()[1]!.openedMs).toBe(machine.at().utcMs - 6_000);
    expect(machine.incidents()[1]!.findings[0]!.key).toEqual(disk);
  });

  it('ranks the agent’s own vitals below what they measure, even where they felt it first', async () => {
    const machine = new Machine();
    machine.add({ name: 'picket.input.duration', unit: 's', attributes: { 'picket.input': 'disk' } }, 300, {
      bits: 90,
    });
    machine.add(disk, 240);
    machine.add(cpu, 0, { bits: 14 });
    await machine.pass(1);
    expect(machine.stage.current()[0]!.findings.map(({ key }) => key.name)).toEqual([
      'system.disk.operation_latency',
      'system.cpu.utilization',
      'picket.input.duration',
    ]);
  });
});

describe('what an incident may cost', () => {
  it('is one of the machine’s budget when statistics found it; a fact that confirms it gives it back', async () => {
    const machine = new Machine();
    machine.add(cpu);
    await machine.pass(1);
    expect(machine.budget.shownPerDay).toBe(1);
    expect(machine.budget.save()).toMatchObject({ lately: { peaks: [[1, 34, 12, 1]] } });
    machine.add(cpu, 6, { bits: 50 });
    expect(machine.budget.save()).toMatchObject({ lately: { peaks: [[1, 50, 12, 1]] } });
    machine.add(space, 0, { detector: 'rule', rule: 'full', severity: 'critical', bits: 0, wrong: 'full' });
    expect(machine.budget.save()).toMatchObject({ lately: { peaks: [] } });
    const other = new Machine();
    other.add(cpu, 60, { detector: 'missing', seen: null, bits: 30 });
    await other.pass(1);
    expect(other.budget.shownPerDay).toBe(0);
  });

  const watched = (machine: Machine): Machine => {
    machine.notices.pass(7 * 3_600_000);
    return machine;
  };

  it('wakes somebody once, for what is rare and grave enough, while there is something to pay with', async () => {
    const machine = watched(new Machine());
    machine.notices.setShare(0.5);
    machine.add(space, 5, { bits: 25 });
    await machine.pass(1);
    expect(machine.incidents()[0]!.notify).toMatchObject({ wakes: false, reason: 'severity', cost: 0 });
    machine.add(space, 5, { bits: 27 });
    await machine.pass(11);
    expect(machine.incidents()[0]!.notify).toMatchObject({ wakes: false, reason: 'rarity' });
    machine.add(space, 5, { bits: 60 });
    await machine.pass(11);
    expect(machine.incidents()[0]!.notify).toMatchObject({ wakes: true, reason: 'budget', cost: 1 });
    // Less may be spent from now on; what was paid is paid.
    machine.notices.setShare(0);
    machine.add(space, 5, { bits: 70 });
    await machine.pass(11);
    expect(machine.incidents()[0]!.notify).toMatchObject({ wakes: true, reason: 'budget', cost: 1 });
    machine.notices.setShare(0.5);
    await machine.pass(600);
    expect(machine.notices.counts).toMatchObject({ saved: 0 });
    // The next one finds nothing to pay with, until a share says otherwise.
    machine.add(disk, 5, { bits: 60 });
    await machine.pass(1);
    expect(machine.incidents()[1]!.notify).toMatchObject({ wakes: false, reason: 'spent', cost: 0 });
    machine.notices.setShare(10);
    machine.notices.pass(86_400_000);
    machine.add(disk, 5, { bits: 60 });
    await machine.pass(11);
    expect(machine.incidents()[1]!.notify).toMatchObject({ wakes: true, reason: 'budget', cost: 1 });
  });

  it('is nothing for rules, which wake by their severity and are silenced by mute', async () => {
    const machine = new Machine();
    machine.notices.setShare(0);
    const rule = { detector: 'rule', rule: 'full', bits: 0, wrong: 'full', holds: true } as const;
    machine.add(space, 0, { ...rule, severity: 'warning', muted: true });
    await machine.pass(1);
    expect(machine.incidents()[0]!.notify).toEqual({ wakes: false, reason: 'muted', cost: 0, perWeek: null });
    machine.add(space, 0, { ...rule, rule: 'fuller', severity: 'critical' });
    await machine.pass(11);
    expect(machine.incidents()[0]!.notify).toEqual({ wakes: true, reason: 'outside', cost: 0, perWeek: null });
    const slight = new Machine();
    slight.add(space, 0, { ...rule, severity: 'info' });
    await slight.pass(1);
    expect(slight.incidents()[0]!.notify).toMatchObject({ wakes: false, reason: 'severity' });
  });

  it('is refused to a machine that nobody knows yet', async () => {
    const machine = new Machine();
    machine.add(space, 5, { bits: 60 });
    await machine.pass(1);
    expect(machine.incidents()[0]!.notify).toMatchObject({ wakes: false, reason: 'learning' });
  });
});

describe('whatever is found', () => {
  const detectors = ['surprise', 'missing', 'stuck', 'group', 'rule', 'forecast', 'shift', 'oracle'];

  function randomFrom(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  it.each([1, 2, 3, 4, 5, 6])(
    'an incident opens once, its revisions rise, it closes once and stays readable (%i)',
    async (seed) => {
      const random = randomFrom(seed);
      const machine = new Machine();
      const pick = (n: number): number => Math.floor(random() * n);
      for (let step = 0; step < 1500; step++) {
        if (random() < 0.02) machine.stage.moveTimes((random() - 0.5) * 1e7);
        const burst = random() < 0.3 ? 1 + pick(6) : 0;
        for (let i = 0; i < burst; i++) {
          const detector = detectors[pick(detectors.length)]!;
          const key = { name: `system.part${pick(20)}.x`, unit: '1', attributes: { device: `d${pick(4)}` } };
          machine.add(key, pick(20), {
            detector,
            bits: random() * 100,
            ...(detector === 'rule' ? { rule: `r${pick(3)}`, severity: 'warning', wrong: 'x' } : {}),
            ...(random() < 0.1 ? { holds: true as const } : {}),
            ...(random() < 0.3 ? { ended: true as const } : {}),
            ...(random() < 0.2 ? { intervalMs: 60_000 } : {}),
          });
        }
        await machine.pass(1 + pick(random() < 0.05 ? 900 : 5));
      }
      const seen = new Map<number, Incident>();
      for (const incident of machine.told) {
        expect(readIncident(JSON.parse(JSON.stringify(incident)), '', 0)).toEqual(incident);
        expect(JSON.stringify(incident).length).toBeLessThan(48 * 1024);
        const before = seen.get(incident.seq);
        expect(incident.revision).toBe((before?.revision ?? 0) + 1);
        expect(before?.state).not.toBe('closed');
        if (before?.notify?.wakes === true) expect(incident.notify!.cost).toBe(before.notify.cost);
        seen.set(incident.seq, incident);
      }
      expect(seen.size).toBeGreaterThan(10);
      expect(machine.stage.current().length).toBeLessThanOrEqual(8);
      // What holds by a rule ends by its word; everything else by silence.
      for (const { findings } of machine.stage.current()) {
        for (const finding of findings) machine.stage.add({ ...finding, ended: true }, machine.at());
      }
      await machine.pass(4 * 3600);
      for (const { findings, more } of machine.stage.current()) {
        const held = findings.some(({ holds, detector }) => holds === true || detector === 'rule');
        expect(held || more > 0).toBe(true);
      }
    },
  );

  it('is bounded in what it takes from the first findings of a storm', async () => {
    const machine = new Machine();
    for (let i = 0; i < 5000; i++) {
      machine.add({ name: `m${i}`, unit: '1', attributes: { device: `${i}` } }, 5, { bits: 30 });
    }
    await machine.pass(defaultTiming.revisionMs / 1000 + 1);
    const [incident] = machine.stage.current();
    expect(incident!.findings.length).toBe(20);
    expect(incident!.more).toBe(4980);
  });
});
