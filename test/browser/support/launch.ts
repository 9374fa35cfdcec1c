/** Chromium for the tests of the pages: Debian's, without anything that speaks to the net by itself. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.PICKET_CHROMIUM ?? paths.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error('Chromium is missing: apt-get install chromium, or name it in PICKET_CHROMIUM.');
  }
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
