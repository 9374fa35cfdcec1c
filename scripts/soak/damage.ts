/**
 * Bytes flipped and cut in the files of the agent's database between two starts. It always starts, nothing bad reaches
 * the central, and what is gone is named, up to the highest seq that anybody still knows: the central, or a file that
 * was not touched.
 */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { beginning, recordClasses } from '../../agent/outbox/outbox.ts';
import { repairInChild } from '../../agent/outbox/repair.ts';
import type { Central } from '../../test/support/system.ts';
import { type Accounts, drain, expectLedgerAddsUp, expectNothingBad, reckon, shown } from './accounts.ts';
import { LoadedAgent } from './loaded.ts';
import { between, type Scenario, type SoakContext } from './scenario.ts';

const FEWEST_RECORDS = 20;
const MOST_RECORDS = 150;
const MOST_FLIPS = 8;
const CONNECTED_EVERY = 3;
const DRAIN_MS = 60_000;
const READ_BYTES = 256 * 1024;
/** No part of the database, or of no use to it: what it logs, notes, keeps for a full disk, put aside. */
const untouched = /^(LOCK|LOG|LOG\.old|opening|reserve)$|^aside-/;
const repairMain = join(import.meta.dirname, '..', '..', 'test', 'support', 'repair-outbox.ts');

export const damage: Scenario = {
  name: 'damage',
  doc: "flipped or cut bytes in the files of the agent's database",
  goal: 'starts every time, every missing seq that is known of is covered by a gap, no bad payload at the central',
  times: 200,
  async run(context) {
    const { system, times, random } = context;
    const central = await system.central();
    const agent = new LoadedAgent(system, await central.enrol('loaded'));
    /** By epoch: the highest seq that the files beside the damaged one knew. */
    const known = new Map<string, number>();
    for (let n = 1; n <= times; n++) {
      // The second start turns the first one's log into a table: what waits to be sent then lies in both.
      for (let life = 1; life <= 2; life++) {
        await agent.start({ offline: n % CONNECTED_EVERY !== 0 });
        await agent.makes(Math.round(between(random, FEWEST_RECORDS, MOST_RECORDS)));
        await agent.kill();
      }
      const file = damaged(context, agent.outbox, n);
      await learnFromOthers(context, agent.outbox, file, known);
      await drain(central, agent, DRAIN_MS);
      context.progress(`damage ${n} of ${times}, ${agent.said.durableCount} records durable`);
    }
    context.expect('starts and sends what is left after every damage', true);
    await context.ledger('agent', central, agent.id);
    await expectLedgerAddsUp(context, central, agent.id);
    const made = await madeByEpoch(central, agent.id);
    const accounts = await reckon(central, agent);
    expectNamed(context, accounts, made, known);
    const lost = accounts.missing.length;
    const unknown = accounts.missing.filter((key) => seqOf(key) > (made.get(epochOf(key)) ?? 0)).length;
    return {
      durable_records: accounts.durable,
      lost_and_named_records: lost - unknown,
      lost_and_known_to_nobody_records: unknown,
    };
  },
};

function expectNamed(
  context: SoakContext,
  accounts: Accounts,
  made: ReadonlyMap<string, number>,
  known: ReadonlyMap<string, number>,
): void {
  expectNothingBad(context, accounts);
  // Up to `made` the ledger has named all that is missing; beyond it nobody may have known better.
  const unnamed = accounts.missing.filter((key) => {
    return seqOf(key) > (made.get(epochOf(key)) ?? 0) && seqOf(key) <= (known.get(epochOf(key)) ?? 0);
  });
  context.expect(
    'every missing seq that an intact file knows of is covered by a gap',
    unnamed.length === 0,
    shown(unnamed),
  );
}

const epochOf = (key: string): string => key.split(' ')[0]!;
const seqOf = (key: string): number => Number(key.split(' ')[1]);

async function madeByEpoch(central: Central, agent: string): Promise<Map<string, number>> {
  const { rows } = await central.ledger(agent);
  return new Map(rows.map(({ epoch, made }) => [epoch, made]));
}

/** Damages one file, the kinds of files in turn; returns which. */
function damaged(context: SoakContext, directory: string, n: number): string {
  const { random } = context;
  const groups = new Map<string, string[]>();
  for (const file of filesIn(directory)) {
    const name = basename(file);
    const kind = name.startsWith('MANIFEST') ? 'MANIFEST' : extname(name) || name;
    groups.set(kind, [...(groups.get(kind) ?? []), file]);
  }
  const kinds = [...groups.keys()].sort();
  const kind = kinds[n % kinds.length]!;
  const files = groups.get(kind)!;
  const file = files[Math.floor(random() * files.length)]!;
  const { size } = statSync(file);
  // Half of the rounds through all kinds of files flip, the other half cut.
  if (Math.floor(n / kinds.length) % 2 === 0) {
    const bytes = readFileSync(file);
    const flips = 1 + Math.floor(random() * MOST_FLIPS);
    for (let flip = 0; flip < flips && size > 0; flip++) {
      bytes[Math.floor(random() * size)]! ^= 1 << Math.floor(random() * 8);
    }
    writeFileSync(file, bytes);
    context.inject(`bits flipped in ${kind}`);
  } else {
    truncateSync(file, Math.floor(random() * size));
    context.inject(`${kind} cut`);
  }
  return file;
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (untouched.test(entry.name)) return [];
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesIn(path) : statSync(path).size > 0 ? [path] : [];
  });
}

/** Opens a copy without the damaged file, and notes how far each epoch went as the rest tells it. */
async function learnFromOthers(
  context: SoakContext,
  directory: string,
  damagedFile: string,
  known: Map<string, number>,
): Promise<void> {
  const copy = join(context.system.path('others'), 'outbox');
  rmSync(copy, { recursive: true, force: true });
  cpSync(directory, copy, { recursive: true });
  rmSync(join(copy, relative(directory, damagedFile)));
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const outbox = await openLevelOutbox({
    directory: copy,
    limitBytes: 64 * 1024 * 1024,
    keepAcknowledgedMs: 3_600_000,
    commitIntervalMs: 5_000,
    commitBytes: 64 * 1024,
    clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
    timers: {
      after: (delayMs, callback) => setTimeout(callback, delayMs),
      cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
    },
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    bootId: '0'.repeat(32),
    log: silent,
    wall: () => ({ wallMs: Date.now(), wallTrusted: 'yes' }),
    repair: repairInChild([process.execPath, repairMain]),
  });
  try {
    // By the records themselves: what a row says of them is what is tested.
    for (const recordClass of recordClasses) {
      for (let after = beginning; ; ) {
        const entries = await outbox.peek(recordClass, after, READ_BYTES);
        const last = entries.at(-1);
        if (last === undefined) break;
        after = last.cursor;
        for (const { epoch, seq } of entries) known.set(epoch, Math.max(known.get(epoch) ?? 0, seq));
      }
    }
  } finally {
    await outbox.close();
  }
}
