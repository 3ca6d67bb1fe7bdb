import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import t from 'tap';
import { stage } from './stage.ts';

const ARTIFACTS = fileURLToPath(new URL('../../test/artifacts/', import.meta.url));
const SIZES = { phone: [360, 740], laptop: [1280, 800], projector: [1920, 1080] } as const;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Browser;
t.before(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
});
t.teardown(() => browser.close());

const text = (page: Page, id: string) => page.textContent(`#${id}`);
const untilText = (page: Page, id: string, expected: string) => page.waitForSelector(`#${id}:text-is("${expected}")`);
const values = (page: Page) => page.$$eval('.bars .value', (found) => found.map((one) => one.textContent));

t.test('the results page follows a poll from draft to final, without a reload', async (t) => {
  const s = await stage(t);
  const options = [
    { key: 'a', label: 'Yes' },
    { key: 'b', label: '<img src=x onerror=alert(1)>' },
  ];
  const title = 'Shall we? <script>document.title="owned"</script>';
  await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title, options } });
  const page = await browser.newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(`${s.http}/screen/q`);
  await page.waitForSelector('#status[data-status="draft"]');
  t.notOk((await page.content()).includes('Shall we'), 'a draft is not shown');

  await s.call('POST', '/api/polls/q/open', { operator: true });
  await page.waitForSelector('#status[data-status="open"]');
  t.equal(await text(page, 'title'), title, 'text is text');
  t.equal(await page.$$eval('script', (all) => all.length), 1, 'and never markup');
  for (const [i, choice] of ['a', 'a', 'b'].entries()) await (await s.device(`d${i}`)).vote('vote/q', choice);
  await untilText(page, 'ballots', '3');
  t.same(await values(page), ['66.7%2', '33.3%1']);
  const widths = await page.$$eval('.fill', (all) => all.map((one) => one.getAttribute('style')));
  t.match(widths, [/scaleX\(0\.66/, /scaleX\(0\.33/]);

  await page.waitForSelector('#timeline:not([hidden]) path');
  t.match(await text(page, 'timeline-caption'), /Votes per second, at most [123]/);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await page.waitForSelector('#status[data-status="final"]');
  t.equal(await text(page, 'status'), 'Final result');
  t.same(problems, [], 'no error in the console');
  t.ok(
    requests.every((url) => url.startsWith(s.http)),
    'no request to anybody else',
  );
  await page.close();
});

t.test('the results page reconnects by itself, and says so meanwhile', async (t) => {
  const first = await stage(t);
  await first.openPoll('q');
  const page = await browser.newPage();
  await page.goto(`${first.http}/screen/q`);
  await page.waitForSelector('#status[data-status="open"]');
  const httpPort = String(first.pollcast.httpPort);
  await first.stop();
  await untilText(page, 'line', 'Connection lost, reconnecting…');
  const second = await stage(t, { httpPort }, first.directory);
  await (await second.device('d')).vote('vote/q', 'a');
  await untilText(page, 'ballots', '1');
  t.equal(await text(page, 'line'), '');
  await page.close();
});

t.test('every kind and visibility, at every size, in both themes, without overflow', async (t) => {
  const s = await stage(t);
  const words = ['A better clicker', 'A bigger screen for the back rows, please', 'A longer coffee break'];
  const options = words.map((label, i) => ({ key: 'abc'[i] as string, label }));
  await s.openPoll('single', { title: 'What should we build next?', options });
  await s.openPoll('rating', { title: 'How was the talk?', kind: 'rating', options: [], min: 1, max: 10 });
  await s.openPoll('multiple', { title: `W${'o'.repeat(120)}w`, kind: 'multiple', options });
  await s.openPoll('hidden', { title: 'Figures come later', visibility: 'closed', options });
  const device = await s.device('d');
  for (const [poll, choices] of Object.entries({
    single: 'abbbcaab',
    rating: '7895',
    multiple: 'abca',
    hidden: 'ab',
  })) {
    for (const [i, choice] of [...choices].entries())
      await (await s.device(`${poll}-${i}`)).vote(`vote/${poll}`, choice);
    await s.resultAfter(poll, choices.length);
  }
  await device.client.endAsync();
  for (const [name, [width, height]] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      for (const poll of ['single', 'rating', 'multiple', 'hidden']) {
        await page.goto(`${s.http}/screen/${poll}`);
        await page.waitForSelector('#status[data-status="open"]');
        await page.waitForSelector('.bars li');
        if (poll !== 'hidden') await page.waitForSelector('#timeline:not([hidden]) path');
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
        t.ok(overflow <= 0, `${poll} on a ${name} (${colorScheme}) is ${overflow} px too wide`);
        await page.screenshot({ path: join(ARTIFACTS, `screen-${poll}-${name}-${colorScheme}.png`) });
      }
      await context.close();
    }
  }
});
