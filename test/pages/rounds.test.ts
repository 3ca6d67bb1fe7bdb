import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser, visit } from './support/browser.ts';
import { fits, isAccessible } from './support/exhibition.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

/** The text of each dialog that appears; each is accepted or dismissed as `isSure` says. */
function answerDialogs(page: Page): { isSure: boolean; readonly texts: string[] } {
  const answers = { isSure: false, texts: [] as string[] };
  page.on('dialog', (dialog) => {
    answers.texts.push(dialog.message());
    void (answers.isSure ? dialog.accept() : dialog.dismiss());
  });
  return answers;
}

const shares = (page: Page, round: number) =>
  page.$$eval(`.rounds section[aria-label="Round ${round}"] .value .first`, (all) =>
    all.map(({ textContent }) => textContent),
  );

t.test('a closed poll goes on, or begins again, once its operator has confirmed what will happen', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  await (await s.device('d')).vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const { page, problems, close } = await signIn(browser, s, '#/polls/q');
  await page.waitForSelector('.status[data-status="final"]');
  t.equal(await page.$('select[name=round]'), null, 'there is only one round');
  const dialogs = answerDialogs(page);
  await page.click('button:text-is("New round")');
  await page.click('button:text-is("Continue voting")');
  t.match(dialogs.texts, [
    /^Start round 2 of “Poll q”\?.*empty ballot.*The result of round 1 is kept/s,
    /^Continue round 1 of “Poll q”\? All ballots stay.*no longer final/s,
  ]);
  t.match((await s.call('GET', '/api/polls/q')).body, { status: 'closed', round: 1 }, 'nothing happens unconfirmed');

  dialogs.isSure = true;
  await page.click('button:text-is("Continue voting")');
  await page.waitForSelector('.status[data-status="open"]');
  await (await s.device('e')).vote('vote/q', 'a');
  await page.waitForSelector('.value:has-text("100.0%"):has-text("2")');
  await page.click('button:text-is("Close")');
  await page.waitForSelector('.status[data-status="final"]');
  await page.click('button:text-is("New round")');
  await page.waitForSelector('text=round 2');
  t.match((await s.call('GET', '/api/polls/q/result')).body, { round: 2, ballots: 0, status: 'open' });
  t.same(problems, []);
  await close();

  await s.openPoll('secret', { secrecy: 'secret', visibility: 'closed' });
  await s.call('POST', '/api/polls/secret/close', { operator: true });
  const other = await signIn(browser, s, '#/polls/secret');
  await other.page.waitForSelector('button:text-is("New round")');
  t.equal(await other.page.$('button:text-is("Continue voting")'), null, 'a secret round cannot go on');
  await other.close();
});

t.test('every round can be shown, also two beside each other, on the operator’s page and on the screen', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall', title: 'Before and after?' });
  for (const [round, choices] of [
    ['first', 'abb'],
    ['second', 'aab'],
    ['third', 'c'],
  ] as const) {
    if (round !== 'first') await s.call('POST', '/api/polls/q/reopen', { operator: true });
    for (const [i, choice] of [...choices].entries()) await (await s.device(`${round}-${i}`)).vote('vote/q', choice);
    await s.resultAfter('q', choices.length);
    if (round !== 'third') await s.call('POST', '/api/polls/q/close', { operator: true });
  }
  const { page, problems, close } = await signIn(browser, s, '#/polls/q');
  await page.selectOption('select[name=round]', '1');
  await page.waitForSelector('.rounds section[aria-label="Round 1"] .value .first:text-is("66.7%")');
  t.same(await shares(page, 1), ['33.3%', '66.7%', '0.0%']);
  await page.selectOption('select[name=beside]', '2');
  await page.waitForSelector('.rounds section[aria-label="Round 2"] .value .first:text-is("66.7%")');
  t.same(await shares(page, 2), ['66.7%', '33.3%', '0.0%']);
  await isAccessible(t, page, 'two rounds on the operator’s page');
  await picture(page, 'rounds-desk', true);
  const address = (await page.getAttribute('a:text-is("Present these rounds")', 'href')) as string;
  t.match(address, /^\/screen\/q\?round=1,2#key=/);
  await page.selectOption('select[name=beside]', '');
  await page.selectOption('select[name=round]', '3');
  await page.waitForSelector('.rounds', { state: 'detached' });
  t.same(problems, []);
  await close();

  for (const [size, colorScheme] of [
    ['projector', 'light'],
    ['laptop', 'dark'],
    ['phone', 'light'],
  ] as const) {
    const screen = await visit(browser, s.http + address, { viewport: SIZES[size], colorScheme });
    await screen.page.waitForSelector('.rounds section[aria-label="Round 1"] .value');
    await screen.page.waitForSelector('.rounds section[aria-label="Round 2"] .value');
    t.same(await shares(screen.page, 1), ['33.3%', '66.7%', '0.0%']);
    t.same(await shares(screen.page, 2), ['66.7%', '33.3%', '0.0%']);
    await fits(t, screen.page, `two rounds, ${size}`);
    await isAccessible(t, screen.page, `two rounds, ${size}, ${colorScheme}`);
    await picture(screen.page, `rounds-screen-${size}-${colorScheme}`);
    t.same(screen.problems, []);
    await screen.close();
  }
  // The current round beside an earlier one goes on, and so does the room's screen.
  const live = await visit(browser, `${s.http}/screen/room/hall?round=2,3`);
  await live.page.waitForSelector('.rounds section[aria-label="Round 3"] .value .first:text-is("100.0%")');
  await (await s.device('late')).vote('vote/q', 'a');
  await live.page.waitForSelector('.rounds section[aria-label="Round 3"] .value .first:text-is("50.0%")');
  t.same(await shares(live.page, 2), ['66.7%', '33.3%', '0.0%']);
  await live.page.keyboard.press(' ');
  await live.page.waitForSelector('.curtain');
  t.equal(await live.page.$('.rounds'), null, 'hiding hides every round');
  t.same(live.problems, []);
  await live.close();
});
