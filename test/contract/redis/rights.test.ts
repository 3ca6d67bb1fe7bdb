/** What the user of Redis may do. */
import t from 'tap';
import { tell } from '../../support/servers.ts';
import { aclOf } from '../acl.ts';
import { count, marker, opened, placeOn, server } from './place.ts';

const ALL = ['+@all', '~*', '&*'];
for (const [name, rights, missing] of [
  ['channels', ['+@all', '~*', 'resetchannels'], ['&*']],
  ['patterns of channels', ['+@all', '~*', 'resetchannels', '&test-*'], ['&*']],
  ['keys', ['+@all', '&*', 'resetkeys', '~other:*'], ['~test-']],
  ['the keys with hash tags', ['+@all', '&*', 'resetkeys', '~test-*'], ['~{test-']],
  ['some commands', [...ALL, '-xadd', '-publish', '-psubscribe'], ['+xadd', '+publish', '+psubscribe']],
] as const) {
  t.test(`a user without rights to ${name} is refused at the start, with all that is missing`, async (t) => {
    const redis = await server(t);
    await tell(redis.port, 'ACL', 'SETUSER', 'votes', 'on', '>secret', 'resetchannels', 'resetkeys', ...rights);
    const place = placeOn({ url: `redis://votes:secret@127.0.0.1:${redis.port}` });
    for (const right of missing)
      await t.rejects(opened(t, place), { message: new RegExp(right.replace(/[+{*]/g, '\\$&')) });
  });
}

t.test('the rights in the documentation are enough', async (t) => {
  const redis = await server(t);
  const place = placeOn({ url: `redis://votes:secret@127.0.0.1:${redis.port}` });
  const { prefix } = place;
  await tell(redis.port, 'ACL', 'SETUSER', 'votes', '>secret', ...aclOf(prefix));
  const store = await opened(t, place);
  await store.log.append(0, marker);
  await store.registry.put('polls', 'x', {});
  await store.presence.announce('broker', 'a', {}, 1_000);
  await store.presence.list('broker');
  await store.lines.claim('d', 'a');
  await store.trails.add(new Map([['d', []]]));
  t.ok(store.condition().ok);
});

t.test('an entry is stored once although Redis no longer lets its user wake the readers', async (t) => {
  const redis = await server(t);
  await tell(redis.port, 'ACL', 'SETUSER', 'votes', 'on', '>secret', ...ALL);
  const store = await opened(t, placeOn({ url: `redis://votes:secret@127.0.0.1:${redis.port}` }));
  await tell(redis.port, 'ACL', 'SETUSER', 'votes', 'resetchannels');
  await store.log.append(0, marker);
  t.equal(await count(store), 1);
});
