/**
 * A full data directory: said once, everything else goes on, and when there is room again what was kept meanwhile is
 * delivered. Needs the right to mount a small tmpfs.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentState } from '../../central/api.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { until } from '../support/processes.ts';
import { type Agent, type Central, drained, System } from '../support/system.ts';

const STATUS = 'sys/class/power_supply/BAT0/status';
const CHANGE_MS = 50;
const FLOW = 8;

let system: System;
let changing: NodeJS.Timeout | undefined;
const mounted: string[] = [];
beforeEach(() => {
  system = new System();
});
afterEach(async () => {
  clearInterval(changing);
  await system.end();
  for (const path of mounted.splice(0)) execFileSync('umount', ['--lazy', path]);
  await system.close();
});

/** A disk of so many bytes, mounted below the test's directory under this name. */
function smallDisk(name: string, size: string): string {
  const path = system.path(name);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', path]);
  mounted.push(path);
  return path;
}

/** Takes all that is left of a disk, now and whenever it is asked again, until it gives it back. */
class Filler {
  readonly #path: string;
  readonly #file: number;

  constructor(disk: string) {
    this.#path = join(disk, 'filler');
    this.#file = openSync(this.#path, 'w');
    this.fill();
  }

  fill(): void {
    for (const size of [1024 * 1024, 4096, 1]) while (this.#write(Buffer.alloc(size)));
  }

  giveBack(): void {
    closeSync(this.#file);
    rmSync(this.#path);
  }

  #write(bytes: Uint8Array): boolean {
    try {
      return writeSync(this.#file, bytes) === bytes.length;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
      throw error;
    }
  }
}

async function restlessAgent(central: Central): Promise<Agent> {
  const machine = new GoldenMachine(system, 'vm');
  let changes = 0;
  const status = (): string => `state-${String(changes++).padStart(6, '0')}\n`;
  machine.add('sys/class/power_supply/BAT0/type', 'Battery\n');
  machine.add(STATUS, status());
  changing = setInterval(() => machine.write(STATUS, status()), CHANGE_MS);
  const settings = 'inputs: {linux.battery: {interval: 200ms}}\noutbox: {commitInterval: 1s, size: 8MB}\n';
  const agent = system.agent('agent', machine.config + settings);
  await agent.enrolAt(central);
  return agent;
}

async function committed(central: Central, agent: Agent): Promise<number> {
  return (await central.ledger(agent.enrolment().agent)).totals.committed;
}

async function flows(central: Central, agent: Agent): Promise<void> {
  const before = await committed(central, agent);
  await until(
    'records arrive',
    async () => (await committed(central, agent)) >= before + FLOW,
    40_000,
    () => agent.program.stderr.slice(-3000) + central.program.stderr.slice(-3000),
  );
}

/** Lines of a log that are warnings or worse and speak of this. */
function warnings(of: Agent | Central, pattern: RegExp): readonly unknown[] {
  return of.program.log().filter((line) => Number(line.level) >= 40 && pattern.test(JSON.stringify(line)));
}

test('of the agent: it measures, warns, and sends from memory what the disk does not take', async () => {
  const central = await system.central();
  const disk = smallDisk('agent', '24m');
  const agent = await restlessAgent(central);
  const { agent: id } = agent.enrolment();
  // Before its first start: an outbox that is there has its journal's room already, and would go on for minutes.
  const filler = new Filler(disk);
  filler.fill();
  await agent.start();
  const ledger = () => central.ledger(id);
  await until(
    'records that were never on the disk arrive',
    async () => {
      filler.fill();
      return (await ledger()).rows.some((row) => row.volatile && row.committed >= FLOW);
    },
    40_000,
    () => agent.program.stderr.slice(-3000),
  );
  expect(agent.program.alive).toBe(true);
  expect(warnings(agent, /disk|ENOSPC|no space/i).length).toBeGreaterThan(0);

  filler.giveBack();
  const volatile = (await ledger()).rows.at(-1)!.start;
  await until(
    'records are on the disk again',
    async () => (await ledger()).rows.some((row) => !row.volatile && row.start > volatile && row.committed >= FLOW),
    40_000,
    () => agent.program.stderr.slice(-3000),
  );
  clearInterval(changing);
  const { totals } = await drained(central, id, 2);
  expect(totals).toMatchObject({ lost: 0, quarantined: 0, pending: 0 });
  // Said when it began and when it ended, not with each of the many writes.
  expect(warnings(agent, /outbox|the disk/i).length).toBeLessThanOrEqual(3);
});

test('of the central: it serves its pages, acknowledges nothing, and takes all in when there is room', async () => {
  const disk = smallDisk('central', '64m');
  const central = await system.central({ data: disk, config: 'log: {level: debug}' });
  const agent = await restlessAgent(central);
  const { agent: id } = agent.enrolment();
  await agent.start();
  await flows(central, agent);

  const before = await committed(central, agent);
  const filler = new Filler(disk);
  await until(
    'several envelopes could not be committed',
    () => central.program.log().filter(({ msg }) => String(msg).startsWith('commit failed')).length >= 4,
    40_000,
    () => central.program.stderr.slice(-3000),
  );
  expect((await central.get<AgentState>(`/agents/${id}`)).presence).toBe('online');
  // What needs the disk says what is wrong; it does not hang, and it does not pretend.
  const ledger = await central.fetch(`/agents/${id}/ledger`);
  if (ledger.status !== 200) expect(await ledger.json()).toMatchObject({ status: 507, code: 'disk.full' });
  const said = warnings(central, /./);
  expect(agent.program.alive).toBe(true);

  filler.giveBack();
  await until(
    'what waited is taken in',
    async () => (await committed(central, agent).catch(() => 0)) >= before + FLOW,
    60_000,
    () => central.program.stderr.slice(-3000),
  );
  clearInterval(changing);
  const { totals } = await drained(central, id);
  expect(totals).toMatchObject({ lost: 0, quarantined: 0, pending: 0 });
  // Once by each that writes, however often it tries: what commits, and what tells people.
  const lines = said as { msg: string; problem: string }[];
  expect(new Set(lines.map(({ msg }) => msg)).size, JSON.stringify(lines)).toBe(lines.length);
  for (const { problem } of lines) expect(problem).toContain('No space left');
});
