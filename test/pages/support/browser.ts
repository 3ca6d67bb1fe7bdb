import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import '../../support/reaper.ts';
import { pathInCheckout } from '../../support/root.ts';

const ARTIFACTS = pathInCheckout('test/artifacts/');
/** Drawing a page and compressing the picture takes longer than most checks of it, so pictures are made only when wanted. */
const WANTS_PICTURES = process.env.POLLCAST_PICTURES === '1';
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

/** A page in its own browser context, with the problems seen on it. */
export interface Visit {
  readonly page: Page;
  /** Console errors, script errors and requests to other origins. */
  readonly problems: string[];
  close(): Promise<void>;
}

/** Starts the browser that the tests of one file share; it is closed after the last of them. */
export async function startBrowser(t: Test, flags: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
  t.teardown(() => browser.close());
  return browser;
}

/** Opens a page as a first-time visitor. @param expected matches the console errors that the test provokes */
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

/** Saves a screenshot of a page in test/artifacts, if `POLLCAST_PICTURES` is 1. */
export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  if (!WANTS_PICTURES) return;
  mkdirSync(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage });
}

/** How many pixels wider than the window the page is; 0 or less if nothing overflows. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}

/** The serious and critical findings of axe-core (WCAG 2.2 A and AA, best practices), each with its element. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // axe is evaluated, because the page's content security policy would block an added script element.
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
