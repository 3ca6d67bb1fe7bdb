import t from 'tap';
import { stage } from '../../support/stage.ts';
import { create, DOOR, finalOf, options, register, step, votes } from './chair.ts';

t.test('with visibility `voted`, voters see the result after they have voted, in the API and in streams', async (t) => {
  const s = await stage(t, DOOR);
  await create(s, 'q', { options, visibility: 'voted' });
  await step(s, 'q', 'open');
  const ann = await register(s, 'ann');
  const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`ann:${secret}`).toString('base64')}` });
  const ask = (path: string, headers: Record<string, string>) => fetch(`${s.http}/api/polls/q/${path}`, { headers });
  const seen = async () => (await (await ask('result', basic(ann.secret))).json()) as { hidden?: boolean };
  t.match(await seen(), { hidden: true });
  t.equal((await ask('timeline', basic(ann.secret))).status, 403);
  await ann.vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  t.match(await seen(), { options: [{ count: 1 }] });
  t.match((await s.call('GET', '/api/polls/q/result')).body, { hidden: true }, 'other people do not see the result');
  t.equal((await ask('result', basic('wrong'))).status, 401);
  const stream = await ask('stream', basic(ann.secret));
  const reader = stream.body?.getReader();
  let text = '';
  while (!/event: result\n.*?\n\n/s.test(text)) text += new TextDecoder().decode((await reader?.read())?.value);
  t.match(text, /"count":1/);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  await step(s, 'q', 'reopen');
  while (!/"round":2.*"hidden":true/.test(text)) text += new TextDecoder().decode((await reader?.read())?.value);
  t.pass('a ballot in one round does not reveal the result of the next round');
  await reader?.cancel();
});

t.test('earlier rounds keep their results, and exports contain all rounds', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'multiple' });
  await votes(s, 'd', 'q', 'a,b');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  await step(s, 'q', 'reopen');
  await votes(s, '=cmd', 'q', 'c').catch(() => {});
  await votes(s, 'e', 'q', 'c');
  await s.resultAfter('q', 1);
  const counts = ({ options }: { options: { count: number }[] }) => options.map(({ count }) => count);
  const round = async (number: number) => (await s.call('GET', `/api/polls/q/result?round=${number}`)).body;
  t.same(
    [counts(await round(1)), counts(await round(2))],
    [
      [1, 1, 0],
      [0, 0, 1],
    ],
  );
  t.match(await round(1), { round: 1, final: true, status: 'closed' });
  t.equal((await s.call('GET', '/api/polls/q/result?round=3')).status, 404);
  const { body } = await s.call('GET', '/api/polls/q/results', { operator: true });
  t.same(body.rounds.map(counts), [
    [1, 1, 0],
    [0, 0, 1],
  ]);
  t.equal((await s.call('GET', '/api/polls/q/results')).status, 401);
  const { body: table } = await s.call('GET', '/api/polls/q/result.csv', { operator: true });
  const rows = table.split('\r\n');
  t.equal(rows.filter((row: string) => /^q,[12],.*,options,/.test(row)).length, 6, 'a row per option and round');
  t.ok(
    rows.some((row: string) => /^q,1,final,,a,Option a,.*,winners,,1,,winners,a$/.test(row)),
    'and rows for everything else, such as the winner',
  );
});

t.test('leaderboards cover only questions that are closed', async (t) => {
  const s = await stage(t);
  await s.openPoll('q1', { kind: 'quiz', correct: ['b'], visibility: 'closed', revote: 'first' });
  await s.openPoll('plain');
  const device = await s.device('watcher');
  await device.subscribe('poll/q1', 1);
  t.notMatch(await device.next('poll/q1'), /correct/, 'devices do not receive the correct answer');
  t.notMatch(JSON.stringify((await s.call('GET', '/api/polls')).body), /correct/);
  await votes(s, 'ann', 'q1', 'b');
  await votes(s, 'bob', 'q1', 'a');
  await s.resultAfter('q1', 2);
  const board = (polls: string, operator = false) => s.call('GET', `/api/leaderboard?polls=${polls}`, { operator });
  t.equal((await board('q1')).status, 409, 'there is no leaderboard while the question is open');
  await step(s, 'q1', 'close');
  await finalOf(s, 'q1');
  t.match((await board('q1')).body, {
    players: [
      { place: 1, name: 'ann', points: 1000 },
      { place: 2, name: 'bob', points: 0 },
    ],
    teams: [],
  });
  t.match((await board('plain')).body, { type: 'urn:pollcast:no-quiz' });
  t.match((await s.call('GET', '/api/polls/q1/result')).body, { answer: ['b'], correct: { count: 1, share: 0.5 } });
});
