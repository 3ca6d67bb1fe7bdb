import type { Browser } from 'playwright-core';
import t from 'tap';
import { stage } from '../support/stage.ts';
import { picture, SIZES, startBrowser } from './support/browser.ts';
import { fits, isAccessible } from './support/exhibition.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

const OPTIONS = ['a', 'b'].map((key) => ({ key, label: `Option ${key}` }));

t.test('the second of two operators who edit a draft learns what the first has changed', async (t) => {
  const s = await stage(t);
  const body = { poll: 'q', title: 'First?', options: OPTIONS, durationMs: 60_000 };
  await s.call('POST', '/api/polls', { operator: true, body });
  const stored = async () => (await s.call('GET', '/api/polls/q', { operator: true })).body;
  const [ann, ben] = [await signIn(browser, s, '#/polls/q/edit'), await signIn(browser, s, '#/polls/q/edit')];
  for (const { page } of [ann, ben]) await page.waitForSelector('textarea[name=title]');
  await ann.page.fill('textarea[name=title]', 'By Ann?');
  await ann.page.selectOption('select[name=kind]', 'multiple');
  await ann.page.fill('[aria-label="Label of option 1"]', 'Ann’s option');
  await ann.page.click('summary:has-text("Schedule")');
  await ann.page.fill('input[name=durationMs]', '');
  await ann.page.click('button:text-is("Save as draft")');
  await ann.page.waitForSelector('.crumb');

  await ben.page.fill('textarea[name=title]', 'By Ben?');
  await ben.page.fill('input[name=room]', 'hall');
  await ben.page.click('button:text-is("Save as draft")');
  await ben.page.waitForSelector('.notice[data-bad]:has-text("Somebody else has saved this poll")');
  const changes = await ben.page.$$eval('.notice[data-bad] li', (all) => all.map(({ textContent }) => textContent));
  t.same(changes.sort(), [
    'Closes after (seconds): removed',
    'Options: Ann’s option · Option b',
    'Question: By Ann?',
    'Type: Multiple choice',
  ]);
  t.match(await stored(), { title: 'By Ann?', kind: 'multiple' }, 'nothing is overwritten unknowingly');
  t.equal((await stored()).room, undefined);
  t.equal(await ben.page.inputValue('textarea[name=title]'), 'By Ben?', 'no input is lost');
  await isAccessible(t, ben.page, 'an edit conflict');
  await picture(ben.page, 'editor-conflict', true);

  await ben.page.click('button:text-is("Load their version (yours is lost)")');
  await ben.page.waitForSelector('.notice[data-bad]', { state: 'detached' });
  t.equal(await ben.page.inputValue('textarea[name=title]'), 'By Ann?');
  await ben.page.fill('input[name=room]', 'hall');
  await ben.page.click('button:text-is("Save as draft")');
  await ben.page.waitForSelector('.crumb');
  t.match(await stored(), { title: 'By Ann?', room: 'hall' });

  // Ann’s page is out of date now.
  await ann.page.click('a:text-is("Edit")');
  await ann.page.waitForSelector('textarea[name=title]');
  await s.call('PATCH', '/api/polls/q', {
    operator: true,
    body: { title: 'By a script?', unit: null, withdraw: true },
  });
  await ann.page.fill('textarea[name=title]', 'Ann knows better?');
  await ann.page.click('button:text-is("Save and open")');
  await ann.page.waitForSelector('.notice[data-bad]:has-text("Somebody else")');
  t.match(await stored(), { status: 'draft' }, 'a poll that was not saved is not opened');
  await ann.page.click('button:text-is("Replace with my version")');
  await ann.page.waitForSelector('.crumb');
  const last = await stored();
  t.match(last, { title: 'Ann knows better?', status: 'draft', room: 'hall' });
  t.equal(last.withdraw, undefined, 'what the other added is removed, as said');
  for (const { problems, close } of [ann, ben]) {
    t.same(
      problems.filter((problem) => !/409/.test(problem)),
      [],
    );
    await close();
  }
});

t.test('problems are shown at their fields, by the names that the fields have there', async (t) => {
  const s = await stage(t);
  const { page, problems, close } = await signIn(browser, s, '?lang=de#/polls/new', { viewport: SIZES.phone });
  await page.fill('textarea[name=title]', 'Worum geht es?');
  await page.fill('input[name=poll]', 'kein Kürzel!');
  await page.selectOption('select[name=kind]', 'rating');
  await page.fill('input[name=min]', '9');
  await page.fill('input[name=max]', '3');
  for (const summary of await page.$$('details:not([open]) > summary')) await summary.click();
  await page.selectOption('select[name=quorum]', 'share');
  await page.fill('input[name=quorumShare]', 'half');
  await page.click('button[type=submit]:text-is("Als Entwurf speichern")');
  const problem = (name: string) => page.textContent(`label:has([name="${name}"]) .problem`);
  t.match(await problem('poll'), /^must be/);
  t.match(await problem('max'), /^must be above min/);
  t.match(await problem('quorumShare'), /^must be/);
  await page.waitForSelector('.notice[data-bad] li:has-text("Maximum")');
  await page.click('.notice[data-bad] li button:text-is("Maximum")');
  t.equal(await page.evaluate('document.activeElement.name'), 'max');
  await fits(t, page, 'problems on a phone');
  await isAccessible(t, page, 'problems');
  await picture(page, 'editor-problems', true);
  t.same(problems, []);
  await close();
});

t.test('the editor offers only settings that have an effect, and previews what is half typed', async (t) => {
  const s = await stage(t);
  const { page, problems, close } = await signIn(browser, s, '#/polls/new', { viewport: SIZES.phone });
  for (const summary of await page.$$('details:not([open]) > summary')) await summary.click();
  for (const [kind, isOffered] of Object.entries({
    single: true,
    text: false,
    numeric: false,
    rating: false,
    quiz: false,
  })) {
    await page.selectOption('select[name=kind]', kind);
    t.equal((await page.$('select[name=tieBreak]')) !== null, isOffered, kind);
  }
  await page.selectOption('select[name=kind]', 'numeric');
  t.match(await page.textContent('.preview legend'), /from … to …/);
  await page.fill('input[name=min]', '1');
  t.match(await page.textContent('.preview legend'), /from 1 to …/);
  await page.selectOption('select[name=kind]', 'rating');
  await page.check('input[name=items]');
  await page.waitForSelector('button:text-is("Add an item")');
  t.equal((await page.$$('[aria-label="Label of item 1"]')).length, 1);
  const boxes = await page.$$eval('input[type=datetime-local]', (all) =>
    all.map((one) => [one.getBoundingClientRect().right, one.closest('label')?.getBoundingClientRect().right ?? 0]),
  );
  t.equal(boxes.length, 2);
  for (const [input, label] of boxes) t.ok((input ?? 0) <= (label ?? 0) + 1, 'a date is not wider than its place');
  await picture(page, 'editor-phone', true);
  t.same(problems, []);
  await close();
});
