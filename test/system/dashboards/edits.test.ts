import t from 'tap';
import { ApiClient, ApiError } from '../../../client/api.ts';
import { stage } from '../../support/stage.ts';

const options = ['a', 'b'].map((key) => ({ key, label: `Option ${key}` }));

t.test('edits: a change based on an earlier version is refused, with what was changed meanwhile', async (t) => {
  const s = await stage(t);
  const create = () => s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Q?', options } });
  await create();
  const read = () => s.call('GET', '/api/polls/q', { operator: true });
  const save = (body: object) => s.call('PATCH', '/api/polls/q', { operator: true, body });
  t.equal((await read()).body.version, 1);
  const saved = await save({ title: 'First?', room: 'hall', basedOn: 1 });
  t.match(saved, { status: 200, body: { title: 'First?', version: 2 } });
  const refused = await save({ title: 'Second?', basedOn: 1 });
  t.match(refused, {
    status: 409,
    body: {
      type: 'urn:pollcast:edit-conflict',
      detail: /version 1.*version 2 \(changed: title, room\)/,
      problems: ['title: now "First?"', 'room: now "hall"'],
    },
  });
  t.match((await read()).body, { title: 'First?', version: 2 });
  t.match(await save({ options: [{ key: 'z', label: 'Z' }], basedOn: 9 }), { status: 409 });

  t.match(await save({ title: 'First?', room: 'hall', basedOn: 1 }), { status: 200, body: { version: 2 } });
  t.match(
    await save({ title: 'Third?' }),
    { status: 200, body: { version: 3 } },
    'without a version, nothing is checked',
  );
  t.match(await save({ room: null, basedOn: 3 }), { status: 200, body: { version: 4 } });
  t.match((await save({ title: 'Fourth?', basedOn: 3 })).body.problems, ['room: removed']);
  t.match(await save({ title: 'Fourth?', basedOn: null }), { status: 200, body: { version: 5 } });
  t.match(await save({ title: 'Fifth?', basedOn: 1.5 }), { status: 400 });

  await s.call('POST', '/api/polls/q/open', { operator: true });
  t.match((await read()).body, { version: 5 }, 'opening a poll changes no setting');
  t.match(await save({ visibility: 'closed', basedOn: 5 }), { status: 200, body: { version: 6 } });
  const api = new ApiClient({ base: s.http, token: s.operator.authorization?.replace('Bearer ', '') });
  const error = await api.changePoll('q', { visibility: 'turnout' }, 5).catch((one) => one);
  t.ok(error instanceof ApiError);
  t.match(error, { status: 409, code: 'edit-conflict', problems: ['visibility: now "closed"'] });
  t.equal((await s.call('GET', '/api/polls/q')).body.version, undefined, 'only operators edit polls');

  await s.call('POST', '/api/polls/q/close', { operator: true });
  await s.call('DELETE', '/api/polls/q', { operator: true });
  await create();
  t.equal((await read()).body.version, 7, 'a new poll is not mistaken for a deleted one');
});
