import { defineConfig } from 'vitest/config';
import SlowFirst from './scripts/slow-first.ts';

/** For the slowest machine that runs them, with its other core busy; when all is well nothing waits for these. */
const patience = { testTimeout: 30_000, hookTimeout: 30_000 };
const morePatience = { testTimeout: 120_000, hookTimeout: 120_000 };
/**
 * Real programs, on a machine whose disk and cores others use as well: what fails is tried once more, and what passed
 * only then is named at the end of the run (scripts/closing-line.ts). A fault of ours fails twice.
 */
const real = { ...morePatience, retry: 1 };

/** Properties are tried with the same values in each run, so that a red build speaks of the change; see there. */
const seeded = { setupFiles: ['test/support/seed.ts'] };

/** What loads the processor and sees that told, and what says how quick a page is: not beside the many others. */
const ALONE = ['test/browser/pages.test.ts', 'test/browser/whole-loop.test.ts'];

/** Groups run one after the other: real processes after the quick tests, and what loads the machine by itself. */
const group = (groupOrder: number) => ({ sequence: { groupOrder } });

/** One project for each kind of test; `npx vitest --project unit` runs one of them. */
export default defineConfig({
  test: {
    // Two cores: a real broker or browser beside the tests must not starve them.
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    projects: [
      { test: { name: 'unit', ...seeded, include: ['{agent,central,shared,scripts}/**/*.test.ts'], ...patience } },
      { test: { name: 'contract', ...seeded, include: ['test/contract/**/*.test.ts'], ...patience } },
      { test: { name: 'golden', include: ['test/golden/**/*.test.ts'], ...patience } },
      { test: { name: 'simulation', ...seeded, include: ['test/simulation/**/*.test.ts'], ...morePatience } },
      {
        // They mostly wait for one another's processes.
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          ...real,
          ...group(1),
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude: ALONE,
          ...real,
          ...group(1),
          maxWorkers: 3,
        },
      },
      // The whole loop waits for its first model while the pages are done; it loads the processor after that.
      { test: { name: 'alone', include: ALONE, ...real, ...group(2), maxWorkers: 2 } },
    ],
  },
});
