/** Muting a machine from its page, in a real browser, on screens wide and narrow, light and dark. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import { launchBrowser } from './support/launch.ts';
import { narrow, Visits, wide } from './support/visits.ts';
import { worldAgents } from './support/world.ts';

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
  central.agents = worldAgents(7, Date.now());
});

const openLoggedIn = (path: string, options: BrowserContextOptions): Promise<Page> =>
  visits.openLoggedIn(browser, central, path, options);

/** Whether it is wholly within the screen's width. */
async function fits(page: Page, selector: string): Promise<boolean> {
  const box = await page.locator(selector).first().boundingBox();
  return box !== null && box.x >= 0 && box.x + box.width <= page.viewportSize()!.width;
}

it.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
] as const)('a machine is muted and unmuted: %s', async (_name, options) => {
  const { id, name } = central.agents[0]!;
  const page = await openLoggedIn(`/machine/${id}`, options);
  await page.click('[data-role=mute-open]');
  await page.selectOption('[name=span]', { label: '8 hours' });
  await page.fill('[name=reason]', 'a new boiler');
  expect(await fits(page, '[data-role=mute-form]')).toBe(true);
  await page.click('[data-role=mute-form] [type=submit]');
  const line = page.locator('[data-role=muted]');
  await line.waitFor();
  expect(await line.textContent()).toMatch(/^Muted: everything until .*, by admin at the central: a new boiler\./);
  expect(await page.locator('[data-role=mute-form]').count()).toBe(0);
  expect(await fits(page, '[data-role=muted]')).toBe(true);

  await page.click('a[href="/"]');
  const row = page.locator(`[data-agent="${id}"]`);
  await row.locator('.mute-mark').waitFor();
  expect(await row.locator('.mute-mark').textContent()).toBe('muted');
  expect(await fits(page, '.mute-mark')).toBe(true);

  await page.click(`a[href="/machine/${id}"]:text("${name}")`);
  await page.click('[data-role=muted] button');
  await page.locator('[data-role=muted]').waitFor({ state: 'detached' });
});

it('a machine that is offline is told later, and only of the rule that was asked for', async () => {
  const offline = central.agents.find(({ presence }) => presence === 'offline')!;
  const page = await openLoggedIn(`/machine/${offline.id}`, { viewport: wide });
  await page.click('[data-role=mute-open]');
  await page.fill('[name=rule]', 'oom-kill');
  await page.click('[data-role=mute-form] [type=submit]');
  const order = page.locator('[data-role=order]');
  await order.waitFor();
  expect(await order.textContent()).toMatch(
    /It was asked to mute \(rule oom-kill\); it is told when it is back, until/,
  );
  expect(await page.locator('[data-role=muted]').count()).toBe(0);
});

it('a mute that has ended is shown no more, also of a machine that is gone', async () => {
  const [first] = central.agents;
  const mute = { id: 'm', rule: null, series: null, reason: '', by: 'ann', fromMs: 0, untilMs: Date.now() - 60_000 };
  central.agents = [{ ...first!, reported: { ...first!.reported!, mutes: [mute] } }];
  const page = await openLoggedIn('/', { viewport: wide });
  expect(await page.locator('.mute-mark').count()).toBe(0);
});
