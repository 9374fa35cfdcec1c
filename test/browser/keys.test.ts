/** The signing keys on a machine's page, in a real browser. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import { launchBrowser } from './support/launch.ts';

let browser: Browser;
let central: FakeCentral;

beforeAll(async () => {
  browser = await launchBrowser();
  central = await startFakeCentral({ agents: 1, tickMs: 500, assets: await builtPages() });
});

afterAll(async () => {
  await browser.close();
  await central.close();
});

it.each([
  ['wide', { width: 1440, height: 900 }],
  ['narrow', { width: 390, height: 844 }],
])('says which keys there are, and who lacks the newest list: %s', async (_, viewport) => {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(20_000);
  await page.goto(`${central.url}/machine/pump-1/model`);
  await page.fill('[name=password]', central.password);
  await page.keyboard.press('Enter');
  await page.click('[data-role=keys] summary');
  const text = await page.textContent('[data-role=keys]');
  expect(text).toContain('list 3');
  expect(text).toContain('0123456789abcdef');
  expect(text).toContain('With an older list: pump-7');
  const row = await page.textContent('[data-role=keys] tbody tr');
  expect(row).toMatch(/what each machine is to run.*in force.*at the central.*1 of 2/);
  const box = await page.locator('[data-role=keys]').boundingBox();
  expect(box!.x + box!.width).toBeLessThanOrEqual(viewport.width);
  await page.close();
});
