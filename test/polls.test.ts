/** Rules of polls through the whole product: timing, secrecy, who may vote and who may see, audits and exports. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { verifyBundle } from '../core/audit/bundle.ts';
import { EmbeddedSeries } from '../core/store/series/embedded.ts';
import type { Poll } from '../core/voting/poll.ts';
import { recount } from '../dashboards/recount.ts';
import { type Device, eventually, type Stage, stage } from './stage.ts';

const DOOR = { door: 'devices' } as const;
const options = ['a', 'b', 'c'].map((key) => ({ key, label: `Option ${key}` }));

/** Creates polls as an operator does. */
const create = async (s: Stage, poll: string, settings: object = {}) => {
  const { status, body } = await s.call('POST', '/api/polls', {
    operator: true,
    body: { poll, title: 'Q?', ...settings },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
};
const step = (s: Stage, poll: string, name: 'open' | 'close' | 'reopen') =>
  s.call('POST', `/api/polls/${poll}/${name}`, { operator: true });
const resultOf = async (s: Stage, poll: string) =>
  (await s.call('GET', `/api/polls/${poll}/result`, { operator: true })).body;
const finalOf = (s: Stage, poll: string) =>
  eventually(`${poll} to be final`, async () => {
    const result = await resultOf(s, poll);
    return result.final ? result : undefined;
  });
/** Registers a device and connects it; it hears its receipts. */
const register = async (s: Stage, device: string, settings: object = {}): Promise<Device & { secret: string }> => {
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device, ...settings } });
  const connected = await s.device(device, { username: device, password: body.secret });
  await connected.subscribe(`receipt/${device}`);
  return { ...connected, secret: body.secret };
};
const votes = async (s: Stage, device: string, poll: string, ...payloads: string[]) => {
  const { vote, client } = await s.device(device);
  for (const payload of payloads) await vote(`vote/${poll}`, payload);
  await client.endAsync();
};
const logOf = async (s: Stage) => {
  const { log } = s.pollcast.store;
  const cursors = new Map(Array.from({ length: log.partitions }, (_, p) => [p, '0-0']));
  return JSON.stringify([...(await log.read(cursors, { limit: 1_000, waitMs: 0 }))]);
};

t.test('opened and closed by the clock', async (t) => {
  const s = await stage(t);
  const opensAt = new Date(Date.now() + 900).toISOString();
  await create(s, 'timed', { options, opensAt, durationMs: 1_200 });
  const device = await s.device('d');
  await device.subscribe('receipt/d');
  await device.vote('vote/timed', 'a');
  t.equal(await device.next('receipt/d'), 'rejected timed not-open');
  const opened = await eventually('the opening', async () => {
    const { body } = await s.call('GET', '/api/polls/timed');
    return body.status === 'open' ? body : undefined;
  });
  t.ok(Date.parse(opened.openedAt) - Date.parse(opensAt) < 1_000, opened.openedAt);
  t.equal(Date.parse(opened.closingAt) - Date.parse(opened.openedAt), 1_200);
  t.equal((await resultOf(s, 'timed')).closingAt, opened.closingAt, 'for countdowns');
  await device.vote('vote/timed', 'b');
  t.equal(await device.next('receipt/d'), 'accepted timed');
  await new Promise((resolve) => setTimeout(resolve, Date.parse(opened.closingAt) - Date.now()));
  await device.vote('vote/timed', 'c');
  t.equal(
    await device.next('receipt/d'),
    'rejected timed closed',
    'at its time, whether the markers are written or not',
  );
  const final = await finalOf(s, 'timed');
  t.match(final, { ballots: 1, options: [{ count: 0 }, { count: 1 }, { count: 0 }] });
  const past = await s.call('POST', '/api/polls', {
    operator: true,
    body: { poll: 'x', title: 'x', options, opensAt },
  });
  t.match([past.status, past.body.problems[0]], [400, /opensAt: .* is over/]);
});

t.test('a round whose time ran out while nobody ran is closed at the start', async (t) => {
  const directory = t.testdir();
  const s = await stage(t, {}, directory);
  await s.openPoll('q', { durationMs: 1_000 });
  await votes(s, 'd', 'q', 'a');
  await s.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const again = await stage(t, {}, directory);
  const final = await finalOf(again, 'q');
  t.match(final, { ballots: 1 });
  const { body } = await again.call('GET', '/api/polls/q');
  t.equal(body.stoppedAt, body.closingAt, 'voting was over when its time was');
});

t.test('late votes: pressed before the close, delivered after it', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { lateGraceMs: 2_500 });
  const device = await s.device('late');
  await device.subscribe('receipt/late');
  const receipt = async (payload: object | string) => {
    await device.vote('vote/q', typeof payload === 'string' ? payload : JSON.stringify(payload));
    return device.next('receipt/late');
  };
  await votes(s, 'punctual', 'q', 'a');
  const pressedAt = Date.now();
  const closing = (await step(s, 'q', 'close')).body;
  t.equal(closing.status, 'grace');
  t.equal(await receipt('b'), 'rejected q closed', 'nobody knows when it was pressed');
  t.equal(await receipt({ c: 'b', t: Date.now() + 60_000 }), 'rejected q closed', 'pressed after the close');
  t.equal(await receipt({ c: 'b', t: 5 }), 'rejected q closed', 'before it was opened');
  t.equal(await receipt({ c: 'b', t: pressedAt }), 'accepted q');
  t.match(await s.resultAfter('q', 5), { final: false, ballots: 2, late: 1 });
  const final = await finalOf(s, 'q');
  t.match(final, { ballots: 2, late: 1, options: [{ count: 1 }, { count: 1 }, { count: 0 }] });
  t.equal(await receipt({ c: 'b', t: pressedAt }), 'rejected q closed', 'the grace is over');
  const { body } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
  t.match(body, /late,b,,[^,]*,,,late\r\n/);
  t.match(body, /punctual,a,,[^,]*,,,\r\n/);

  await step(s, 'q', 'reopen');
  await step(s, 'q', 'close');
  t.equal((await step(s, 'q', 'close')).body.status, 'closed', 'closing again ends the grace');
});

t.test('secret polls: no device in the log, no figures before the end, no key after it', async (t) => {
  const d = await stage(t, DOOR);
  const secret = { secrecy: 'secret', visibility: 'closed', byGroup: true, eligible: 'registered' };
  await create(d, 'q', { options, ...secret });
  await step(d, 'q', 'open');
  const clickers = await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      register(d, `clicker-${i}`, { group: i < 2 ? 'few' : 'many', mandates: [{ mandate: `mandate-${i}` }] }),
    ),
  );
  for (const [i, { vote }] of clickers.entries())
    await vote('vote/q', JSON.stringify({ c: 'ab'[i % 2], n: 7, t: 1234567890 }));
  await clickers[0]?.vote('vote/q', '{"c":"c","n":8}');
  await clickers[0]?.vote('vote/q', '{"c":"b","n":6}');
  const open = await d.resultAfter('q', 16);
  t.match(open, {
    hidden: true,
    ballots: 12,
    accounting: { counted: 12, replaced: 2, redelivered: 2 },
    options: [{ count: null }],
  });
  const log = await logOf(d);
  t.match(log, /"choice":"[abc]/);
  t.notMatch(log, /clicker|mandate-|1234567890/, 'neither device nor mandate nor press time');
  const stored = async () => (await d.pollcast.store.registry.get<Poll>('polls', 'q'))?.value;
  const { pseudonymKey = '' } = (await stored()) ?? {};
  t.ok(pseudonymKey.length > 40);
  t.notMatch(JSON.stringify((await d.call('GET', '/api/polls/q', { operator: true })).body), pseudonymKey);
  t.equal((await d.call('POST', '/api/polls/q/recount', { operator: true })).status, 409, 'nor by counting again');
  await step(d, 'q', 'close');
  const final = await finalOf(d, 'q');
  t.match(final.options, [{ count: 4 }, { count: 6 }, { count: 2 }]);
  t.same(
    final.groups.map(({ group }: { group: string | null }) => group),
    [null],
    'four of few: the rest would tell them',
  );
  t.equal((await stored())?.pseudonymKey, undefined, 'destroyed');
  t.equal((await d.call('GET', '/api/polls/q/ballots.csv', { operator: true })).status, 403);
  const { body: recounted } = await d.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(recounted, { agrees: true, tally: undefined });
  await step(d, 'q', 'reopen');
  t.ok((await stored())?.pseudonymKey, 'another key for another round');
});

t.test('the clocks of two dashboards: one ends the voting, none its grace', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { lateGraceMs: 60_000 });
  const { rounds, polls } = s.pollcast;
  const seen = polls.get('q') as Poll;
  t.equal((await rounds.closeDue(seen)).status, 'grace');
  await t.rejects(rounds.closeDue(seen), { code: 'wrong-status' }, 'the other one comes a moment later');
  t.equal(polls.get('q')?.status, 'grace');
  const late = polls.get('q') as Poll;
  await rounds.closeDue(late);
  await step(s, 'q', 'reopen');
  await t.rejects(rounds.closeDue({ ...late, status: 'open' }), { code: 'wrong-status' }, 'nor another round');
  t.match(polls.get('q'), { status: 'open', round: 2 });
});

t.test('a choice whose one form is too long is refused; the count goes on', async (t) => {
  const s = await stage(t);
  const options = Array.from({ length: 100 }, (_, i) => ({ key: `option-with-a-long-key-${i}`, label: 'x' }));
  await create(s, 'long', { kind: 'score', options });
  await step(s, 'long', 'open');
  await s.openPoll('other');
  const device = await s.device('d');
  await device.subscribe('receipt/d');
  await device.vote('vote/long', options.map(() => '5').join(','));
  t.equal(await device.next('receipt/d'), 'rejected long too-long');
  await device.vote('vote/other', 'a');
  t.match(await s.resultAfter('other', 1), { ballots: 1 });
});

t.test('keys that objects have of themselves are keys like others', async (t) => {
  const s = await stage(t);
  const options = ['constructor', '__proto__', 'toString'].map((key) => ({ key, label: key }));
  await create(s, 'q', { options });
  await step(s, 'q', 'open');
  for (const [i, { key }] of options.entries()) await votes(s, `d${i}`, 'q', key);
  await s.resultAfter('q', 3);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.same([body.agrees, body.differences], [true, []]);
});

t.test('drafts: what was filled in follows what is changed; null takes a setting away', async (t) => {
  const s = await stage(t);
  const patch = (poll: string, body: object) => s.call('PATCH', `/api/polls/${poll}`, { operator: true, body });
  await create(s, 'r', { kind: 'ranking', options: options.slice(0, 2), durationMs: 5_000 });
  t.match((await patch('r', { options })).body, { max: 3 }, 'all of the options, now three');
  t.match((await patch('r', { durationMs: null })).body, { durationMs: undefined, status: 'draft' });
  t.equal((await patch('r', { title: null })).status, 400);
  t.equal((await patch('r', {})).status, 400);
  await create(s, 'm', { kind: 'motion' });
  t.equal((await patch('m', { abstain: false })).body.options.length, 2);
  t.match((await patch('m', { kind: 'single', options })).body, { kind: 'single', abstain: undefined });
});

t.test('pseudonymous polls: ballots one by one, under names that stay the same', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { secrecy: 'pseudonymous' });
  await votes(s, 'device-one', 'q', 'a', 'b');
  await s.resultAfter('q', 2);
  const names = async () => {
    const { body } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
    return body
      .split('\r\n')
      .slice(1, -1)
      .map((line: string) => line.split(',')[0]);
  };
  const [name, ...others] = await names();
  t.match(name, /^[\w-]{22}$/);
  t.same(others, []);
  await step(s, 'q', 'close');
  await step(s, 'q', 'reopen');
  await votes(s, 'device-one', 'q', 'a');
  await s.resultAfter('q', 1);
  t.same(await names(), [name]);
});

t.test('polls that go by who a device is are not opened while the door is open', async (t) => {
  const s = await stage(t);
  await create(s, 'q', { options, weighted: true });
  t.match((await step(s, 'q', 'open')).body, {
    status: 409,
    type: 'urn:pollcast:open-door',
    detail: /POLLCAST_DOOR=devices/,
  });
});

t.test('who may vote: registered, guests, groups', async (t) => {
  const s = await stage(t, DOOR);
  await create(s, 'members', { options, eligible: ['north'] });
  await create(s, 'guests', { options, eligible: 'guests' });
  for (const poll of ['members', 'guests']) await step(s, poll, 'open');
  const north = await register(s, 'north-1', { group: 'north' });
  const south = await register(s, 'south-1', { group: 'south' });
  const joined = (await s.call('POST', '/api/rooms/hall/join')).body;
  const guest = await s.device(joined.device, { username: joined.username, password: joined.password });
  await guest.subscribe(`receipt/${joined.device}`);
  const told = async (device: Device, topic: string, poll: string) => {
    await device.vote(`vote/${poll}`, 'a');
    return device.next(topic);
  };
  t.equal(await told(north, 'receipt/north-1', 'members'), 'accepted members');
  t.equal(await told(south, 'receipt/south-1', 'members'), 'rejected members not-eligible');
  t.equal(await told(guest, `receipt/${joined.device}`, 'members'), 'rejected members not-eligible');
  t.equal(await told(north, 'receipt/north-1', 'guests'), 'rejected guests not-eligible');
  t.equal(await told(guest, `receipt/${joined.device}`, 'guests'), 'accepted guests');
  await s.call('PATCH', '/api/devices/south-1', { operator: true, body: { group: 'north' } });
  await eventually('the new group', async () => {
    const receipt = await told(south, 'receipt/south-1', 'members');
    return receipt === 'accepted members' ? true : undefined;
  });
  const counted = await eventually('both ballots', async () => {
    const result = await resultOf(s, 'members');
    return result.ballots === 2 ? result : undefined;
  });
  t.match(counted.turnout, { voted: 2, entitled: 0, share: null }, 'of those registered at the opening');
});

t.test('weights, mandates, presence and a verdict', async (t) => {
  const s = await stage(t, DOOR);
  const ann = await register(s, 'ann', { weight: '10.5', group: 'a' });
  const bob = await register(s, 'bob', {
    weight: '0',
    group: 'b',
    mandates: [
      { mandate: 'cy', weight: '0.1' },
      { mandate: 'dee', weight: '0.2' },
    ],
  });
  await s.call('POST', '/api/devices', { operator: true, body: { device: 'absent', weight: '4' } });
  await create(s, 'q', {
    kind: 'motion',
    eligible: 'registered',
    weighted: true,
    byGroup: true,
    majority: [
      { share: '> 1/2', of: 'entitled' },
      { share: '> 1/2', of: 'present', by: 'heads' },
    ],
    quorum: { share: '> 1/2', at: 'both' },
  });
  const opened = (await step(s, 'q', 'open')).body;
  t.match(opened, { electorate: { heads: 4, weight: '14.8' }, presentAtOpen: { heads: 3, weight: '10.8' } });
  await ann.vote('vote/q', 'y');
  await bob.vote('vote/q', 'no');
  await bob.vote('vote/q', '{"c":"yes","m":"dee"}');
  await bob.vote('vote/q', '{"c":"yes","m":"bob"}');
  t.same(
    [await bob.next('receipt/bob'), await bob.next('receipt/bob'), await bob.next('receipt/bob')],
    ['accepted q', 'accepted q', 'rejected q unknown-mandate'],
    'bob itself has no vote',
  );
  await s.resultAfter('q', 5);
  await step(s, 'q', 'close');
  const final = await finalOf(s, 'q');
  t.match(final, {
    ballots: 3,
    options: [
      { key: 'yes', count: 2, weight: '10.7' },
      { key: 'no', count: 1, weight: '0.1' },
      { key: 'abstain', count: 0, weight: '0' },
    ],
    turnout: { voted: 3, entitled: 4, weight: { voted: '10.8', entitled: '14.8' } },
    verdict: {
      adopted: true,
      quorate: true,
      majority: [
        { part: '10.7', whole: '14.8', met: true },
        { part: '2', whole: '3', met: true },
      ],
      quorum: [
        { when: 'open', part: '10.8', met: true },
        { when: 'close', part: '10.8', met: true },
      ],
    },
    accounting: { received: 5, counted: 3, replaced: 1, rejected: { 'unknown-mandate': 1 } },
  });
  t.same(
    final.groups.map(({ group, ballots }: { group: string; ballots: number }) => [group, ballots]),
    [
      ['a', 1],
      [null, 2],
    ],
    'mandates have groups of their own, or none',
  );
  const { body } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
  t.match(body, /bob\/dee,yes,,[^,]*,0.2,,/);
  const table = (await s.call('GET', '/api/polls/q/result.csv', { operator: true })).body;
  t.match(table, /q,1,final,a,yes,Yes,1,10.5,1,1,/);
});

t.test('after the own vote: whoever has voted sees, by API and by stream', async (t) => {
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
  t.match((await s.call('GET', '/api/polls/q/result')).body, { hidden: true }, 'others do not');
  t.equal((await ask('result', basic('wrong'))).status, 401);
  const stream = await ask('stream', basic(ann.secret));
  const reader = stream.body?.getReader();
  let text = '';
  while (!text.includes('\n\n', text.indexOf('event: result')))
    text += new TextDecoder().decode((await reader?.read())?.value);
  t.match(text, /"count":1/);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  await step(s, 'q', 'reopen');
  while (!/"round":2.*"hidden":true/.test(text)) text += new TextDecoder().decode((await reader?.read())?.value);
  t.pass('a ballot of one round shows nothing of the next');
  await reader?.cancel();
});

t.test('earlier rounds keep their results; exports tell all of them', async (t) => {
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
  t.same(table.split('\r\n').length, 1 + 6 + 1);
});

t.test('text polls: operators hide and merge, ballots stay', async (t) => {
  const s = await stage(t);
  await create(s, 'word', { kind: 'text' });
  await step(s, 'word', 'open');
  await votes(s, 'd1', 'word', 'Great, lunch');
  await votes(s, 'd2', 'word', 'GREAT!');
  await s.resultAfter('word', 2);
  const cloud = async () =>
    Object.fromEntries(
      (await s.call('GET', '/api/polls/word/result')).body.options.map(
        ({ key, count }: { key: string; count: number }) => [key, count],
      ),
    );
  t.same(await cloud(), { great: 1, 'great!': 1, lunch: 1 });
  const moderation = { hide: ['Lunch'], merge: { 'great!': 'great' } };
  t.equal((await s.call('PATCH', '/api/polls/word', { operator: true, body: { moderation } })).status, 200);
  t.same(await cloud(), { great: 2 });
  t.equal((await s.call('PATCH', '/api/polls/word', { operator: true, body: { maxLength: 5 } })).status, 409);
  t.equal((await s.call('GET', '/api/polls/word')).body.moderation, undefined, 'what is hidden is not told');
  t.match((await s.call('POST', '/api/polls/word/recount', { operator: true })).body, { agrees: true });
});

t.test('leaderboards: of questions that are over', async (t) => {
  const s = await stage(t);
  await s.openPoll('q1', { kind: 'quiz', correct: ['b'], visibility: 'closed', revote: 'first' });
  await s.openPoll('plain');
  const device = await s.device('watcher');
  await device.subscribe('poll/q1', 1);
  t.notMatch(await device.next('poll/q1'), /correct/, 'devices are not told the answer');
  t.notMatch(JSON.stringify((await s.call('GET', '/api/polls')).body), /correct/);
  await votes(s, 'ann', 'q1', 'b');
  await votes(s, 'bob', 'q1', 'a');
  await s.resultAfter('q1', 2);
  const board = (polls: string, operator = false) => s.call('GET', `/api/leaderboard?polls=${polls}`, { operator });
  t.equal((await board('q1')).status, 409, 'not while it is open');
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

/** A bundle's lines with each hash made again: what a forger would do. */
function rechained(lines: readonly string[]): string[] {
  let hash = '';
  return lines.map((line) => {
    const { hash: _, ...content } = JSON.parse(line);
    hash = createHash('sha256')
      .update(`${hash}\n${JSON.stringify(content)}`)
      .digest('hex');
    return JSON.stringify({ ...content, hash });
  });
}
async function* each(lines: readonly string[]) {
  yield* lines;
}
const problemsOf = async (lines: readonly string[]) => (await verifyBundle(each(lines))).problems.join('\n');

t.test('audit: a round’s log, taken away and checked without a server', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'ranking', tieBreak: 'lot' });
  t.equal((await s.call('GET', '/api/polls/q/audit', { operator: true })).status, 409, 'of finished rounds');
  for (const [device, choice] of Object.entries({ d1: 'abc', d2: 'ba', d3: 'c', d4: 'x' }))
    await votes(s, device, 'q', choice);
  await s.resultAfter('q', 4);
  await step(s, 'q', 'close');
  const final = await finalOf(s, 'q');
  const { body, headers } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  t.match(headers.get('content-disposition'), 'q-1.audit.jsonl');
  const lines: string[] = body.trim().split('\n');
  const report = await verifyBundle(each(lines));
  t.same(report.problems, []);
  t.same(report.outcome?.accounting, final.accounting);
  t.match(report.outcome?.figures, { winners: final.winners });

  t.match(await problemsOf(lines.map((line) => line.replace('"b>a', '"a>b'))), /the hash does not fit/);
  t.match(await problemsOf(lines.filter((_, i) => i !== 3)), /the hash does not fit/);
  t.match(await problemsOf(lines.slice(0, -1)), /the result is missing/);
  t.match(await problemsOf(['not json']), /line 1: not JSON/);
  const voteLine = lines.findIndex((line) => line.includes('b>a'));
  t.match(await problemsOf(rechained(lines.filter((_, i) => i !== voteLine))), /the result told is not the one/);
  t.match(
    await problemsOf(rechained([...lines.slice(0, voteLine), lines[voteLine] as string, ...lines.slice(voteLine)])),
    /not behind the one before it/,
  );
  t.match(
    await problemsOf(rechained(lines.map((line) => line.replace('"seats":2', '"seats":1')))),
    /^$/,
    'nothing changed',
  );
  const forged = lines.map((line, i) => (i === 0 ? line.replace('"method":"irv"', '"method":"borda"') : line));
  t.match(await problemsOf(rechained(forged)), /opened with another definition/);
  const edited = (change: (header: { record: { lot: string[] }; poll: string }) => void) => {
    const { header } = JSON.parse(lines[0] as string);
    change(header);
    return problemsOf(rechained([JSON.stringify({ header }), ...lines.slice(1)]));
  };
  t.match(
    await edited(({ record }) => record.lot.reverse()),
    /the lot is not what its seed gives[\s\S]*another record/,
  );
  const electorate = { heads: 1, weight: '1', groups: {} };
  t.match(await edited(({ record }) => Object.assign(record, { electorate })), /another record/);
  t.match(await edited((header) => Object.assign(header, { poll: 'other' })), /tells of poll other, and defines q/);
  const moved = lines.map((line, i) => (i === voteLine ? line.replace(/"partition":\d+/, '"partition":99') : line));
  t.match(await problemsOf(rechained(moved)), /there is no partition 99/);
  const unclosed = lines.filter((line) => !line.includes('\\"type\\":\\"close\\"'));
  t.match(await problemsOf(rechained(unclosed)), /the close is not in the log/);
});

t.test('recount: tells when a dashboard or the time series say something else', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await votes(s, 'd', 'q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  const final = await finalOf(s, 'q');
  const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(body, { agrees: true, compared: ['live tally', 'dashboard', 'time series'], accounting: { received: 1 } });
  const { store, polls } = s.pollcast;
  const wrong = new EmbeddedSeries(t.testdir());
  await wrong.start();
  t.teardown(() => wrong.stop());
  const poll = polls.get('q') as Poll;
  const live = { ...final, accounting: { ...final.accounting, counted: 2 } };
  const found = await recount(store, wrong, poll, async () => live, { limitMs: 300 });
  t.equal(found.agrees, false);
  t.match(found.differences, [
    /dashboard, accounting: .*"counted":2/,
    /time series, votes: 0, recounted 1/,
    /time series, option a: 0, recounted 1/,
  ]);
});
