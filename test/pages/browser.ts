import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

const ARTIFACTS = fileURLToPath(new URL('../../../test/artifacts/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const SIZES = {
  phone: { width: 360, height: 740 },
  laptop: { width: 1280, height: 800 },
  projector: { width: 1920, height: 1080 },
} as const;
export const THEMES = ['light', 'dark'] as const;

/** A page in a browser of its own kind of person, with what went wrong on it. */
export interface Visit {
  readonly page: Page;
  /** Errors of the console, of scripts, and requests to anybody else. */
  readonly problems: string[];
  close(): Promise<void>;
}

/** Starts the browser that tests of pages share; it ends with the test file. */
export async function startBrowser(t: Test, flags: readonly string[] = []): Promise<Browser> {
  mkdirSync(ARTIFACTS, { recursive: true });
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
  t.teardown(() => browser.close());
  return browser;
}

/** Opens a page as somebody who was never here. @param expected console errors that belong to what is tested */
export async function visit(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  expected = /^$/,
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: SIZES.laptop,
    locale: 'en-GB',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  const { origin } = new URL(address);
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(blob|data):/.test(url)) problems.push(`request to ${url}`);
  });
  await page.goto(address);
  return { page, problems, close: () => context.close() };
}

/** Keeps a picture of a page beside the tests. */
export function picture(page: Page, name: string, fullPage = false) {
  return page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage });
}

/** How many pixels the page is wider than its window: 0 or less when nothing overflows. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}

/** What axe-core finds serious or worse (WCAG 2.2 A and AA), each with where it is. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Evaluated and not added as a script element, which the page's policy would refuse.
  await page.evaluate(AXE);
  const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`;
  type Found = { violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] };
  const { violations } = await page.evaluate<Found>(run);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ html, failureSummary }) => `${html} ${failureSummary}`)
          .join('; ')
          .slice(0, 900)}`,
    );
}
