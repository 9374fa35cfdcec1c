import { defineConfig } from 'vitest/config';

/** One project for each kind of test; `npx vitest --project unit` runs one of them. */
export default defineConfig({
  test: {
    // Two cores: files of one project run side by side, a real broker or browser must not starve them.
    maxWorkers: 2,
    // Of the slowest machine that runs them, with the other core busy; no test waits for it when all is well.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { test: { name: 'unit', include: ['{agent,central,shared,scripts}/**/*.test.ts'] } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'] } },
      { test: { name: 'golden', include: ['test/golden/**/*.test.ts'] } },
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'browser', include: ['test/browser/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
