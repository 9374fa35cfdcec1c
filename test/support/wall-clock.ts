/**
 * Agents whose wall clock does what it should not (libfaketime), beside monotonic time that is right, and what the
 * central must have made of it. A machine's battery says, as its state, the real time: so each event carries proof of
 * when it was.
 */
import { globSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CoverageDay, LatestSeries, LedgerRow } from '../../central/store/store.ts';
import type { StateEvent } from '../../shared/findings.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import { GoldenMachine } from './golden-machine.ts';
import { until } from './processes.ts';
import type { Agent, Central, System } from './system.ts';

const STATUS = 'sys/class/power_supply/BAT0/status';
const CHANGE_MS = 250;
/** Of a time in a date of the year 2286 and before: fixed, so that the file never gets shorter. */
const DIGITS = 13;

export const libfaketime = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0] ?? null;

/** A wall clock that can be set while programs run by it. */
export class FakedWallClock {
  readonly #file: string;

  constructor(system: System, name: string, said: string) {
    this.#file = join(system.path('clocks'), name);
    this.set(said);
  }

  /** As libfaketime wants it: `@1970-01-02 00:00:00`, `+86400`, `+0 x10`. */
  set(said: string): void {
    // In one step: nobody reads half of it.
    writeFileSync(`${this.#file}.new`, `${said}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** For the program that is to run by it. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: libfaketime!,
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
      TZ: 'UTC',
    };
  }
}

/** A machine whose battery says what time it is. */
export class ClockMachine {
  readonly #machine: GoldenMachine;
  readonly #timer: NodeJS.Timeout;

  constructor(system: System) {
    this.#machine = new GoldenMachine(system, 'vm');
    this.#machine.add('sys/class/power_supply/BAT0/type', 'Battery\n');
    this.#machine.add(STATUS, this.#now());
    this.#timer = setInterval(() => this.#machine.write(STATUS, this.#now()), CHANGE_MS);
  }

  agent(system: System, name: string): Agent {
    const settings = 'inputs: {linux.battery: {interval: 200ms}}\noutbox: {commitInterval: 1s}\n';
    return system.agent(name, this.#machine.config + settings);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #now(): string {
    return `at-${String(Date.now()).padStart(DIGITS, '0')}\n`;
  }
}

/** What an agent's central says of its times. */
export interface TimesSeen {
  readonly events: number;
  /** Events that are not in the order in which they were, or follow another than the one before. */
  readonly disorder: number;
  /** Greatest difference from the real time. */
  readonly worstMs: number;
  readonly uncertain: number;
  /** When the windows of one series ended. */
  readonly endsMs: readonly number[];
  readonly coverage: readonly CoverageDay[];
  /** Of all records. */
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** Asks a central for an agent's events and windows, and holds them against what they say themselves. */
export async function timesOf(central: Central, agent: string): Promise<TimesSeen> {
  const states = await batteryEvents(central, agent);
  let [disorder, worstMs, before] = [0, 0, 0];
  for (const { atMs, from, to } of states) {
    const realMs = Number(to.slice(3));
    if (realMs < before || (from !== null && before !== 0 && Number(from.slice(3)) !== before)) disorder++;
    before = realMs;
    worstMs = Math.max(worstMs, Math.abs(atMs - realMs));
  }
  const endsMs = await windowEnds(central, agent);
  const { coverage, rows } = await central.get<{ coverage: readonly CoverageDay[]; rows: readonly LedgerRow[] }>(
    `/agents/${agent}/ledger`,
  );
  return {
    events: states.length,
    disorder,
    worstMs,
    uncertain: states.filter(({ uncertain }) => uncertain === true).length,
    endsMs,
    coverage,
    earliestMs: Math.min(...rows.map(({ firstMs }) => firstMs)),
    latestMs: Math.max(...rows.map(({ lastMs }) => lastMs)),
  };
}

async function batteryEvents(central: Central, agent: string): Promise<readonly StateEvent[]> {
  const { events } = await central.get<{ events: readonly StateEvent[] }>(`/agents/${agent}/events?from=0&limit=5000`);
  return events.filter(({ key }) => key.name === 'hw.battery.state');
}

/** Ends of the windows of a series that is always there. */
async function windowEnds(central: Central, agent: string): Promise<readonly number[]> {
  const { series } = await central.get<{ series: readonly LatestSeries[] }>(`/agents/${agent}/series`);
  const always = series.find(({ name }) => name === 'system.memory.usage');
  if (always === undefined) return [];
  const range = `from=${Date.now() - 6 * HOUR_MS}&to=${Date.now() + HOUR_MS}&resolution=minute&columns=count`;
  const answer = await central.get<{ series: readonly { timesMs: number[] }[] }>(
    `/agents/${agent}/summaries?series=${always.id}&${range}`,
  );
  return answer.series[0]!.timesMs;
}

/** Waits until a central has so many of an agent's battery events. */
export async function eventsCome(central: Central, agent: string, count: number, deadlineMs = 30_000): Promise<void> {
  let seen: unknown = 0;
  await until(
    `${count} events of ${agent} are at the central`,
    async () => {
      seen = await batteryEvents(central, agent).then((events) => events.length, String);
      return typeof seen === 'number' && seen >= count;
    },
    deadlineMs,
    () => seen,
  );
}
