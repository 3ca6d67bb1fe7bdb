import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';
import { vote } from './viewer.ts';

t.test('a result is sent again only if it has changed for whoever asks', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'text', options: undefined, visibility: 'live' });
  const path = '/api/polls/q/result';
  const get = (headers: Readonly<Record<string, string>> = {}, from = path) => fetch(s.http + from, { headers });
  const tags = new Map<string, string>();
  /** The answer to a client that has the answer before. */
  const again = async (who: string, headers: Readonly<Record<string, string>> = {}, from = path) => {
    const before = tags.get(who + from) ?? '"none"';
    const response = await get({ ...headers, 'if-none-match': `"other", ${before}` }, from);
    tags.set(who + from, response.headers.get('etag') ?? '');
    const text = await response.text();
    if (response.status === 304) t.equal(text, '');
    return { status: response.status, text };
  };
  const everybody = async () => [
    await again('public'),
    await again('operator', s.operator),
    await again('operator', s.operator, '/api/polls/q/results'),
  ];
  const statuses = async () => (await everybody()).map(({ status }) => status).join(' ');

  await vote(s, 'd', 'q', 'lunch');
  await s.resultAfter('q', 1);
  t.match((await get()).headers.get('cache-control'), 'private, no-cache');
  t.equal((await get(s.operator)).headers.get('cache-control'), 'no-store', 'what only operators may see is not kept');
  t.match((await get()).headers.get('vary'), 'authorization');
  t.equal(await statuses(), '200 200 200');
  t.equal(await statuses(), '304 304 304', 'nothing has changed');

  await vote(s, 'e', 'q', 'rude');
  await s.resultAfter('q', 2);
  t.equal(await statuses(), '200 200 200', 'a vote was counted');

  t.equal((await s.call('POST', '/api/polls/q/hide', { operator: true })).status, 200);
  const [hidden, ...operators] = await everybody();
  t.match(hidden, { status: 200, text: /"hidden":true/ }, 'the curtain is drawn');
  t.notMatch(hidden?.text, /lunch/);
  t.notOk(operators.some(({ text }) => text.includes('"hidden"')));
  t.equal((await s.call('POST', '/api/polls/q/show', { operator: true })).status, 200);
  t.match((await again('public')).text, /rude/);

  const moderation = { hide: ['rude'] };
  t.equal((await s.call('PATCH', '/api/polls/q', { operator: true, body: { moderation } })).status, 200);
  const [moderated] = await everybody();
  t.equal(moderated?.status, 200, 'a phrase was hidden');
  t.notMatch(moderated?.text, /rude/);

  t.equal((await s.call('PATCH', '/api/polls/q', { operator: true, body: { visibility: 'closed' } })).status, 200);
  const [restricted] = await everybody();
  t.match(restricted, { status: 200, text: /"hidden":true/ }, 'another visibility');

  await s.call('POST', '/api/polls/q/close', { operator: true });
  const final = await eventually('the final result', async () => {
    const { text } = await again('public');
    return text.includes('"final":true') ? text : undefined;
  });
  t.match(final, /lunch/);
  await eventually('the outcome of the recount', async () =>
    (await (await get()).text()).includes('"recount"') ? true : undefined,
  );
  await everybody();
  t.equal(await statuses(), '304 304 304', 'final');

  t.equal((await s.call('POST', '/api/polls/q/reopen', { operator: true })).status, 200);
  const [next] = await everybody();
  t.match(next, { status: 200, text: /"round":2/ }, 'the next round');
  await again('public', {}, `${path}?round=1`);
  const earlier = await again('public', {}, `${path}?round=1`);
  t.equal(earlier.status, 304, 'the first round is still what it was');
});
