/** A layer as an operator edits it: what is wrong at its line, what changes, asked before it is given to machines. */
import type { Browser } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Assets } from '../../central/http/assets.ts';
import { PicketError } from '../../shared/errors.ts';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import { launchBrowser } from './support/launch.ts';
import { fits, narrow, Visits, wide } from './support/visits.ts';

let browser: Browser;
let assets: Assets;
let central: FakeCentral;
const visits = new Visits();

beforeAll(async () => {
  browser = await launchBrowser();
  assets = await builtPages();
  return () => browser.close();
});
beforeEach(async () => {
  central = await startFakeCentral({ agents: 3, tickMs: 5000, assets });
});
afterEach(async () => {
  await visits.close();
  await central.close();
});

it.each([
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
] as const)('a layer is edited, judged, shown as a difference and given to machines: %s', async (_, options) => {
  const { configurations } = central.services;
  const kept: unknown[] = [];
  const { change } = configurations;
  Object.assign(configurations, {
    change: (...args: Parameters<typeof change>) => {
      kept.push(args.slice(0, 2));
      return change(...args);
    },
  });
  const page = await visits.openLoggedIn(browser, central, '/configuration', options);
  await page.locator('[data-scope=all] a').click();
  const editor = page.locator('textarea');
  expect(await editor.inputValue()).toBe('raw: incident\n');
  expect(await page.locator('[data-stage=canary]').textContent()).toContain('one of the first: has it');

  await editor.fill('raw: incident\nwrong: 1\n');
  await page.locator('.problems li', { hasText: 'Line 1, column 1, wrong: is not a key.' }).waitFor();
  expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);

  await editor.fill('raw: never\n');
  await page.getByRole('button', { name: 'Save' }).click();
  expect(await page.locator('[data-role=diff]').textContent()).toBe('- raw: incident\n+ raw: never\n');
  await page.getByLabel('Why').fill('privacy');
  expect(await fits(page)).toBe(true);
  expect(kept).toEqual([]);
  await page.getByRole('button', { name: 'Yes' }).click();
  await page.locator('[data-role=diff]').waitFor({ state: 'detached' });
  expect(kept).toEqual([['all', { text: 'raw: never\n', comment: 'privacy', seen: 2 }]]);
});

it('a machine shows what it goes by, and who said it', async () => {
  const page = await visits.openLoggedIn(browser, central, '/machine/pump-1');
  await page.locator('[data-role=configuration] a').click();
  const machine = page.locator('[data-role=machine]');
  await machine.waitFor();
  expect(await machine.textContent()).toMatch(/What pump-1 goes by.*on trial.*raw.*all 2/);
  const fails = () => Promise.reject(new PicketError('store.failed', 'The store is not well.'));
  Object.assign(central.services.configurations, { layer: fails });
  await page.reload();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
});
