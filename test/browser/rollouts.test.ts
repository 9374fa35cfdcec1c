/**
 * A rollout as an operator sees it, over the real models' service: trained by a click, in the shadow, on the canary, on
 * all; and one that is rolled back by hand. What machines report is played, and so is time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createAudit } from '../../central/audit.ts';
import type { Assets } from '../../central/http/assets.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { BesideReport, Reported } from '../../shared/trust/messages.ts';
import { history, seededNormal } from '../support/history.ts';
import { HistoryStore, LearningCentral } from '../support/learning.ts';
import { settled } from '../support/timers.ts';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import { launchBrowser } from './support/launch.ts';
import { fits, narrow, Visits, wide } from './support/visits.ts';
import { worldAgents } from './support/world.ts';

const MACHINES = 10;
const SLOT = 'model/seasonal';
const times = { shadowMs: HOUR_MS, canaryMs: HOUR_MS, share: 0.1 };
const machines = worldAgents(MACHINES, 0).map(({ id }) => id);

let browser: Browser;
let assets: Assets;
let directory: string;
let learning: LearningCentral;
let central: FakeCentral;
let audit: ReturnType<typeof createAudit>;
const visits = new Visits();

beforeAll(async () => {
  browser = await launchBrowser();
  assets = await builtPages();
  return () => browser.close();
});

/** Ten machines that run their first models, and have history for better ones. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-rollouts-'));
  const store = new HistoryStore();
  audit = createAudit(store.documents, () => learning.nowMs);
  learning = await LearningCentral.start(directory, store, { rollout: { times, audit } });
  learning.nowMs = Date.now();
  learn(240);
  for (const id of machines) {
    await learning.models.onReported(id, report());
    await learning.models.trainNow(id);
    await learning.models.onReported(id, obeys(id));
  }
  learn(1000);
  central = await startFakeCentral({ agents: MACHINES, tickMs: 5000, assets, models: learning.models });
});
afterEach(async () => {
  await visits.close();
  await central.close();
  await learning.models.close();
  await rm(directory, { recursive: true });
});

function learn(windows: number): void {
  const fromMs = learning.nowMs - 1000 * MINUTE_MS;
  for (const id of machines) {
    const normal = seededNormal(1);
    learning.store.blocks.set(id, [history({ windows, fromMs, spread: 1 }, () => 10 + normal())]);
  }
}

function report(change: Partial<Reported> = {}): Reported {
  const none = { applied: [], supports: [], refusals: [], commandsDone: [], warnings: [], beside: [] };
  return { agentVersion: '0.1.0', manifestVersion: 0, ...none, health: {}, ...change };
}

/** What a machine reports that does what its manifest says. */
function obeys(id: string): Reported {
  const { releases, shadows = [] } = learning.manifest(id) as ReturnType<LearningCentral['manifest']> & {
    shadows?: { releaseSha256: string }[];
  };
  const [main, shadow] = [releases[0]?.releaseSha256, shadows[0]?.releaseSha256];
  const counts = { windows: 500, agreed: 499, mainFindings: 1, besideFindings: 0, mainOutside: 1, besideOutside: 0 };
  const costs = { mainBits: 4, besideBits: 4, mainMs: 3, besideMs: 3 };
  const beside: BesideReport[] =
    main === undefined || shadow === undefined
      ? []
      : [{ slot: SLOT, mainSha256: main, besideSha256: shadow, ...counts, ...costs }];
  return report({ applied: main === undefined ? [] : [{ slot: SLOT, releaseSha256: main, appliedMs: 5 }], beside });
}

/** All machines report; then so much time goes by. */
async function reports(thenMs = 0): Promise<void> {
  for (const id of machines) await learning.models.onReported(id, obeys(id));
  learning.nowMs += thenMs;
  learning.timers.advance(MINUTE_MS);
  await settled();
}

/** A rollout of all machines begins, the first of them by a click. */
async function begun(options: BrowserContextOptions): Promise<{ page: Page; card: Locator }> {
  const page = await visits.openLoggedIn(browser, central, `/machine/${machines[0]}/model`, options);
  await page.getByRole('button', { name: 'Train now' }).click();
  await page.locator('[data-role=training]', { hasText: /Version \d+: / }).waitFor();
  await page.locator('.version', { hasText: 'in a rollout' }).waitFor();
  for (const id of machines.slice(1)) await learning.models.trainNow(id);
  await page.locator('nav[aria-label=Pages] a[href="/models"]').click();
  const card = page.locator('[data-rollout="1"]');
  await card.waitFor();
  return { page, card };
}

const inStage = (page: Page, stage: string): Promise<void> =>
  page.locator(`[data-rollout="1"][data-stage=${stage}]`).waitFor();

it('one rollout is followed from training through shadow and canary to all', { timeout: 60_000 }, async () => {
  const { page, card } = await begun({ viewport: wide });
  await inStage(page, 'shadow');
  expect(await card.textContent()).toContain('10 machines, 0 in the canary');
  await reports(HOUR_MS);
  // The page looks by itself; later it is loaded again, which is quicker.
  await inStage(page, 'canary');
  expect(await card.textContent()).toMatch(/As good as the old one in the shadow: 0 findings against 10/);
  expect(await card.textContent()).toContain('10 machines, 1 in the canary');
  await reports(HOUR_MS);
  await page.reload();
  await inStage(page, 'all');
  await reports();
  await page.reload();
  await inStage(page, 'done');
  expect(await card.textContent()).toContain('All machines run it.');
  const said = (await audit.list(10)).map(({ detail }) => detail.split(':')[0]);
  expect(said).toEqual(['done', 'all', 'canary', 'shadow']);
});

it.each([
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
] as const)('one is rolled back by hand, once that is confirmed: %s', { timeout: 60_000 }, async (_, options) => {
  const { page, card } = await begun(options);
  const before = machines.map((id) => obeys(id).applied[0]!.releaseSha256);
  await reports(HOUR_MS);
  await inStage(page, 'canary');
  expect(machines.map((id) => obeys(id).applied[0]!.releaseSha256)).not.toEqual(before);
  await card.getByRole('button', { name: 'Roll back' }).click();
  expect(await card.getByRole('alert').textContent()).toContain('Bring all its machines back');
  expect(await fits(page)).toBe(true);
  await card.getByRole('button', { name: 'No' }).click();
  await inStage(page, 'canary');
  await card.getByRole('button', { name: 'Roll back' }).click();
  await card.getByRole('button', { name: 'Yes' }).click();
  await inStage(page, 'reverted');
  expect(await card.textContent()).toContain('Rolled back by admin');
  expect(machines.map((id) => obeys(id).applied[0]!.releaseSha256)).toEqual(before);
  const [entry] = await audit.list(1);
  expect(entry).toMatchObject({ action: 'rollout', detail: 'reverted: Rolled back by admin.' });
  expect(entry!.actor).toContain('admin');
});
