/** Judging incidents and planning work, in a real browser, on screens wide and narrow, light and dark. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { someChange } from '../../central/http/fake-values.ts';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import { launchBrowser } from './support/launch.ts';
import { fits, narrow, Visits, wide } from './support/visits.ts';

let browser: Browser;
let central: FakeCentral;
const visits = new Visits();

beforeAll(async () => {
  browser = await launchBrowser();
  central = await startFakeCentral({ agents: 7, tickMs: 500, assets: await builtPages() });
});

afterAll(async () => {
  await browser.close();
  await central.close();
});

afterEach(async () => {
  await visits.close();
  central.seriesChanges = [];
});

const openLoggedIn = (path: string, options: BrowserContextOptions): Promise<Page> =>
  visits.openLoggedIn(browser, central, path, options);

it.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
] as const)('an incident is judged, changed and taken back: %s', async (_name, options) => {
  const page = await openLoggedIn('/machine/pump-1/incidents', options);
  const card = page.locator('.incident.open').first();
  await card.waitFor();
  if (options.viewport === narrow) await card.locator('.fold').click();
  await card.locator('[data-verdict=real]').click();
  await card.locator('[name=class]').fill('pump bearing');
  await card.locator('[name=note]').fill('replaced on Tuesday');
  expect(await fits(page)).toBe(true);
  await card.locator('[data-role=label-form] [type=submit]').click();
  await card.locator('[data-role=label]').waitFor();
  expect(await card.locator('[data-role=label]').textContent()).toMatch(
    /^Real: pump bearing replaced on Tuesday said by admin, /,
  );
  expect(await fits(page)).toBe(true);

  // It is kept, and what is like it says so: an own closed one has the same in it.
  await page.reload();
  const closed = page.locator('.incident.closed').first();
  await closed.waitFor();
  if (options.viewport === narrow) await card.locator('.fold').click();
  await card.locator('[data-role=label]').waitFor();
  await closed.locator('.fold').click();
  expect(await closed.locator('[data-role=suggested]').textContent()).toBe(
    'Looks like: pump bearing (1 of 1 similar one)',
  );

  await card.getByRole('button', { name: 'Change' }).click();
  await card.locator('[name=verdict]').selectOption('false_alarm');
  expect(await card.locator('[name=class]').count()).toBe(0);
  await card.locator('[data-role=label-form] [type=submit]').click();
  await card.locator('.verdict.false_alarm').waitFor();
  await card.getByRole('button', { name: 'Withdraw' }).click();
  await card.locator('[data-role=ask]').waitFor();
});

it('the fleet shows what nobody has judged', async () => {
  const page = await openLoggedIn('/machine/pump-1/incidents', { viewport: wide });
  const card = page.locator('.incident.open').first();
  await card.locator('[data-verdict=planned]').click();
  await card.locator('[data-role=label-form] [type=submit]').click();
  await card.locator('[data-role=label]').waitFor();
  await page.click('a[href="/"]');
  const rows = page.locator('[aria-label="Open incidents"] li');
  await rows.getByText('(planned work)').waitFor();
  const all = await rows.count();
  await page.selectOption('[data-role=label-filter]', 'planned');
  await expect.poll(() => rows.count()).toBe(1);
  await page.selectOption('[data-role=label-filter]', 'false_alarm');
  await expect.poll(() => rows.count()).toBe(0);
  await page.selectOption('[data-role=label-filter]', 'none');
  await expect.poll(() => rows.count()).toBe(all - 1);
});

it.each([
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
] as const)('work is planned, marks its incidents, and is ended: %s', async (_name, options) => {
  const page = await openLoggedIn('/alerts', options);
  await page.click('[data-role=plan-open]');
  await page.selectOption('[name=where]', 'a:pump-1');
  await page.selectOption('[name=span]', { label: '8 hours' });
  await page.fill('[name=reason]', 'a new boiler');
  expect(await fits(page)).toBe(true);
  await page.click('[data-role=plan-form] [type=submit]');
  const work = page.locator('.works li[data-state=now]');
  await work.waitFor();
  expect(await work.textContent()).toMatch(/a new boiler.*now, by admin/);
  expect(await fits(page)).toBe(true);
  await page.goto(`${central.url}/machine/pump-1/incidents`);
  const card = page.locator('.incident.open').first();
  await card.waitFor();
  if (options.viewport === narrow) await card.locator('.fold').click();
  expect(await card.locator('[data-role=maintenance]').textContent()).toContain('In planned work: a new boiler.');
  expect(await card.locator('[data-role=notice]').count()).toBe(0);
  await page.goto(`${central.url}/alerts`);
  await work.locator('button').click();
  await work.waitFor({ state: 'detached' });
});

it('a series that says something else is told on the page of its machine', async () => {
  central.seriesChanges = [someChange];
  const page = await openLoggedIn('/machine/pump-1', { viewport: narrow });
  const line = page.locator('[data-role=series-changes] li');
  await line.waitFor();
  expect(await line.textContent()).toMatch(/used: values are about 1024 times as large since/);
  expect(await fits(page)).toBe(true);
});
