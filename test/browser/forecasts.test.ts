/** Forecasts on the machine's and the fleet's page, in a real browser, on screens wide and narrow, light and dark. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { AgentForecasts, CapacityForecast, Forecasts, SoonestEnd } from '../../central/forecast/api.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import type { PageDocument, PageWindow } from './support/in-page.ts';
import { launchBrowser } from './support/launch.ts';
import { Visits } from './support/visits.ts';
import { worldAgents, worldSeries } from './support/world.ts';

declare const document: PageDocument;
declare const innerWidth: PageWindow['innerWidth'];

const wide = { viewport: { width: 1440, height: 900 }, colorScheme: 'light' } as const;
const narrow = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
const MACHINES = 500;

let browser: Browser;
let central: FakeCentral;
const visits = new Visits();
let told: { of: (agent: string) => AgentForecasts; ends: readonly SoonestEnd[] };

beforeAll(async () => {
  browser = await launchBrowser();
  central = await startFakeCentral({ agents: MACHINES, tickMs: 5000, assets: await builtPages() });
  const forecasts: Forecasts = {
    ofAgent: async (agent) => told.of(agent),
    soonest: (limit) => told.ends.slice(0, limit),
  };
  Object.assign(central.services.forecasts, forecasts);
});

afterAll(async () => {
  await browser.close();
  await central.close();
});

beforeEach(() => {
  central.agents = worldAgents(MACHINES, Date.now());
  told = { of: () => ({ madeMs: null, forecasts: [] }), ends: [] };
});

afterEach(async () => {
  await visits.close();
});

const openLoggedIn = (path: string, options: BrowserContextOptions): Promise<Page> =>
  visits.openLoggedIn(browser, central, path, { timezoneId: 'UTC', ...options });

const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** The disk of the world, which fills within the week; beside it a CPU whose peaks are far from their bound. */
function someForecasts(): AgentForecasts {
  const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const find = (name: string, attribute: string, value: string) =>
    worldSeries.find((one) => one.name === name && one.attributes[attribute] === value)!;
  const disk = find('system.filesystem.utilization', 'system.filesystem.mountpoint', '/data');
  const idle = find('system.cpu.utilization', 'cpu.mode', 'idle');
  const line = (from: number, step: number): number[] =>
    Array.from({ length: 168 }, (_, h) => Math.min(1, from + step * h));
  const hours = {
    model: 'ARIMA(0,1,1) + drift + season of 24',
    naive: false,
    mase: 0.42,
    naiveMase: 1.1,
    coverage90: 0.91,
    origins: 8,
    shifted: true,
    stepMs: HOUR_MS,
    firstMs: now + HOUR_MS,
    fromMs: now - 672 * HOUR_MS,
    toMs: now,
    measured: 640,
    missing: 32,
    value: line(0.31, 0.0095),
    low: line(0.3, 0.009),
    high: line(0.32, 0.01),
  };
  const expectedMs = now + 73 * HOUR_MS;
  const full: CapacityForecast = {
    series: disk.id,
    key: disk,
    thing: 'File system /data',
    reaches: 'full',
    bound: 1,
    invert: false,
    whole: 1,
    madeMs: now,
    current: 0.31,
    hours,
    days: null,
    reached: { expectedMs, earliestMs: expectedMs - 4 * HOUR_MS, latestMs: expectedMs + 5 * HOUR_MS, by: 'hours' },
    agent: { expectedMs: now + 20 * HOUR_MS, earliestMs: now + 10 * HOUR_MS, latestMs: now + 30 * HOUR_MS },
    disagreement: 'The machine itself expects it sooner, from its last hours; this looks at weeks.',
  };
  const cpu: CapacityForecast = {
    ...full,
    series: idle.id,
    key: idle,
    thing: 'CPU',
    reaches: 'peak',
    bound: 0.9,
    invert: true,
    current: 0.25,
    hours: { ...hours, naive: true, value: line(0.25, 0), low: line(0.1, 0), high: line(0.4, 0) },
    reached: null,
    agent: null,
    disagreement: null,
  };
  return { madeMs: now, forecasts: [cpu, full] };
}

it.each([
  ['wide and light', wide],
  ['narrow and dark', narrow],
])("a machine's forecasts: %s", async (_name, options) => {
  told.of = someForecasts;
  const page = await openLoggedIn(`/machine/${central.agents[0]!.id}/forecasts`, options);
  const cards = page.locator('.forecast-card');
  await cards.first().waitFor();
  // What ends comes first.
  expect(await cards.evaluateAll((all) => all.map((card) => card.getAttribute('aria-label')))).toEqual([
    'File system /data',
    'CPU',
  ]);
  const first = await cards.first().textContent();
  expect(first).toMatch(/full on [A-Z][a-z]+day \d\d:00 ± 5 h/);
  expect(first).toContain('The machine itself: full on');
  expect(first).toContain('sooner');
  expect(await cards.nth(1).textContent()).toContain('not within 7 days');
  await page.waitForSelector('.forecast-chart .past[d^=M]');
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

it('a machine without a forecast says when there will be one', async () => {
  const page = await openLoggedIn(`/machine/${central.agents[0]!.id}/forecasts`, narrow);
  await page.getByText('No forecast yet').waitFor();
});

it.each([
  ['wide and light', wide],
  ['narrow and dark', narrow],
])('what runs out soonest among 500 machines: %s', async (_name, options) => {
  const reached = someForecasts().forecasts[1]!.reached!;
  told.ends = central.agents.slice(0, 30).map(({ id }) => ({
    agent: id,
    series: 'ab'.repeat(8),
    thing: 'File system /var/lib/containers/storage/overlay',
    reaches: 'full',
    bound: 1,
    current: 0.9,
    reached,
  }));
  const page = await openLoggedIn('/', options);
  const list = page.locator('[data-role=fleet-ends]');
  await list.waitFor();
  expect(await list.locator('li').count()).toBe(3);
  expect(await list.locator('li').first().textContent()).toMatch(/full on .* ± 5 h/);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await list.getByText('Show all 30').click();
  expect(await list.locator('li').count()).toBe(30);
  await list.locator('a').first().click();
  await page.getByText('No forecast yet').waitFor();
});

it('a fleet of which nothing runs out says nothing of it', async () => {
  const page = await openLoggedIn('/', wide);
  await page.waitForSelector('[data-role=fleet-budget]');
  expect(await page.locator('[data-role=fleet-ends]').count()).toBe(0);
});
