import type { Browser } from 'playwright-core';
import t from 'tap';
import { KIND_NAMES } from '../../../core/voting/kinds/index.ts';
import { picture, SIZES, startBrowser, visit } from '../support/browser.ts';
import { CLOSED, exhibition, fits, isAccessible } from '../support/exhibition.ts';
import { GALLERY, kindsIn } from '../support/gallery.ts';

/** The maximum number of views that a poll has. */
const MAX_VIEWS = 8;

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

t.test('the screen fits and is accessible for every kind and view, at every size and in both themes', async (t) => {
  t.same(kindsIn(Object.keys(GALLERY)), [...KIND_NAMES].sort(), 'every kind is in the gallery');
  const s = await exhibition(t);
  const looks = [
    { size: 'laptop', colorScheme: 'light', showsEveryView: true, usesAxe: true },
    { size: 'laptop', colorScheme: 'dark', showsEveryView: false, usesAxe: true },
    { size: 'phone', colorScheme: 'light', showsEveryView: true, usesAxe: false },
    { size: 'projector', colorScheme: 'light', showsEveryView: true, usesAxe: false },
  ] as const;
  for (const { size, colorScheme, showsEveryView, usesAxe } of looks) {
    const address = `${s.http}/screen/single`;
    const { page, problems, close } = await visit(browser, address, { viewport: SIZES[size], colorScheme });
    const checkedViews = new Set<string>();
    for (const poll of Object.keys(GALLERY)) {
      await page.goto(`${s.http}/screen/${poll}`);
      await page.waitForSelector(`.screen[data-status="${CLOSED.includes(poll) ? 'final' : 'open'}"]`);
      await page.waitForSelector('.view');
      // The leaderboard arrives a moment after the result.
      if (poll === 'quiz' || poll === 'short') await page.waitForTimeout(300);
      const seen = new Set<string>();
      for (let i = 0; i < (showsEveryView ? MAX_VIEWS : 1); i++) {
        const view = (await page.textContent('.view')) ?? '';
        if (seen.has(view)) break;
        seen.add(view);
        const what = `${poll}, ${view}, ${size}, ${colorScheme}`;
        await fits(t, page, what);
        // Check the first view of each poll, and each other type of view once.
        if (usesAxe && (i === 0 || !checkedViews.has(view))) await isAccessible(t, page, what);
        checkedViews.add(view);
        if (i === 0) await picture(page, `screen-${poll}-${size}-${colorScheme}`);
        await page.keyboard.press('ArrowRight');
        await page.waitForSelector(`.view:not(:text-is(${JSON.stringify(view)}))`);
      }
      if (showsEveryView) t.ok(seen.size >= (poll === 'hidden' ? 1 : 3), `${poll} has views: ${[...seen].join(', ')}`);
    }
    t.same(problems, []);
    await close();
  }
});
