/** One run of the bench: a fleet's life under a plan, and what is to be told of it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Incident } from '../../../shared/findings.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import { seeded } from '../detect/random.ts';
import { BenchCentral } from './central.ts';
import { type Injected, inject } from './faults.ts';
import { World } from './fleet.ts';
import { type ForecastFigures, forecastFigures } from './forecasts.ts';
import { Machine } from './machine.ts';
import { type Plan, rowsOf } from './plan.ts';
import { type Round, trainingRound, withModel } from './rounds.ts';
import { count, emptyTally, judge, type Life, type Tally } from './score.ts';
import { type Replay, replayOf, type Span, type Trace } from './traces.ts';
import { VirtualTime } from './virtual-time.ts';

/** A Monday, after the oldest time that an agent believes its clock. */
const START_MS = Date.UTC(2026, 0, 5);
const DAY_ROWS = 1440;
/** A machine is left alone with what it sees for a day before the first fault. */
const FIRST_FAULT_ROW = DAY_ROWS;
const WEEK_ROWS = 7 * DAY_ROWS;
const SEED = 20260105;

/** A machine of the fleet, and its like that never had a central. */
interface Member {
  readonly machine: Machine;
  /** Only of some: it costs as much. */
  readonly alone: Machine | null;
  readonly faults: readonly Injected[];
}

/** A machine that joins late, and its like that was alone for seven days before. */
interface Joiner {
  readonly replay: Replay;
  readonly cohort: number;
  readonly joinRow: number;
  young: Machine | null;
  alone: Machine | null;
  hasModelAfterHours: number | null;
}

export const phases = ['before', 'after', 'feedback'] as const;
export type Phase = (typeof phases)[number];

export interface RunResult {
  readonly fleet: Readonly<Record<Phase, Tally>>;
  readonly alone: Readonly<Record<Phase, Tally>>;
  /** By detector, false incidents of the fleet. */
  readonly falseBy: Readonly<Record<Phase, Readonly<Record<string, number>>>>;
  readonly dayOne: Tally;
  readonly alonesDayEight: Tally;
  /** The fleet's own day after its first training: seven days alone, and a model of its own. */
  readonly trainedDayEight: Tally;
  readonly joined: { readonly machines: number; readonly withModel: number; readonly hoursToModel: number };
  readonly rounds: readonly (Round & { readonly day: number; readonly running: number })[];
  readonly labelled: number;
  readonly stored: { readonly atAgents: number; readonly atCentral: number };
  readonly forecast: ForecastFigures;
}

export interface RunOptions {
  readonly plan: Plan;
  readonly traces: readonly Trace[];
  readonly directory: string;
  readonly say: (line: string) => void;
}

export async function run({ plan, traces, directory, say }: RunOptions): Promise<RunResult> {
  const random = seeded(SEED);
  const central = await BenchCentral.start({
    startMs: START_MS,
    data: `${directory}/central`,
    // Rounds are asked for, so that each phase begins where the bench says.
    config: { training: { firstAfter: '30d', interval: '30d' }, rollout: plan.rollout },
  });
  const time = new VirtualTime(START_MS);
  const world = new World(time, central);
  const { token } = await central.ask<{ token: string }>('POST', '/tokens', {
    maxUses: 10_000,
    expiresMs: START_MS + 2 * plan.days * DAY_ROWS * MINUTE_MS,
  });
  const common = { time, line: world.line, directory };
  const enrol = { url: central.url, token };
  const spans: Readonly<Record<Phase, Span>> = {
    before: rowsOf(0, plan.trainDay),
    after: rowsOf(plan.trainDay, plan.feedbackDay),
    feedback: rowsOf(plan.taughtDay, plan.days),
  };

  const members: Member[] = [];
  for (let i = 0; i < plan.perCohort; i++) {
    for (let cohort = 0; cohort < plan.cohorts; cohort++) {
      const trace = traces[cohort % traces.length]!;
      const replay = replayOf(trace, (i + cohort / plan.cohorts) / plan.perCohort, plan.days * DAY_ROWS, random);
      const faults = inject(replay, FIRST_FAULT_ROW, random);
      const name = `cohort-${cohort}-${i}`;
      const machine = await Machine.start({ ...common, name, replay, row: 0, enrol });
      await world.connected(machine);
      const alone =
        i % plan.aloneEvery === 0 ? await Machine.start({ ...common, name: `${name}-alone`, replay, row: 0 }) : null;
      members.push({ machine, alone, faults });
      world.machines.push(machine, ...(alone === null ? [] : [alone]));
    }
  }
  const joiners = plan.joinDays.flatMap((day) =>
    Array.from({ length: plan.cohorts * plan.joinersPerCohort }, (_, i): Joiner => {
      const cohort = i % plan.cohorts;
      const replay = replayOf(traces[cohort % traces.length]!, random(), WEEK_ROWS + DAY_ROWS, random);
      return { replay, cohort, joinRow: day * DAY_ROWS, young: null, alone: null, hasModelAfterHours: null };
    }),
  );
  const labelled = new Set<string>();
  const label = async (): Promise<void> => {
    for (const { machine, faults } of members) await labelAll(world, machine, faults, spans.after.from, labelled);
  };

  const rounds: (Round & { day: number; running: number })[] = [];
  const roundRows = [plan.trainDay, plan.feedbackDay, ...plan.laterDays].map((day) => day * DAY_ROWS);
  const beganMs = performance.now();
  for (let row = 0; row < plan.days * DAY_ROWS; row += 60) {
    if (row % DAY_ROWS === 0) {
      const seconds = Math.round((performance.now() - beganMs) / 1000);
      say(`day ${row / DAY_ROWS} of ${plan.days}, ${world.machines.length} machines, ${seconds} s`);
    }
    await joinAndLeave(world, joiners, row, { ...common, enrol });
    if (roundRows.includes(row)) {
      if (row >= plan.feedbackDay * DAY_ROWS) await label();
      const round = await trainingRound(world);
      await world.run(5);
      rounds.push({ ...round, day: row / DAY_ROWS, running: withModel(world.machines) });
      await world.run(55);
    } else await world.run(60);
    await placedIfSoon(world, joiners, row + 60);
    for (const joiner of joiners) {
      if (joiner.young === null || joiner.hasModelAfterHours !== null || joiner.young.models.length === 0) continue;
      joiner.hasModelAfterHours = (row + 60 - joiner.joinRow) / 60;
    }
  }
  await joinAndLeave(world, joiners, plan.days * DAY_ROWS, { ...common, enrol });
  await world.exchange();

  const fleet = tallies();
  const alone = tallies();
  const falseBy: Record<Phase, Record<string, number>> = { before: {}, after: {}, feedback: {} };
  const trainedDayEight = emptyTally();
  for (const { machine, alone: like, faults } of members) {
    const life = lifeOf(machine, faults);
    for (const phase of phases) {
      count(fleet[phase], life, spans[phase]);
      if (like !== null) count(alone[phase], lifeOf(like, faults), spans[phase]);
      for (const detector of falseDetectors(life, spans[phase])) {
        falseBy[phase][detector] = (falseBy[phase][detector] ?? 0) + 1;
      }
    }
    count(trainedDayEight, life, rowsOf(plan.trainDay, plan.trainDay + 2));
  }
  const dayOne = emptyTally();
  const alonesDayEight = emptyTally();
  const firstDay = { from: WEEK_ROWS, to: WEEK_ROWS + DAY_ROWS };
  for (const { young, alone: like, joinRow } of joiners) {
    // Row 0 of the replay is a week before it joins.
    const startMs = START_MS + (joinRow - WEEK_ROWS) * MINUTE_MS;
    if (young !== null) count(dayOne, { ...lifeOf(young, []), startMs }, firstDay);
    if (like !== null) count(alonesDayEight, { ...lifeOf(like, []), startMs }, firstDay);
  }
  const joined = joiners.filter(({ young }) => young !== null);
  const placed = joined.flatMap(({ hasModelAfterHours }) => hasModelAfterHours ?? []);
  say('forecasts');
  const forecast = await forecastFigures({
    central,
    agents: members.slice(0, plan.forecast.machines).map(({ machine }) => machine.agent!),
    fromMs: START_MS,
    toMs: START_MS + plan.days * DAY_ROWS * MINUTE_MS,
    series: plan.forecast.series,
  });
  const stored = await storedIncidents(world, members);
  for (const machine of world.machines) await machine.stop();
  await central.stop();
  return {
    fleet,
    alone,
    falseBy,
    dayOne,
    alonesDayEight,
    trainedDayEight,
    joined: {
      machines: joined.length,
      withModel: placed.length,
      hoursToModel: placed.length === 0 ? Number.NaN : placed.reduce((sum, one) => sum + one, 0) / placed.length,
    },
    rounds,
    labelled: labelled.size,
    stored,
    forecast,
  };
}

const tallies = (): Record<Phase, Tally> => ({ before: emptyTally(), after: emptyTally(), feedback: emptyTally() });

function lifeOf(machine: Machine, faults: readonly Injected[]): Life {
  return { incidents: [...machine.incidents.values()], faults, unsure: machine.replay.unsure, startMs: START_MS };
}

function falseDetectors(life: Life, span: Span): string[] {
  return life.incidents.flatMap((incident) => {
    const row = (incident.openedMs - life.startMs) / MINUTE_MS;
    if (row < span.from || row >= span.to || judge(incident, life).is !== 'false') return [];
    const first = incident.findings[0];
    return first === undefined ? [] : [first.tier === 'window' ? `${first.detector} (central)` : first.detector];
  });
}

interface Common {
  readonly time: VirtualTime;
  readonly line: VirtualTime;
  readonly directory: string;
  readonly enrol: { readonly url: string; readonly token: string };
}

/** Machines that are new on this row, those that begin their week alone, and those whose first day is over. */
async function joinAndLeave(world: World, joiners: Joiner[], row: number, { enrol, ...common }: Common): Promise<void> {
  const leave = async (machine: Machine): Promise<void> => {
    world.machines = world.machines.filter((one) => one !== machine);
    await machine.stop();
    if (machine.agent !== null) await world.central.ask('POST', `/agents/${machine.agent}/retire`);
  };
  for (const [i, joiner] of joiners.entries()) {
    const { replay, joinRow, cohort } = joiner;
    const name = `new-${cohort}-${i}`;
    if (row === joinRow - WEEK_ROWS) {
      joiner.alone = await Machine.start({ ...common, name: `${name}-alone`, replay, row: 0 });
      world.machines.push(joiner.alone);
    }
    if (row === joinRow) {
      joiner.young = await Machine.start({ ...common, name, replay, row: WEEK_ROWS, enrol });
      await world.connected(joiner.young);
      world.machines.push(joiner.young);
    }
    if (row === joinRow + DAY_ROWS) for (const one of [joiner.young, joiner.alone]) if (one !== null) await leave(one);
  }
}

/** A first model is made in real seconds, in which virtual hours would go by. */
const PLACING_ROWS = 120;
const PLACING_MS = 5_000;

/** Waits for the models of machines that joined just now, as long as these may take. */
async function placedIfSoon(world: World, joiners: readonly Joiner[], row: number): Promise<void> {
  const young = joiners.flatMap(({ young, joinRow }) => (row - joinRow <= PLACING_ROWS && young !== null ? young : []));
  const deadline = performance.now() + PLACING_MS;
  while (young.some(({ models }) => models.length === 0) && performance.now() < deadline) {
    await pause(50);
    await world.exchange();
  }
}

/** Says of each incident since `fromRow` what an operator who knows would say of it. */
async function labelAll(
  world: World,
  machine: Machine,
  faults: readonly Injected[],
  fromRow: number,
  said: Set<string>,
): Promise<void> {
  for (const incident of machine.incidents.values()) {
    const id = `${incident.epoch}/${incident.seq}`;
    if (said.has(id) || incident.openedMs < START_MS + fromRow * MINUTE_MS) continue;
    const what = judge(incident, lifeOf(machine, faults));
    if (what.is === 'unsure') continue;
    const body = what.is === 'false' ? { verdict: 'false_alarm' } : { verdict: 'real', class: what.kind };
    await world.central.ask('PUT', `/agents/${machine.agent}/incidents/${id}/label`, body);
    said.add(id);
  }
}

/** What the central has of what the fleet's machines told. */
async function storedIncidents(world: World, members: readonly Member[]): Promise<RunResult['stored']> {
  let atAgents = 0;
  let atCentral = 0;
  const range = `from=${START_MS}&to=${world.time.nowMs + MINUTE_MS}&limit=1000`;
  for (const { machine } of members) {
    const { incidents } = await world.central.ask<{ incidents: Incident[] }>(
      'GET',
      `/agents/${machine.agent}/incidents?${range}`,
    );
    atCentral += incidents.length;
    atAgents += machine.incidents.size;
  }
  return { atAgents, atCentral };
}
