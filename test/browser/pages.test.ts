/** The pages in a real browser, over the real HTTP side with a world of machines behind it. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Assets } from '../../central/http/assets.ts';
import { builtPages, type FakeCentral, startFakeCentral } from './support/fake-central.ts';
import type { PageDocument, PageWindow } from './support/in-page.ts';
import { launchBrowser } from './support/launch.ts';
import { logIn, Visits } from './support/visits.ts';
import { worldAgents } from './support/world.ts';

declare const document: PageDocument;
declare const innerWidth: PageWindow['innerWidth'];
declare const location: PageWindow['location'];
declare const getComputedStyle: PageWindow['getComputedStyle'];
declare const requestAnimationFrame: PageWindow['requestAnimationFrame'];

let browser: Browser;
let assets: Assets;
let central: FakeCentral;
const visits = new Visits();
/** What the browser complained about: a page that works says nothing. */
const complaints: string[] = [];

beforeAll(async () => {
  assets = await builtPages();
  browser = await launchBrowser();
  central = await startFakeCentral({ agents: 5, tickMs: 200, assets });
});

afterAll(async () => {
  await browser.close();
  await central.close();
});

afterEach(async () => {
  await visits.close();
  central.failing = '';
  central.otherIncidents = false;
  central.agents = worldAgents(5, Date.now());
});

async function open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
  complaints.length = 0;
  const page = await visits.open(browser, 'about:blank', options);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // The browser itself says so of each answer that is an error; those are looked at in the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  await page.goto(central.url + path);
  return page;
}

async function openLoggedIn(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(path, options);
  await logIn(page, central.password);
  return page;
}

async function sidewaysOverflow(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

const firstChart = '.chart[data-chart="cpu/busy"]';

/** Waits until the chart is drawn with what was loaded. */
async function chartReady(page: Page, chart = firstChart): Promise<void> {
  await page.waitForSelector(`${chart} .plot[data-state=ready] canvas`);
}

/** How many pixels of the canvas look like this colour. */
async function pixelsLike(page: Page, chart: string, variable: string): Promise<number> {
  return await page.evaluate(
    ([selector, name]) => {
      const canvas = document.querySelector(`${selector} canvas`)!;
      const colour = getComputedStyle(document.documentElement).getPropertyValue(name!).trim();
      const wanted = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (wanted.every((part, c) => Math.abs(part - data[i + c]!) < 12) && data[i + 3]! > 200) count++;
      }
      return count;
    },
    [chart, variable],
  );
}

describe('log in', () => {
  it('says what was wrong and where the password was printed, then lets in', async () => {
    const page = await open();
    await logIn(page, 'wrong');
    expect(await page.textContent('[role=alert]')).toContain('not right');
    expect(await page.textContent('#where')).toContain('terminal');
    await logIn(page, central.password);
    await page.waitForSelector('.machines');
    await page.reload();
    await page.waitForSelector('.machines');
    await page.click('text=Log out');
    await page.waitForSelector('[name=password]');
    expect(complaints).toEqual([]);
  });

  it('is asked for again when the session has ended', async () => {
    const page = await openLoggedIn();
    await page.waitForSelector('.machines');
    await page.context().clearCookies();
    await page.click('.machines tbody tr');
    await page.waitForSelector('[name=password]');
    await logIn(page, central.password);
    await page.waitForSelector('.machine-head');
  });
});

describe('the fleet', () => {
  it('lists 500 machines, finds one by its name, filters and sorts', async () => {
    central.agents = worldAgents(500, Date.now());
    const page = await openLoggedIn();
    await page.waitForFunction(() => document.querySelectorAll('.machines tbody tr').length > 490);
    const tookMs = await page.evaluate(async () => {
      const input = document.querySelector('[data-search]')!;
      const startMs = performance.now();
      input.value = 'camera-99';
      input.dispatchEvent(new Event('input', { bubbles: true }));
      while (document.querySelectorAll('.machines tbody tr').length !== 1) await new Promise(requestAnimationFrame);
      return performance.now() - startMs;
    });
    expect(tookMs).toBeLessThan(1_000);
    expect(await page.textContent('.machines tbody')).toContain('camera-99');
    await page.fill('[data-search]', '');
    await page.selectOption('[aria-label=Site]', 'harbour');
    await page.click('.count.offline');
    const states = await page.$$eval('.machines tbody tr', (rows) => rows.map((row) => row.textContent));
    expect(states.length).toBeGreaterThan(3);
    expect(states.every((text) => text.includes('offline') && text.includes('harbour'))).toBe(true);
    await page.goto(`${central.url}/?sort=cpu`);
    await page.waitForSelector('.machines');
    const loads = await page.$$eval('.machines tbody td:nth-child(4) .number', (cells) =>
      cells.map((cell) => Number.parseFloat(cell.textContent.replace('<', '0.'))),
    );
    expect(loads).toEqual([...loads].sort((a, b) => b - a));
    expect(complaints).toEqual([]);
  });

  it('follows what happens without being loaded anew', async () => {
    const page = await openLoggedIn();
    const row = '.machines [data-agent=press-2]';
    await page.waitForSelector(`${row} .state.online`);
    await page.evaluate(() => {
      document.body.dataset.same = 'yes';
    });
    central.agents = central.agents.map((agent) =>
      agent.id === 'press-2' ? { ...agent, presence: 'offline' } : agent,
    );
    // The stream may open a moment after the list is there: the event is told until it was heard.
    const told = setInterval(() => central.services.bus.publish({ type: 'agent', agent: 'press-2' }), 100);
    await page.waitForSelector(`${row} .state.offline`).finally(() => clearInterval(told));
    expect(await page.evaluate(() => document.body.dataset.same)).toBe('yes');
  });

  it('shows open incidents, how long the disk lasts, and leads to the incident', async () => {
    const page = await openLoggedIn();
    await page.click('.open-incidents a');
    await page.waitForSelector('.incident.open');
    expect(await page.textContent('.incident.open')).toContain('expected 9–23 %');
    await page.waitForFunction(() => location.search.includes('from='));
    await page.click('.bar .home');
    expect(await page.textContent('[data-role=store]')).toContain('412 days');
  });

  it('of no machine shows how to add one: the command to paste', async () => {
    central.agents = [];
    const page = await openLoggedIn();
    expect(await page.textContent('.enrol h1')).toBe('No machine yet');
    await page.click('text=Make the command');
    expect(await page.textContent('[data-role=command]')).toMatch(/^picket-agent enrol http\S+ --token \S+/);
    await page.goto(`${central.url}/add`);
    await page.click('text=many');
    await page.fill('[name=maxUses]', '40');
    await page.fill('[name=note]', 'hall 3');
    await page.fill('[name=tags]', 'line=b, spare');
    await page.click('text=Make the command');
    await page.waitForSelector('text=0 of 40');
    const record = (await central.services.fleet.tokens()).find(({ note }) => note === 'hall 3');
    expect(record).toMatchObject({ maxUses: 40, tags: { line: 'b', spare: '' } });
    await page.click('tr:has-text("hall 3") >> text=Revoke');
    await page.waitForSelector('tr:has-text("hall 3") >> text=revoked');
  });

  it('says when the list cannot be had, and tries again', async () => {
    central.failing = 'agents';
    const page = await openLoggedIn();
    expect(await page.textContent('.failure')).toContain('The store is not well.');
    central.failing = '';
    await page.click('text=Try again');
    await page.waitForSelector('.machines');
  });
});

describe('a machine', () => {
  it('draws its charts: the line, the expected band, anomalies, the incident', async () => {
    const page = await openLoggedIn('/machine/pump-1');
    await chartReady(page);
    await page.waitForFunction((chart) => document.querySelector(`${chart} .expected`)?.textContent !== '', firstChart);
    expect(await page.textContent(`${firstChart} .expected`)).toMatch(/^expected [\d.]+–[\d.]+ %$/);
    expect(await pixelsLike(page, firstChart, '--line-1')).toBeGreaterThan(300);
    expect(await pixelsLike(page, firstChart, '--anomaly')).toBeGreaterThan(100);
    expect(await pixelsLike(page, firstChart, '--critical')).toBeGreaterThan(50);
    expect(complaints).toEqual([]);
  });

  it('says when a filesystem will be full, wide and narrow', async () => {
    for (const width of [1440, 390]) {
      const page = await openLoggedIn('/machine/pump-1', { viewport: { width, height: 900 } });
      const chart = page.locator('.chart[data-metric="system.filesystem.utilization"]', { hasText: '/data' });
      await chart.scrollIntoViewIfNeeded();
      expect(await chart.locator('.outlook').textContent()).toBe('full in 3 days (2–5 days)');
      const box = (await chart.locator('.outlook').boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
    }
    expect(complaints).toEqual([]);
  });

  it('moves while one looks, without being loaded anew', async () => {
    const page = await openLoggedIn('/machine/pump-1');
    await chartReady(page);
    await page.waitForSelector('[data-role=live].on');
    const look = () =>
      page.evaluate((chart) => {
        const canvas = document.querySelector(`${chart} canvas`)!;
        return { now: document.querySelector(`${chart} [data-role=now]`)!.textContent, picture: canvas.toDataURL() };
      }, firstChart);
    const before = await look();
    await page.waitForFunction(
      ([chart, now, picture]) =>
        document.querySelector(`${chart} [data-role=now]`)!.textContent !== now &&
        document.querySelector(`${chart} canvas`)!.toDataURL() !== picture,
      [firstChart, before.now, before.picture],
    );
  });

  it('shows a day of a metric in less than 200 ms', async () => {
    const page = await openLoggedIn('/machine/pump-1?q=busy');
    await chartReady(page);
    const times: number[] = [];
    for (const span of [86_400, 900, 86_400, 900, 86_400, 900, 86_400, 900, 86_400]) {
      const took = await page.evaluate(
        async ([chart, seconds]) => {
          const button = [...document.querySelectorAll('.range button')].find(
            ({ textContent }) => textContent === (seconds === 900 ? '15 min' : '24 h'),
          )!;
          const plot = document.querySelector(`${chart} .plot`)!;
          const startMs = performance.now();
          button.click();
          while (plot.dataset.spanS !== String(seconds)) await new Promise(requestAnimationFrame);
          return performance.now() - startMs;
        },
        [firstChart, span] as const,
      );
      if (span === 86_400) times.push(took);
    }
    // The best of five: other tests run on the same cores.
    expect(Math.min(...times)).toBeLessThan(200);
  });

  it('zooms by drag, on all charts together, and back', async () => {
    const page = await openLoggedIn('/machine/pump-1');
    await chartReady(page);
    const over = (await page.locator(`${firstChart} .u-over`).boundingBox())!;
    await page.mouse.move(over.x + over.width * 0.3, over.y + 50);
    await page.mouse.down();
    await page.mouse.move(over.x + over.width * 0.6, over.y + 50, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(() => location.search.includes('from='));
    const query = new URL(page.url()).searchParams;
    const spanS = (Number(query.get('to')) - Number(query.get('from'))) / 1000;
    expect(spanS).toBeGreaterThan(240);
    expect(spanS).toBeLessThan(300);
    await page.waitForSelector('.chart[data-metric="system.cpu.load_average"] .plot[data-span-s]');
    await page.click('.back-out');
    await page.waitForFunction(() => !location.search.includes('from='));
  });

  it('shows all charts at the time that one points at', async () => {
    const page = await openLoggedIn('/machine/pump-1?last=86400');
    await chartReady(page);
    await chartReady(page, '.chart[data-metric="system.cpu.load_average"]');
    const over = (await page.locator(`${firstChart} .u-over`).boundingBox())!;
    await page.mouse.move(over.x + over.width / 2, over.y + 40);
    await page.waitForFunction(() => {
      const times = [...document.querySelectorAll('.chart:has(canvas) .chart-time')].map(
        ({ textContent }) => textContent,
      );
      return times.length > 1 && times[0] !== '' && times.every((time) => time === times[0]);
    });
  });

  it('searches its metrics, folds sections, shows one line alone', async () => {
    const page = await openLoggedIn('/machine/pump-1');
    await chartReady(page);
    await page.keyboard.press('/');
    await page.keyboard.type('eth0 traffic');
    await page.waitForFunction(() => document.querySelectorAll('.chart').length === 1);
    await chartReady(page, '.chart');
    expect(await page.textContent('.chart h4')).toContain('Traffic');
    await page.click('.line-name:has-text("received")');
    await page.waitForFunction(() => document.querySelector('.chart .expected')?.textContent !== '');
    await page.fill('[data-search]', 'no such metric');
    await page.waitForSelector('text=No metric has');
    await page.click('text=Show all');
    await page.click('#cpu .fold');
    expect(await page.locator('#cpu .chart').count()).toBe(0);
  });

  it('explains an incident and shows it on the charts', async () => {
    const page = await openLoggedIn('/machine/pump-1');
    const incident = page.locator('.incident.open').first();
    await incident.waitFor();
    const text = await incident.textContent();
    for (const part of [
      'CPU: user',
      '79 %',
      'expected 9–23 %',
      '61 %',
      'rarer than once in 48 days',
      '2 weaker findings',
      'moved to another level',
      '8 s after the first',
      'stress-ng started (PID 4711)',
      '6 s before',
      'Somebody is told: paid with one notification',
      'once in 5 years',
    ])
      expect(text).toContain(part);
    await incident.getByText('Show on charts').click();
    await page.waitForFunction(() => location.search.includes('from='));
    await page.click('.tabs >> text=Incidents');
    await page.waitForSelector('.incident.closed');
  });

  it('says what a rule, a forecast and a group found, and what the budgets have spent', async () => {
    central.otherIncidents = true;
    const page = await openLoggedIn('/machine/pump-1/incidents');
    const incident = page.locator('.incident.open.warning');
    await incident.waitFor();
    const text = await incident.textContent();
    for (const part of [
      'limit 95 %',
      'Delete what is not needed',
      'Full in 3 days',
      '58 %CPU: user41 %',
      'costs nothing',
    ])
      expect(text).toContain(part);
    expect(await incident.locator('[data-role=forecast]').textContent()).toContain(
      '(48 h to 6 days), at 1.2 GiB a day',
    );
    expect(await page.textContent('[data-role=budget]')).toBe(
      'shown 0.43 of 1 incidents a daywoke somebody 1 of 0.9 times a week',
    );
    await page.click('text=Fleet');
    await page.waitForSelector('[data-role=fleet-budget]');
    expect(await page.textContent('[data-role=fleet-budget]')).toBe(
      'notifications 2 of 5 this week1 shown only, as none was left',
    );
    expect(complaints).toEqual([]);
  });

  it('says which model was trained while windows were missing, and which machines knock that are not enrolled', async () => {
    const page = await openLoggedIn('/machine/pump-1/model');
    await page.waitForSelector('[data-role=incomplete]');
    expect(await page.locator('[data-role=incomplete]').allTextContents()).toEqual([
      expect.stringContaining('240 minutes of it came later'),
    ]);
    expect(await page.textContent('[data-version="7"]')).toMatch(/Of 10\s080 minutes of that time 9\s000 were there/);
    await page.goto(new URL('/', page.url()).href);
    await page.waitForSelector('[data-role=strangers]');
    expect(await page.textContent('[data-role=strangers]')).toContain('enrol it again');
  });

  it('trains by hand and shows the new version at once', async () => {
    const page = await openLoggedIn('/machine/pump-1/model');
    await page.waitForSelector('[data-version="7"]');
    const before = Number((await page.textContent('[data-role=model]'))!.slice(1));
    await page.click('text=Train now');
    await page.waitForFunction(
      (version) => Number.parseInt(document.querySelector('[data-role=model]')!.textContent.slice(1), 10) > version,
      before,
    );
    expect(await page.textContent('[data-role=training]')).toContain('It is better.');
  });

  it('shows a ledger that adds up, what it is, what runs and what changed', async () => {
    const page = await openLoggedIn('/machine/pump-1/ledger');
    await page.waitForSelector('[data-role=sum]');
    const count = async (name: string) => Number((await page.textContent(`[data-role=${name}]`))!.replace(/\D/g, ''));
    const [committed, pending, quarantined, lost] = await Promise.all(
      ['committed', 'pending', 'quarantined', 'lost'].map(count),
    );
    expect(committed! + pending! + quarantined! + lost!).toBe(15_535);
    expect(await page.textContent('[data-role=sum]')).toContain('It adds up');
    expect(await page.textContent('.ledger')).toContain('overflow 12');
    await page.click('.tabs >> text=Processes');
    await page.waitForSelector('text=historian');
    await page.click('.tabs >> text=Inventory');
    await page.waitForSelector('text=Compute Module 4');
    await page.click('.tabs >> text=Events');
    await page.waitForSelector('td:has-text("wlan0")');
    expect(complaints).toEqual([]);
  });

  it('that is offline says since when', async () => {
    central.agents = central.agents.map((agent) =>
      agent.id === 'pump-1' ? { ...agent, presence: 'offline', lastSeenMs: Date.now() - 3 * 3_600_000 } : agent,
    );
    const page = await openLoggedIn('/machine/pump-1');
    const notice = page.locator('.notice.offline');
    await notice.waitFor();
    expect(await notice.textContent()).toContain('3 h ago');
    await page.click('text=Show its last hour');
    await page.waitForFunction(() => location.search.includes('from='));
  });

  it('that is not there says so; so does a chart that cannot be loaded', async () => {
    const page = await openLoggedIn('/machine/nobody');
    expect(await page.textContent('.failure')).toContain('There is no agent nobody.');
    central.failing = 'summaries';
    await page.goto(`${central.url}/machine/pump-1?last=86400`);
    await page.waitForSelector(`${firstChart} .plot[data-state=error]`);
    expect(await page.textContent(`${firstChart} .plot-note`)).toContain('The store is not well.');
  });
});

describe('the look', () => {
  it('follows the system, and a choice that outlives a reload', async () => {
    const page = await openLoggedIn('/', { colorScheme: 'dark' });
    await page.waitForSelector('.machines');
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await background();
    await page.keyboard.press('t');
    const light = await background();
    expect(light).not.toBe(dark);
    await page.reload();
    await page.waitForSelector('.machines');
    expect(await background()).toBe(light);
  });

  it('redraws charts in the colours of the theme', async () => {
    const page = await openLoggedIn('/machine/pump-1');
    await chartReady(page);
    await page.keyboard.press('t');
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
    await expect.poll(() => pixelsLike(page, firstChart, '--line-1'), { timeout: 20_000 }).toBeGreaterThan(300);
  });

  it.each(['/', '/machine/pump-1', '/machine/pump-1/ledger', '/machine/pump-1/model', '/add'])(
    'fits a phone: %s',
    async (path) => {
      const page = await openLoggedIn(path, { viewport: { width: 390, height: 844 }, hasTouch: true });
      await page.waitForSelector('.machines, .chart canvas, .ledger-bar, .version, .token-form');
      expect(await sidewaysOverflow(page)).toBe(0);
      expect(await page.locator('.bar >> text=Log out').isVisible()).toBe(true);
    },
  );

  it('says why minutes are missing, in a strip and in words', async () => {
    const page = await openLoggedIn('/machine/pump-1/ledger');
    await page.waitForSelector('[data-role=coverage] .strip');
    // Five days ago: an hour without power from 10:00 on, and half an hour that was thinned.
    const hole = page.locator('.strip .missing.power');
    expect(await hole.getAttribute('title')).toBe('10:00–11:00 power cut');
    const [strip, cut] = await Promise.all([page.locator('.strip').nth(5).boundingBox(), hole.boundingBox()]);
    expect((cut!.x - strip!.x) / strip!.width).toBeCloseTo(10 / 24, 2);
    expect(cut!.width / strip!.width).toBeCloseTo(1 / 24, 2);
    expect(await page.textContent('[data-role=coverage] tbody tr:nth-child(6)')).toContain('power cut 60 min');
    await page.click('[data-role=coverage] summary');
    expect(await page.textContent('[data-role=coverage] details table')).toContain('19:20–19:50');
    await page.click('[data-role=check] button');
    await page.waitForSelector('[data-role=check] .adds-up');
    expect(complaints).toEqual([]);
  });

  it('flags an identity that two machines use, until somebody dismisses it', async () => {
    const page = await openLoggedIn();
    await page.waitForSelector('[data-agent=press-2] .flag-mark');
    expect(await page.locator('.flag-mark').count()).toBe(1);
    await page.click('[data-agent=press-2] .c-name a');
    await page.waitForSelector('[data-role=flag]');
    const told = await page.textContent('[data-role=flag]');
    expect(told).toContain('Two machines use this identity');
    expect(told).toContain('Enrol one of them anew');
    expect(told).toContain('machine 2: epoch cccccccc, boot 3333');
    await page.click('[data-role=flag] button');
    await page.waitForSelector('[data-role=flag]', { state: 'detached' });
    expect(central.agents.find(({ id }) => id === 'press-2')!.flags).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('is walked through by keys', async () => {
    const page = await openLoggedIn();
    await page.waitForSelector('.machines');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const first = await page.getAttribute('.machines tbody tr', 'data-agent');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-agent'))).toBe(first);
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.keyboard.press('Enter');
    await page.waitForSelector('.machine .range');
    await page.keyboard.press('4');
    await page.waitForFunction(() => location.search === '?last=86400');
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.waitForSelector('.machines');
  });

  it('shows times in the zone that was chosen', async () => {
    const page = await openLoggedIn('/machine/pump-1/events', { timezoneId: 'Asia/Tokyo' });
    const time = page.locator('.panel time').first();
    const mine = await time.textContent();
    await page.selectOption('.zone select', 'utc');
    const utc = await time.textContent();
    await page.selectOption('.zone select', 'site');
    const site = await time.textContent();
    expect(new Set([mine, utc, site]).size).toBe(3);
  });
});

describe('a central that goes away', () => {
  it('is told, waited for, and all is as before when it is back', async () => {
    const other = await startFakeCentral({ agents: 2, assets });
    const port = Number(new URL(other.url).port);
    const page = await openLoggedInAt(other);
    await page.waitForSelector('.machines');
    await other.close();
    await page.click('.machines tbody tr');
    await page.waitForSelector('.banner.lost');
    const again = await startFakeCentral({ agents: 2, port, assets });
    try {
      // It is another central with another memory: the session is asked for, and the page comes back.
      await page.waitForSelector('.banner.lost', { state: 'detached' });
      await page.waitForSelector('[name=password]');
      await logIn(page, central.password);
      await page.waitForSelector('.machine-head');
    } finally {
      await again.close();
    }
  });
});

async function openLoggedInAt(other: FakeCentral): Promise<Page> {
  const page = await visits.open(browser, other.url);
  await logIn(page, other.password);
  return page;
}
