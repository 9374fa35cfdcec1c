/**
 * What a cohort is worth on a machine's first day. Recorded servers (SMD) stand for a fleet (`cohorts/fleet.ts`): for
 * each server and each start, a new machine replays the day that follows
 *
 *   alone     as it would without cohorts: from its fifth minute on with a model of its first four
 *   cohort    placed by the central's own clustering after 10 minutes and again after an hour, with the model that the
 *             machines of its cohort give it; none of these has seen the day
 *   seventh   the same day on a machine that began seven days before and learned alone
 *
 * through the agent's own stages. Clean data: whatever opens is false. And once more with a fault at noon: one metric
 * higher by five deviations for an hour, found where an incident that opens in that hour names it.
 */
import { clusters } from '../../central/cohorts/linkage.ts';
import { CUT } from '../../central/cohorts/placing.ts';
import { spaceOf } from '../../central/cohorts/space.ts';
import type { Incident } from '../../shared/findings.ts';
import { dayOne, featuresOf, machineOf, type Recording, ROWS_A_DAY, trained } from './cohorts/fleet.ts';
import { columns, Machine } from './cohorts/machine.ts';
import { readSmd, type SmdServer, smdMetrics } from './detect/formats/smd.ts';
import { seeded } from './detect/random.ts';

const WEEK = 7 * ROWS_A_DAY;
/** A new machine begins at each of these: at another time of the day than the one before. */
const STEP = 0.75 * ROWS_A_DAY;
/** Of so many machines one has a fault. */
const FAULTS_EACH = 2;
const FIRST_MODEL = 4;
const PLACES = [10, 60];
/** Days of each machine that was there before. */
const STRETCH = 5 * ROWS_A_DAY;
/** A better model comes through the shadow and the canary: what runs has not seen the last two days. */
const STAGES = 2 * ROWS_A_DAY;
const FAULT_AT = ROWS_A_DAY / 2;
const FAULT_ROWS = 60;
const FAULT_DEVIATIONS = 5;

type Arm = 'alone' | 'cohort' | 'seventh';
interface Tally {
  incidents: number;
  window: number;
  found: number;
  faults: number;
  hours: number;
}

/** Models by the row at which they are in force. */
type Plan = ReadonlyMap<number, Uint8Array>;

export async function run(data?: string): Promise<Record<string, number>> {
  if (data === undefined) throw new Error('say where the recordings are: --data DIR, the folder that holds smd/');
  const servers = [...readSmd(data)];
  const fleet = servers.flatMap((server, s) => stretches(server, 100 * s));
  const models = new Map<Recording, Uint8Array>();
  for (const one of fleet) models.set(one, await trained(one, one.from, one.to));
  const features = new Map(fleet.map((one) => [one, featuresOf(one, one.from, one.to)]));
  const tallies: Record<Arm, Tally> = { alone: empty(), cohort: empty(), seventh: empty() };
  let right = 0;
  let wrong = 0;
  let starts = 0;
  for (const [s, server] of servers.entries()) {
    const rows = server.train.length / smdMetrics;
    for (let day = WEEK; day + ROWS_A_DAY <= rows; day += STEP) {
      starts++;
      const machine = machineOf(server, day, day + ROWS_A_DAY, 7919 * s + day);
      const known = fleet.filter(
        ({ server: its, from, to }) => its !== server.name || to <= day || from >= day + ROWS_A_DAY,
      );
      const first = await trained(machine, day, day + FIRST_MODEL);
      const plans: Record<Arm, Map<number, Uint8Array>> = {
        alone: new Map([[day + FIRST_MODEL, first]]),
        cohort: new Map([[day + FIRST_MODEL, first]]),
        seventh: new Map([
          [day - WEEK + FIRST_MODEL, await trained(machine, day - WEEK, day - WEEK + FIRST_MODEL)],
          [day, await trained(machine, day - WEEK, day - STAGES)],
        ]),
      };
      for (const minutes of PLACES) {
        const peers = peersOf(known, features, featuresOf(machine, day, day + minutes));
        if (minutes === PLACES.at(-1)) {
          right += peers.some((peer) => peer.server === server.name) ? 1 : 0;
          wrong += peers.some((peer) => peer.server !== server.name) ? 1 : 0;
        }
        if (peers.length < 2) continue;
        const contents = peers.map((peer) => models.get(peer)!);
        plans.cohort.set(day + minutes, dayOne(contents, machine, day, day + minutes));
      }
      const faulty = withFault(machine, day, seeded(day + s));
      for (const arm of Object.keys(tallies) as Arm[]) {
        const begin = arm === 'seventh' ? day - WEEK : day;
        const clean = await replay(machine, begin, day, plans[arm]);
        const tally = tallies[arm];
        tally.incidents += clean.length;
        tally.window += clean.filter(({ incident }) => incident.findings.some(({ tier }) => tier === 'window')).length;
        tally.hours += 24;
        if (starts % FAULTS_EACH !== 0) continue;
        tally.faults++;
        const opened = await replay(faulty.machine, begin, day, plans[arm]);
        tally.found += opened.some((told) => isOf(told, faulty)) ? 1 : 0;
      }
    }
  }
  return figuresOf(tallies, { starts, right, wrong });
}

function empty(): Tally {
  return { incidents: 0, window: 0, found: 0, faults: 0, hours: 0 };
}

/** The machines that were there before. */
function stretches(server: SmdServer, seed: number): Recording[] {
  const rows = server.train.length / smdMetrics;
  const found: Recording[] = [];
  for (let from = 0; from + STRETCH <= rows; from += STRETCH / 2) {
    found.push(machineOf(server, from, from + STRETCH, seed + found.length + 1));
  }
  return found;
}

/** The machines with which the new one is in a cluster. */
function peersOf(
  known: readonly Recording[],
  features: ReadonlyMap<Recording, ReturnType<typeof featuresOf>>,
  own: ReturnType<typeof featuresOf>,
): Recording[] {
  const all = [...known.map((one) => features.get(one)!), own];
  const found = clusters(all.length, spaceOf(all).distance, CUT);
  const mine = found.find((cluster) => cluster.includes(known.length)) ?? [];
  return mine.filter((i) => i < known.length).map((i) => known[i]!);
}

interface Faulty {
  readonly machine: Recording;
  readonly metric: number;
  readonly fromRow: number;
}

/** One metric that moves at all is higher for an hour. */
function withFault(machine: Recording, day: number, random: () => number): Faulty {
  const rows = machine.rows.slice();
  const deviation = (metric: number): number => {
    let sum = 0;
    let squares = 0;
    for (let row = day; row < day + ROWS_A_DAY; row++) {
      const value = rows[row * smdMetrics + metric]!;
      sum += value;
      squares += value * value;
    }
    return Math.sqrt(Math.max(0, squares / ROWS_A_DAY - (sum / ROWS_A_DAY) ** 2));
  };
  const moving = columns.map((_, metric) => metric).filter((metric) => deviation(metric) > 1e-3);
  const metric = moving[Math.floor(random() * moving.length)]!;
  const fromRow = day + FAULT_AT;
  const by = FAULT_DEVIATIONS * deviation(metric);
  for (let row = fromRow; row < fromRow + FAULT_ROWS; row++) rows[row * smdMetrics + metric]! += by;
  return { machine: { ...machine, rows }, metric, fromRow };
}

function names({ findings }: Incident, metric: number): boolean {
  return findings.some(({ key, members = [] }) =>
    [key, ...members.map((one) => one.key)].some(({ name }) => name === columns[metric]),
  );
}

/** It opened while the fault lasted, and names it. */
function isOf({ row, incident }: Told, { metric, fromRow }: Faulty): boolean {
  return row >= fromRow && row < fromRow + FAULT_ROWS && names(incident, metric);
}

interface Told {
  /** Row in which it opened. */
  readonly row: number;
  /** Its latest revision. */
  incident: Incident;
}

/** Incidents that opened on the day. */
async function replay(machine: Recording, begin: number, day: number, plan: Plan): Promise<Told[]> {
  const opened = new Map<number, Told>();
  let row = begin;
  const replaying = new Machine((incident, isNew) => {
    const known = opened.get(incident.seq);
    if (known !== undefined) known.incident = incident;
    else if (isNew && row >= day) opened.set(incident.seq, { row, incident });
  });
  for (; row < day + ROWS_A_DAY; row++) {
    const content = plan.get(row);
    if (content !== undefined) replaying.run(content);
    await replaying.feed(row, machine.rows, row * smdMetrics);
  }
  return [...opened.values()];
}

function figuresOf(
  tallies: Record<Arm, Tally>,
  { starts, right, wrong }: { starts: number; right: number; wrong: number },
): Record<string, number> {
  const figures: Record<string, number> = { machines: starts, hours: tallies.alone.hours };
  figures.placed_right = right;
  figures.placed_wrong = wrong;
  for (const [arm, { incidents, window, found, faults, hours }] of Object.entries(tallies)) {
    figures[`${arm}_false`] = incidents;
    figures[`${arm}_false_by_models`] = window;
    figures[`${arm}_false_per_machine_day`] = incidents / (hours / 24);
    figures[`${arm}_faults_found_share`] = found / faults;
  }
  figures.cohort_to_seventh = tallies.cohort.incidents / Math.max(1, tallies.seventh.incidents);
  return figures;
}
