import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { KIND_NAMES } from '../../core/voting/kinds/index.ts';
import { eventually } from '../support/eventually.ts';
import { emptyFolder } from '../support/folder.ts';
import { type Stage, stage } from '../support/stage.ts';
import { picture, seriousFindings, startBrowser } from './support/browser.ts';
import { GALLERY, type Picture } from './support/gallery.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

const definition = async (s: Stage, poll: string) =>
  (await s.call('GET', `/api/polls/${poll}`, { operator: true })).body;

t.test('the token is kept until the operator signs out, and only in one tab', async (t) => {
  const s = await stage(t);
  const { page, problems, close } = await signIn(browser, s);
  await page.reload();
  await page.waitForSelector('.desk');
  const other = await page.context().newPage();
  await other.goto(s.http);
  await other.waitForSelector('input[name=token]');
  await page.click('button:text-is("Sign out")');
  await page.waitForSelector('input[name=token]');
  t.equal(await page.evaluate('sessionStorage.length + localStorage.length'), 0);
  t.same(problems, []);
  await close();
});

/** For each kind, the input besides the title, and what the server must store for it. */
const WRITTEN: Readonly<Record<string, { fill: (page: Page) => Promise<void>; is: object }>> = {
  motion: {
    fill: async (page) => void (await page.selectOption('select[name=majority]', 'two-thirds')),
    is: { majority: [{ share: '>= 2/3', of: 'yes+no' }] },
  },
  multiple: { fill: (page) => page.fill('input[name=max]', '2'), is: { max: 2 } },
  rating: { fill: (page) => page.fill('input[name=max]', '10'), is: { min: 1, max: 10 } },
  numeric: {
    fill: async (page) => {
      await page.fill('input[name=min]', '0');
      await page.fill('input[name=max]', '99.5');
      await page.fill('input[name=decimals]', '1');
      await page.fill('input[name=unit]', 'm');
    },
    is: { max: 99.5, decimals: 1, unit: 'm' },
  },
  points: { fill: (page) => page.fill('input[name=budget]', '20'), is: { budget: 20 } },
  ranking: {
    fill: async (page) => {
      await page.click('button:text-is("Add an option")');
      await page.fill('[aria-label="Label of option 3"]', 'Third');
      await page.selectOption('select[name=method]', 'stv');
      await page.fill('input[name=seats]', '2');
    },
    is: { method: 'stv', seats: 2 },
  },
  score: {
    fill: async (page) => void (await page.selectOption('select[name=method]', 'star')),
    is: { method: 'star' },
  },
  quiz: {
    fill: async (page) => {
      await page.fill('input[name=correct]', 'b');
      await page.fill('input[name=points]', '500');
    },
    is: { correct: ['b'], points: 500 },
  },
  text: { fill: (page) => page.fill('input[name=stop]', 'spam, eggs'), is: { stop: ['spam', 'eggs'] } },
  pulse: { fill: (page) => page.fill('input[name=windowMs]', '5000'), is: { windowMs: 5000 } },
  single: { fill: (page) => page.check('input[name=none]'), is: { none: true } },
};

t.test('polls of every kind can be created, previewed, edited and opened', async (t) => {
  t.same(Object.keys(WRITTEN).sort(), [...KIND_NAMES].sort(), 'every kind is in WRITTEN');
  const s = await stage(t);
  const { page, problems, close } = await signIn(browser, s);
  for (const [kind, { fill, is }] of Object.entries(WRITTEN)) {
    await page.evaluate(`location.hash = '#/polls/new'`);
    await page.waitForSelector('textarea[name=title]');
    await page.fill('textarea[name=title]', `About ${kind}`);
    await page.fill('input[name=poll]', kind);
    await page.selectOption('select[name=kind]', kind);
    for (const summary of await page.$$('details:not([open]) > summary')) await summary.click();
    for (const i of [1, 2]) {
      const label = await page.$(`[aria-label="Label of option ${i}"]`);
      await label?.fill(`Option ${i}`);
    }
    await fill(page);
    await page.waitForSelector('.preview .form');
    await page.click('button:text-is("Save as draft")');
    await page.waitForSelector(`.crumb:has-text("${kind}")`);
    t.match(await definition(s, kind), { ...is, kind, title: `About ${kind}`, status: 'draft' }, kind);
  }
  await page.click('a:text-is("Edit")');
  await page.fill('textarea[name=title]', 'Another title');
  for (const summary of await page.$$('details:not([open]) > summary')) await summary.click();
  await page.uncheck('input[name=none]');
  await page.fill('input[name=durationMs]', '90');
  await page.fill('input[name=closesAt]', '2099-12-31T18:30');
  await page.selectOption('select[name=visibility]', 'closed');
  await picture(page, 'operator-edit', true);
  await page.click('button:text-is("Save and open")');
  await page.waitForSelector('.status[data-status="open"]');
  const changed = await definition(s, 'single');
  t.match(changed, { title: 'Another title', durationMs: 90_000, visibility: 'closed', status: 'open' });
  t.equal(changed.options.length, 2, 'the option “none of the above” was removed');
  t.equal(
    new Date(changed.closesAt).getTime(),
    new Date(2099, 11, 31, 18, 30).getTime(),
    'local time is stored as UTC',
  );
  t.same(problems, []);
  await close();
});

t.test('an invalid poll is refused with its problems, and no input is lost', async (t) => {
  const s = await stage(t);
  const { page, close } = await signIn(browser, s, '#/polls/new');
  await page.fill('textarea[name=title]', 'A question');
  await page.fill('input[name=poll]', 'not an id!');
  await page.click('button:text-is("Save as draft")');
  await page.waitForSelector('.notice[data-bad] li:has-text("poll: must be")');
  t.equal(await page.inputValue('textarea[name=title]'), 'A question');
  t.equal((await s.call('GET', '/api/polls', { operator: true })).body.polls.length, 0);
  await close();
});

t.test(
  'an open poll shows its accounting, rejections and voters, and a closed poll can be exported and recounted',
  async (t) => {
    const s = await stage(t);
    await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1', label: 'First seat' } });
    await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-2' } });
    await s.openPoll('q');
    const { page, problems, close } = await signIn(browser, s, '#/polls/q');
    const first = await s.device('seat-1');
    await first.vote('vote/q', 'a');
    await first.vote('vote/q', 'b');
    await first.vote('vote/q', 'nonsense');
    await (await s.device('stranger')).vote('vote/q', 'c');
    await page.waitForSelector('tr:has-text("unknown-option") td:text-is("1")');
    await page.waitForSelector('.sum:has-text("received4")');
    t.match(await page.textContent('.sum'), /received4counted= 2replaced\+ 1redelivered\+ 0rejected\+ 1/);
    await page.click('summary:text-is("Who has answered")');
    await page.waitForSelector('.grid li[data-answered]:has-text("First seat")');
    await page.waitForSelector('.grid li:not([data-answered]):has-text("seat-2")');
    await page.waitForSelector('text=Registered voters: 1 of 2 · others: 1');
    const answers = await s.call('GET', '/api/polls/q/responses', { operator: true });
    t.notMatch(
      JSON.stringify(answers.body),
      /"b"|choice/,
      'the page shows who has answered, but not what they answered',
    );

    await page.click('.actions button:text-is("Close")');
    await page.waitForSelector('.status[data-status="final"]');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.click('button:text-is("Ballots (CSV)")'),
    ]);
    t.equal(download.suggestedFilename(), 'q-1-ballots.csv');
    await page.click('button:text-is("Recount from the log")');
    await page.waitForSelector('text=/The recount agrees/');
    t.same(problems, []);
    await close();
  },
);

t.test('phrases can be hidden from a result and shown again', async (t) => {
  const s = await stage(t);
  await s.openPoll('words', (GALLERY.text as Picture).settings);
  await (await s.device('d')).vote('vote/words', 'rude,nice');
  await s.resultAfter('words', 1);
  const { page, close } = await signIn(browser, s, '#/polls/words');
  await page.click('.grid li:has-text("rude") button');
  await page.waitForSelector('.cloud li:has-text("rude")', { state: 'detached' });
  await page.click('.struck:has-text("rude") button');
  await page.waitForSelector('.cloud li:has-text("rude")');
  await close();
});

t.test(
  'devices can be registered, imported, lent, returned, weighted and revoked, and their status is shown',
  async (t) => {
    const s = await stage(t, { door: 'devices' });
    const { page, problems, close } = await signIn(browser, s, '#/devices');
    await page.click('summary:text-is("Register devices")');
    await page.fill('input[name=device]', 'seat-1');
    await page.click('button:text-is("Register")');
    await page.waitForSelector('.secrets tr:has-text("seat-1")');
    const secret = (await page.textContent('.secrets tr:has-text("seat-1") code')) as string;
    const file = join(emptyFolder(t), 'members.csv');
    await writeFile(file, '\ufeffdevice;label;group;weight\r\nseat-2;Zweite Reihe;north;12.5\r\nseat-1;again;;\r\n');
    await page.setInputFiles('input[type=file]', file);
    await page.waitForSelector('.changes:has-text("1 new, 1 changed, 0 unchanged.")');
    await page.waitForSelector('.changes:has-text("Read as UTF-8, with semicolons between cells.")');
    await page.waitForSelector('.changes tbody:has-text("seat-1"):has-text("again")');
    t.match(await page.evaluate('document.activeElement.id'), 'import-title', 'the preview gets the focus');
    t.same(await seriousFindings(page), []);
    t.equal((await s.call('GET', '/api/devices/seat-2', { operator: true })).status, 404, 'nothing is done yet');
    await page.click('.changes button:text-is("Cancel")');
    await page.waitForSelector('.changes', { state: 'detached' });
    await page.setInputFiles('input[type=file]', file);
    await picture(page, 'operator-import', true);
    await page.click('.changes button:text-is("Import")');
    await page.waitForSelector('.notice:has-text("1 registered, 1 changed, 0 unchanged.")');
    await page.waitForSelector('.changes', { state: 'detached' });
    await page.waitForSelector('tr:has-text("seat-2"):has-text("Zweite Reihe"):has-text("12.5")');
    await writeFile(file, 'name,label\r\nx,y\r\n');
    await page.setInputFiles('input[type=file]', file);
    await page.waitForSelector('.notice[data-bad]:has-text("must name the columns")');

    const device = await s.device('seat-1', { username: 'seat-1', password: secret });
    await device.client.publishAsync('device/seat-1/status', `${JSON.stringify({ battery: 17, signal: -71 })}\0`);
    await eventually('the status', async () => {
      const { body } = await s.call('GET', '/api/devices/seat-1', { operator: true });
      return body.status?.battery === 17 && body.seenAt !== null ? true : undefined;
    });
    await page.reload();
    await page.waitForSelector('tr:has-text("seat-1"):has-text("⚠ 17 %"):has-text("-71 dBm")');
    page.once('dialog', (dialog) => void dialog.accept('Ann'));
    await page.click('tr:has-text("seat-1") button:has-text("Lend")');
    await page.waitForSelector('tr:has-text("seat-1"):has-text("Ann (")');
    await page.click('tr:has-text("seat-1") button:has-text("Return")');
    await page.waitForSelector('tr:has-text("seat-1") button:has-text("Lend")');
    page.once('dialog', (dialog) => void dialog.accept('3.5'));
    await page.click('tr:has-text("seat-1") button[aria-label^="Weight"]');
    await page.waitForSelector('tr:has-text("seat-1") button[aria-label="Weight: 3.5"]');
    await page.click('tr:has-text("seat-1") button:has-text("Events")');
    t.match(await page.evaluate('document.activeElement.id'), 'trace', 'the events get the focus');
    await page.waitForSelector('.trace tbody tr:has-text("connected")');
    t.same(await seriousFindings(page), []);
    await page.fill('input[name=traced]', 'seat-404');
    await page.waitForSelector('.trace:has-text("Nothing is known about this device.")');
    const disconnected = device.closed();
    page.once('dialog', (dialog) => void dialog.accept());
    await page.click('tr:has-text("seat-1") button:has-text("Revoke")');
    await page.waitForSelector('tr:has-text("seat-1")', { state: 'detached' });
    await disconnected;
    t.same(
      problems.filter((problem) => !/400/.test(problem)),
      [],
    );
    await close();
  },
);

t.test(
  'in a rehearsal, simulated devices vote in a copy of the poll, and the poll itself does not change',
  async (t) => {
    for (const door of ['open', 'devices']) {
      const s = await stage(t, { door }, emptyFolder(t));
      const options = [
        { key: 'a', label: 'A' },
        { key: 'b', label: 'B' },
      ];
      const body = {
        poll: 'q',
        title: 'Rehearsed?',
        options,
        secrecy: 'secret',
        visibility: 'closed',
        durationMs: 5_000,
      };
      await s.call('POST', '/api/polls', { operator: true, body });
      const { page, problems, close } = await signIn(browser, s, '#/polls/q');
      await page.click('summary:text-is("Rehearse")');
      await page.fill('label:has-text("Devices") input', '30');
      await page.fill('label:has-text("Seconds") input', '1');
      await page.click('button:text-is("Start")');
      await page.waitForSelector('.good:has-text("Passed: every acknowledged vote was counted exactly once.")');
      await page.waitForSelector('text=/30 votes acknowledged, 0 lost, 0 counted twice/');
      t.match(await definition(s, 'q'), { status: 'draft', round: 0 });
      await eventually('the copy to be closed', async () =>
        (await definition(s, 'q-rehearsal')).status === 'closed' ? true : undefined,
      );
      t.match((await s.call('GET', '/api/polls/q-rehearsal/result', { operator: true })).body, { ballots: 30 });
      t.same(problems, []);
      await close();
      await s.stop();
    }
  },
);
