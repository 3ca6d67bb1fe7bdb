import type { Browser } from 'playwright-core';
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser, visit } from './support/browser.ts';
import { fits, isAccessible } from './support/exhibition.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

t.test(
  'a guest’s nickname appears on the leaderboard and in lists, and operators can remove and block it',
  async (t) => {
    const s = await stage(t);
    await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1', label: 'First seat' } });
    await s.openPoll('q', { kind: 'quiz', correct: ['b'], room: 'hall' });
    const phone = await visit(browser, `${s.http}/vote/hall`, { viewport: SIZES.phone }, /409|403/);
    const { page } = phone;
    await page.click('.option:has-text("Option b")');
    await page.waitForSelector('.vote[data-state="accepted"]');
    await page.click('summary:text-is("Your name (optional)")');
    await page.fill('input[name=nickname]', 'First seat');
    await page.press('input[name=nickname]', 'Enter');
    await page.waitForSelector('text=Somebody else has this name.');
    await page.fill('input[name=nickname]', 'Zoë the Great');
    await page.click('.nickname button');
    await page.waitForSelector('text=Saved.');
    await fits(t, page, 'a nickname');
    await isAccessible(t, page, 'a nickname');
    await picture(page, 'nickname-phone', true);
    await (await s.device('seat-1')).vote('vote/q', 'b');
    await s.resultAfter('q', 2);

    const desk = await signIn(browser, s, '#/polls/q');
    await desk.page.click('summary:text-is("Who has answered")');
    await desk.page.waitForSelector('.grid li[data-answered]:has-text("First seat")');
    await desk.page.waitForSelector('.grid li[data-answered]:has-text("Zoë the Great")');
    await picture(desk.page, 'nickname-responses', true);
    await s.call('POST', '/api/polls/q/close', { operator: true });
    const screen = await visit(browser, `${s.http}/screen/room/hall`);
    await screen.page.waitForSelector('.screen[data-status="final"]');
    await eventually('the leaderboard', async () => {
      await screen.page.keyboard.press('ArrowRight');
      return (await screen.page.$('.leaderboard')) ? true : undefined;
    });
    t.same(
      (await screen.page.$$eval('.leaderboard tbody th', (all) => all.map((one) => one.textContent?.trim()))).sort(),
      ['First seat', 'Zoë the Great'],
    );
    await picture(screen.page, 'nickname-screen');

    await desk.page.evaluate(`location.hash = '#/devices'`);
    await desk.page.click('summary:has-text("Guests’ nicknames")');
    await isAccessible(t, desk.page, 'nicknames of guests');
    await picture(desk.page, 'nickname-devices', true);
    await desk.page.click('.nicknames li:has-text("Zoë the Great") button:has-text("Block")');
    await desk.page.waitForSelector('.nicknames .struck');
    t.notOk((await desk.page.textContent('.nicknames'))?.includes('Zoë'));
    await page.fill('input[name=nickname]', 'Zoë again');
    await page.click('.nickname button');
    await page.waitForSelector('text=The organisers have blocked you from setting a name here.');
    const board = (await s.call('GET', '/api/leaderboard?polls=q')).body;
    t.notMatch(JSON.stringify(board), /Zoë/);
    await desk.page.click('.nicknames .struck button:has-text("Allow again")');
    await desk.page.waitForSelector('.nicknames', { state: 'detached' });
    await page.click('.nickname button');
    await page.waitForSelector('text=Saved.');
    for (const { problems, close } of [phone, desk, screen]) {
      t.same(problems, []);
      await close();
    }
  },
);
