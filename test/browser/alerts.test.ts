/** The page of alerts in a real browser: nobody is told, somebody is, a target fails, a large fleet, an error. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { AlertsView, Contact } from '../../central/alerts/api.ts';
import { someAlerts } from '../../central/http/fake-values.ts';
import { type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import type { PageDocument, PageWindow } from './support/in-page.ts';
import { launchBrowser } from './support/launch.ts';
import { logIn, Visits } from './support/visits.ts';

declare const document: PageDocument;
declare const innerWidth: PageWindow['innerWidth'];

let browser: Browser;
let central: FakeCentral;
const visits = new Visits();
let view: AlertsView;
let broken = false;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  central = await startFakeCentral({ agents: 2 });
  Object.assign(central.services.alerts, {
    view: () => {
      if (broken) throw new Error('broken');
      return view;
    },
  });
});
afterAll(async () => {
  await browser.close();
  await central.close();
});

afterEach(() => visits.close());

async function open(width: number): Promise<Page> {
  const page = await visits.open(browser, `${central.url}/alerts`, { viewport: { width, height: 900 } });
  page.on('pageerror', (error) => complaints.push(error.message));
  await logIn(page, central.password);
  return page;
}

function contact(i: number): Contact {
  const nowMs = Date.now();
  const overdueMs = i % 2 === 0 ? 60_000 : null;
  return { ...someAlerts.contacts[0]!, agent: `m-${i}`, name: `Machine ${i}`, lastSeenMs: nowMs - 900_000, overdueMs };
}

it('shows who is told, what failed and who is overdue; wide and narrow', { timeout: 120_000 }, async () => {
  for (const width of [1280, 390]) {
    view = { targets: [], heartbeat: null, problem: null, log: [], contacts: [] };
    const page = await open(width);
    expect(await page.textContent('[data-role=targets]')).toContain('Nobody is told yet');
    expect(await page.textContent('[data-role=heartbeat]')).toContain('nobody outside would notice');

    const failing = { ...someAlerts.targets[0]!, name: 'office', failures: 3, lastError: 'answered 503', waiting: 2 };
    const contacts = Array.from({ length: 500 }, (_, i) => contact(i));
    view = { ...someAlerts, targets: [someAlerts.targets[0]!, failing], contacts, problem: 'the disk is full' };
    await page.reload();
    await page.waitForSelector('[data-target=office]');
    expect(await page.textContent('[data-target=office]')).toContain('failed 3 times in a row');
    expect(await page.textContent('[data-target=office] .problem')).toBe('answered 503');
    expect(await page.textContent('[role=alert]')).toContain('the disk is full');
    expect(await page.textContent('[data-role=log]')).toContain('Opened: warning, Pump');
    await page.waitForSelector('.contacts li');
    expect(await page.textContent('[data-role=contacts] h2')).toBe('250 machines overdue');
    expect(await page.locator('.contacts li').count()).toBe(50);
    await page.click('text=Show all 250');
    expect(await page.locator('.contacts li').count()).toBe(250);
    await page.click('text=What is expected of all');
    await page.click('text=Show all 500');
    expect(await page.locator('.contacts li').count()).toBe(500);

    await page.click('[data-target=on-call] button');
    await page.waitForSelector('text=Taken: 200 OK');
    await page.click('[data-target=office] button');
    await page.waitForSelector('[data-target=office] [role=status].trouble');
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);

    broken = true;
    await page.reload();
    await page.waitForSelector('.failure');
    broken = false;
    await page.click('.failure button');
    await page.waitForSelector('[data-target=office]');
    await visits.close();
  }
  expect(complaints).toEqual([]);
});
