import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { vote } from './viewer.ts';

const QUIZ = { kind: 'quiz', correct: ['b'] } as const;

async function guestOf(s: Stage): Promise<{ guest: string; authorization: string }> {
  await s.call('PATCH', '/api/rooms/hall/guests', { operator: true, body: { joinBy: 'anyone' } });
  const { device, password } = (await s.call('POST', '/api/rooms/hall/join')).body;
  return { guest: device, authorization: `Basic ${Buffer.from(`${device}:${password}`).toString('base64')}` };
}

async function put(s: Stage, authorization: string, nickname: unknown): Promise<{ status: number; body: unknown }> {
  const headers = { authorization, 'content-type': 'application/json' };
  const body = JSON.stringify({ nickname });
  const response = await fetch(`${s.http}/api/guests/me`, { method: 'PUT', headers, body });
  return { status: response.status, body: await response.json() };
}

async function register(s: Stage, body: object): Promise<void> {
  await s.call('POST', '/api/devices', { operator: true, body });
}

t.test('leaderboards and lists name devices, their mandates and guests', async (t) => {
  const s = await stage(t);
  await register(s, { device: 'd1', label: 'Red clicker', mandates: [{ mandate: 'aunt' }] });
  await register(s, { device: 'd2' });
  const { guest, authorization } = await guestOf(s);
  t.match(await put(s, authorization, '  Zoë   the  Great '), { status: 200, body: { nickname: 'Zoë the Great' } });
  await s.openPoll('q', QUIZ);
  await vote(s, 'd2', 'q', 'b');
  await vote(s, guest, 'q', 'b');
  await vote(s, 'someone', 'q', 'a');
  const carrier = await s.device('d1');
  await carrier.vote('vote/q', 'b');
  await s.resultAfter('q', 4);
  const answers = (await s.call('GET', '/api/polls/q/responses', { operator: true })).body;
  t.match(
    answers.responses.map(({ voter, label, mandate }: Record<string, unknown>) => [voter, label, mandate]),
    [
      ['d1', 'Red clicker', undefined],
      ['d1/aunt', 'Red clicker (aunt)', 'aunt'],
      ['d2', null, undefined],
    ],
  );
  t.same(answers.guests, [{ voter: guest, nickname: 'Zoë the Great' }]);
  t.equal(answers.others, 2);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually(
    'the final result',
    async () => (await s.call('GET', '/api/polls/q/result')).body.final || undefined,
  );
  const { players } = (await s.call('GET', '/api/leaderboard?polls=q', { operator: true })).body;
  const names = new Map(players.map(({ name, label }: { name: string; label?: string }) => [name, label]));
  t.equal(names.get('d1'), 'Red clicker');
  t.equal(names.get(guest), 'Zoë the Great');
  t.equal(names.get('d2'), undefined);
  t.ok(names.has('someone'));
});

t.test('pseudonymous and secret polls name nobody', async (t) => {
  const s = await stage(t);
  await register(s, { device: 'd1', label: 'Red clicker' });
  const { guest, authorization } = await guestOf(s);
  await put(s, authorization, 'Zoë');
  for (const secrecy of ['pseudonymous', 'secret']) {
    await s.openPoll(secrecy, { ...QUIZ, secrecy, visibility: 'closed' });
    await vote(s, 'd1', secrecy, 'b');
    await vote(s, guest, secrecy, 'b');
    await s.resultAfter(secrecy, 2);
    await s.call('POST', `/api/polls/${secrecy}/close`, { operator: true });
    for (const path of [
      `/api/leaderboard?polls=${secrecy}`,
      `/api/polls/${secrecy}/responses`,
      `/api/polls/${secrecy}/ballots.csv`,
      `/api/polls/${secrecy}/result`,
      `/api/polls/${secrecy}/audit`,
    ]) {
      const { body } = await s.call('GET', path, { operator: true });
      t.notMatch(JSON.stringify(body), /Red clicker|Zoë/, `${secrecy}: ${path}`);
    }
  }
});

t.test('nicknames are short, visible, unlike each other, and moderated by operators', async (t) => {
  const s = await stage(t);
  await register(s, { device: 'd1', label: 'Rote Reihe' });
  const ann = await guestOf(s);
  const ben = await guestOf(s);
  const code = async (nickname: unknown) => {
    const { status, body } = await put(s, ben.authorization, nickname);
    return status === 200 ? 200 : String((body as { type: string }).type).replace('urn:pollcast:', '');
  };
  await put(s, ann.authorization, 'Ann');
  for (const bad of ['x'.repeat(31), 'a\u202eb', 'a\u0000b', '\u200b']) {
    t.equal(await code(bad), 'bad-nickname', JSON.stringify(bad));
  }
  for (const taken of ['Ann', 'ANN', ' ａｎｎ ', 'rote  reihe', 'D1'])
    t.equal(await code(taken), 'nickname-taken', taken);
  t.equal(await code('𝒳'.repeat(30)), 200, 'characters are counted, not code units');
  t.equal(await code('Ben'), 200);
  t.equal(await code('Ben'), 200, 'one’s own name is not taken');
  t.equal((await put(s, 'Basic bm86d2F5', 'Eve')).status, 401);
  t.equal((await put(s, s.operator.authorization as string, 'Eve')).status, 401);
  t.equal((await s.call('GET', '/api/guests')).status, 401);

  const list = async () => (await s.call('GET', '/api/guests', { operator: true })).body.guests;
  t.same(await list(), [
    { guest: ann.guest, nickname: 'Ann', blocked: false },
    { guest: ben.guest, nickname: 'Ben', blocked: false },
  ]);
  const moderate = (guest: string, blocked: boolean) =>
    s.call('PATCH', `/api/guests/${guest}`, { operator: true, body: { blocked } });
  await moderate(ben.guest, true);
  t.equal(await code('Benny'), 'nickname-blocked');
  t.equal(await code(null), 200, 'a blocked guest may have no name');
  t.match(await list(), [{ blocked: true, nickname: null }, { nickname: 'Ann' }]);
  await moderate(ben.guest, false);
  t.equal(await code('Benny'), 200);
  await moderate(ann.guest, false);
  t.match(await list(), [{ guest: ben.guest, nickname: 'Benny' }]);
});
