import { createHash } from 'node:crypto';
import t from 'tap';
import { verifyBundle } from '../../../core/audit/bundle.ts';
import type { AuditRecord } from '../../../core/audit/trail/fact.ts';
import { eventually } from '../../support/eventually.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { vote } from './viewer.ts';

const trailOf = async (s: Stage, query = ''): Promise<AuditRecord[]> =>
  (await s.call('GET', `/api/audit-trail${query}`, { operator: true })).body.records;

t.test('what operators do is recorded with who, what, before and after, in one chain', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  await s.call('PATCH', '/api/polls/q', { operator: true, body: { visibility: 'closed' } });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const secret = 'a-secret-of-our-own-making';
  await s.call('POST', '/api/devices', { operator: true, body: { device: 'd', label: 'Seat', secret } });
  await s.call('PATCH', '/api/devices/d', { operator: true, body: { label: 'Chair', lentTo: 'Ann' } });
  await s.call('DELETE', '/api/devices/d', { operator: true });
  const { token } = (
    await s.call('POST', '/api/operators', { operator: true, body: { operator: 'ann', role: 'auditor' } })
  ).body;
  const headers = { authorization: `Bearer ${token}` };
  await fetch(`${s.http}/api/polls/q/recount`, { method: 'POST', headers });
  await fetch(`${s.http}/api/polls/q/ballots.csv`, { headers });
  await fetch(`${s.http}/api/polls/q/open`, { method: 'POST', headers });
  await s.call('DELETE', '/api/operators/ann', { operator: true });

  const records = (await trailOf(s)).toReversed();
  const seen = records.map(({ who, action, target, outcome, code }) =>
    [who, action, target, code ?? outcome].join(' '),
  );
  t.same(seen, [
    'root poll.create poll/q done',
    'root poll.open poll/q done',
    'root poll.edit poll/q done',
    'root poll.close poll/q done',
    'root poll.close poll/q wrong-status',
    'root device.register device/d done',
    'root device.change device/d done',
    'root device.revoke device/d done',
    'root operator.create operator/ann done',
    'ann poll.recount poll/q done',
    'ann poll.export poll/q done',
    'ann poll.open poll/q not-allowed',
    'root operator.revoke operator/ann done',
  ]);
  t.match(records[2], { before: '{"visibility":"live"}', after: '{"visibility":"closed"}', round: 1, role: 'admin' });
  t.match(records[3], { before: '{"status":"open","round":1}', after: '{"status":"closed","round":1}' });
  t.match(records[6]?.before, /"label":"Seat"/);
  t.match(records[6]?.after, /"label":"Chair".*"lentTo":"Ann"/);
  for (const { at, from } of records) {
    t.match(at, /^\d{4}-\d\d-\d\dT.*Z$/);
    t.equal(from, '127.0.0.1');
  }
  for (const word of [secret, token.split('.')[1]]) t.notMatch(JSON.stringify(records), word);
  const check = (await s.call('GET', '/api/audit-trail/check', { operator: true })).body;
  t.match(check, { intact: true, problems: [], records: records.length, end: { hash: records.at(-1)?.hash } });
  t.same(
    (await trailOf(s, '?limit=2&before=5')).map(({ number }) => number),
    [4, 3],
  );
  t.equal((await s.call('GET', '/api/audit-trail?limit=0', { operator: true })).status, 400);
});

t.test('the trail outlives a restart', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const before = await trailOf(s);
  await s.stop();
  const again = await stage(t, {}, s.directory);
  await again.call('POST', '/api/polls/q/close', { operator: true });
  const after = await trailOf(again);
  t.same(after.slice(1), before);
  t.equal(after[0]?.previous, before[0]?.hash);
});

t.test('strangers cannot fill the trail, but are recorded, with how many were left out', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q');
  const knock = (i: number) =>
    fetch(`${s.http}/api/polls/q/close`, { method: 'POST', headers: i % 2 ? {} : { authorization: `Bearer x${i}` } });
  for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 20 }, (_, j) => knock(20 * i + j)));
  const records = await trailOf(s);
  const ofStrangers = records.filter(({ who }) => who === 'stranger');
  t.ok(ofStrangers.length >= 2 && ofStrangers.length <= 20, `${ofStrangers.length} were recorded`);
  for (const one of ofStrangers)
    t.match(one, { role: null, outcome: 'refused', code: /^(operators-only|wrong-token|too-many-guesses)$/ });
  t.ok(
    records.some(({ action, who }) => who === 'root' && action === 'poll.open'),
    'what operators did is still there',
  );
  const { body } = await s.call('GET', '/metrics');
  const refused = (code: string) =>
    Number(new RegExp(`pollcast_operator_refusals_total\\{code="${code}"\\} (\\d+)`).exec(body)?.[1]);
  t.equal(refused('wrong-token') + refused('too-many-guesses'), 100);
});

t.test('screens with a key, and anybody at an open door, are recorded when they hide figures', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q');
  const { screenKey } = (await s.call('GET', '/api/polls/q', { operator: true })).body;
  await fetch(`${s.http}/api/polls/q/hide`, { method: 'POST', headers: { 'x-pollcast-screen': screenKey } });
  t.match((await trailOf(s))[0], { who: 'screen', role: null, action: 'poll.hide', outcome: 'done' });
});

t.test('an audit bundle has what operators did to the poll, and exporting it again gives the same', async (t) => {
  const s = await stage(t);
  await s.openPoll('other');
  await s.openPoll('q');
  await vote(s, 'd', 'q', 'a');
  await s.resultAfter('q', 1);
  await s.call('POST', '/api/polls/q/hide', { operator: true });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const exported = () =>
    eventually('the bundle', async () => {
      const { status, body } = await s.call('GET', '/api/polls/q/audit', { operator: true });
      return status === 200 ? (body as string) : undefined;
    });
  const bundle = await exported();
  const lines = bundle.trim().split('\n');
  const records = lines.flatMap((line) => JSON.parse(line).record ?? []) as AuditRecord[];
  t.same(
    records.map(({ action, target }) => `${action} ${target}`),
    ['poll.create poll/q', 'poll.open poll/q', 'poll.hide poll/q', 'poll.close poll/q'],
  );
  for (const step of ['show', 'hide']) await s.call('POST', `/api/polls/q/${step}`, { operator: true });
  t.equal(await exported(), bundle, 'what is done afterwards does not change it');
  async function* each(some: readonly string[]) {
    yield* some;
  }
  t.same((await verifyBundle(each(lines))).problems, []);
  const forged = lines.map((line) => line.replace('"who":"root"', '"who":"eve"'));
  t.match((await verifyBundle(each(forged))).problems, [/the hash does not match/]);

  const rechained = (some: readonly string[]) => {
    let hash = '';
    return some.map((line) => {
      const { hash: _, ...content } = JSON.parse(line);
      hash = createHash('sha256')
        .update(`${hash}\n${JSON.stringify(content)}`)
        .digest('hex');
      return JSON.stringify({ ...content, hash });
    });
  };
  t.match((await verifyBundle(each(rechained(forged)))).problems, [/the record of an action does not have the hash/]);
  const hostile = lines.map((line) => (line.startsWith('{"record"') ? '{"record":null}' : line));
  t.match((await verifyBundle(each(rechained(hostile)))).problems, [/the record of an action/]);
  const earlier = lines
    .filter((line) => !JSON.parse(line).record)
    .map((line) => line.replace('"version":2,"poll"', '"version":1,"poll"'));
  t.same((await verifyBundle(each(rechained(earlier)))).problems, [], 'a bundle of version 1 has no records');
});
