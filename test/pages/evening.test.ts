import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { onOwnPorts } from '../support/ports.ts';
import { stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser, type Visit, visit } from './support/browser.ts';

const run = promisify(execFile);
const TITLE = 'Shall we go <script>document.title="owned"</script> on?';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

const values = (page: Page) => page.$$eval('.bars .value .first', (all) => all.map((one) => one.textContent));

t.test('a whole evening works: create, open, vote by phone and clicker, watch, close, final result', async (t) => {
  const s = await stage(t);
  const operator = await visit(browser, `${s.http}/`, {}, /401/);
  const { page: desk } = operator;
  await desk.fill('input[name=token]', 'not-the-operator-token');
  await desk.click('button[type=submit]');
  await desk.waitForSelector('.problem:text("Incorrect token")');
  t.equal(await desk.$('.desk'), null, 'a wrong token gives no access');
  await desk.fill('input[name=token]', 'operator-token-of-tests');
  await desk.click('button[type=submit]');
  await desk.waitForSelector('.desk');
  t.notMatch(desk.url(), /token/, 'the token is not in the URL');

  await desk.click('a:text("New poll")');
  await desk.fill('textarea[name=title]', TITLE);
  await desk.fill('input[name=poll]', 'q');
  await desk.fill('input[name=room]', 'hall');
  await desk.fill('[aria-label="Label of option 1"]', 'Yes');
  await desk.fill('[aria-label="Label of option 2"]', '<img src=x onerror=alert(1)>');
  await desk.click('summary:has-text("Rules")');
  await desk.selectOption('select[name=visibility]', 'live');
  t.equal(await desk.textContent('.preview h2'), TITLE, 'the preview shows the title as it is typed');
  await picture(desk, 'evening-editor');

  const screen = await visit(browser, `${s.http}/screen/room/hall`, { viewport: SIZES.projector });
  await screen.page.waitForSelector('h1:text("Waiting for the next question")');
  await desk.click('button:text-is("Save and open")');
  await desk.waitForSelector('.status[data-status="open"]');

  await screen.page.waitForSelector('.screen[data-status="open"]');
  t.equal(await screen.page.textContent('h1'), TITLE, 'the title is shown as text');
  t.equal(await screen.page.$$eval('script', (all) => all.length), 1, 'the title is never treated as markup');
  const phones: Visit[] = [];
  for (const choice of ['Yes', 'Yes', '<img src=x onerror=alert(1)>']) {
    const phone = await visit(browser, `${s.http}/vote/hall`, { viewport: SIZES.phone });
    phones.push(phone);
    await phone.page.click(`.option:has-text("${choice}")`);
    await phone.page.waitForSelector('.vote[data-state="accepted"]');
  }
  await picture(phones[0]?.page as Page, 'evening-phone');
  const port = String(s.pollcast.mqttPort);
  await run('mosquitto_pub', [
    '-h',
    '127.0.0.1',
    '-p',
    port,
    '-q',
    '1',
    '-i',
    'clicker-1',
    '-t',
    'vote/room/hall',
    '-m',
    'a',
  ]);
  await screen.page.waitForSelector('.turnout strong:text-is("4")');
  t.same(await values(screen.page), ['75.0%', '25.0%']);
  const widths = await screen.page.$$eval('.bars .fill', (all) => all.map((one) => one.getAttribute('style')));
  t.match(widths, [/scaleX\(0\.75\)/, /scaleX\(0\.25\)/]);
  await picture(screen.page, 'evening-screen-open');
  await phones[0]?.page.waitForSelector('.result .value .first:text-is("75.0%")');

  await desk.click('button.stop:text-is("Close")');
  await screen.page.waitForSelector('.screen[data-status="final"]');
  await screen.page.waitForSelector('.seal[data-agrees="true"]');
  await phones[1]?.page.waitForSelector('.status[data-status="final"]');
  await desk.waitForSelector('text=/Recounted on .*: confirmed/');
  t.match(await desk.textContent('.sum'), /received\s*4.*counted.*4/s);
  await picture(screen.page, 'evening-screen-final');
  await picture(desk, 'evening-desk-final', true);
  for (const { problems, close } of [operator, screen, ...phones]) {
    t.same(problems, [], 'the pages cause no errors and no requests to other origins');
    await close();
  }
});

t.test('the screen follows a poll from draft to final and responds to the keyboard', async (t) => {
  const s = await stage(t);
  const options = [
    { key: 'a', label: 'Yes' },
    { key: 'b', label: 'No' },
  ];
  await s.call('POST', '/api/polls', {
    operator: true,
    body: { poll: 'q', title: 'A question', options, durationMs: 600_000, visibility: 'live' },
  });
  const { page, problems, close } = await visit(browser, `${s.http}/screen/q`);
  await page.waitForSelector('.screen[data-status="draft"]');
  t.notOk((await page.content()).includes('A question'), 'a draft is not shown');
  await s.call('POST', '/api/polls/q/open', { operator: true });
  await page.waitForSelector('.screen[data-status="open"]');
  t.match(await page.textContent('.countdown'), /09:5\d|10:00/);
  await (await s.device('d')).vote('vote/q', 'a');
  await page.waitForSelector('.turnout strong:text-is("1")');

  await page.keyboard.press(' ');
  await page.waitForSelector('.curtain');
  t.equal(await page.$('.bars'), null, 'the bars are hidden');
  t.notOk((await page.content()).includes('100.0%'), 'the figures are hidden from screen readers too');
  await page.keyboard.press(' ');
  await page.waitForSelector('.bars');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('.timeline canvas');
  await page.keyboard.press('ArrowLeft');
  await page.waitForSelector('.bars');
  await page.keyboard.press('f');
  await page.waitForSelector('html:fullscreen');
  await page.keyboard.press('?');
  await page.waitForSelector('.help');
  await page.keyboard.press('Escape');
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await page.waitForSelector('.screen[data-status="final"]');
  t.match(
    await page.textContent('[role=status].unseen'),
    /Final result/,
    'the final result is announced to screen readers',
  );
  t.same(problems, []);
  await close();
});

t.test('the keyboard steps through the rounds of a runoff', async (t) => {
  const s = await stage(t);
  const { exhibit } = await import('./support/gallery.ts');
  await exhibit(s, 'irv');
  const { page, close } = await visit(browser, `${s.http}/screen/irv`);
  await page.waitForSelector('.what:has-text("Round 3 of 3. Knoxville wins.")');
  await page.keyboard.press('ArrowUp');
  await page.waitForSelector('.what:has-text("Round 2 of 3. Eliminated: Nashville.")');
  t.same(await page.$$eval('.bars [data-mark="out"] .label', (all) => all.map((one) => one.textContent)), [
    'bNashville',
    'cChattanooga',
  ]);
  await close();
});

t.test('the screen of a room moves on to the next question automatically', async (t) => {
  const s = await stage(t);
  await s.openPoll('first', { room: 'hall', title: 'First?' });
  const { page, close } = await visit(browser, `${s.http}/screen/room/hall`);
  await page.waitForSelector('h1:text-is("First?")');
  await s.call('POST', '/api/polls/first/close', { operator: true });
  await page.waitForSelector('.screen[data-status="final"]');
  await s.openPoll('second', { room: 'hall', title: 'Second?' });
  await page.waitForSelector('h1:text-is("Second?")');
  await page.waitForSelector('.join .qr');
  t.match(await page.textContent('.join strong'), /\/vote\/hall$/);
  await close();
});

t.test('the screen reconnects automatically and says so while the connection is lost', async (t) => {
  const s = await onOwnPorts(1, (port) => stage(t, { httpPort: String(port) }));
  await s.openPoll('q');
  const { page, close } = await visit(browser, `${s.http}/screen/q`, {}, /ERR_/);
  await page.waitForSelector('.screen[data-status="open"]');
  const httpPort = String(s.pollcast.httpPort);
  await s.stop();
  await page.waitForSelector('.line:text("Connection lost")');
  const second = await stage(t, { httpPort }, s.directory);
  await (await second.device('d')).vote('vote/q', 'a');
  await page.waitForSelector('.turnout strong:text-is("1")');
  await page.waitForSelector('.line', { state: 'detached' });
  await close();
});
