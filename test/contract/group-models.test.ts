/** The model of a machine's groups from end to end: what an agent sends, what the central makes of it, what the agent finds by it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { GroupModelStage } from '../../agent/models/group-models.ts';
import { type Knowledge, knowsNothing } from '../../central/train/knowledge.ts';
import type { RoundResult } from '../../central/train/round.ts';
import { type RoundSources, runRound, type StoredChampion } from '../../central/train/trainings.ts';
import { utcZone } from '../../shared/detect/civil.ts';
import type { seasonal } from '../../shared/detect/seasonal.ts';
import type { Finding } from '../../shared/findings.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { decodeGroupModel, encodeGroupModel, GROUP_SLOT } from '../../shared/wire/group-model.ts';
import { CURRENT, type Fault, FLOW, GroupedMachine, HEAT, TOTAL } from '../support/grouped-machine.ts';
import { HistoryStore } from '../support/learning.ts';

const HOURS = 80;
const never = new AbortController().signal;

function central(store: HistoryStore, knowledge: Knowledge = knowsNothing): RoundSources {
  return { store, knowledge: async () => knowledge };
}

function train(sources: RoundSources, champion: StoredChampion | null = null): Promise<RoundResult | null> {
  const training = { windowMs: MINUTE_MS, zone: utcZone, findingsPerDay: 1 };
  return runRound(sources, { agent: 'a1', slot: GROUP_SLOT, training, champion, seed: 1 }, never);
}

function championOf({ content, toMs }: RoundResult, change: Partial<StoredChampion> = {}): StoredChampion {
  return { version: 3, toMs, outdated: false, incomplete: false, content, ...change };
}

/** The agent's side: windows of a machine, and what it finds. */
class Agent {
  readonly findings: Finding[] = [];
  readonly broken: string[] = [];
  readonly stage: GroupModelStage;
  readonly machine: GroupedMachine;
  #minute: number;

  constructor(machine: GroupedMachine, fromMinute: number, allKnown = true) {
    this.machine = machine;
    this.#minute = fromMinute;
    this.stage = new GroupModelStage({
      windowMs: MINUTE_MS,
      series: {
        definition: (number) => machine.definitions[number] ?? null,
        id: (number) => machine.id(number),
        numberOf: (id) => machine.numberOf(id),
      },
      allKnown: () => allKnown,
      onFinding: (finding) => this.findings.push(finding),
      onBroken: (_slot, reason) => this.broken.push(reason),
    });
  }

  /** @returns findings of these minutes that are not the same one going on */
  run(minutes: number, fault?: Fault): Finding[] {
    const before = this.findings.length;
    for (let i = 0; i < minutes; i++, this.#minute++) {
      const { machine } = this;
      const endMonotonicMs = (this.#minute + 1) * MINUTE_MS;
      this.stage.score(machine.numbers, machine.columns(machine.minute(this.#minute, fault)), {
        nominalMs: MINUTE_MS,
        lengthMs: MINUTE_MS,
        endMonotonicMs,
        endUtcMs: machine.startMs + endMonotonicMs,
      });
    }
    return this.findings.slice(before).filter(({ sinceMs }, i, all) => i === 0 || all[i - 1]!.sinceMs !== sinceMs);
  }
}

const machine = new GroupedMachine(1);
const store = new HistoryStore();
let first: RoundResult;

beforeAll(async () => {
  machine.live(store, 'a1', HOURS * 60);
  first = (await train(central(store)))!;
});

describe('the first model of a group', () => {
  test('is calibrated on hours that it has not seen, within the budget, and says so', () => {
    expect(first).toMatchObject({ accepted: true, series: 6, windowMs: MINUTE_MS });
    expect(first.reason).toMatch(/^The first model, and calibrated: 9\d(\.\d)? % of 1200 held-out windows/);
    expect(first.evaluation.challenger.coverage).toBeGreaterThan(0.95);
    expect(first.evaluation.challenger.findingsPerDay * (20 / 24)).toBeLessThanOrEqual(2);
    expect(first.evaluation.champion).toBeNull();
  });

  test('leaves out what only rises', () => {
    const { members, reference } = decodeGroupModel(first.content).groups.get('pump')!;
    for (const name of [FLOW, CURRENT, HEAT])
      expect(reference.scale[members.indexOf(machine.id(name))]).toBeLessThan(10);
    expect(reference.scale[members.indexOf(machine.id(TOTAL))]).toBeGreaterThan(1e100);
  });

  test('finds on the agent what no longer moves together, though each series is in its range, and names it', () => {
    const agent = new Agent(machine, HOURS * 60);
    agent.stage.activate(first.content);
    expect(agent.run(24 * 60).length).toBeLessThanOrEqual(3);
    const [found] = agent.run(30, (values) => {
      values[CURRENT] = values[CURRENT]! + 0.35;
    });
    expect(found).toMatchObject({ detector: 'group', tier: 'window', intervalMs: MINUTE_MS });
    expect(found!.key.name).toBe('current');
    expect(found!.members![0]!.share).toBeGreaterThan(0.5);
    expect(found!.expectedLow!).toBeLessThan(1);
    expect(found!.expectedHigh!).toBeGreaterThan(1);
    expect(agent.broken).toEqual([]);
  });

  test('says nothing of a group of which too much is missing, and goes on without one series', () => {
    const agent = new Agent(machine, HOURS * 60);
    agent.stage.activate(first.content);
    const loud: Fault = (values) => {
      values[FLOW] = values[FLOW]! + 40;
    };
    expect(
      agent.run(20, (values, minute) => {
        loud(values, minute);
        values[CURRENT] = Number.NaN;
        values[HEAT] = Number.NaN;
      }),
    ).toEqual([]);
    const found = agent.run(20, (values, minute) => {
      loud(values, minute);
      values[CURRENT] = Number.NaN;
    });
    expect(found.map(({ key }) => key.name)).toEqual(['flow']);
  });
});

describe('what it learns from', () => {
  const broken: Fault = (values, minute) => {
    if (minute >= 30 * 60 && minute < 33 * 60) values[FLOW] = 500 + minute;
  };
  const scaleOfFlow = (result: RoundResult, of: GroupedMachine): number => {
    const { members, reference } = decodeGroupModel(result.content).groups.get('pump')!;
    return reference.scale[members.indexOf(of.id(FLOW))]!;
  };

  test('leaves out incidents that were real, planned work and guessed clocks', async () => {
    const own = new HistoryStore();
    const faulty = new GroupedMachine(2);
    faulty.live(own, 'a1', HOURS * 60, broken);
    const at = (hour: number) => faulty.startMs + hour * HOUR_MS;
    const range = { fromMs: at(30), toMs: at(33) };
    const series = new Map([[faulty.id(FLOW), range]]);
    const usual = scaleOfFlow(first, machine);
    const learned = await train(central(own));
    expect(learned === null || scaleOfFlow(learned, faulty) > 5 * usual).toBe(true);
    for (const known of [
      { incidents: [{ ...range, verdict: 'real' as const, series }] },
      { planned: [range] },
      { uncertain: [range] },
    ]) {
      const result = await train(central(own, { ...knowsNothing, ...known }));
      expect(scaleOfFlow(result!, faulty)).toBeLessThan(1.3 * usual);
    }
  });

  test('hours with half of their windows are too few of them', async () => {
    const own = new HistoryStore();
    const cut = new GroupedMachine(3);
    cut.live(own, 'a1', HOURS * 60);
    for (const set of own.groups.get('a1')!) set.coMoments.count = Math.min(set.coMoments.count, 60);
    const sets = own.groups.get('a1')!;
    const before = (await train(central(own)))!;
    const rowsOf = (result: RoundResult) => decodeGroupModel(result.content).groups.get('pump')!.reference.rows;
    // An hour of which there are ten minutes.
    const short = {
      ...sets[10]!,
      seen: sets[10]!.seen.map(() => 10),
      coMoments: { ...sets[10]!.coMoments, count: 10 },
    };
    own.groups.set('a1', [...sets.slice(0, 10), short, ...sets.slice(11)]);
    expect(rowsOf((await train(central(own)))!)).toBe(rowsOf(before) - 60);
  });

  test('less than a day is too little', async () => {
    const own = new HistoryStore();
    new GroupedMachine(4).live(own, 'a1', 20 * 60);
    expect(await train(central(own))).toBeNull();
  });

  test('without minutes at the central there is nothing to judge by, and no model', async () => {
    const own = new HistoryStore();
    own.groups.set('a1', store.groups.get('a1')!);
    own.blocks.set('a1', [{ ...store.blocks.get('a1')![0]!, count: new Float64Array(HOURS * 60) }]);
    expect(await train(central(own))).toBeNull();
  });
});

describe('a challenger', () => {
  test('that knows no more than the champion does not run', async () => {
    const result = await train(central(store), championOf(first));
    expect(result).toMatchObject({ accepted: false });
    expect(result!.reason).toMatch(/^Not better by 2 %: its loss is \d/);
    expect(result!.evaluation.champion).not.toBeNull();
  });

  test('runs where the machine has changed its ways', async () => {
    const own = new HistoryStore();
    const changed = new GroupedMachine(5);
    changed.live(own, 'a1', HOURS * 60);
    const old = (await train(central(own)))!;
    const worn: Fault = (values) => {
      values[CURRENT] = values[CURRENT]! * 1.5;
      values[HEAT] = values[HEAT]! + 12;
    };
    changed.live(own, 'a1', HOURS * 60, worn, HOURS * 60);
    const result = await train(central(own), championOf(old));
    expect(result!.reason).toMatch(/^Better: its loss is/);
    expect(result!.accepted).toBe(true);
  });

  test('of a group with other members takes the place of what is about nobody any more', async () => {
    const { windowMs, groups } = decodeGroupModel(first.content);
    const params = groups.get('pump')!;
    const content = encodeGroupModel({
      windowMs,
      groups: new Map([['pump', { ...params, members: params.members.map((id) => id.replace(/^./, '0')).sort() }]]),
    });
    const result = await train(central(store), championOf(first, { content }));
    expect(result).toMatchObject({ accepted: true });
  });

  test('that would be loud is refused, with the count', async () => {
    const own = new HistoryStore();
    const wild = new GroupedMachine(6);
    // From the held-out hours on a fault comes and goes.
    wild.live(own, 'a1', HOURS * 60, (values, minute) => {
      if (minute > 62 * 60 && minute % 30 < 2) values[CURRENT] = values[CURRENT]! + 1;
    });
    const result = await train(central(own));
    expect(result).toMatchObject({ accepted: false });
    expect(result!.reason).toMatch(/^Too loud: \d+ findings on held-out time; the budget allows \d+/);
  });
});

describe('an agent', () => {
  const other = new GroupedMachine(7);

  test('refuses a model of other windows, of other series, and what is none', () => {
    const agent = new Agent(other, 0);
    const model = decodeGroupModel(first.content);
    const tens = encodeGroupModel({ ...model, windowMs: 10 * MINUTE_MS });
    expect(() => agent.stage.activate(tens)).toThrowError(expect.objectContaining({ code: 'manifest.unsupported' }));
    const params = model.groups.get('pump')!;
    const members = params.members.map((_, i) => i.toString(16).padStart(16, '0'));
    const foreign = encodeGroupModel({ ...model, groups: new Map([['pump', { ...params, members }]]) });
    expect(() => agent.stage.activate(foreign)).toThrowError(expect.objectContaining({ code: 'manifest.unsupported' }));
    expect(() => agent.stage.activate(Uint8Array.of(1, 2, 3))).toThrowError(
      expect.objectContaining({ code: 'payload.invalid' }),
    );
    // At its start it does not know what it has.
    expect(() => new Agent(other, 0, false).stage.activate(foreign)).not.toThrow();
  });

  test('counts a shadow, which raises nothing, and drops one that is far louder', () => {
    const agent = new Agent(machine, HOURS * 60);
    const model = decodeGroupModel(first.content);
    agent.stage.activate(first.content);
    const narrow = (tail: (typeof seasonal.defaults)['upper']) => ({ ...tail, threshold: 0.1, scale: 0.01 });
    const params = model.groups.get('pump')!;
    const poisoned = { ...params, t2: narrow(params.t2), spe: narrow(params.spe) };
    agent.stage.compare(encodeGroupModel({ ...model, groups: new Map([['pump', poisoned]]) }), 'shadow');
    agent.run(300);
    const said = agent.stage.comparison()!;
    expect(said.dropped).toMatch(/^it is too loud/);
    expect(said.slot).toBe(GROUP_SLOT);
    expect(agent.findings.length).toBeLessThan(10);
    expect(agent.broken).toEqual([]);
  });

  test('takes back a model that is far louder than the one that it replaced', () => {
    const agent = new Agent(machine, HOURS * 60);
    const model = decodeGroupModel(first.content);
    const params = model.groups.get('pump')!;
    const deaf = { ...params, findingBits: 1, capBits: 50 };
    agent.stage.activate(encodeGroupModel({ ...model, groups: new Map([['pump', deaf]]) }));
    agent.stage.compare(first.content, 'trial');
    agent.run(600);
    expect(agent.broken[0]).toMatch(/^it is too loud/);
  });
});
