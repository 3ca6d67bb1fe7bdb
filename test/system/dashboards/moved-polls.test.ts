/** A dashboard that has not heard yet that a poll has moved still lets nobody change it who may not. */
import t from 'tap';
import { emptyFolder } from '../../support/folder.ts';
import { redisServer, tell } from '../../support/servers.ts';
import { stage } from '../../support/stage.ts';

const POLLS = '{pollcast:registry}:polls';

t.test('the room of a poll is checked as it is stored, not as this process remembers it', async (t) => {
  const redis = await redisServer(emptyFolder(t));
  t.teardown(() => redis.program.end());
  const s = await stage(t, { redisUrl: redis.url, door: 'devices' });
  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  const create = async (operator: string, role: string) => {
    const body = { operator, role, rooms: ['hall'] };
    return `Bearer ${(await s.call('POST', '/api/operators', { operator: true, body })).body.token}`;
  };
  const [ann, bob] = [await create('ann', 'operator'), await create('bob', 'auditor')];
  const send = async (method: string, path: string, headers: Record<string, string>, body?: object) => {
    const type: Record<string, string> = body ? { 'content-type': 'application/json' } : {};
    const init = { method, headers: { ...headers, ...type }, body: body ? JSON.stringify(body) : null };
    const answer = await fetch(`${s.http}/api/polls/q${path}`, init);
    await answer.body?.cancel();
    return answer.status;
  };
  const stored = async () => String(await tell(redis.port, 'HGET', POLLS, 'q'));
  /** Moves the poll without a notice to this process. */
  const move = async (room: string) => {
    const text = await stored();
    const space = text.indexOf(' ');
    const poll = JSON.parse(text.slice(space + 1));
    poll.definition.room = room;
    if (poll.draft) poll.draft.room = room;
    await tell(redis.port, 'HSET', POLLS, 'q', `${Number(text.slice(0, space)) + 1} ${JSON.stringify(poll)}`);
  };
  await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Q?', room: 'hall', options } });
  const { screenKey } = (await s.call('GET', '/api/polls/q', { operator: true })).body;
  const by = { authorization: ann };
  t.equal(await send('PATCH', '', by, { title: 'Mine' }), 200);
  t.equal(await send('POST', '/hide', { 'x-pollcast-screen': screenKey }), 200);

  const requests: readonly (readonly [
    expected: number,
    method: string,
    path: string,
    headers: object,
    body?: object,
  ])[] = [
    [401, 'POST', '/show', { 'x-pollcast-screen': screenKey }],
    [403, 'PATCH', '', by, { title: 'Still mine' }],
    [403, 'PATCH', '', by, { room: 'hall' }],
    [403, 'POST', '/open', by],
    [403, 'POST', '/show', by],
    [403, 'DELETE', '', by],
    [403, 'GET', '/result.csv', { authorization: bob }],
  ];
  for (const [expected, method, path, headers, body] of requests) {
    await s.call('PATCH', '/api/polls/q', { operator: true, body: { room: 'hall' } });
    await move('cellar');
    const moved = await stored();
    const what = `${method} ${path} ${JSON.stringify(body)}`;
    t.equal(await send(method, path, headers as Record<string, string>, body), expected, what);
    t.equal(await stored(), moved, `${what} changes nothing`);
  }
});
