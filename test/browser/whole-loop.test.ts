/**
 * The newcomer's first minutes, for real: `npm start` from the sources, Chromium, this very machine. Log in, see the
 * charts move, see the first model arrive, load the processor and read the incident.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Program } from '../support/processes.ts';
import { launchBrowser } from './support/launch.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'picket-whole-'));
/** Two windows, and what a busy machine adds. */
const FIRST_WINDOWS_MS = 130_000;
/** Twice what a newcomer is told: whatever the machine did while the agent learned, this is longer. */
const LOAD_MS = 120_000;
/** Five windows until the first model, and what a busy machine adds. */
const MODEL_MS = 8 * 60_000;

let start: Program;
let url = '';
let password = '';
let browser: Awaited<ReturnType<typeof launchBrowser>>;
let page: Page;

beforeAll(async () => {
  const config = join(directory, 'central.yaml');
  writeFileSync(config, 'training: {firstAfter: 1m, minimumWindows: 2, holdOut: 0.33}\n');
  const options = [
    '--http',
    '127.0.0.1:0',
    '--mqtt',
    '127.0.0.1:0',
    '--data',
    join(directory, 'data'),
    '--config',
    config,
  ];
  start = new Program('npm start', [process.execPath, join(root, 'scripts', 'start.ts'), ...options]);
  const ready = await start.said(/^ready (\S+) user admin password (\S+)$/m, 60_000);
  [, url, password] = ready as unknown as [string, string, string];
  browser = await launchBrowser();
  page = await browser.newPage();
});

afterAll(async () => {
  await browser?.close();
  await start?.end('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

test('a newcomer sees this machine live', async () => {
  await page.goto(url);
  await page.getByLabel('User').fill('admin');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('a[href^="/machine/"]').first().click({ timeout: 60_000 });
  await page.locator('[data-role="live"].on').waitFor({ timeout: 90_000 });
  const cpu = page.locator('article[data-metric="system.cpu.utilization"] .value').first();
  // An agent that starts a second before the full minute has no rates in its first window: they come with the next.
  await cpu.waitFor({ timeout: FIRST_WINDOWS_MS });
  const seen = new Set<string>();
  await expect
    .poll(
      async () => {
        seen.add((await cpu.textContent()) ?? '');
        return seen.size;
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBeGreaterThan(3);
}, 300_000);

test(
  'its first model arrives, signed and checked, and charts show what is expected',
  async () => {
    await expect
      .poll(() => page.locator('[data-role="model"]').textContent(), { timeout: MODEL_MS, interval: 1_000 })
      .toMatch(/^v\d+$/);
  },
  MODEL_MS + 30_000,
);

test(
  'a processor under load is an incident that says what is unusual, by how much, since when',
  async () => {
    const load = Array.from({ length: availableParallelism() }, () =>
      spawn(process.execPath, ['-e', `const end = Date.now() + ${LOAD_MS}; while (Date.now() < end);`], {
        stdio: 'ignore',
      }),
    );
    try {
      await page.getByRole('link', { name: /^Incidents/ }).click();
      const incident = page.locator('article[data-incident]', { hasText: /CPU|load|processor/i }).first();
      await incident.waitFor({ timeout: LOAD_MS });
      const text = (await incident.textContent()) ?? '';
      expect(text).toMatch(/expected/i);
      expect(text).toMatch(/\d\d:\d\d/);
    } finally {
      for (const child of load) child.kill('SIGKILL');
    }
  },
  LOAD_MS + 60_000,
);
