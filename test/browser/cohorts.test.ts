/** The page of cohorts over the real service, and that of a version's report, on screens wide and narrow, light and dark. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createAudit } from '../../central/audit.ts';
import type { Cohorts, CohortsState } from '../../central/cohorts/api.ts';
import { CohortsService } from '../../central/cohorts/service.ts';
import { someReport } from '../../central/http/fake-report.ts';
import { fakeDocuments } from '../../central/http/fakes.ts';
import { PicketError } from '../../shared/errors.ts';
import { ManualTimers, silentLog } from '../support/timers.ts';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import { launchBrowser } from './support/launch.ts';
import { fits, narrow, Visits, wide } from './support/visits.ts';
import { worldAgents } from './support/world.ts';

const MACHINES = 6;
const screens = [
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
] as const;

let browser: Browser;
let central: FakeCentral;
let documents: ReturnType<typeof fakeDocuments>;
let actors: () => Promise<readonly string[]>;
const visits = new Visits();

beforeAll(async () => {
  browser = await launchBrowser();
  central = await startFakeCentral({ agents: MACHINES, tickMs: 5000, assets: await builtPages() });
});
afterAll(async () => {
  await browser.close();
  await central.close();
});

/** The service itself over the fake central's machines, all of which are alike. */
beforeEach(() => {
  documents = fakeDocuments();
  const audit = createAudit(documents, Date.now);
  actors = async () => (await audit.list(10)).map(({ action }) => action);
  const service = new CohortsService({
    store: { ...central.services.store, documents },
    agents: () => central.agents.map(({ id }) => id),
    nowMs: Date.now,
    timers: new ManualTimers(),
    log: silentLog,
    audit,
  });
  use(service);
});
afterEach(() => visits.close());

/** Routes ask these from now on. */
function use(cohorts: Cohorts): void {
  const own = central.services.cohorts as unknown as Record<string, unknown>;
  for (const name of ['state', 'nameOf', 'peersOf', 'round', 'set', 'rename'] as const)
    own[name] = cohorts[name].bind(cohorts);
}

const open = (path: string, options: BrowserContextOptions): Promise<Page> =>
  visits.openLoggedIn(browser, central, path, { timezoneId: 'UTC', ...options });

it.each(screens)('cohorts are found, renamed, and machines moved and freed: %s', async (_, options) => {
  const page = await open('/cohorts', options);
  await page.getByText('No cohorts yet').waitFor();
  await page.getByRole('button', { name: 'Look now' }).click();
  await page.getByRole('button', { name: 'Yes' }).click();
  const cards = page.locator('[data-cohort]');
  await cards.first().waitFor();
  expect(await cards.first().locator('[data-member]').count()).toBe(MACHINES);

  await cards.first().getByRole('button', { name: 'Rename' }).click();
  await page.getByLabel('Name of the cohort').fill('pumps');
  await cards.first().getByRole('button', { name: 'Rename' }).click();
  await page.locator('[data-cohort=pumps]').waitFor();

  const { id } = worldAgents(1, 0)[0]!;
  const row = page.locator(`[data-member="${id}"]`);
  await row.getByRole('button', { name: 'Move' }).click();
  await page.getByLabel('Name of the cohort').fill('guests');
  await row.getByRole('button', { name: 'Move' }).click();
  await page.locator(`[data-cohort=guests] [data-member="${id}"]`, { hasText: 'put here by hand' }).waitFor();
  expect(await fits(page)).toBe(true);

  await row.getByRole('button', { name: 'Free' }).click();
  await page.getByRole('button', { name: 'Yes' }).click();
  await row.getByText('preliminary').waitFor();
  await page.getByRole('button', { name: 'Look now' }).click();
  await page.getByRole('button', { name: 'Yes' }).click();
  await page.locator(`[data-cohort=pumps] [data-member="${id}"]`, { hasText: 'by how it behaves' }).waitFor();
  expect(await actors()).toEqual(expect.arrayContaining(['cohort.place']));
});

it.each(screens)('500 machines, some like no other, fit: %s', async (_, options) => {
  const ids = worldAgents(500, 0).map(({ id }) => id);
  const member = (agent: string) => ({ agent, by: 'clusters', sinceMs: 1, distance: 0.31, leaning: null }) as const;
  const cohort = (name: string, from: number, to: number) => ({
    id: name,
    name,
    namedByHand: false,
    sinceMs: Date.now(),
    traits: [{ what: 'Processors', here: '4', elsewhere: '4 to 32' }],
    members: ids.slice(from, to).map(member),
  });
  const state: CohortsState = {
    cohorts: [cohort('4-core-arm64-raspberry-pi-compute-module-4-a', 0, 300), cohort('2-core-amd64-a', 300, 450)],
    alone: ids.slice(450).map((agent) => ({ agent, why: 'alone' })),
    roundMs: Date.now(),
  };
  use({
    state: () => state,
    nameOf: () => null,
    peersOf: () => [],
    round: async () => state,
    set: async () => {},
    rename: async () => {},
  });
  const page = await open('/cohorts', options);
  await page.getByRole('button', { name: '280 more machines' }).click();
  expect(await page.locator('[data-cohort]').first().locator('[data-member]').count()).toBe(300);
  expect(await page.getByText('And 30 more machines.').count()).toBe(1);
  expect(await fits(page)).toBe(true);
});

it.each(screens)('a failure is told, with a way to try again: %s', async (_, options) => {
  const { state } = central.services.cohorts;
  const failing = central.services.cohorts as { state: () => CohortsState };
  failing.state = () => {
    throw new PicketError('store.failed', 'The disk does not answer.');
  };
  const page = await open('/cohorts', options);
  await page.getByRole('alert').waitFor();
  failing.state = state;
  await page.getByRole('button', { name: /again/i }).click();
  await page.getByText('No cohorts yet').waitFor();
});

it.each(screens)('a version is told with its figures, and one without a report says so: %s', async (_, options) => {
  const page = await open(`/models/${someReport.version}`, options);
  await page.locator('[data-role=verdict]').waitFor();
  for (const part of ['Figures', 'Probabilities', 'Faults put into held-out time', 'Origins', 'Worst series']) {
    expect(await page.getByRole('heading', { name: part }).count()).toBe(1);
  }
  expect(await fits(page)).toBe(true);
  await page.goto(`${central.url}/models/999`);
  await page.getByRole('alert').waitFor();
});
