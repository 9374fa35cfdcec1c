/** The signing keys on a machine's page, in a real browser. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import { launchBrowser } from './support/launch.ts';
import { narrow, Visits, wide } from './support/visits.ts';

let browser: Browser;
let central: FakeCentral;
const visits = new Visits();

beforeAll(async () => {
  browser = await launchBrowser();
  central = await startFakeCentral({ agents: 1, tickMs: 500, assets: await builtPages() });
});

afterAll(async () => {
  await browser.close();
  await central.close();
});

afterEach(() => visits.close());

it.each([
  ['wide', wide],
  ['narrow', narrow],
])('says which keys there are, and who lacks the newest list: %s', async (_, viewport) => {
  const page = await visits.openLoggedIn(browser, central, '/machine/pump-1/model', { viewport });
  await page.click('[data-role=keys] summary');
  const text = await page.textContent('[data-role=keys]');
  expect(text).toContain('list 3');
  expect(text).toContain('0123456789abcdef');
  expect(text).toContain('With an older list: pump-7');
  const row = await page.textContent('[data-role=keys] tbody tr');
  expect(row).toMatch(/what each machine is to run.*in force.*at the central.*1 of 2/);
  const box = await page.locator('[data-role=keys]').boundingBox();
  expect(box!.x + box!.width).toBeLessThanOrEqual(viewport.width);
});
