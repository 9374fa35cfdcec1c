/**
 * `npm run soak -- [NAME…] [--times N] [--seed N] [--json FILE]`: runs the named scenarios, or all of them, one after
 * the other, against real processes; prints for each the ledger, what was injected and which goals were met, and exits
 * with 1 where one was missed. What a scenario is: soak/README.md.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { scenarios } from './soak/registry.ts';
import { abandonScenario, type Outcome, runScenario } from './soak/run.ts';

const names = scenarios.map(({ name }) => name);
const usage = [
  'usage: npm run soak -- [NAME…] [--times N] [--seed N] [--json FILE]',
  ...scenarios.map(({ name, doc, times }) => `  ${name.padEnd(16)} ${doc} (${times})`),
].join('\n');

function fail(problem: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(64);
}

function parsed() {
  try {
    const options = { json: { type: 'string' }, times: { type: 'string' }, seed: { type: 'string' } } as const;
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return fail((error as Error).message);
  }
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) fail(`--${name} wants a whole number from 1, not ${text}`);
  return Number(text);
}

/** Where nobody watches a terminal, how far it is goes to the log as often. */
const PROGRESS_MS = 60_000;
let progressMs = performance.now();

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K  ${text}`);
  else if (text !== '' && performance.now() - progressMs > PROGRESS_MS) {
    progressMs = performance.now();
    console.error(`  ${text}`);
  }
}

function print({ scenario, times, seed, durationS, injected, goals, ledgers, figures, logs }: Outcome): void {
  progress('');
  if (process.stderr.isTTY) process.stderr.write('\r');
  const wanted = scenarios.find(({ name }) => name === scenario)!;
  console.log(`\n${scenario}: ${wanted.doc}`);
  console.log(`  goal      ${wanted.goal}`);
  console.log(`  run       ${times} times, seed ${seed}, ${durationS} s`);
  const list = Object.entries(injected).map(([what, count]) => `${what} ${count}×`);
  console.log(`  injected  ${list.join(', ') || 'nothing'}`);
  for (const [name, sums] of Object.entries(ledgers)) {
    const { epochs, made, committed, quarantined, pending, lost, lostByCause, duplicates } = sums;
    const causes = Object.entries(lostByCause).map(([cause, count]) => `${cause} ${count}`);
    const lostWords = causes.length > 0 ? `${lost} (${causes.join(', ')})` : `${lost}`;
    console.log(
      `  ledger    ${name}: ${epochs} epochs, made ${made} = committed ${committed} + quarantined ${quarantined}` +
        ` + pending ${pending} + lost ${lostWords}; duplicates dropped ${duplicates}`,
    );
  }
  for (const [name, value] of Object.entries(figures)) {
    const told = typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : value;
    console.log(`  figure    ${name.padEnd(40)} ${told}`);
  }
  for (const { goal, met, seen } of goals)
    console.log(`  ${met ? 'met      ' : 'MISSED   '} ${goal}${met ? '' : `: ${seen}`}`);
  for (const log of logs) console.log(log.replace(/^/gm, '  | '));
}

async function main(): Promise<void> {
  const { values, positionals } = parsed();
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) fail(`there is no scenario ${unknown}`);
  const times = numberOf('times', values.times);
  const seed = numberOf('seed', values.seed);
  const wanted = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const outcomes: Record<string, Outcome> = {};
  for (const scenario of wanted) {
    const outcome = await runScenario(scenario, {
      ...(times === undefined ? {} : { times }),
      ...(seed === undefined ? {} : { seed }),
      progress,
    });
    outcomes[scenario.name] = outcome;
    print(outcome);
    // Written as it grows: a scenario that fails late takes nothing with it.
    if (values.json !== undefined) writeFileSync(resolve(values.json), `${JSON.stringify(outcomes, null, 2)}\n`);
  }
  const missed = Object.values(outcomes).filter(({ goals }) => goals.some(({ met }) => !met));
  const summary = `${wanted.length - missed.length} of ${wanted.length} scenarios met their goals`;
  console.log(`\n${summary}${missed.length === 0 ? '' : `; missed: ${missed.map((one) => one.scenario).join(', ')}`}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void abandonScenario().finally(() => process.exit(130)));
}
await main();
// A socket that a scenario left open must not keep anybody waiting.
process.exit();
