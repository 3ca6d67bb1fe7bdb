import t from 'tap';
import { StoreError } from '../../core/store/error.ts';
import { eventually } from '../support/eventually.ts';
import { stage } from '../support/stage.ts';

t.test('while the store takes no entries, the process is not ready and says why, and so does the API', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const { store } = s.pollcast;
  const reason = 'the disk of /srv/votes is full; free space, and it goes on';
  // The tests of the stores show when they say this; here it is only about who repeats it.
  const condition = t.capture(store, 'condition', () => ({ ok: false, reason }) as const);
  const put = t.capture(store.registry, 'put', async () => {
    throw new StoreError('no');
  });
  const ready = await s.call('GET', '/ready');
  t.match(ready, { status: 503, body: { status: 'not ready', why: reason } });
  t.equal((await s.call('GET', '/health')).status, 200, 'a restart would not help');
  const closing = await s.call('POST', '/api/polls/q/close', { operator: true });
  t.match(closing, { status: 503, body: { type: 'urn:pollcast:store-refuses', detail: reason } });
  t.ok(Number(closing.headers.get('retry-after')) > 0);
  const joining = await s.call('POST', '/api/rooms/hall/join');
  t.match(joining, { status: 503, body: { type: 'urn:pollcast:store-refuses' } });
  t.notMatch(joining.body.detail, '/srv/votes', 'where the disk is concerns operators only');
  await eventually('the metrics', async () => {
    const { body } = await s.call('GET', '/metrics');
    return /^pollcast_not_ready\{why="store-refuses"\} 1$/m.test(body) && /^pollcast_ready 0$/m.test(body)
      ? true
      : undefined;
  });
  condition.restore();
  put.restore();
  await eventually('ready again', async () => ((await s.call('GET', '/ready')).status === 200 ? true : undefined));
  await eventually('the metrics to recover', async () => {
    const { body } = await s.call('GET', '/metrics');
    return /^pollcast_ready 1$/m.test(body) && !/^pollcast_not_ready.* 1$/m.test(body) ? true : undefined;
  });
  t.equal((await s.call('POST', '/api/polls/q/close', { operator: true })).status, 200);
});
