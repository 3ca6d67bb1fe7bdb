import type { Browser } from 'playwright-core';
import t from 'tap';
import { stage } from '../../support/stage.ts';
import { picture, SIZES, startBrowser, THEMES, visit } from '../support/browser.ts';
import { exhibition, fits, isAccessible } from '../support/exhibition.ts';
import { exhibit } from '../support/gallery.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

t.test('the operator’s pages fit and are accessible at every size and in both themes', async (t) => {
  const s = await exhibition(t);
  const devices = Array.from({ length: 12 }, (_, i) => ({
    device: `seat-${i}`,
    label: `Seat ${i}, with a label`,
    group: 'north',
    weight: '2.5',
  }));
  await s.call('POST', '/api/devices/import', { operator: true, body: { devices } });
  for (const [size, viewport] of Object.entries(SIZES)) {
    // Themes differ only in their colours, which axe checks at one size.
    for (const colorScheme of size === 'laptop' ? THEMES : (['light'] as const)) {
      const { page, problems, close } = await visit(browser, `${s.http}/`, { viewport, colorScheme });
      await page.waitForSelector('input[name=token]');
      await fits(t, page, `sign in, ${size}, ${colorScheme}`);
      if (size === 'laptop') await isAccessible(t, page, `sign in, ${colorScheme}`);
      await page.fill('input[name=token]', 'operator-token-of-tests');
      await page.click('button[type=submit]');
      await page.waitForSelector('.desk');
      for (const [name, hash, landmark] of [
        ['polls', '/polls', '.polls li'],
        ['new', '/polls/new', '.preview .option'],
        ['poll', '/polls/irv', '.sum'],
        ['words', '/polls/text', '.cloud li'],
        ['rooms', '/rooms', '.room .qr'],
        ['devices', '/devices', 'tbody tr'],
      ] as const) {
        await page.evaluate(`location.hash = '#${hash}'`);
        await page.waitForSelector(landmark);
        for (const summary of await page.$$('details:not([open]) > summary')) await summary.click();
        await fits(t, page, `${name}, ${size}, ${colorScheme}`);
        if (size === 'laptop') await isAccessible(t, page, `${name}, ${colorScheme}`);
        await picture(page, `operator-${name}-${size}-${colorScheme}`, true);
      }
      t.same(problems, []);
      await close();
    }
  }
});

t.test('nothing overflows in any language or in right-to-left layout', async (t) => {
  const s = await stage(t);
  await exhibit(s, 'numeric', 'numeric', { room: 'hall' });
  for (const lang of ['de', 'es', 'fr']) {
    const { page, problems, close } = await visit(browser, `${s.http}/vote/hall?lang=${lang}`, {
      viewport: SIZES.phone,
    });
    await page.waitForSelector('.number input');
    t.equal(await page.getAttribute('html', 'lang'), lang);
    await fits(t, page, `phone in ${lang}`);
    await picture(page, `phone-language-${lang}`, true);
    await page.goto(`${s.http}/screen/numeric?lang=${lang}`);
    await page.waitForSelector('.columns');
    await fits(t, page, `screen in ${lang}`);
    await page.goto(`${s.http}/?lang=${lang}`);
    await page.fill('input[name=token]', 'operator-token-of-tests');
    await page.click('button[type=submit]');
    await page.waitForSelector('.polls li');
    await page.evaluate(`location.hash = '#/polls/new'`);
    await page.waitForSelector('.preview');
    await fits(t, page, `editor in ${lang}`);
    await isAccessible(t, page, `editor in ${lang}`);
    await picture(page, `operator-language-${lang}`, true);
    t.same(problems, []);
    await close();
  }
  const { page, close } = await visit(browser, `${s.http}/screen/numeric`, { viewport: SIZES.phone });
  await page.waitForSelector('.columns');
  for (const address of ['/screen/numeric', '/vote/hall']) {
    await page.goto(s.http + address);
    await page.waitForSelector('h1');
    await page.evaluate(`document.documentElement.dir = 'rtl'`);
    await fits(t, page, `${address} from right to left`);
    await picture(page, `right-to-left${address.replaceAll('/', '-')}`);
  }
  await close();
});
