/** Tests of the commands for operators and the audit trail. */
import { join } from 'node:path';
import t from 'tap';
import { pollcast, Server } from '../../support/process.ts';

t.test('operators are created, listed, suspended and revoked, and the audit trail is shown and checked', async (t) => {
  const directory = t.testdir({});
  const server = new Server(join(directory, 'data'), { env: { POLLCAST_DOOR: 'devices' } });
  t.teardown(() => server.kill());
  await server.start();
  const env = { POLLCAST_API: server.http, POLLCAST_OPERATOR_TOKEN: server.token };
  const run = (...args: string[]) => pollcast(args, env, directory);
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);

  const added = await run('operator', 'add', 'ann', '--role', 'presenter', '--room', 'hall', '--room', 'foyer');
  t.match(added, { code: 0, stdout: /ann +presenter +hall, foyer .* root +never\s+token ann\.[\w-]{24}\s/ });
  const token = /token (\S+)/.exec(added.stdout)?.[1] ?? '';
  t.match(await run('operator', 'add', 'bob', '--role', 'king'), { code: 1, stderr: /role/ });
  t.match(await run('operator', 'add', 'bob'), { code: 2 });
  const bob = await json('operator', 'add', 'bob', '--role', 'auditor', '--expires', '2100-01-31T18:00:00Z');
  t.match(bob, { operator: 'bob', role: 'auditor', rooms: null, expiresAt: '2100-01-31T18:00:00.000Z' });
  t.match(await json('operator', 'list'), [{ operator: 'ann' }, { operator: 'bob' }]);

  t.match(await run('poll', 'create', 'q', '--title', 'Q?', '--option', 'a', '--option', 'b', '--token', token), {
    code: 1,
    stderr: /ann may not do this: the role presenter does not allow poll.create/,
  });
  t.match((await run('operator', 'expire', 'bob', '2001-01-01T00:00:00Z')).stdout, /bob .*\(expired\)/);
  t.match(await run('device', 'list', '--token', bob.token), { code: 1, stderr: /wrong, or it has expired/ });
  t.match((await run('operator', 'expire', 'bob')).stdout, /bob .* never/);
  t.match(await run('device', 'list', '--token', bob.token), { code: 0 });
  t.match(await run('operator', 'revoke', 'ann', 'bob'), { code: 0, stdout: /revoked ann, bob/ });
  t.match(await run('operator', 'revoke', 'ann'), { code: 1, stderr: /there is no operator "ann"/ });
  t.match(await run('device', 'list', '--token', bob.token), { code: 1 });

  t.match((await run('audit', 'trail')).stdout, /operator\.revoke +operator\/bob/);
  const two = await json('audit', 'trail', '--limit', '2');
  t.match(two, [
    { action: 'device.list', who: 'stranger', code: 'wrong-token' },
    { action: 'operator.revoke', code: 'no-such-operator' },
  ]);
  t.match(await run('audit', 'trail', '--limit', 'x'), { code: 1, stderr: /--limit/ });
  t.match(await run('audit', 'trail', '--check'), { code: 0, stdout: /INTACT: no record was changed/ });
  const lines = server.output.split('\n').filter((line) => line.includes('"part":"audit"'));
  t.match(JSON.parse(lines[0] ?? ''), {
    level: 'info',
    time: /Z$/,
    host: String,
    pid: Number,
    role: 'all',
    record: 1,
    fact: { who: 'root', action: 'operator.create', target: 'operator/ann' },
  });
  for (const one of [token, bob.token]) t.notMatch(server.output, one.split('.')[1]);
});
