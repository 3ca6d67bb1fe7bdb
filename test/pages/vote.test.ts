import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { KIND_NAMES } from '../../core/voting/kinds/index.ts';
import { eventually } from '../support/eventually.ts';
import { Link } from '../support/network/link.ts';
import { stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser, visit } from './support/browser.ts';
import { GALLERY, kindsIn, type Picture } from './support/gallery.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

const PHONE = { viewport: SIZES.phone };
/** Evaluates an expression until it is true. Not done in the page, whose content security policy forbids eval. */
const untilTrue = (page: Page, expression: string) =>
  eventually(expression, async () => ((await page.evaluate<boolean>(expression)) ? true : undefined));
const state = (page: Page, name: string) => page.waitForSelector(`.vote[data-state="${name}"]`);
const identity = (page: Page) =>
  page.evaluate<string>(`JSON.parse(localStorage.getItem('pollcast-voter')).credentials.device`);

t.test('a vote cast offline is kept, delivered later and counted once, and the phone keeps its identity', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  const link = await Link.to(Number(new URL(s.http).port));
  t.teardown(() => link.end());
  const { page, close } = await visit(browser, `http://127.0.0.1:${link.port}/vote/hall`, PHONE, /ERR_|WebSocket/);
  await page.click('.option:has-text("Option a")');
  await state(page, 'accepted');
  const who = await identity(page);

  await untilTrue(page, "caches.match('/web/vote.css').then(Boolean)");
  link.cut();
  await page.waitForSelector('.line[data-up="false"]');
  await page.click('.option:has-text("Option b")');
  await state(page, 'queued');
  t.match(await page.textContent('.line'), /saved on this device/);
  await picture(page, 'vote-offline');
  t.equal((await s.call('GET', '/api/polls/q/result')).body.votes, 1, 'the vote has not reached the server');
  // The service worker serves the page offline, if the browser allows service workers.
  await page.reload().catch(() => undefined);
  await page.waitForSelector('.vote[data-state="queued"]');

  link.heal();
  await state(page, 'accepted');
  t.equal(await identity(page), who, 'the identity survives a reload');
  const result = await s.resultAfter('q', 2);
  t.match(result.options, [{ count: 0 }, { count: 1 }, { count: 0 }]);
  t.equal(result.ballots, 1, 'a phone has only one ballot');
  t.match(result.accounting, { counted: 1, replaced: 1, rejected: {} });
  await close();
});

t.test('a vote kept for a round that has closed is not sent to the next round', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  const link = await Link.to(Number(new URL(s.http).port));
  t.teardown(() => link.end());
  const { page, close } = await visit(browser, `http://127.0.0.1:${link.port}/vote/hall`, PHONE, /ERR_|WebSocket/);
  await page.waitForSelector('.option');
  await page.waitForSelector('.line[data-up="true"]');
  link.cut();
  await page.waitForSelector('.line[data-up="false"]');
  await page.click('.option:has-text("Option b")');
  await state(page, 'queued');
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await s.call('POST', '/api/polls/q/reopen', { operator: true });
  link.heal();
  await page.waitForSelector('.line[data-up="true"]');
  await eventually('the vote to be given up', async () => {
    const text = await page.evaluate<string>(`localStorage.getItem('pollcast-voter')`);
    const [vote] = JSON.parse(text).votes;
    return vote.state === 'rejected' && vote.reason === 'closed' ? true : undefined;
  });
  t.equal((await s.call('GET', '/api/polls/q/result')).body.votes, 0);
  t.equal(await page.$('.option[aria-pressed="true"]'), null, 'the new round starts with nothing selected');
  await close();
});

t.test('a rejected vote is shown with its reason, and figures are shown only to those who may see them', async (t) => {
  const s = await stage(t);
  await s.openPoll('stop', {
    room: 'hall',
    kind: 'text',
    options: [],
    title: 'A word?',
    stop: ['spam'],
    visibility: 'voted',
  });
  const { page, problems, close } = await visit(browser, `${s.http}/vote/hall`, PHONE);
  await page.fill('.form input >> nth=0', 'Spam');
  await page.click('.send');
  await state(page, 'rejected');
  t.match(await page.textContent('.became'), /this phrase is not allowed here/);
  await (await s.device('other')).vote('vote/stop', 'eggs');
  t.equal(await page.$('.result'), null, 'nobody sees the result before voting');
  await page.fill('.form input >> nth=0', 'bacon');
  await page.press('.form input >> nth=0', 'Enter');
  await state(page, 'accepted');
  await page.waitForSelector('.result .cloud li:has-text("eggs")');

  await s.call('POST', '/api/polls/stop/close', { operator: true });
  await page.waitForSelector('.status[data-status="final"]');
  await s.openPoll('once', { room: 'hall', title: 'Once?', revote: 'first', visibility: 'closed' });
  await page.waitForSelector('h1:text-is("Once?")');
  await page.click('.option:has-text("Option a")');
  await page.click('.send');
  await state(page, 'accepted');
  t.equal(await page.$('.option'), null, 'the form is removed if the vote cannot be changed');
  t.equal(await page.$('.result'), null);

  await s.call('POST', '/api/polls/once/close', { operator: true });
  await page.waitForSelector('.status[data-status="final"]');
  await s.openPoll('thrice', { room: 'hall', title: 'Thrice?', revote: 'max 3', visibility: 'closed' });
  await page.waitForSelector('h1:text-is("Thrice?")');
  await page.click('.option:has-text("Option a")');
  await page.click('.send');
  await state(page, 'accepted');
  t.match(await page.textContent('.became'), /Received: it counts if/, 'only counting knows whether a vote is left');
  t.same(problems, []);
  await close();
});

t.test('one tab of a browser votes at a time, and tabs can take over from each other', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  const { page: first, close } = await visit(browser, `${s.http}/vote/hall`, PHONE);
  await first.waitForSelector('.option');
  const second = await first.context().newPage();
  await second.goto(`${s.http}/vote/hall`);
  await first.waitForSelector('h1:has-text("another tab")');
  await second.click('.option:has-text("Option a")');
  await state(second, 'accepted');
  await first.click('button:text-is("Vote here instead")');
  await state(first, 'accepted');
  await first.click('.option:has-text("Option c")');
  await state(first, 'accepted');
  t.equal((await s.resultAfter('q', 2)).ballots, 1);
  await close();
});

t.test('a phone whose browser stores nothing can still vote', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  const { page, close } = await visit(browser, 'about:blank', PHONE);
  await page.addInitScript(`Object.defineProperty(window, 'localStorage', {
    get() { throw new DOMException('blocked', 'SecurityError'); },
  })`);
  await page.goto(`${s.http}/vote/hall`);
  await page.click('.option:has-text("Option a")');
  await state(page, 'accepted');
  t.equal((await s.resultAfter('q', 1)).ballots, 1);
  await close();
});

t.test('two tabs opened at the same time vote as the same guest', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  const context = await browser.newContext(PHONE);
  const tabs = await Promise.all([context.newPage(), context.newPage()]);
  await Promise.all(tabs.map((tab) => tab.goto(`${s.http}/vote/hall`)));
  const second = await eventually('one of the tabs to give way', async () => {
    const buttons = await Promise.all(tabs.map((tab) => tab.$('button:text-is("Vote here instead")')));
    return buttons.filter(Boolean).length === 1 ? tabs[buttons.findIndex(Boolean)] : undefined;
  });
  const first = tabs.find((tab) => tab !== second) as Page;
  await first.click('.option:has-text("Option a")');
  await state(first, 'accepted');
  await second.click('button:text-is("Vote here instead")');
  await state(second, 'accepted');
  await second.click('.option:has-text("Option b")');
  await eventually('both votes', async () => ((await s.resultAfter('q', 2)).ballots === 1 ? true : undefined));
  await state(second, 'accepted');
  t.equal(await identity(first), await identity(second));
  t.match((await s.resultAfter('q', 2)).options, [{ count: 0 }, { count: 1 }, { count: 0 }]);
  await context.close();
});

t.test(
  'with the devices door, guests are admitted with credentials, and the page says so if they cannot vote in a poll',
  async (t) => {
    const s = await stage(t, { door: 'devices' });
    await s.openPoll('members', { room: 'hall', title: 'Members only?', eligible: 'registered' });
    const { page, close } = await visit(browser, `${s.http}/vote/hall`, PHONE);
    await page.waitForSelector('text=Guests cannot vote in this poll.');
    t.equal(await page.$('.option'), null);
    await s.call('POST', '/api/polls/members/close', { operator: true });
    await s.openPoll('all', { room: 'hall', title: 'All?' });
    await page.click('.option:has-text("Option a")');
    await state(page, 'accepted');
    await close();
  },
);

/** Fills in the form of a poll. For polls that are not listed, the first option is chosen. */
const FILL: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  multiple: async (page) => {
    await page.click('.option >> nth=0');
    await page.click('.option >> nth=2');
  },
  rating: (page) => page.click('.option:has-text("7")'),
  items: (page) => page.click('.thing >> nth=1 >> .option:text-is("4")'),
  numeric: (page) => page.fill('.number input', '240'),
  points: (page) => page.fill('.stepper input >> nth=1', '7'),
  irv: async (page) => {
    await page.click('.option:has-text("Knoxville")');
    await page.click('.option:has-text("Memphis")');
  },
  star: (page) => page.click('.thing >> nth=0 >> .option:text-is("5")'),
  short: (page) => page.fill('.form input', 'Nashville'),
  text: (page) => page.fill('.form input >> nth=0', 'great, really'),
};
const CAST: Readonly<Record<string, string>> = {
  single: 'a',
  motion: 'yes',
  multiple: 'a,c',
  rating: '7',
  items: 'b:4',
  numeric: '240',
  points: 'b:7',
  irv: 'd>a',
  star: 'a:5',
  quiz: 'a',
  short: 'nashville',
  text: 'great really',
  pulse: 'a',
};

t.test('polls of every kind can be answered on a phone, and the canonical choice is counted', async (t) => {
  t.same(kindsIn(Object.keys(CAST)), [...KIND_NAMES].sort(), 'every kind is in CAST');
  const s = await stage(t);
  const { page, problems, close } = await visit(browser, `${s.http}/vote/hall`, PHONE);
  for (const [kind, choice] of Object.entries(CAST)) {
    await s.openPoll(kind, { ...GALLERY[kind]?.settings, room: 'hall' });
    const { title } = (GALLERY[kind] as Picture).settings as { title: string };
    await page.waitForSelector(`h1:text-is("${title}")`);
    await (FILL[kind] ?? ((one) => one.click('.option >> nth=0')))(page);
    const send = await page.$('.send:enabled');
    await send?.click();
    await state(page, 'accepted');
    const counted = await eventually('the ballot', async () => {
      const { body } = await s.call('GET', `/api/polls/${kind}/ballots.csv`, { operator: true });
      return /guest-[0-9a-f]+,(?:"([^"]*)"|([^,]*)),/.exec(body) ?? undefined;
    });
    t.equal(counted[1] ?? counted[2], choice, kind);
    await picture(page, `vote-${kind}`, true);
    await s.call('POST', `/api/polls/${kind}/close`, { operator: true });
  }
  t.same(problems, []);
  await close();
});

t.test('the first load on a phone is below 60 kB, and the page can be installed', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  const { page, close } = await visit(browser, 'about:blank', PHONE);
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  let bytes = 0;
  client.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto(`${s.http}/vote/hall`);
  await page.waitForSelector('.option');
  await page.waitForSelector('.line[data-up="true"]');
  t.ok(bytes > 10_000 && bytes < 60_000, `${bytes} bytes, including headers`);
  const manifest = await s.call('GET', '/vote/hall/manifest.webmanifest');
  t.match(manifest.headers.get('content-type'), /^application\/manifest\+json/);
  t.match(manifest.body, { start_url: '/vote/hall', display: 'standalone', icons: [{ src: '/web/icon.svg' }] });
  for (const { src } of manifest.body.icons) t.equal((await s.call('GET', src)).status, 200, src);
  await untilTrue(page, 'navigator.serviceWorker.controller !== null');
  await close();
});
