/** Tests of the operator's commands and the files that they use. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Check } from 'typebox/schema';
import { resultText } from '../../../cli/operator/polls/result-text.ts';
import { readTemplate } from '../../../cli/operator/polls/template.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import { pollFileSchema } from '../../../dashboards/api/schemas/poll-file.ts';
import { pollcast, Server } from '../../support/process.ts';
import { pathInCheckout } from '../../support/root.ts';

const EXAMPLES = pathInCheckout('examples/');
const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));

t.test('the published schema is up to date, and the examples match it', async (t) => {
  const published = JSON.parse(readFileSync(join(EXAMPLES, 'poll.schema.json'), 'utf8'));
  t.same(
    published,
    JSON.parse(JSON.stringify(pollFileSchema())),
    'the published schema is up to date (`npm run schema` updates it)',
  );
  t.same(files, ['agm.yaml', 'lecture.yaml', 'quiz-night.yaml', 'tv-final.yaml']);
  for (const file of files) {
    for (const poll of await readTemplate(join(EXAMPLES, file))) t.ok(Check(published, poll), `${file}: ${poll.poll}`);
  }
  t.notOk(Check(published, { poll: 'q', title: 'Q?', colour: 'red' }));
  t.notOk(Check(published, { poll: 'q', title: 'Q?', kind: 'guess' }));
});

t.test('poll files can be YAML or JSON, and mistakes cause a clear error', async (t) => {
  const directory = t.testdir({
    'one.json': '{"poll":"q","title":"Q?"}',
    'many.yaml': 'defaults: { room: r }\npolls:\n  - { poll: a, title: A }\n  - { poll: b, title: B, room: other }\n',
    'twice.yaml': 'poll: a\npoll: b\n',
    'tab.yaml': 'poll:\n\t- x: [\n',
    'beside.yaml': 'polls: []\nroom: r\n',
    'list.yaml': '- 1\n',
    'bomb.yaml': `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, i) => `${name}: &${name} [${`*${'abcdefg'[i]},`.repeat(9)}]`).join('\n')}\n`,
  });
  const read = (file: string) => readTemplate(join(directory, file));
  t.same(await read('one.json'), [{ poll: 'q', title: 'Q?' }]);
  t.same(await read('many.yaml'), [
    { room: 'r', poll: 'a', title: 'A' },
    { room: 'other', poll: 'b', title: 'B' },
  ]);
  await t.rejects(read('twice.yaml'), /twice.yaml: .*unique.* at line 2/is);
  await t.rejects(read('tab.yaml'), /tab.yaml: .*line/is);
  await t.rejects(read('beside.yaml'), /room: only defaults may be given beside polls/);
  await t.rejects(read('list.yaml'), /expected a poll, or a list named polls/);
  await t.rejects(read('bomb.yaml'), /alias/i, 'a few lines with YAML aliases cannot expand to a gigabyte');
  await t.rejects(read('none.yaml'), /none.yaml: cannot be read/);
});

t.test('an event can be run from start to finish on the command line', async (t) => {
  const directory = t.testdir({
    'members.csv': '\ufeffdevice,label,group,weight\nm1,"Ann, chair",members,10.5\nm2,=cmd,members,\n',
    'bad.csv': 'device,colour\n\nx y,red\n',
    'again.csv': 'Device;Label;Colour\nm1;Zoë;red\nm2;;blue\n',
    'broken.yaml':
      'poll: broken\ntitle: ""\nkind: multiple\noptions: [{ key: a, label: A }, { key: a, label: B }]\nmin: 5\n',
  });
  const server = new Server(join(directory, 'data'), { env: { POLLCAST_DOOR: 'devices' } });
  t.teardown(() => server.kill());
  await server.start();
  const env = { POLLCAST_API: server.http, POLLCAST_OPERATOR_TOKEN: server.token };
  const run = (...args: string[]) => pollcast(args, env, directory);
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);

  for (const file of files) t.match(await run('poll', 'create', '-f', join(EXAMPLES, file)), { code: 0 }, file);
  t.match((await run('poll', 'list')).stdout, /statutes +motion +draft +0 +agm +Shall the statutes be changed/);
  t.match(await run('poll', 'create', 'lunch', '--title', 'Lunch?', '--option', 'a=Soup', '--option', 'b', '--open'), {
    code: 0,
    stdout: /lunch +single +open +1/,
  });
  const broken = await run('poll', 'create', '-f', 'broken.yaml');
  t.equal(broken.code, 1);
  t.match(
    broken.stderr,
    /poll broken: [\s\S]*title: must not be empty[\s\S]*"a" occurs twice[\s\S]*max: must be at least min/,
  );
  t.match(await run('poll', 'create'), { code: 1, stderr: /which poll\?/ });
  t.match(await run('poll', 'open', 'nothing'), { code: 1, stderr: /there is no poll "nothing"/ });
  t.match(await run('poll', 'open', 'lunch'), {
    code: 1,
    stderr: /poll lunch has status open; this requires status draft/,
  });
  t.match(await run('poll', 'list', '--token', 'wrong-token-of-somebody'), { code: 1, stderr: /token is wrong/ });
  t.match(await run('poll', 'list', '--http', 'http://127.0.0.1:9'), {
    code: 1,
    stderr: /does not answer.*Set its URL with --http/,
  });

  t.match(await run('device', 'import', 'members.csv', '-o', 'secrets.csv'), {
    code: 0,
    stdout: /2 registered, secrets in secrets.csv/,
  });
  t.equal(statSync(join(directory, 'secrets.csv')).mode & 0o077, 0, 'only the owner can read the secrets');
  t.match(await run('device', 'import', 'bad.csv'), { code: 1, stderr: /row 3: device: must be/ });
  const changes = /separated by semicolons[\s\S]*ignored columns: "Colour"[\s\S]*m1 +label +Ann, chair +Zoë/;
  const dry = await run('device', 'import', 'again.csv', '--dry-run', '-o', 'none.csv');
  t.match(dry, { code: 0, stdout: changes });
  t.match(dry.stdout, /0 would be registered, 2 would be changed, 0 unchanged[\s\S]*nothing was changed/);
  t.notOk(existsSync(join(directory, 'none.csv')), 'a dry run needs no file for secrets');
  t.match((await json('device', 'list'))[0], { label: 'Ann, chair' });
  t.match((await run('device', 'import', 'again.csv')).stdout, changes);
  t.match((await json('device', 'list'))[0], { label: 'Zoë', group: 'members' });
  await run('device', 'import', 'members.csv');
  t.match(
    (await run('device', 'add', 'm3', '--mandate', 'eve=2.5@members', '--mandate', 'fay')).stdout,
    /m3 +[\w-]{24}/,
  );
  t.match((await json('device', 'list'))[2], {
    device: 'm3',
    mandates: [{ mandate: 'eve', weight: '2.5', group: 'members' }, { mandate: 'fay' }],
  });
  t.match((await run('device', 'list')).stdout, /m1 +Ann, chair +members +10.5/);
  t.same(await json('device', 'trace', 'm3'), { device: 'm3', events: [] });
  t.match((await run('device', 'trace', 'm3')).stdout, /none/);
  t.match(await run('device', 'revoke', 'm2', 'm3'), { code: 0 });
  t.equal((await json('device', 'list')).length, 1);

  t.match(await run('guest', 'room', 'x'), { code: 1, stderr: /there is no room "x"/ });
  t.match(await run('guest', 'room', 'x', '--expect', 'many'), {
    code: 1,
    stderr: /--expect: expected a whole number/,
  });
  t.match(
    (await run('guest', 'room', 'x', '--expect', '800', '--join-by', 'code')).stdout,
    /x +code +[0-9A-Z]{6} +800/,
  );
  t.match(await json('guest', 'room', 'x', '--join-by', 'anyone', '--expect', 'default'), {
    joinBy: 'anyone',
    expected: null,
  });
  t.match((await run('guest', 'codes', 'x', '--count', '2')).stdout, /2 +[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/);
  t.match(await run('guest', 'codes', 'x', '--count', '2', '-o', 'codes.csv'), {
    code: 0,
    stdout: /2 codes in codes.csv/,
  });
  t.equal(statSync(join(directory, 'codes.csv')).mode & 0o077, 0, 'only the owner can read the codes');
  t.match(await run('guest', 'revoke'), { code: 1, stderr: /name the guests/ });
  t.match(await run('guest', 'revoke', '--all'), { code: 0, stdout: /revoked all guests/ });
  t.match(await run('guest', 'revoke', '--room', 'x'), { code: 0, stdout: /revoked all guests of x/ });
  t.match(await run('guest', 'revoke', 'guest-1', 'guest-2'), { code: 0, stdout: /revoked guest-1, guest-2/ });

  const watching = run('poll', 'watch', 'lunch');
  const joined = (await (await fetch(`${server.http}/api/rooms/x/join`, { method: 'POST' })).json()) as {
    device: string;
    password: string;
  };
  const { connectAsync } = await import('mqtt');
  const { device: clientId, password } = joined;
  const client = await connectAsync(server.mqtt, { clientId, username: clientId, password });
  for (const payload of ['a', 'b', 'x']) await client.publishAsync('vote/lunch', payload, { qos: 1 });
  await client.endAsync();
  while ((await json('poll', 'result', 'lunch')).votes < 3);
  t.match((await run('poll', 'close', 'lunch')).stdout, /lunch is closed, round 1/);
  const watched = await watching;
  t.equal(watched.code, 0);
  t.match(watched.stdout, /lunch round 1 final: 1 ballots: a 0, b 1\n$/);
  const picture = (await run('poll', 'result', 'lunch')).stdout;
  t.match(picture, /Lunch\?[\s\S]*round 1 · final[\s\S]*▶ +b +1 +100.0 % +█{30}/);
  t.match(picture, /^ +won +b$/m, 'a final result is no race any more');
  t.match(picture, /received 3 = counted 1 \+ replaced 1 \+ redelivered 0 \+ rejected 1 \(unknown-option 1\)/);

  t.match(await run('recount', 'lunch', '--http', `${server.http},${server.http}`), {
    code: 0,
    stdout: /compared with live tally, dashboard, time series, 2 dashboards[\s\S]*AGREES/,
  });
  t.match(await run('audit', 'export', 'lunch', '-o', 'lunch.jsonl'), { code: 0 });
  await server.stop();
  t.match(
    await run('audit', 'verify', 'lunch.jsonl'),
    { code: 0, stdout: /VERIFIED/ },
    'a bundle can be verified without a server',
  );
  const bundle = readFileSync(join(directory, 'lunch.jsonl'), 'utf8');
  writeFileSync(join(directory, 'forged.jsonl'), bundle.replace('\\"b\\"', '\\"a\\"'));
  t.match(await run('audit', 'verify', 'forged.jsonl'), { code: 1, stdout: /NOT VERIFIED/ });
  t.match(await run('audit', 'verify', 'none.jsonl'), { code: 1, stderr: /none.jsonl: cannot be read/ });
  await server.start();
  t.match(await run('poll', 'continue', 'lunch'), { code: 0, stdout: /lunch is open, round 1/ });
  t.match(await run('poll', 'close', 'lunch'), { code: 0 });
  t.match(await run('poll', 'result', 'lunch'), { code: 0, stdout: /interrupted +closed .*Z, continued .*Z/ });
  t.match(await run('poll', 'create', 'draft', '--title', 'One?', '--option', 'a', '--option', 'b'), { code: 0 });
  t.match(await run('poll', 'change', 'draft', '--title', 'Two?', '--based-on', '1'), { code: 0, stdout: /version 2/ });
  t.match(await run('poll', 'change', 'draft', '--title', 'Three?', '--based-on', '1'), {
    code: 1,
    stderr: /changed: title[\s\S]*title: now "Two\?"/,
  });
  t.match(await run('poll', 'change', 'draft', '--remove', 'room', '--based-on', 'x'), {
    code: 1,
    stderr: /--based-on/,
  });
  t.match(await run('poll', 'reopen', 'lunch'), { code: 0, stdout: /lunch is open, round 2/ });
  t.match(await run('poll', 'export', 'lunch', '--format', 'csv', '-o', 'lunch.csv'), { code: 0 });
  t.ok(existsSync(join(directory, 'lunch.csv')));
  t.match(JSON.parse((await run('poll', 'export', 'lunch')).stdout), {
    definition: { poll: 'lunch' },
    rounds: [{ round: 1, final: true }, { round: 2 }],
  });
  t.match((await run('poll', 'export', 'lunch', '--format', 'ballots', '--round', '1')).stdout, /guest-[0-9a-f]+,b,/);
  t.match(await run('poll', 'export', 'lunch', '--format', 'xml'), {
    code: 1,
    stderr: /expected json, csv or ballots/,
  });
});

t.test('results in a terminal show rounds, ties and verdicts, without control characters', async (t) => {
  const result: Result = {
    poll: 'q',
    title: 'Evil \x1b[2J title \u202e',
    kind: 'ranking',
    method: 'irv',
    round: 2,
    status: 'closed',
    final: true,
    ballots: 3,
    votes: 3,
    rejected: 0,
    accounting: { received: 3, counted: 3, replaced: 0, redelivered: 0, rejected: {} },
    turnout: { voted: 3, entitled: 4, share: 0.75 },
    options: [{ key: 'a', label: 'A', count: 2, share: 2 / 3 }],
    rounds: [{ counts: [{ key: 'a', count: 2 }], exhausted: { count: 0 }, eliminated: ['b'], tied: ['b', 'c'] }],
    winners: ['a'],
    tied: ['a', 'b'],
    tieBrokenBy: 'lot',
    verdict: {
      adopted: null,
      majority: [{ share: '> 1/2', of: 'present', by: 'heads', part: '2', whole: null, met: null }],
    },
    closingAt: null,
    at: null,
  };
  const picture = resultText(result);
  t.notOk(picture.includes('\x1b') || picture.includes('\u202e'));
  t.match(picture, /round 1: a 2 +out: b +\(tied: b, c\)/);
  t.match(picture, /tied +a, b; decided by lot/);
  t.match(picture, /voted +3 of 4 \(75.0 %\)/);
  t.match(picture, /majority: > 1\/2 of present by heads: 2: unknown/);
});
