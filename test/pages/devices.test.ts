/** Codes, secrets and revoking of several devices at once, on the operator’s page. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { emptyFolder } from '../support/folder.ts';
import { type Stage, stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser, THEMES, visit } from './support/browser.ts';
import { fits, isAccessible } from './support/exhibition.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

async function withDevices(s: Stage, count = 6): Promise<Map<string, string>> {
  const devices = Array.from({ length: count }, (_, i) => ({
    ...{ device: `seat-${i}`, label: `Seat ${i}`, group: i % 2 ? 'north' : 'south' },
  }));
  const { body } = await s.call('POST', '/api/devices/import', { operator: true, body: { devices } });
  return new Map(body.devices.map(({ device, secret }: Record<string, string>) => [device, secret]));
}

const tick = (page: Page, device: string) => page.check(`tr:has(th:text-is("${device}")) input[type=checkbox]`);
const begin = (page: Page, task: string) => page.click(`.chosen-bar button:text-is("${task}")`);
const listed = async (s: Stage): Promise<string[]> =>
  (await s.call('GET', '/api/devices', { operator: true })).body.devices.map(
    ({ device }: { device: string }) => device,
  );

t.test('claim codes are made for several devices, printed, used, and shown as used', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await withDevices(s);
  const { page, problems, close } = await signIn(browser, s, '#/devices');
  await tick(page, 'seat-0');
  await tick(page, 'seat-3');
  await page.waitForSelector('.chosen-bar:has-text("Chosen: 2")');
  await begin(page, 'Make claim codes');
  await page.waitForSelector('.task h2:text-is("Make claim codes for these devices (2)?")');
  t.equal(await page.evaluate('document.activeElement.id'), 'task', 'the question gets the focus');
  t.same(await page.locator('.task .grid b').allTextContents(), ['seat-0', 'seat-3'], 'which ones');
  await isAccessible(t, page, 'the question');
  await page.fill('input[name=days]', '7');
  await page.click('.task button[type=submit]');
  await page.waitForSelector('.task h2:text-is("Claim codes made: 2")');
  t.equal(await page.evaluate('document.activeElement.id'), 'task', 'the outcome gets the focus');
  t.same(await page.locator('.task tbody th').allTextContents(), ['seat-0', 'seat-3']);
  const codes = await page.locator('.codes strong').allTextContents();
  t.equal(codes.length, 2);
  for (const code of codes) t.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  await isAccessible(t, page, 'codes');
  await picture(page, 'devices-codes', true);
  await page.waitForSelector('tr:has(th:text-is("seat-0")) :text("code not used yet, valid until")');

  const [download] = await Promise.all([page.waitForEvent('download'), page.click('button:text-is("Save as CSV")')]);
  t.equal(download.suggestedFilename(), 'claim-codes.csv');
  await page.emulateMedia({ media: 'print' });
  t.equal(await page.isVisible('.top'), false, 'only the sheet is printed');
  t.equal(await page.isVisible('.codes li:nth-child(2) .qr'), true);
  await page.emulateMedia({ media: 'screen' });

  const claimed = await s.call('POST', '/api/claim', { body: { code: codes[0] } });
  t.match([claimed.status, claimed.body.device], [200, 'seat-0']);
  await page.click('button:text-is("I have saved them")');
  await page.waitForSelector('.codes', { state: 'detached' });
  await page.reload();
  await page.waitForSelector('tr:has(th:text-is("seat-0")) .access[data-access=used]:has-text("code used")');
  await page.waitForSelector('tr:has(th:text-is("seat-3")) .access[data-access=open]');
  await tick(page, 'seat-3');
  await tick(page, 'seat-4');
  await begin(page, 'Withdraw codes');
  await page.click('.task button[type=submit]');
  await page.waitForSelector('.task h2:text-is("Codes withdrawn: 1")');
  await page.waitForSelector('.task p:text-is("Had no code: 1")');
  await page.waitForSelector('.task tr[data-is=none]:has-text("seat-4"):has-text("had no code")');
  t.equal(await page.locator('.task button:text-is("Choose these again")').count(), 0);
  t.equal((await s.call('POST', '/api/claim', { body: { code: codes[1] } })).status, 403);
  await page.waitForSelector('tr:has(th:text-is("seat-3")) .access', { state: 'detached' });
  t.same(problems, []);
  await close();
});

t.test('new secrets replace the old ones when they are used, or at once', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const old = await withDevices(s);
  const { page, problems, close } = await signIn(browser, s, '#/devices');
  const live = await s.device('seat-1', { username: 'seat-1', password: old.get('seat-1') ?? '' });
  await tick(page, 'seat-1');
  await begin(page, 'New secrets');
  await page.click('.task button[type=submit]');
  await page.waitForSelector('.task h2:text-is("New secrets made: 1")');
  const secret = (await page.textContent('.secrets tr:has-text("seat-1") code')) ?? '';
  t.ok(live.client.connected, 'the old one works until the new one is used');
  await page.waitForSelector('tr:has(th:text-is("seat-1")) :text("new secret not used yet")');
  const closed = live.closed();
  await s.device('seat-1', { username: 'seat-1', password: secret });
  await closed;
  await page.click('.task button:text-is("Dismiss")');
  await begin(page, 'New secrets');
  await page.check('input[name=now]');
  await page.click('.task button.stop');
  await page.waitForSelector('.task h2:text-is("New secrets made: 1")');
  t.equal(await page.locator('.secrets tbody tr:has-text("seat-1")').count(), 1, 'only the newest secret is shown');
  await t.rejects(s.device('seat-1', { username: 'seat-1', password: secret }), { code: 4 });
  const newest = (await page.textContent('.secrets tr:has-text("seat-1") code')) ?? '';
  await s.device('seat-1', { username: 'seat-1', password: newest });
  t.same(problems, []);
  await close();
});

t.test('a task goes on while the operator looks at something else, and loses nothing that was made', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await withDevices(s, 250);
  const { page, problems, close } = await signIn(browser, s, '#/devices', {}, /status of 503/);
  let parts = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/devices/secrets', async (route) => {
    parts++;
    if (parts === 2) await held;
    if (parts < 3) return route.continue();
    const body = JSON.stringify({ type: 'urn:pollcast:store-away', title: 'x', status: 503, detail: 'it is away' });
    return route.fulfill({ status: 503, contentType: 'application/problem+json', body });
  });
  const warns = () => page.evaluate('!dispatchEvent(new Event("beforeunload", { cancelable: true }))');
  const shown = () => page.locator('.secrets tbody th').allTextContents();
  await page.check('thead input[type=checkbox]');
  t.equal(await warns(), false);
  await begin(page, 'New secrets');
  await page.click('.task button[type=submit]');
  await page.waitForSelector('.task h2:text-is("Giving devices new secrets (250)…")');
  t.equal(
    await page.evaluate('document.activeElement.id'),
    'task',
    'the pressed button is gone, and the heading has the focus',
  );
  await page.waitForSelector('.task [role=status]:text-is("100 of 250 done…")');
  const first = await shown();
  t.equal(first.length, 100);

  await page.click('nav a:text-is("Polls")');
  await page.waitForSelector('.task', { state: 'detached' });
  t.equal(await warns(), true);
  await page.click('nav a:text-is("Devices")');
  await page.waitForSelector('.task [role=status]:text-is("100 of 250 done…")');
  await page.check('thead input[type=checkbox]');
  t.equal(await page.locator('.chosen-bar').count(), 0, 'no second task begins');
  t.same(await shown(), first);
  await page.click('button:text-is("I have saved them")');
  await page.waitForSelector('.secrets', { state: 'detached' });
  t.equal(await warns(), true, 'a task is running');
  await page.click('nav a:text-is("Polls")');
  release();
  await page.click('nav a:text-is("Devices")');
  await page.waitForSelector('.task h2:text-is("New secrets made: 200")');
  await page.waitForSelector('.task p:has-text("Unknown, may have been done: 50")');
  t.equal(await page.locator('.task tr[data-is=unknown]:has-text("may have been done")').count(), 50);
  const rest = await shown();
  t.equal(rest.length, 100, 'what was forgotten does not come back');
  t.notOk(rest.some((device) => first.includes(device)));
  t.equal(await warns(), true, 'not saved yet');
  await page.click('.task button:text-is("Choose these again")');
  await page.waitForSelector('.chosen-bar:has-text("Chosen: 50")');
  t.same(problems, []);
  await close();
});

t.test('many codes are drawn once the task has ended, and all are printed', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await withDevices(s, 220);
  const { page, problems, close } = await signIn(browser, s, '#/devices');
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let parts = 0;
  await page.route('**/api/devices/claims', async (route) => {
    if (++parts === 5) await held;
    return route.continue();
  });
  await page.check('thead input[type=checkbox]');
  await begin(page, 'Make claim codes');
  await page.click('.task button[type=submit]');
  await page.waitForSelector(':text("Made so far: 200.")');
  t.equal(await page.locator('.codes li').count(), 0);
  release();
  await page.waitForSelector('.task h2:text-is("Claim codes made: 220")');
  await page.waitForSelector('.hint:has-text("and 20 more")');
  const drawn = 'document.querySelectorAll(".codes li .qr").length';
  t.equal(await page.evaluate(drawn), 200);
  await page.evaluate(
    `window.print = () => { window.printed = ${drawn}; setTimeout(() => dispatchEvent(new Event('afterprint'))); }`,
  );
  await page.click('button:text-is("Print")');
  await page.waitForFunction('window.printed === 220');
  await page.waitForFunction(`${drawn} === 200`);
  t.same(problems, []);
  await close();
});

t.test('devices are revoked by selection, by group and by a list, after a confirmation', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const secrets = await withDevices(s, 12);
  const { page, problems, close } = await signIn(browser, s, '#/devices');
  await page.click('summary:text-is("Choose several devices")');
  await page.selectOption('select[name=ofGroup]', 'north');
  await page.click('button:text-is("Choose group")');
  await page.waitForSelector('.chosen-bar:has-text("Chosen: 6")');
  await begin(page, 'Revoke');
  await page.waitForSelector('.task h2:text-is("Revoke these devices (6)?")');
  await page.click('.task button:text-is("Cancel")');
  t.equal(await page.evaluate('document.activeElement.id'), 'chosen', 'the focus goes back to what is chosen');
  t.equal((await listed(s)).length, 12, 'nothing is done without a confirmation');
  const device = await s.device('seat-1', { username: 'seat-1', password: secrets.get('seat-1') ?? '' });
  const closed = device.closed();
  await begin(page, 'Revoke');
  await isAccessible(t, page, 'the question');
  await picture(page, 'devices-revoke', true);
  await page.click('.task button.stop');
  await page.waitForSelector('.task h2:text-is("Devices revoked: 6")');
  await closed;
  t.same(await listed(s), ['seat-0', 'seat-10', 'seat-2', 'seat-4', 'seat-6', 'seat-8']);

  await page.click('.task button:text-is("Dismiss")');
  await page.waitForSelector('.chosen-bar', { state: 'detached' });
  await page.fill('textarea[name=ids]', 'seat-0, seat-1\nseat-2');
  await page.click('button:text-is("Choose these devices")');
  await page.waitForSelector('.choose:has-text("Not registered: seat-1")');
  await page.waitForSelector('.chosen-bar:has-text("Chosen: 2")');
  const file = join(emptyFolder(t), 'lost.csv');
  await writeFile(file, 'label;device\r\nx;seat-4\r\ny;nobody\r\n');
  await page.setInputFiles('input[name=idsFile]', file);
  await page.waitForSelector('.choose:has-text("Not registered: nobody")');
  await page.waitForSelector('.chosen-bar:has-text("Chosen: 3")');
  // Another operator is faster with one of them.
  await begin(page, 'Revoke');
  await s.call('DELETE', '/api/devices/seat-2', { operator: true });
  await page.click('.task button.stop');
  await page.waitForSelector('.task h2:text-is("Devices revoked: 2")');
  await page.waitForSelector('.task tr:has-text("seat-2"):has-text("is not registered")');
  t.same(await listed(s), ['seat-10', 'seat-6', 'seat-8']);

  await page.click('.task button:text-is("Dismiss")');
  await page.fill('input[type=search]', 'seat-1');
  await page.check('thead input[type=checkbox]');
  await page.waitForSelector('.chosen-bar:has-text("Chosen: 1")');
  await page.click('.chosen-bar button:text-is("Clear selection")');
  await page.waitForSelector('.chosen-bar', { state: 'detached' });
  t.same(problems, []);
  await close();
});

t.test('everything can be done with the keyboard', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await withDevices(s, 2);
  const { page, close } = await signIn(browser, s, '#/devices');
  await page.focus('tr:has(th:text-is("seat-1")) input[type=checkbox]');
  await page.keyboard.press('Space');
  await page.focus('.chosen-bar button:text-is("Revoke")');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.task h2');
  // From the heading, which has the focus, to the first button.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.task h2:text-is("Devices revoked: 1")');
  t.same(await listed(s), ['seat-0']);
  await close();
});

t.test('what a role does not allow is not offered', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await withDevices(s, 2);
  const body = { operator: 'ann', role: 'auditor' };
  const { token } = (await s.call('POST', '/api/operators', { operator: true, body })).body;
  const { page, problems, close } = await visit(browser, `${s.http}/#/devices`);
  await page.fill('input[name=token]', token);
  await page.click('button[type=submit]');
  await page.waitForSelector('tr:has-text("seat-1")');
  t.equal(await page.locator('.desk input[type=checkbox], .choose').count(), 0);
  for (const path of ['/api/devices/claims', '/api/devices/secrets', '/api/devices/revoke']) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(s.http + path, { method: 'POST', headers, body: '{"devices":["seat-1"]}' });
    t.equal(answer.status, 403, path);
  }
  t.same(problems, []);
  await close();
});

t.test('the page fits and is accessible at every size, in both themes and every language', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await withDevices(s, 9);
  const { body } = await s.call('POST', '/api/devices/claims', {
    ...{ operator: true, body: { devices: ['seat-1', 'seat-2', 'seat-3'] } },
  });
  await s.call('POST', '/api/claim', { body: { code: body.claims[0].code } });
  await s.call('POST', '/api/devices/secrets', { operator: true, body: { devices: ['seat-2', 'seat-4'] } });
  for (const [size, lang] of [
    ['phone', 'de'],
    ['laptop', 'en'],
    ['phone', 'fr'],
    ['projector', 'es'],
  ] as const) {
    // Themes differ only in their colours, which axe checks at one size.
    for (const colorScheme of size === 'laptop' ? THEMES : (['light'] as const)) {
      const looks = async (page: Page, what: string) => {
        await fits(t, page, what);
        if (size === 'laptop') await isAccessible(t, page, what);
      };
      const options = { viewport: SIZES[size], colorScheme, locale: lang };
      const { page, problems, close } = await signIn(browser, s, '#/devices', options);
      const what = `devices-${size}-${lang}-${colorScheme}`;
      await page.waitForSelector('tbody tr');
      await page.click('.choose summary');
      await tick(page, 'seat-1');
      await tick(page, 'seat-4');
      await looks(page, what);
      await picture(page, `${what}-chosen`);
      for (const button of [0, 1, 3]) {
        await page.click(`.chosen-bar .actions button >> nth=${button}`);
        await page.waitForSelector('.task form');
        await looks(page, `${what}, question ${button}`);
        await picture(page, `${what}-task-${button}`);
        if (button === 0) {
          await page.click('.task button[type=submit]');
          await page.waitForSelector('.task tbody tr');
          await looks(page, `${what}, codes`);
          await picture(page, `${what}-codes`, true);
        }
        await page.click('.task .actions button:last-child');
      }
      t.same(problems, []);
      await close();
    }
  }
});
