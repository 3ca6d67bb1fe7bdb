import type { Browser } from 'playwright-core';
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { Link } from '../support/network/link.ts';
import { stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser, visit } from './support/browser.ts';
import { fits, isAccessible } from './support/exhibition.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

const PHONE = { viewport: SIZES.phone };

t.test(
  'unless the poll says otherwise, a phone shows figures once it has voted, and the screen at the end',
  async (t) => {
    const s = await stage(t);
    const options = ['a', 'b'].map((key) => ({ key, label: `Option ${key}` }));
    const body = { poll: 'q', title: 'Q?', room: 'hall', options };
    await s.call('POST', '/api/polls', { operator: true, body });
    await s.call('POST', '/api/polls/q/open', { operator: true });
    const phone = await visit(browser, `${s.http}/vote/hall`, PHONE);
    const screen = await visit(browser, `${s.http}/screen/q`);
    await (await s.device('other')).vote('vote/q', 'b');
    await screen.page.waitForSelector('.turnout strong:text-is("1")');
    t.notMatch(await screen.page.textContent('.stage'), /%/);
    await phone.page.waitForSelector('.option');
    t.equal(await phone.page.$('.result'), null);
    await phone.page.click('.option:has-text("Option b")');
    await phone.page.waitForSelector('.result .value .first:text-is("100.0%")');
    t.notMatch(await screen.page.textContent('.stage'), /%/);
    await s.call('POST', '/api/polls/q/close', { operator: true });
    await screen.page.waitForSelector('.screen[data-status="final"] .value .first:text-is("100.0%")');
    for (const { problems, close } of [phone, screen]) {
      t.same(problems, []);
      await close();
    }
  },
);

t.test('figures that a phone may see as a voter stay when the connection is lost and found', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall', visibility: 'voted' });
  const link = await Link.to(Number(new URL(s.http).port));
  t.teardown(() => link.end());
  const { page, close } = await visit(browser, 'about:blank', PHONE, /ERR_|WebSocket/);
  const sockets: string[][] = [];
  page.on('websocket', (socket) => {
    const sent: string[] = [];
    sockets.push(sent);
    socket.on('framesent', ({ payload }) => sent.push(payload.toString('latin1')));
  });
  await page.goto(`http://127.0.0.1:${link.port}/vote/hall`);
  await page.click('.option:has-text("Option a")');
  await page.waitForSelector('.result .value .first:text-is("100.0%")');
  link.cut();
  await page.waitForSelector('.line[data-up="false"]');
  link.heal();
  await page.waitForSelector('.line[data-up="true"]');
  const back = await eventually('the new subscription', async () =>
    sockets.length > 1 ? sockets.at(-1)?.find((frame) => frame.includes('room/hall')) : undefined,
  );
  t.notOk(back.includes('result/q'), 'what everybody may see would replace what a voter may see');
  await (await s.device('other')).vote('vote/q', 'b');
  await page.waitForSelector('.result .value .first:text-is("50.0%")');
  await close();
});

t.test('a phone follows a change of who sees figures', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall', visibility: 'closed' });
  const { page, problems, close } = await visit(browser, `${s.http}/vote/hall`, PHONE);
  await page.click('.option:has-text("Option a")');
  await page.waitForSelector('.vote[data-state="accepted"]');
  t.equal(await page.$('.result'), null);
  for (const visibility of ['voted', 'closed', 'live', 'turnout', 'voted', 'live', 'operator']) {
    await s.call('PATCH', '/api/polls/q', { operator: true, body: { visibility } });
    const isShown = visibility === 'voted' || visibility === 'live';
    await page.waitForSelector('.result .value .first:text-is("100.0%")', { state: isShown ? 'visible' : 'detached' });
  }
  t.same(problems, []);
  await close();
});

t.test(
  'hiding figures on a screen of the operator’s page hides them on phones too, and showing shows them',
  async (t) => {
    const s = await stage(t);
    await s.openPoll('q', { room: 'hall' });
    const desk = await signIn(browser, s, '#/polls/q');
    const address = await desk.page.getAttribute('.actions a:text-is("Present")', 'href');
    const screen = await visit(browser, s.http + address);
    const phone = await visit(browser, `${s.http}/vote/hall`, PHONE);
    const bystander = await visit(browser, `${s.http}/screen/room/hall`);
    await (await s.device('d')).vote('vote/q', 'a');
    const pages = [screen.page, phone.page, bystander.page];
    for (const page of pages) await page.waitForSelector('.value .first:text-is("100.0%")');

    await screen.page.keyboard.press(' ');
    await screen.page.waitForSelector('.curtain');
    await phone.page.waitForSelector('.result', { state: 'detached' });
    await phone.page.waitForSelector('text=Results are hidden for now.');
    await bystander.page.waitForSelector('.curtain');
    await desk.page.waitForSelector('text=Hidden for now on screens and phones.');
    t.equal(await screen.page.$('text=Only this screen'), null);
    await picture(screen.page, 'hidden-screen');
    await picture(phone.page, 'hidden-phone');
    await picture(desk.page, 'hidden-desk', true);
    await isAccessible(t, desk.page, 'hidden figures');
    // Votes go on behind the curtain, and the close is not announced as a final result.
    await phone.page.click('.option:has-text("Option b")');
    await s.call('POST', '/api/polls/q/close', { operator: true });
    for (const page of pages) {
      await page.waitForSelector('.status[data-status="closed"]');
      t.notMatch(await page.textContent('#page'), /Final result|%/);
    }
    await screen.page.keyboard.press(' ');
    for (const page of pages) {
      await page.waitForSelector('.status[data-status="final"]');
      await page.waitForSelector('.value .first:text-is("50.0%")');
    }
    for (const { problems, close } of [desk, screen, phone, bystander]) {
      t.same(problems, []);
      await close();
    }
  },
);

t.test(
  'what is hidden stays hidden for the room’s next poll, and a screen without a key says that it is alone',
  async (t) => {
    const s = await stage(t, { door: 'devices' });
    await s.openPoll('one', { room: 'hall' });
    const { screenKey } = (await s.call('GET', '/api/polls/one', { operator: true })).body;
    const screen = await visit(browser, `${s.http}/screen/room/hall?hide#key=${screenKey}`);
    const hidden = (poll: string) =>
      eventually(`${poll} to be hidden`, async () =>
        (await s.call('GET', `/api/polls/${poll}`)).body.curtain === true ? true : undefined,
      );
    await hidden('one');
    await s.call('POST', '/api/polls/one/close', { operator: true });
    await s.openPoll('two', { room: 'hall' });
    await hidden('two');
    const alone = await visit(browser, `${s.http}/screen/two`, PHONE, /401/);
    await alone.page.waitForSelector('.curtain');
    await s.call('POST', '/api/polls/two/show', { operator: true });
    for (const { page } of [screen, alone]) await page.waitForSelector('.bars');
    await alone.page.click('button:text-is("Hide")');
    await alone.page.waitForSelector('.curtain:has-text("Only this screen hides them")');
    await fits(t, alone.page, 'a screen that hides figures alone');
    await picture(alone.page, 'hidden-alone');
    for (const { problems, close } of [screen, alone]) {
      t.same(problems, []);
      await close();
    }
  },
);

t.test('a hidden final result is published by a confirmed button, never by the choice alone', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall', visibility: 'operator' });
  await (await s.device('d')).vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const crowd = async () => (await s.call('GET', '/api/polls/q/result')).body;
  const screen = await visit(browser, `${s.http}/screen/q`);
  await screen.page.waitForSelector('.status[data-status="closed"]');
  t.notMatch(await screen.page.textContent('#page'), /Final result/);
  const { page, problems, close } = await signIn(browser, s, '#/polls/q');
  await page.waitForSelector('text=Only operators see the figures.');
  t.notMatch(await page.textContent('.head'), /Final result/);
  t.match(await page.textContent('.head'), /Voting is closed.*hidden from the public/);
  await isAccessible(t, page, 'a hidden final result');
  await picture(page, 'reveal-desk', true);

  const dialogs: string[] = [];
  let isSure = false;
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void (isSure ? dialog.accept() : dialog.dismiss());
  });
  await page.focus('select[name=visibility]');
  for (const key of ['ArrowUp', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
  t.not(await page.inputValue('select[name=visibility]'), 'operator');
  t.match(await crowd(), { hidden: true, ballots: null }, 'choosing changes nothing');
  await page.click('button:text-is("Apply")');
  await page.click('button:text-is("Reveal")');
  t.match(dialogs, [/can see the results of “Poll q”: Everyone/, /Show the final result of “Poll q” to everyone now/]);
  t.match(await crowd(), { hidden: true }, 'nothing changes without a confirmation');
  isSure = true;
  await page.click('button:text-is("Reveal")');
  await screen.page.waitForSelector('.status[data-status="final"]');
  await page.waitForSelector('.status[data-status="final"]');
  await page.waitForSelector('text=Everyone sees the figures.');
  t.equal((await crowd()).ballots, 1);
  await page.click('button:text-is("Hide for now")');
  await screen.page.waitForSelector('.curtain');
  t.equal(dialogs.length, 3, 'hiding is never delayed by a question');
  t.same([...problems, ...screen.problems], []);
  await close();
  await screen.close();
});

t.test('a secret poll is offered only what it may show, and needs no other choice', async (t) => {
  const s = await stage(t);
  const { page, problems, close } = await signIn(browser, s, '#/polls/new');
  await page.fill('textarea[name=title]', 'Who?');
  await page.fill('input[name=poll]', 'q');
  for (const i of [1, 2]) await page.fill(`[aria-label="Label of option ${i}"]`, `Option ${i}`);
  await page.click('summary:has-text("Rules")');
  t.equal(await page.inputValue('select[name=visibility]'), 'voted');
  await page.selectOption('select[name=kind]', 'pulse');
  t.equal(await page.inputValue('select[name=visibility]'), 'live');
  await page.selectOption('select[name=kind]', 'single');
  await page.selectOption('select[name=visibility]', 'live');
  await page.selectOption('select[name=secrecy]', 'secret');
  t.equal(await page.inputValue('select[name=visibility]'), 'closed');
  t.same(await page.$$eval('select[name=visibility] option', (all) => all.map((one) => one.getAttribute('value'))), [
    'turnout',
    'closed',
    'operator',
  ]);
  await page.click('button:text-is("Save and open")');
  await page.waitForSelector('.status[data-status="open"]');
  await page.waitForSelector('text=Nobody sees the figures before the end.');
  t.match((await s.call('GET', '/api/polls/q')).body, { secrecy: 'secret', visibility: 'closed' });
  t.same(problems, []);
  await close();
});
