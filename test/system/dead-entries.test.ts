import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { verifyBundle } from '../../core/audit/bundle.ts';
import { decodeEntry } from '../../core/voting/count/entries/codec.ts';
import type { Entry } from '../../core/voting/count/entry.ts';
import { partitionOf } from '../../core/voting/count/partition.ts';
import { eventually } from '../support/eventually.ts';
import { pollcast } from '../support/process.ts';
import { redisServer } from '../support/servers.ts';
import { type Stage, stage } from '../support/stage.ts';

/** An entry that is stored as it is, whatever it contains: a later `v` overrides the one that the store writes. */
const anything = (text: string): Entry => JSON.parse(text);
const DAMAGED = anything('{"type":"open","poll":"lunch","round":1,"atMs":1}');
const NEWER = anything('{"v":2,"type":"ballots"}');

t.test('embedded: a damaged entry is set aside, and counting goes on', async (t) => {
  const s = await stage(t);
  await setsAside(t, s, (partition) => s.pollcast.store.log.append(partition, DAMAGED));
});

t.test('Redis: a damaged entry is set aside, and counting goes on', async (t) => {
  const redis = await redisServer(t.testdir());
  t.teardown(() => redis.program.end());
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  const s = await stage(t, { redisUrl: redis.url }, join(t.testdirName, 'data'));
  await setsAside(t, s, async (partition) => {
    const offset = await client.xadd(`{pollcast:${partition}}:log`, '*', 'e', '{"type":"votes","rou\0');
    return offset ?? '';
  });
});

async function setsAside(t: Test, s: Stage, damage: (partition: number) => Promise<string>): Promise<void> {
  await s.openPoll('before');
  await s.call('POST', '/api/polls/before/close', { operator: true });
  await s.openPoll('lunch');
  const { log } = s.pollcast.store;
  const devices = await Promise.all(['d1', 'd2', 'd3', 'd4', 'd5', 'd6'].map((id) => s.device(id)));
  const partition = partitionOf('d1', log.partitions);
  for (const device of devices) await device.vote('vote/lunch', 'a');
  const offset = await damage(partition);
  for (const device of devices) await device.vote('vote/lunch', 'b');
  t.match(await s.resultAfter('lunch', 12), { missing: 1, final: false, ballots: 6 }, 'votes behind it are counted');

  await s.call('POST', '/api/polls/lunch/close', { operator: true });
  const closed = await eventually('the close to be counted everywhere', async () => {
    const { body } = await s.call('POST', '/api/polls/lunch/recount', { operator: true });
    const { body: poll } = await s.call('GET', '/api/polls/lunch/result');
    return poll.status === 'closed' && body.agrees ? { poll, recount: body } : undefined;
  });
  t.match(closed.poll, { final: false, missing: 1 }, 'the round says that a part is missing');
  t.match(closed.recount, { agrees: true, missing: 1, differences: [] }, 'a recount treats it the same way');
  await eventually('the record', async () => {
    const poll = s.pollcast.polls.get('lunch');
    return poll?.missing === 1 ? true : undefined;
  });
  t.match((await s.call('GET', '/api/polls/before/result')).body, { final: true, missing: undefined });
  t.match((await s.call('GET', '/ready')).status, 200, 'nothing waits');
  t.match((await s.call('GET', '/metrics')).body, /^pollcast_log_entries_unreadable_total 1$/m);

  const dead = await s.call('GET', '/api/log/dead', { operator: true });
  t.match(dead.body.entries, [
    { partition, offset, why: /not JSON|without a definition/, rounds: ['lunch/1'], bytes: Number, sha256: String },
  ]);
  t.equal(dead.body.entries.length, 1, 'it is set aside once');
  t.equal((await s.call('GET', '/api/log/dead')).status, 401, 'for operators only');
  const flags = ['--http', s.http, '--token', 'operator-token-of-tests'];
  const printed = await pollcast(['log', 'dead', ...flags]);
  t.match(printed, { code: 1, stdout: new RegExp(`${offset} .*lunch/1`) });

  const audit = await s.call('GET', '/api/polls/lunch/audit', { operator: true });
  t.equal(audit.status, 200, 'its log can be inspected although it is not final');
  const report = await verifyBundle(Readable.from((audit.body as string).split('\n')));
  t.same(report.problems, [`partition ${partition}: 1 log entry could not be read, so votes may be missing`]);
  t.equal(report.outcome?.accounting.counted, 6);

  await s.call('POST', '/api/polls/lunch/reopen', { operator: true });
  await devices[0]?.vote('vote/lunch', 'c');
  await s.resultAfter('lunch', 1);
  await s.call('POST', '/api/polls/lunch/close', { operator: true });
  await eventually('a round without a missing part to be final', async () =>
    (await s.call('GET', '/api/polls/lunch/result')).body.final ? true : undefined,
  );
}

t.test('an entry in a newer format makes its partition wait, and the process says so', async (t) => {
  const s = await stage(t);
  await s.openPoll('lunch');
  const { log } = s.pollcast.store;
  const [d1, d2] = await Promise.all(['d1', 'd2'].map((id) => s.device(id)));
  const partition = partitionOf('d1', log.partitions);
  t.not(partition, partitionOf('d2', log.partitions));
  await log.append(partition, NEWER);
  await d1?.vote('vote/lunch', 'a');
  await d2?.vote('vote/lunch', 'b');
  t.match(await s.resultAfter('lunch', 1), { votes: 1 }, 'other partitions are counted');
  const ready = await eventually('not ready', async () => {
    const answer = await s.call('GET', '/ready');
    return answer.status === 503 ? answer : undefined;
  });
  t.match(ready.body.why, new RegExp(`partition ${partition} has format 2.*update this process`));
  const metrics = await eventually('the metrics', async () => {
    const { body } = await s.call('GET', '/metrics');
    return /^pollcast_not_ready\{why="newer-entries"\} 1$/m.test(body) ? body : undefined;
  });
  t.match(metrics, /^pollcast_partitions_waiting 1$/m);
  t.match(metrics, /^pollcast_log_entries_unreadable_total 0$/m, 'it is not set aside');
  t.match(await s.resultAfter('lunch', 1), { votes: 1 }, 'nothing behind it is counted');
});

t.test('entries of earlier versions, without a format, are read', async (t) => {
  const text = '{"type":"votes","producer":"p","sequence":0,"atMs":5,"rounds":[],"refused":{"not-open":1}}';
  t.same(decodeEntry(text), { ...JSON.parse(text) });
});
