/**
 * Some hundreds of the worlds that `npm run simulate` runs by the thousand, always the same ones; that one seed always
 * tells one story; and that the simulation finds a bug when there is one.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mutants } from '../../scripts/simulate/mutants.ts';
import { checkChanges, leftOut } from '../../scripts/simulate/plant.ts';
import { simulate } from './world/world.ts';

/** Ten seconds of work in all; a machine that is busy with other things takes longer. */
const PATIENCE_MS = 600_000;
const script = join(import.meta.dirname, '../../scripts/simulate.ts');

/** Runs the command; the figures that it writes, its exit code, and what it said. */
async function command(...args: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'picket-simulate-'));
  try {
    const json = join(directory, 'figures.json');
    const { code, said } = await new Promise<{ code: number; said: string }>((resolve) => {
      execFile(process.execPath, [script, ...args, '--json', json], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr });
      });
    });
    const figures = JSON.parse(await readFile(json, 'utf8').catch(() => '{}')) as Record<string, number>;
    return { code, said, figures };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe('whatever fails, and in whatever order', () => {
  test(
    'nothing is lost without a name, nothing is there twice, and the ledger says so',
    async () => {
      const { code, said, figures } = await command('--seeds', '240');
      expect(code, said).toBe(0);
      expect(figures).toMatchObject({ seeds: 240, violations: 0 });
      expect(figures.records).toBeGreaterThan(10_000);
      expect(figures.duplicates).toBeGreaterThan(1_000);
    },
    PATIENCE_MS,
  );

  test(
    'one seed always tells one story, and another seed another',
    async () => {
      const digests: string[] = [];
      for (const seed of [1, 2, 3, 4, 5, 6]) {
        const { digest } = await simulate(seed);
        expect((await simulate(seed)).digest).toBe(digest);
        digests.push(digest);
      }
      expect(new Set(digests).size).toBe(digests.length);
    },
    PATIENCE_MS,
  );
});

describe('planted bugs', () => {
  test('each fits the code as it is', () => {
    for (const { name, changes } of mutants) expect(() => checkChanges([...leftOut, ...changes]), name).not.toThrow();
  });

  test.for(['acknowledges before the commit', 'forgets the sync'])(
    '%s: is found',
    { timeout: PATIENCE_MS },
    async (name) => {
      const { code, said, figures } = await command('--mutants', '--only', name);
      expect(code, said).toBe(0);
      expect(figures).toMatchObject({ mutants: 1, killed: 1 });
    },
  );
});
