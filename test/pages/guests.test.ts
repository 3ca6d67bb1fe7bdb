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

const PHONE = { viewport: SIZES.phone };
const DOOR = { door: 'devices' } as const;

t.test('a phone that comes before its room says so, and enters once the room exists', async (t) => {
  const s = await stage(t, DOOR);
  const { page, problems, close } = await visit(browser, `${s.http}/vote/hall`, PHONE);
  await page.waitForSelector('text=This room does not exist yet.');
  await isAccessible(t, page, 'a room that does not exist');
  await s.openPoll('q', { room: 'hall' });
  await page.click('.option:has-text("Option a")');
  await page.waitForSelector('.vote[data-state="accepted"]');
  t.same(problems, []);
  await close();
});

t.test('when its address has used up its budget, a phone computes a proof and joins', async (t) => {
  const s = await stage(t, { ...DOOR, guestsPerAddress: '1' });
  await s.openPoll('q', { room: 'hall' });
  t.equal((await s.call('POST', '/api/rooms/hall/join')).status, 201);
  for (let phone = 0; phone < 2; phone++) {
    const { page, problems, close } = await visit(browser, `${s.http}/vote/hall`, PHONE, /429/);
    await page.click('.option:has-text("Option a")');
    await page.waitForSelector('.vote[data-state="accepted"]');
    t.same(problems, []);
    await close();
  }
  t.match((await s.call('GET', '/metrics')).body, /^pollcast_guest_joins_total\{outcome="proof"\} 2$/m);
});

t.test('a phone asks for the join code, and the screen shows it', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  const desk = await signIn(browser, s, '#/rooms');
  await desk.page.click('.guests summary');
  await desk.page.selectOption('select[name=joinBy]', 'code');
  await desk.page.waitForSelector('.guests strong');
  const code = (await desk.page.textContent('.guests strong')) as string;
  await isAccessible(t, desk.page, 'guests of a room');
  await picture(desk.page, 'guests-room', true);
  const screenPath = await desk.page.getAttribute('.room a:has-text("Open screen")', 'href');
  await desk.close();

  const screen = await visit(browser, s.http + screenPath);
  await screen.page.waitForSelector(`.join strong:has-text("${code}")`);
  await screen.close();
  const other = await visit(browser, `${s.http}/screen/room/hall`);
  await other.page.waitForSelector('.join');
  t.notOk((await other.page.textContent('.join'))?.includes(code), 'a screen without the key does not know the code');
  await other.close();

  const phone = await visit(browser, `${s.http}/vote/hall`, PHONE, /403/);
  const { page } = phone;
  await page.waitForSelector('h1:text-is("Join code")');
  await fits(t, page, 'the join code');
  await isAccessible(t, page, 'the join code');
  await page.fill('input[name=code]', 'WRONG1');
  await page.press('input[name=code]', 'Enter');
  await page.waitForSelector('[role=alert]:has-text("This code is wrong")');
  await picture(page, 'guests-code', true);
  await page.fill('input[name=code]', code.toLowerCase());
  await page.click('.code .send');
  await page.click('.option:has-text("Option a")');
  await page.waitForSelector('.vote[data-state="accepted"]');

  // With its guests, the room loses its code: the phone asks for the new one.
  const renewed = await s.call('DELETE', '/api/rooms/hall/guests', { operator: true });
  await page.waitForSelector('h1:text-is("Join code")');
  await page.fill('input[name=code]', renewed.body.code);
  await page.press('input[name=code]', 'Enter');
  await page.waitForSelector('.option');
  await phone.close();

  const scanned = await visit(browser, `${s.http}/vote/hall#code=${renewed.body.code}`, PHONE);
  await scanned.page.waitForSelector('.option');
  t.same(scanned.problems, []);
  await scanned.close();
});

t.test('a sheet has a QR code for each guest, and a code is the same guest on every phone', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  const desk = await signIn(browser, s, '#/rooms');
  const { page } = desk;
  await page.click('.guests summary');
  await page.selectOption('select[name=joinBy]', 'codes');
  await page.fill('input[name=count]', '3');
  await page.click('button:text-is("Show codes")');
  await page.waitForSelector('.codes li:nth-child(3) .qr');
  await isAccessible(t, page, 'a sheet with codes');
  await picture(page, 'guests-codes', true);
  const [first = ''] = await page.$$eval('.codes strong', (all) => all.map(({ textContent }) => textContent ?? ''));
  await page.emulateMedia({ media: 'print' });
  t.equal(await page.isVisible('.top'), false, 'only the sheet is printed');
  t.equal(await page.isVisible('.codes li:nth-child(3)'), true);
  await desk.close();
  for (const option of ['a', 'b']) {
    const phone = await visit(browser, `${s.http}/vote/hall#code=${first}`, PHONE);
    await phone.page.click(`.option:has-text("Option ${option}")`);
    await phone.page.waitForSelector('.vote[data-state="accepted"]');
    await phone.close();
  }
  const result = await s.resultAfter('q', 2);
  t.match(result, { ballots: 1, options: [{ count: 0 }, { count: 1 }, { count: 0 }] }, 'the newest vote counts');
});

t.test('a phone that is put off because the broker is full comes back as the same guest', async (t) => {
  const s = await stage(t, { ...DOOR, maxConnections: '1' });
  await s.openPoll('q', { room: 'hall' });
  const { page, close } = await visit(browser, `${s.http}/vote/hall`, PHONE, /ERR_|WebSocket/);
  await page.click('.option:has-text("Option a")');
  await page.waitForSelector('.vote[data-state="accepted"]');
  const identity = () => page.evaluate<string>(`JSON.parse(localStorage.getItem('pollcast-voter')).credentials.device`);
  const before = await identity();
  // The phone leaves its place, which another guest takes.
  await page.context().setOffline(true);
  await page.evaluate(`dispatchEvent(new Event('offline'))`);
  await page.waitForSelector('.line[data-up="false"]');
  const { device, password } = (await s.call('POST', '/api/rooms/hall/join')).body;
  const other = await eventually('the place', () =>
    s.device(device, { username: device, password }).catch(() => undefined),
  );
  await page.context().setOffline(false);
  await eventually('the phone to be put off twice', async () => {
    const { body } = await s.call('GET', '/metrics');
    const refused = [...body.matchAll(/^pollcast_mqtt_refused_total\{why="(?:address|full)"\} (\d+)$/gm)];
    return refused.reduce((sum, [, count]) => sum + Number(count), 0) >= 2 ? true : undefined;
  });
  await other.client.endAsync();
  await page.waitForSelector('.line[data-up="true"]');
  t.equal(await identity(), before);
  await page.click('.option:has-text("Option b")');
  await page.waitForSelector('.vote[data-state="accepted"]');
  t.equal((await s.resultAfter('q', 2)).ballots, 1);
  await close();
});

t.test('a phone has an identity for each room, and keeps it when it comes back', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  await s.openPoll('r', { room: 'bar' });
  const { page, close } = await visit(browser, 'about:blank', PHONE);
  const who = new Map<string, string>();
  for (const room of ['hall', 'bar', 'hall', 'bar']) {
    await page.goto(`${s.http}/vote/${room}`);
    await page.click('.option:has-text("Option a")');
    await page.waitForSelector('.vote[data-state="accepted"]');
    const id = await page.evaluate<string>(`JSON.parse(localStorage.getItem('pollcast-voter')).credentials.device`);
    t.equal(id, who.get(room) ?? id, room);
    who.set(room, id);
  }
  t.equal(new Set(who.values()).size, 2);
  await close();
});
