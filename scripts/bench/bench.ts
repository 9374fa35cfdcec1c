/**
 * `npm run bench -- [NAME…] [--json FILE] [--data DIR] [--machines N]`: runs the named benches, or all of them, one after the other, each in a
 * process of its own (what one leaves in memory must not show in the next), and prints what they measured.
 *
 * A bench is a file beside this one that exports `run()`; its figures carry their unit at the end of their names.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

type Figures = Readonly<Record<string, number>>;

/** In the order in which they run; each with what it tells. */
const benches: Readonly<Record<string, string>> = {
  agent: 'the executable agent at rest at 1 Hz, beside a Node that only wakes each second',
  inputs: 'one tick of the host inputs, beside reading the same files',
  wire: 'a summary on the wire: bytes and time',
  uplink: 'bytes a month on the uplink, without a budget and with 30, 10 and 3 MB a month, everything counted in',
  detect: 'detectors: time a point',
  groups: 'groups of series: time a tick, memory',
  capacity: 'forecasts of capacity at the central: error beside the naive one, coverage, time and memory a series',
  cohorts: 'day one with and without a cohort: false incidents, faults found, beside a machine of seven days',
  forecast: 'forecasts of stocks: how often the interval holds, false ones, time a window',
  outbox: 'the outbox on disk: records a second, bytes written, and what the device is given',
  bound: 'an outage of 30 days: the most bytes on disk, what is held and what gaps name',
  backlog: 'a week offline, drained: live latency, memory, rate beside the broker alone',
  training: 'training of a fleet from hours: time, memory, and what ingestion notices of it',
  store: "the central's store: time and bytes a row, queries",
};

/** What single benches know what to do with. */
interface Asked {
  readonly data?: string | undefined;
  /** Of a fleet; fewer are quicker. */
  readonly machines?: string | undefined;
}

/** How a bench hands its figures over; other lines may stand before it. */
const MARK = 'figures: ';

const usage = `usage: npm run bench -- [${Object.keys(benches).join('|')} …] [--json FILE] [--data DIR] [--machines N]`;

function fail(problem: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(64);
}

function parsed() {
  try {
    const text = { type: 'string' } as const;
    const options = { json: text, only: text, data: text, machines: text };
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return fail((error as Error).message);
  }
}

/** The child's part: one bench, its figures as one line. */
async function runHere(name: string, { data, machines }: Asked): Promise<void> {
  const { run } = (await import(`./${name}.ts`)) as {
    run(data?: string, machines?: number): Promise<Figures>;
  };
  console.log(`${MARK}${JSON.stringify(await run(data, machines === undefined ? undefined : Number(machines)))}`);
  // A database or a socket that a bench left open must not keep the others waiting.
  process.exit(0);
}

/** Null where it failed; why, it has said itself. */
async function runApart(name: string, { data, machines }: Asked): Promise<Figures | null> {
  const args = ['--only', name, ...(data === undefined ? [] : ['--data', data])];
  if (machines !== undefined) args.push('--machines', machines);
  const child = spawn(process.execPath, [import.meta.filename, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((done) => {
    child.on('error', () => done(null));
    child.on('close', done);
  });
  const line = said.split('\n').find((one) => one.startsWith(MARK));
  return code === 0 && line !== undefined ? (JSON.parse(line.slice(MARK.length)) as Figures) : null;
}

function print(name: string, figures: Figures): void {
  console.log(`\n${name}: ${benches[name]}`);
  for (const [figure, value] of Object.entries(figures)) {
    console.log(`  ${figure.padEnd(44)} ${value.toLocaleString('en', { maximumSignificantDigits: 4 }).padStart(12)}`);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parsed();
  if (values.only !== undefined) return await runHere(values.only, values);
  const unknown = positionals.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) fail(`there is no bench ${unknown}`);
  const names = positionals.length > 0 ? positionals : Object.keys(benches);
  const results: Record<string, Figures> = {};
  let failed = false;
  for (const name of names) {
    const figures = await runApart(name, values);
    if (figures === null) {
      console.error(`bench ${name} failed: see above`);
      failed = true;
      continue;
    }
    results[name] = figures;
    print(name, figures);
    // Written as it grows: a bench that fails late takes nothing with it.
    if (values.json !== undefined) writeFileSync(resolve(values.json), `${JSON.stringify(results, null, 2)}\n`);
  }
  process.exitCode = failed ? 1 : 0;
}

await main();
