import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { type EntryStage, entryStage } from '../support/identity.ts';
import { picture, seriousFindings, startBrowser, visit } from './support/browser.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

/** Goes to the provider from our page, and signs in there. */
async function signIn(page: Page, login: string): Promise<void> {
  await page.click('button:text-is("Sign in with Example ID")');
  await page.fill('input[name=login]', login);
  await page.click('button:text-is("Go")');
}

/** What was wrong on our own pages: requests to the provider are expected. */
const own = (s: EntryStage, problems: readonly string[]) =>
  problems.filter((one) => !one.startsWith(`request to ${s.provider.issuer}`));

t.test('a person signs in at the provider, returns to where they were, and signs out', async (t) => {
  const s = await entryStage(t);
  await s.openPoll('q');
  const { page, problems, close } = await visit(browser, `${s.http}/#/polls/q`);
  await page.waitForSelector('button:text-is("Sign in with Example ID")');
  t.same(await seriousFindings(page), []);
  await picture(page, 'sign-in', true);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/sign-in/complete', async (route) => {
    await held;
    return route.continue();
  });
  await signIn(page, 'ann');
  await page.waitForSelector('[role=status]:text-is("Signing you in…")');
  t.equal((await page.textContent('[role=alert]'))?.trim(), '', 'that is no problem of the token');
  release();
  await page.waitForSelector('h1:has-text("Poll q")');
  t.equal(page.url(), `${s.http}/#/polls/q`, 'neither the code nor the token is in the address');
  t.same(await page.context().cookies(`${s.http}/api/sign-in`), [], 'the cookie is gone');
  await page.click('nav a:text-is("Operators")');
  await page.waitForSelector('th:has-text("Ann Lee")');
  t.equal(await page.locator('button:has-text("Suspend")').count(), 0);
  t.same(await seriousFindings(page), []);
  await page.reload();
  await page.waitForSelector('th:has-text("Ann Lee")');
  await page.click('button:text-is("Sign out")');
  await page.waitForSelector('input[name=token]');
  t.same((await s.call('GET', '/api/operators', { operator: true })).body.operators, []);
  t.same(own(s, problems), []);
  await close();
});

t.test('an admin ends the session of somebody else, who is asked to sign in again', async (t) => {
  const s = await entryStage(t);
  const [bob, other, ann] = [
    await visit(browser, s.http, {}, /401/),
    await visit(browser, s.http),
    await visit(browser, s.http),
  ];
  for (const { page } of [other, bob]) {
    await signIn(page, 'bob');
    await page.waitForSelector('.desk');
  }
  await signIn(ann.page, 'ann');
  await ann.page.click('nav a:text-is("Operators")');
  const buttons = ann.page.locator('tr:has-text("Bob") button:has-text("End session")');
  await buttons.nth(1).waitFor();
  const names = await buttons.allTextContents();
  t.equal(new Set(names).size, 2, 'two sessions of the same person can be told apart');
  const sessions = (await s.call('GET', '/api/operators', { operator: true })).body.operators;
  const token = await bob.page.evaluate('sessionStorage.getItem("pollcast-operator-token")');
  const { operator } = sessions.find((one: { operator: string }) => String(token).startsWith(`${one.operator}.`));
  let asked = '';
  ann.page.once('dialog', (dialog) => {
    asked = dialog.message();
    void dialog.accept();
  });
  await ann.page.click(`tr:has-text("${operator}") button:has-text("End session")`);
  await ann.page.waitForSelector(`tr:has-text("${operator}")`, { state: 'detached' });
  t.match(asked, `(bob), signed in `);
  t.match(asked, `session ${operator}`);
  t.equal(await buttons.count(), 1);
  t.equal(await other.page.locator('.desk').count(), 1);
  await bob.page.click('nav a:text-is("Rooms")');
  await bob.page.reload();
  await bob.page.waitForSelector('input[name=token]');
  t.same([...own(s, bob.problems), ...own(s, ann.problems)], []);
  await bob.close();
  await other.close();
  await ann.close();
});

t.test('the page says why a sign-in failed, and what to do instead', async (t) => {
  const s = await entryStage(t);
  const { page, problems, close } = await visit(browser, s.http, {}, /status of 40[03]|status of 503/);
  const says = (text: string) => page.waitForSelector(`[role=alert]:has-text("${text}")`);
  await signIn(page, 'dora');
  await says('Your account has no role here. Ask an administrator for one');
  t.equal(new URL(page.url()).search, '');
  t.same(await seriousFindings(page), []);
  await picture(page, 'sign-in-no-role', true);
  await page.goto(`${s.http}/signed-in?code=x&state=y`);
  await says('This sign-in was not started in this browser');
  t.same(own(s, problems), []);
  await close();
  const denied = await visit(browser, s.http, {}, /status of 403/);
  await signIn(denied.page, 'nobody');
  await denied.page.waitForSelector('[role=alert]:has-text("The identity provider did not sign you in")');
  t.same(own(s, denied.problems), []);
  await denied.close();
});

t.test('at another address than the public one, the page leads to that one first', async (t) => {
  const s = await entryStage(t);
  const { page, close } = await visit(browser, `${s.http.replace('127.0.0.1', 'localhost')}/#/rooms`);
  await page.click('button:text-is("Sign in with Example ID")');
  await page.waitForURL(`${s.http}/#/rooms`);
  await signIn(page, 'ann');
  await page.waitForSelector('.desk');
  t.equal(page.url(), `${s.http}/#/rooms`);
  await close();
});

t.test('while the provider is down, the page says so, and a token is accepted', async (t) => {
  const s = await entryStage(t);
  await s.provider.stop();
  const { page, problems, close } = await visit(browser, s.http, {}, /status of 503/);
  await page.click('button:text-is("Sign in with Example ID")');
  await page.waitForSelector('[role=alert]:has-text("The identity provider did not respond")');
  await page.fill('input[name=token]', 'operator-token-of-tests');
  await page.click('button[type=submit]');
  await page.waitForSelector('.desk');
  t.same(own(s, problems), []);
  await close();
});

t.test('an address that no sign-in can return to keeps nobody from signing in', async (t) => {
  const s = await entryStage(t);
  for (const part of ['#/polls/q?x=1', `#/${'x'.repeat(300)}`, '#polls']) {
    const { page, problems, close } = await visit(browser, `${s.http}/${part}`);
    await signIn(page, 'ann');
    await page.waitForSelector('.desk');
    t.same(own(s, problems), [], part);
    await close();
  }
});

t.test('a sign-in that somebody else began does not replace a token that works without asking', async (t) => {
  const s = await entryStage(t);
  const { page, problems, close } = await visit(browser, s.http);
  await page.fill('input[name=token]', 'operator-token-of-tests');
  await page.click('button[type=submit]');
  await page.waitForSelector('.desk');
  const returns = async (login: string, answer: 'accept' | 'dismiss') => {
    const { address, cookie } = await s.begin('#/rooms');
    const [name = '', value = ''] = cookie.split('=');
    const { hostname: domain } = new URL(s.http);
    const path = '/api/sign-in';
    await page.context().addCookies([{ ...{ name, value, domain, path }, httpOnly: true, sameSite: 'Strict' }]);
    const asked = page.waitForEvent('dialog').then(async (dialog) => {
      await dialog[answer]();
      return dialog.message();
    });
    await page.goto(`${s.http}/signed-in${(await s.provider.visit(address, login)).search}`);
    return asked;
  };
  const sessions = async () => (await s.call('GET', '/api/operators', { operator: true })).body.operators;
  t.match(await returns('bob', 'dismiss'), /signed in as root.*as oidc:bob \(Bob\) instead/);
  await eventually('the end of the session', async () => (await sessions()).length === 0 || undefined);
  await page.reload();
  await page.waitForSelector('nav a:text-is("Operators")');
  t.match(await returns('bob', 'accept'), /root.*bob/);
  await page.waitForSelector('h1:text-is("Rooms")');
  await page.waitForSelector('nav a:text-is("Operators")', { state: 'detached' });
  t.same(own(s, problems), []);
  await close();
});
