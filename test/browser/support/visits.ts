/** Pages of one test file: each in a context of its own, logged in, and closed when the test is over. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

const PATIENCE_MS = 20_000;
/** Every page has it once somebody is logged in. */
const NAVIGATION = 'nav[aria-label=Pages]';

export const wide = { width: 1440, height: 900 } as const;
export const narrow = { width: 390, height: 844 } as const;

interface Site {
  readonly url: string;
  readonly password: string;
}

export async function logIn(page: Page, password: string): Promise<void> {
  await page.fill('[name=password]', password);
  await page.keyboard.press('Enter');
}

export class Visits {
  readonly #contexts: BrowserContext[] = [];

  /** A page that nobody is logged in to. */
  async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: wide, ...options });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(url);
    return page;
  }

  async openLoggedIn(browser: Browser, site: Site, path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.open(browser, site.url + path, options);
    await logIn(page, site.password);
    await page.waitForSelector(NAVIGATION);
    return page;
  }

  async close(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
  }
}

/** Whether the page is no wider than the screen. */
export function fits(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');
}
