import type { Browser } from 'playwright-core';
import t from 'tap';
import { picture, SIZES, startBrowser, visit } from './browser.ts';
import { CLOSED, exhibition, fits, isAccessible } from './exhibition.ts';
import { GALLERY } from './gallery.ts';

/** Views of one poll, at most. */
const MAX_VIEWS = 8;

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

t.test('the screen: every kind and view, at every size, in both themes', async (t) => {
  const s = await exhibition(t);
  const looks = [
    { size: 'laptop', colorScheme: 'light', isEveryView: true, isAxe: true },
    { size: 'laptop', colorScheme: 'dark', isEveryView: false, isAxe: true },
    { size: 'phone', colorScheme: 'light', isEveryView: true, isAxe: false },
    { size: 'projector', colorScheme: 'light', isEveryView: true, isAxe: false },
  ] as const;
  for (const { size, colorScheme, isEveryView, isAxe } of looks) {
    const address = `${s.http}/screen/single`;
    const { page, problems, close } = await visit(browser, address, { viewport: SIZES[size], colorScheme });
    const looked = new Set<string>();
    for (const poll of Object.keys(GALLERY)) {
      await page.goto(`${s.http}/screen/${poll}`);
      await page.waitForSelector(`.screen[data-status="${CLOSED.includes(poll) ? 'final' : 'open'}"]`);
      await page.waitForSelector('.view');
      // A leaderboard comes a moment later than the result.
      if (poll === 'quiz' || poll === 'short') await page.waitForTimeout(300);
      const seen = new Set<string>();
      for (let i = 0; i < (isEveryView ? MAX_VIEWS : 1); i++) {
        const view = (await page.textContent('.view')) ?? '';
        if (seen.has(view)) break;
        seen.add(view);
        const what = `${poll}, ${view}, ${size}, ${colorScheme}`;
        await fits(t, page, what);
        // Each poll once, and each sort of view.
        if (isAxe && (i === 0 || !looked.has(view))) await isAccessible(t, page, what);
        looked.add(view);
        if (i === 0) await picture(page, `screen-${poll}-${size}-${colorScheme}`);
        await page.keyboard.press('ArrowRight');
        await page.waitForSelector(`.view:not(:text-is(${JSON.stringify(view)}))`);
      }
      if (isEveryView) t.ok(seen.size >= (poll === 'hidden' ? 1 : 3), `${poll} has views: ${[...seen].join(', ')}`);
    }
    t.same(problems, []);
    await close();
  }
});
