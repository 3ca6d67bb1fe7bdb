import type { Browser } from 'playwright-core';
import t from 'tap';
import { picture, SIZES, startBrowser, visit } from './browser.ts';
import { exhibition, fits, isAccessible } from './exhibition.ts';
import { GALLERY } from './gallery.ts';

/** A poll for each sort of form. */
const FORMS = ['single', 'multiple', 'rating', 'items', 'points', 'text', 'pulse', 'many'];

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

t.test('the phone: every kind, small and wide, in both themes', async (t) => {
  const s = await exhibition(t);
  const looks = [
    { size: 'phone', colorScheme: 'light', isAxe: true, polls: Object.keys(GALLERY) },
    { size: 'phone', colorScheme: 'dark', isAxe: true, polls: FORMS },
    { size: 'laptop', colorScheme: 'light', isAxe: false, polls: FORMS },
  ] as const;
  for (const { size, colorScheme, isAxe, polls } of looks) {
    const address = `${s.http}/vote/nowhere`;
    const { page, problems, close } = await visit(browser, address, { viewport: SIZES[size], colorScheme });
    await page.waitForSelector('h1:text("Waiting for the next question")');
    if (isAxe) await isAccessible(t, page, `an empty room, ${colorScheme}`);
    for (const poll of polls) {
      await page.goto(`${s.http}/vote/room-${poll}`);
      await page.waitForSelector('.card .state');
      await page.waitForSelector('.line[data-up="true"]');
      const what = `${poll}, ${size}, ${colorScheme}`;
      await fits(t, page, what);
      if (isAxe) await isAccessible(t, page, what);
      await picture(page, `phone-${poll}-${size}-${colorScheme}`, true);
    }
    t.same(problems, []);
    await close();
  }
});
