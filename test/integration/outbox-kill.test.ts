/** The agent's disk under `kill -9`: nothing that was reported durable is missing afterwards, nothing is torn. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import {
  baseOptions,
  countingRandom,
  everything,
  gapsIn,
  ManualTime,
  numberOf,
  startsIn,
} from '../contract/outbox.harness.ts';

const KILLS = 10;
const writer = fileURLToPath(new URL('../support/outbox-writer.ts', import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-kill-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs the writer until it has said so many lines, then kills it; returns all that it said. */
function runAndKill(lines: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      output += text;
      if (output.split('\n').length > lines) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve(output.split('\n').slice(0, -1));
      else reject(new Error(`the writer ended by itself: ${signal}`));
    });
  });
}

it(`loses nothing that was durable in ${KILLS} kills`, async () => {
  const said: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) said.push(...(await runAndKill(1 + ((kill * 37) % 90))));

  const time = new ManualTime();
  const outbox = await openLevelOutbox({ ...baseOptions(time, countingRandom()), directory });
  await time.until(outbox.audited());
  const entries = await everything(outbox);
  const held = new Map(
    entries
      .filter(({ recordClass }) => recordClass !== 'control')
      .map((entry) => [`${entry.epoch} ${entry.seq}`, numberOf(entry)]),
  );
  const missing = said.filter((line) => {
    const [epoch, seq, number] = line.split(' ');
    return held.get(`${epoch} ${seq}`) !== Number(number);
  });
  expect(missing).toEqual([]);
  expect(said.length).toBeGreaterThan(KILLS * 10);
  expect(gapsIn(entries)).toEqual([]);

  // One epoch a start, in one chain, each stating how far its parent came.
  const starts = startsIn(entries);
  expect(starts.map(({ start }) => start)).toEqual(Array.from({ length: KILLS }, (_, i) => i + 1));
  for (const [i, { parent, parentFinalSeq }] of starts.entries()) {
    const before = starts[i - 1];
    expect(parent).toBe(before?.epoch ?? null);
    const seqs = entries.filter(({ epoch }) => epoch === parent).map(({ seq }) => seq);
    expect(parentFinalSeq).toBe(seqs.length);
    expect(seqs).toEqual(seqs.map((_, at) => at + 1));
  }
  await outbox.close();
});
