import t from 'tap';
import { stage } from '../../support/stage.ts';
import { create, finalOf, options, step, votes } from './chair.ts';

t.test('a poll whose full ballot is too long is refused, and the longest that is accepted is counted', async (t) => {
  const s = await stage(t);
  const keyed = (length: number) =>
    Array.from({ length: 60 }, (_, i) => ({
      key: `candidate-${String(i).padStart(2, '0')}`.padEnd(length, 'x'),
      label: 'x',
    }));
  const body = { poll: 'long', title: 'Q?', kind: 'score', options: keyed(13) };
  const refused = await s.call('POST', '/api/polls', { operator: true, body });
  t.equal(refused.status, 400);
  t.match(refused.body.problems, [/^options: a full ballot would take 959 bytes, but at most 920/]);
  await create(s, 'long', { kind: 'score', options: keyed(12) });
  await step(s, 'long', 'open');
  const device = await s.device('d');
  await device.subscribe('receipt/d');
  const ballots = [
    keyed(12)
      .map(() => '5')
      .join(','),
    keyed(12)
      .map(({ key }) => `${key}:4`)
      .join(','),
    JSON.stringify({ c: Object.fromEntries(keyed(12).map(({ key }) => [key, 3])), n: 7, t: 1_767_225_600_000, r: 1 }),
  ];
  for (const ballot of ballots) {
    await device.vote('vote/long', ballot);
    t.equal(await device.next('receipt/d'), 'accepted long');
  }
  t.match(await s.resultAfter('long', 3), { ballots: 1, options: keyed(12).map(({ key }) => ({ key, count: 3 })) });
});

t.test('option keys that are also names of object properties work like any other key', async (t) => {
  const s = await stage(t);
  const options = ['constructor', '__proto__', 'toString'].map((key) => ({ key, label: key }));
  await create(s, 'q', { options });
  await step(s, 'q', 'open');
  for (const [i, { key }] of options.entries()) await votes(s, `d${i}`, 'q', key);
  await s.resultAfter('q', 3);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.same([body.agrees, body.differences], [true, []]);
});

t.test('drafts: defaults are adapted when settings change, and null removes a setting', async (t) => {
  const s = await stage(t);
  const patch = (poll: string, body: object) => s.call('PATCH', `/api/polls/${poll}`, { operator: true, body });
  await create(s, 'r', { kind: 'ranking', options: options.slice(0, 2), durationMs: 5_000 });
  t.match(
    (await patch('r', { options })).body,
    { max: 3 },
    'the default of max is the number of options, which is now three',
  );
  t.match((await patch('r', { durationMs: null })).body, { durationMs: undefined, status: 'draft' });
  t.equal((await patch('r', { title: null })).status, 400);
  t.equal((await patch('r', {})).status, 400);
  await create(s, 'm', { kind: 'motion' });
  t.equal((await patch('m', { abstain: false })).body.options.length, 2);
  t.match((await patch('m', { kind: 'single', options })).body, { kind: 'single', abstain: undefined });
});

t.test('text polls: operators can hide and merge phrases, and the ballots are not changed', async (t) => {
  const s = await stage(t);
  await create(s, 'word', { kind: 'text', visibility: 'live' });
  await step(s, 'word', 'open');
  await votes(s, 'd1', 'word', 'Great, lunch');
  await votes(s, 'd2', 'word', 'GREAT!');
  await s.resultAfter('word', 2);
  const cloud = async () =>
    Object.fromEntries(
      (await s.call('GET', '/api/polls/word/result')).body.options.map(
        ({ key, count }: { key: string; count: number }) => [key, count],
      ),
    );
  t.same(await cloud(), { great: 1, 'great!': 1, lunch: 1 });
  const moderation = { hide: ['Lunch'], merge: { 'great!': 'great' } };
  t.equal((await s.call('PATCH', '/api/polls/word', { operator: true, body: { moderation } })).status, 200);
  t.same(await cloud(), { great: 2 });
  t.equal((await s.call('PATCH', '/api/polls/word', { operator: true, body: { maxLength: 5 } })).status, 409);
  t.equal(
    (await s.call('GET', '/api/polls/word')).body.moderation,
    undefined,
    'the public does not see which phrases are hidden',
  );
  t.match((await s.call('POST', '/api/polls/word/recount', { operator: true })).body, { agrees: true });
});
