import type { Browser } from 'playwright-core';
import t from 'tap';
import { stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser, visit } from './support/browser.ts';
import { isAccessible } from './support/exhibition.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

t.test('an undecided result says so everywhere, and a lot that is entered decides it everywhere', async (t) => {
  const s = await stage(t);
  const options = ['Ada', 'Ben', 'Cleo'].map((label) => ({ key: label[0]?.toLowerCase(), label }));
  await s.openPoll('q', { kind: 'ranking', options, room: 'hall', visibility: 'live' });
  for (const [device, choice] of Object.entries({ d1: 'a>b', d2: 'b>a', d3: 'c>b' })) {
    await (await s.device(device)).vote('vote/q', choice);
  }
  await s.resultAfter('q', 3);
  const screen = await visit(browser, `${s.http}/screen/q`, { viewport: SIZES.projector });
  const phone = await visit(browser, `${s.http}/vote/hall`, { viewport: SIZES.phone });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  for (const { page } of [screen, phone]) {
    await page.waitForSelector('.outcome:has-text("Undecided between Ada, Ben, and Cleo: a lot must be drawn.")');
  }
  await screen.page.waitForSelector('[role=status]:has-text("Undecided between Ada, Ben, and Cleo")');
  await picture(screen.page, 'undecided-screen');
  await picture(phone.page, 'undecided-phone');

  const desk = await signIn(browser, s, '#/polls/q');
  await desk.page.waitForSelector('.outcome:has-text("Undecided between")');
  t.ok(await desk.page.isDisabled('button:text-is("Enter lot")'));
  for (const name of ['Ben', 'Ada']) await desk.page.click(`fieldset button:text-is("${name}")`);
  t.ok(await desk.page.isDisabled('button:text-is("Enter lot")'), 'the lot is not complete');
  await isAccessible(t, desk.page, 'entering a lot');
  await picture(desk.page, 'undecided-operator');
  await desk.page.click('fieldset button:text-is("Cleo")');
  const texts: string[] = [];
  desk.page.on('dialog', (dialog) => {
    texts.push(dialog.message());
    void dialog.accept();
  });
  await desk.page.click('button:text-is("Enter lot")');
  for (const { page } of [desk, screen, phone]) {
    await page.waitForSelector('.outcome:has-text("Decided by lot between Ada, Ben, and Cleo.")');
  }
  await screen.page.waitForSelector('[role=status]:has-text("Decided by lot between Ada, Ben, and Cleo")');
  t.match(texts[0], /^Enter this lot: Ben, Ada, and Cleo\?/);
  t.match((await s.call('GET', '/api/polls/q/result')).body, { winners: ['b'] });
  await picture(screen.page, 'decided-by-lot-screen');
  await picture(phone.page, 'decided-by-lot-phone');

  await desk.page.click('summary:text-is("Withdraw an option")');
  await desk.page.selectOption('select[name=withdrawn]', 'b');
  await desk.page.click('button:text-is("Withdraw an option")');
  await desk.page.waitForSelector('.outcome:has-text("Withdrawn: Ben.")');
  t.match(texts[1], /^Withdraw “Ben”\? .*cannot be undone/);
  t.same([...desk.problems, ...screen.problems, ...phone.problems], []);
  for (const one of [desk, screen, phone]) await one.close();
});

t.test('vacant seats and level finalists are undecided too', async (t) => {
  const s = await stage(t);
  const options = ['Ada', 'Ben', 'Cleo', 'Dan'].map((label) => ({ key: label[0]?.toLowerCase(), label }));
  const polls = {
    seats: {
      kind: 'ranking',
      method: 'stv',
      seats: 2,
      votes: ['a', 'a', 'b', 'c'],
      text: 'Undecided between Ben and Cleo',
    },
    star: { kind: 'score', method: 'star', votes: ['a:5,b:5', 'a:5,b:5'], text: 'Undecided between Ada and Ben' },
    board: { kind: 'multiple', seats: 2, votes: ['a,b', 'a,c'], text: 'Undecided between Ben and Cleo' },
  };
  for (const [poll, { votes, text, ...settings }] of Object.entries(polls)) {
    await s.openPoll(poll, { options, room: poll, visibility: 'live', ...settings });
    for (const [i, choice] of votes.entries()) await (await s.device(`${poll}${i}`)).vote(`vote/${poll}`, choice);
    await s.resultAfter(poll, votes.length);
    await s.call('POST', `/api/polls/${poll}/close`, { operator: true });
    for (const [path, size] of [
      ['screen', 'projector'],
      ['vote', 'phone'],
    ] as const) {
      const { page, problems, close } = await visit(browser, `${s.http}/${path}/${poll}`, { viewport: SIZES[size] });
      await page.waitForSelector(`.outcome:has-text("${text}")`);
      await picture(page, `undecided-${poll}-${size}`);
      t.same(problems, []);
      await close();
    }
  }
});
