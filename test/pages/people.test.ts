import type { Browser } from 'playwright-core';
import t from 'tap';
import { type Stage, stage } from '../support/stage.ts';
import { picture, seriousFindings, startBrowser, visit } from './support/browser.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

const enter = async (s: Stage, token: string, hash = '') => {
  const found = await visit(browser, `${s.http}/${hash}`);
  await found.page.fill('input[name=token]', token);
  await found.page.click('button[type=submit]');
  await found.page.waitForSelector('.desk');
  return found;
};

t.test('operators are created with a role and rooms, suspended, allowed again and revoked', async (t) => {
  const s = await stage(t);
  const { page, problems, close } = await signIn(browser, s, '#/operators');
  await page.click('summary:text-is("New operator")');
  await page.fill('input[name=operator]', 'ann');
  await page.selectOption('select[name=role]', 'presenter');
  await page.fill('input[name=rooms]', 'hall, foyer');
  await page.click('button:text-is("Create")');
  const token = (await page.textContent('section:has(#operator-token) code')) ?? '';
  t.match(token, /^ann\.[\w-]{24}$/);
  await page.waitForSelector('table :text("hall and foyer")');
  t.same(await seriousFindings(page), []);
  await picture(page, 'operators', true);
  await page.click('button:text-is("I have saved it")');
  t.notMatch(await page.content(), token);
  const status = async () =>
    (await fetch(`${s.http}/api/operator`, { headers: { authorization: `Bearer ${token}` } })).status;
  t.equal(await status(), 200);
  await page.click('button:has-text("Suspend")');
  await page.waitForSelector('button:has-text("Allow again")');
  t.equal(await status(), 401);
  await page.click('button:has-text("Allow again")');
  await page.waitForSelector('button:has-text("Suspend")');
  t.equal(await status(), 200);
  page.once('dialog', (dialog) => void dialog.accept());
  await page.click('button:has-text("Revoke")');
  await page.waitForSelector('.empty');
  t.equal(await status(), 401);
  t.same(problems, []);
  await close();
});

t.test('the audit trail lists what was done and refused, and its hashes can be checked', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await s.call('POST', '/api/polls/q/open', { operator: true });
  const { page, problems, close } = await signIn(browser, s, '#/trail');
  await page.waitForSelector('td:has-text("poll.open")');
  t.equal(await page.locator('tbody tr').count(), 3);
  t.match(await page.textContent('tbody tr'), /root.*poll\.open.*poll\/q.*refused.*wrong-status/);
  await page.click('button:text-is("Check hashes")');
  await page.waitForSelector('[role=status]:has-text("All 3 records are intact")');
  t.same(await seriousFindings(page), []);
  await picture(page, 'audit-trail', true);
  t.same(problems, []);
  await close();
});

t.test('the page offers only what the role allows, in the rooms of the operator', async (t) => {
  const s = await stage(t);
  await s.openPoll('here', { room: 'hall' });
  await s.openPoll('there', { room: 'cellar' });
  const body = { operator: 'ann', role: 'presenter', rooms: ['hall'] };
  const { token } = (await s.call('POST', '/api/operators', { operator: true, body })).body;
  const { page, problems, close } = await enter(s, token);
  await page.waitForSelector('.polls li');
  t.same(await page.locator('nav a[href^="#"]').allTextContents(), ['Polls', 'Rooms']);
  t.equal(await page.locator('a:text-is("New poll")').count(), 0);
  t.equal(await page.locator('li:has-text("Poll here") button:text-is("Close")').count(), 1);
  t.equal(await page.locator('li:has-text("Poll there") button').count(), 0);
  await page.click('li:has-text("Poll here") button:text-is("Close")');
  await page.waitForSelector(
    'li:has-text("Poll here") [data-status=closed], li:has-text("Poll here"):has-text("closed")',
  );
  await page.click('a:text-is("Poll here")');
  await page.waitForSelector('.columns-2');
  t.same(await page.locator('button:text-is("Recount from the log"), button:text-is("Delete")').count(), 0);
  t.same(await seriousFindings(page), []);
  t.same(problems, []);
  await close();
});
