import type { Browser } from 'playwright-core';
import t from 'tap';
import { picture, SIZES, startBrowser, visit } from '../support/browser.ts';
import { exhibition, fits, isAccessible } from '../support/exhibition.ts';
import { GALLERY } from '../support/gallery.ts';

/** One poll for each type of form. */
const FORMS = ['single', 'multiple', 'rating', 'items', 'points', 'text', 'pulse', 'many'];

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

t.test('the voting page fits and is accessible for every kind of poll, in both themes', async (t) => {
  const s = await exhibition(t);
  const looks = [
    { size: 'phone', colorScheme: 'light', usesAxe: true, polls: Object.keys(GALLERY) },
    { size: 'phone', colorScheme: 'dark', usesAxe: true, polls: FORMS },
    { size: 'laptop', colorScheme: 'light', usesAxe: false, polls: FORMS },
  ] as const;
  for (const { size, colorScheme, usesAxe, polls } of looks) {
    const address = `${s.http}/vote/nowhere`;
    const { page, problems, close } = await visit(browser, address, { viewport: SIZES[size], colorScheme });
    await page.waitForSelector('h1:text("Waiting for the next question")');
    if (usesAxe) await isAccessible(t, page, `an empty room, ${colorScheme}`);
    for (const poll of polls) {
      await page.goto(`${s.http}/vote/room-${poll}`);
      await page.waitForSelector('.card .state');
      await page.waitForSelector('.line[data-up="true"]');
      const what = `${poll}, ${size}, ${colorScheme}`;
      await fits(t, page, what);
      if (usesAxe) await isAccessible(t, page, what);
      await picture(page, `phone-${poll}-${size}-${colorScheme}`, true);
    }
    t.same(problems, []);
    await close();
  }
});
