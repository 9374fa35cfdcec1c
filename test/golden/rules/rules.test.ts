/**
 * The shipped rules over the captured machines: each is read for forty minutes as it is at its first reading, and as long
 * as it is at its second. A healthy one is silent; of one in trouble is told what is wrong, and nothing else.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Intake } from '../../../agent/inputs/input-sink.ts';
import { inputKinds } from '../../../agent/inputs/registry.ts';
import { Preprocess } from '../../../agent/preprocess.ts';
import { RuleStage } from '../../../agent/rules.ts';
import { SeriesRegistry } from '../../../agent/series.ts';
import type { Instant } from '../../../shared/clock.ts';
import { limits } from '../../../shared/limits.ts';
import { shippedRules } from '../../../shared/rules/shipped.ts';
import type { Quality, SeriesDefinition, SeriesKey } from '../../../shared/series.ts';
import { configOf, hostBelow, openInput, quietLog, readOnce } from '../../contract/inputs-harness.ts';

const inputs = path.join(import.meta.dirname, '..', 'inputs');
const STEP_MS = 10_000;
const PHASE_STEPS = 240;

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'picket-rules-'));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** What inputs put goes to the rules, as it does in the agent. */
class Judged implements Intake {
  readonly told: string[] = [];
  readonly #registry = new SeriesRegistry({ limit: limits.seriesPerAgent, log: quietLog });
  readonly #preprocess = new Preprocess(limits.seriesPerAgent);
  readonly #latest = new Float64Array(limits.seriesPerAgent).fill(Number.NaN);
  readonly #states = new Map<string, string>();
  readonly rules = new RuleStage({
    rules: shippedRules,
    limit: limits.seriesPerAgent,
    series: this.#registry,
    latest: (series) => this.#latest[series]!,
    log: quietLog,
    onFinding: ({ wrong, ended }) => this.told.push(`${wrong}${ended ? ' (over)' : ''}`),
    keep: () => undefined,
  });

  series(definition: SeriesDefinition): number {
    const number = this.#registry.intern(definition);
    this.#preprocess.define(number, definition);
    return number;
  }

  put(series: number, raw: number, quality: Quality, at: Instant): void {
    const value = this.#preprocess.accept(series, raw, quality, at.monotonicMs);
    this.#latest[series] = value;
    this.rules.sample(series, value, at);
  }

  state(key: SeriesKey, text: string, at: Instant): void {
    const identity = JSON.stringify(key);
    if (this.#states.get(identity) === text) return;
    this.#states.set(identity, text);
    this.rules.state(key, text, at);
  }

  forget(series: number): void {
    this.#registry.forget(series);
    this.rules.forget(series);
  }
  replaced(): void {}

  document(): void {}
}

function overlay(from: string, to: string): void {
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) {
      fs.mkdirSync(target, { recursive: true });
      overlay(path.join(from, entry.name), target);
    } else fs.writeFileSync(target, fs.readFileSync(path.join(from, entry.name)));
  }
}

async function toldOf(machine: string): Promise<readonly string[]> {
  const folder = path.join(inputs, machine);
  const golden = JSON.parse(fs.readFileSync(path.join(folder, 'case.json'), 'utf8')) as { inputs: object };
  const into = new Judged();
  const host = hostBelow(root);
  overlay(path.join(folder, 'input', '1'), root);
  const opened = [];
  for (const [name, settings] of Object.entries(golden.inputs)) {
    const kind = inputKinds.get(name)!;
    opened.push(await openInput(kind, configOf(kind, settings as object), host, into));
  }
  for (let step = 0; step < 2 * PHASE_STEPS; step++) {
    if (step === PHASE_STEPS) overlay(path.join(folder, 'input', '2'), root);
    const at = { monotonicMs: 1e6 + step * STEP_MS, utcMs: 1_795_435_200_000 + step * STEP_MS };
    for (const each of opened) await readOnce(each, at);
    into.rules.tick(at);
  }
  for (const each of opened) await each.input.close();
  return into.told;
}

test.each(['vm', 'container', 'cores-64', 'wrapped-32bit'])('%s is healthy: nothing is told', async (machine) => {
  expect(await toldOf(machine)).toEqual([]);
});

test('a board whose supply is weak and whose clock finds nobody', async () => {
  const told = await toldOf('arm-board');
  expect([...told].sort()).toEqual([
    'the board has too little voltage',
    'the board holds its processor back',
    'the clock has found no time server',
    'the firmware of the board says that it has too little voltage',
  ]);
});

test('a server in trouble', async () => {
  const told = await toldOf('troubled');
  expect([...told].sort()).toEqual([
    'the filesystem /var/lib/my data was writable and is read-only now',
    'the filesystem on /var/lib/my data has recorded errors',
    'the process clock does not run',
    'the process nobody does not run',
    'the temperature of Package id 0 (coretemp) is at what its own sensor calls critical',
  ]);
});
