import type { Browser } from 'playwright-core';
import t from 'tap';
import { prefixProxy } from '../support/network/prefix-proxy.ts';
import { stage } from '../support/stage.ts';
import { SIZES, startBrowser, visit } from './support/browser.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

for (const [prefix, strips] of [
  ['/live/votes', true],
  // The same names as pages of Pollcast.
  ['/vote', true],
  ['/screen', false],
] as const) {
  t.test(`every page works below ${prefix}, which the proxy ${strips ? 'removes' : 'passes on'}`, async (t) => {
    let port = 0;
    const origin = await prefixProxy(t, prefix, strips, () => port);
    const s = await stage(t, { publicUrl: `${origin}${prefix}` });
    port = Number(new URL(s.http).port);
    await s.openPoll('q', { room: 'hall' });

    const desk = await visit(browser, `${origin}${prefix}`);
    await desk.page.fill('input[name=token]', 'operator-token-of-tests');
    await desk.page.click('button[type=submit]');
    await desk.page.waitForSelector('.desk');
    await desk.page.click('a[href="#/polls/q"]');
    const screenLink = await desk.page.waitForSelector('a[href*="/screen/room/"]');
    t.match(await screenLink.getAttribute('href'), new RegExp(`^${prefix}/screen/`));

    const screen = await visit(browser, `${origin}${prefix}/screen/room/hall`);
    await screen.page.waitForSelector('h1:has-text("Poll q")');

    const { joinUrl } = (await s.call('GET', '/api/rooms/hall')).body;
    t.equal(joinUrl, `${origin}${prefix}/vote/hall`, 'the QR code leads there');
    const phone = await visit(browser, joinUrl, { viewport: SIZES.phone });
    await phone.page.click('.option:has-text("Option a")');
    await phone.page.waitForSelector('.vote[data-state="accepted"]');
    const manifest = await phone.page.getAttribute('link[rel=manifest]', 'href');
    t.match(await (await fetch(`${origin}${manifest}`)).json(), { start_url: `${prefix}/vote/hall` });
    t.match(await s.resultAfter('q', 1), { ballots: 1 });
    await screen.page.waitForSelector('[class*=turnout]:has-text("1"), footer:has-text("1")');

    // Swagger UI sets styles that its own policy forbids.
    const docs = await visit(browser, `${origin}${prefix}/docs`, {}, /inline style/);
    await docs.page.waitForSelector('.opblock');
    for (const { problems, close } of [desk, screen, phone, docs]) {
      t.same(problems, []);
      await close();
    }
    const direct = await visit(browser, `${s.http}/vote/hall`, { viewport: SIZES.phone });
    await direct.page.waitForSelector('.option');
    t.same(direct.problems, [], 'and without the proxy, too');
    await direct.close();
    const behind = await (await fetch(`${s.http}${prefix}/metrics`)).text();
    t.notMatch(behind, 'pollcast_ready', 'what a proxy must block has no second path');
  });
}
