import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { stage } from '../support/stage.ts';
import { startBrowser } from './support/browser.ts';

/** Follows a stream with the browser’s own client for server-sent events, and keeps what it gets. The page runs this text. */
const follow = (path: string) => `
  globalThis.seen_ = { events: [], isLost: false };
  globalThis.source_ = new EventSource('${path}');
  for (const name of ['result', 'change', 'final'])
    source_.addEventListener(name, ({ data }) => seen_.events.push({ name, ...JSON.parse(data) }));
  source_.addEventListener('error', () => { seen_.isLost = true; });
`;

t.test('the compressed stream reaches a browser event by event, and its end is an ordinary loss', async (t) => {
  const browser = await startBrowser(t);
  const s = await stage(t);
  await s.openPoll('q');
  const page = await browser.newPage();
  await page.goto(`${s.http}/vote/q`);
  const begun = page.waitForResponse((response) => response.url().endsWith('?changes=compact'));
  await page.evaluate(follow('/api/polls/q/stream?changes=compact'));
  t.equal((await begun).headers()['content-encoding'], 'gzip');
  const seen = () =>
    page.evaluate<{ isLost: boolean; events: { name: string; add?: unknown; votes?: number }[] }>('seen_');
  await eventually('the snapshot', async () => ((await seen()).events[0]?.name === 'result' ? true : undefined));
  const device = await s.device('d');
  await device.vote('vote/q', 'a');
  await eventually('a small change', async () => (await seen()).events.find(({ add }) => add));
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const last = await eventually('the final result', async () =>
    (await seen()).events.find(({ name }) => name === 'final'),
  );
  t.match(last, { votes: 1, final: true });
  t.equal((await seen()).isLost, false);
  await s.stop();
  await eventually('the loss', async () => ((await seen()).isLost ? true : undefined));
  await page.close();
});
