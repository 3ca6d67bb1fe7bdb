import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { pseudonymOf } from '../../../core/devices/pseudonym.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { eventually } from '../../support/eventually.ts';
import { connectPacket, openLine } from '../../support/network/line.ts';
import { connect5 } from '../../support/network/line5.ts';
import { redisServer } from '../../support/servers.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { finalOf, step } from './chair.ts';

const VOTERS = ['clicker-one', 'clicker-two', 'clicker-three', 'clicker-four'];
/** How keys are written. */
const KEY_LENGTH = 43;

async function deployment(t: Test) {
  const directory = t.testdir({ redis: {}, one: {}, two: {} });
  const redis = await redisServer(join(directory, 'redis'));
  t.teardown(() => redis.program.end());
  const start = (name: string) => stage(t, { redisUrl: redis.url }, join(directory, name));
  return { directory, redis, start };
}

const pollOf = async (s: Stage) => (await s.pollcast.store.registry.get<Poll>('polls', 'q'))?.value;

/** Every pseudonym of the log. */
async function pseudonymsIn({ pollcast: { store } }: Stage): Promise<Set<string>> {
  const cursors = new Map(Array.from({ length: store.log.partitions }, (_, p) => [p, '0-0']));
  const read = await store.log.read(cursors, { limit: 1_000, waitMs: 0 });
  const entries = [...read.values()].flat().map(({ entry }) => entry);
  const rounds = entries.flatMap((entry) => (entry.type === 'votes' ? entry.rounds : []));
  return new Set(rounds.flatMap(({ votes }) => votes.voters));
}

/** Every text in the files of a directory that may be a key. */
function candidatesIn(directory: string): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(directory, { recursive: true }) as string[]) {
    const path = join(directory, name);
    if (!statSync(path).isFile()) continue;
    for (const [run] of readFileSync(path, 'latin1').matchAll(/[\w-]{43,}/g)) {
      for (let at = 0; at + KEY_LENGTH <= run.length; at++) found.add(run.slice(at, at + KEY_LENGTH));
    }
  }
  return found;
}

t.test('once a secret round over Redis is closed, nothing on disk links a ballot to a device', async (t) => {
  const { directory, redis, start } = await deployment(t);
  const [one, two] = [await start('one'), await start('two')];
  await one.openPoll('q', { secrecy: 'secret', visibility: 'closed' });
  await eventually('the key at the other broker', async () => (await pollOf(two))?.pseudonymKey);
  const key = (await pollOf(one))?.pseudonymKey ?? '';
  t.equal(key.length, KEY_LENGTH);
  t.equal((await pollOf(two))?.pseudonymKey, key, 'the same at all brokers');
  await eventually('the poll', async () => (two.pollcast.polls.get('q')?.status === 'open' ? true : undefined));
  for (const [i, device] of VOTERS.entries()) {
    for (const s of [one, two]) {
      const { vote, client } = await s.device(device);
      await vote('vote/q', 'abc'[i % 3] ?? '', { qos: i % 2 === 0 ? 1 : 2 });
      await client.endAsync();
    }
  }
  await one.resultAfter('q', 2 * VOTERS.length);
  const logged = await pseudonymsIn(one);
  t.same(
    logged,
    new Set(VOTERS.map((device) => pseudonymOf(key, device))),
    'one ballot per device, at whichever broker',
  );
  t.ok(candidatesIn(directory).has(key), 'while it is open, the key is in files of the processes');
  t.notOk(candidatesIn(join(directory, 'redis')).has(key));
  await step(two, 'q', 'close');
  const final = await finalOf(one, 'q');
  t.match(final, { ballots: VOTERS.length, hidden: undefined });
  await eventually('the close at the other process', async () =>
    one.pollcast.polls.get('q')?.status === 'closed' ? true : undefined,
  );
  await Promise.all([one.stop(), two.stop()]);
  await redis.program.end('SIGTERM');

  const candidates = candidatesIn(directory);
  t.notOk(candidates.has(key));
  const links = [...candidates].flatMap((text) => VOTERS.filter((device) => logged.has(pseudonymOf(text, device))));
  t.same(links, []);
});

t.test('a secret round over Redis goes on after all processes were stopped', async (t) => {
  const { start } = await deployment(t);
  const before = await start('one');
  await before.openPoll('q', { secrecy: 'secret', visibility: 'closed', revote: 'first' });
  await (await before.device('clicker-one')).vote('vote/q', 'a');
  await before.resultAfter('q', 1);
  await before.stop();
  const after = await start('one');
  await (await after.device('clicker-one')).vote('vote/q', 'b');
  await (await after.device('clicker-two')).vote('vote/q', 'b');
  await after.resultAfter('q', 3);
  await step(after, 'q', 'close');
  const { options, accounting } = await finalOf(after, 'q');
  t.match(options, [{ count: 1 }, { count: 1 }, { count: 0 }], 'who voted before cannot vote again');
  t.match(accounting, { rejected: { 'already-voted': 1 } });
});

t.test('without its key anywhere, a secret round over Redis takes no votes, says so, and can be closed', async (t) => {
  const { start } = await deployment(t);
  const before = await start('one');
  await before.openPoll('q', { secrecy: 'secret', visibility: 'closed' });
  await (await before.device('clicker-one')).vote('vote/q', 'a');
  await before.resultAfter('q', 1);
  await before.stop();
  const after = await start('two');
  const vote = { cmd: 'publish', topic: 'vote/q', payload: 'b', qos: 1, messageId: 1, dup: false, retain: false };
  const older = await openLine(t, after);
  older.send(connectPacket('clicker-two'));
  await older.next(4);
  const newer = await connect5(t, after, 'clicker-three');
  for (const line of [older, newer]) line.send(vote as never);
  t.match(await newer.farewell(), { reasonCode: 0x89, properties: { reasonString: /key .* send the vote again/ } });
  await older.closed();
  t.equal(older.received().length, 4, 'no acknowledgement after CONNACK');
  t.same(
    newer.packets.map(({ cmd }) => cmd),
    ['connack', 'disconnect'],
  );
  const ready = await after.call('GET', '/ready');
  t.match(ready, { status: 503, body: { why: /key of the secret round of poll q is missing/ } });
  await eventually('the metrics', async () => {
    const { body } = await after.call('GET', '/metrics');
    return /^pollcast_not_ready\{why="round-key"\} 1$/m.test(body) ? true : undefined;
  });
  const { body: metrics } = await after.call('GET', '/metrics');
  t.match(metrics, /^pollcast_rounds_without_key 1$/m);
  t.match(metrics, /^pollcast_votes_failed_total 2$/m);
  t.notMatch(JSON.stringify((await after.call('GET', '/api/polls/q', { operator: true })).body), /missingKey/);
  await eventually('readiness, as nobody has the key', async () =>
    (await after.call('GET', '/ready')).status === 200 ? true : undefined,
  );
  await after.openPoll('p', {});
  const device = await after.device('clicker-four');
  await device.vote('vote/q', 'b');
  await device.vote('vote/p', 'b');
  t.match(await after.resultAfter('p', 1), { ballots: 1 }, 'the same connection votes in another poll');
  await step(after, 'q', 'close');
  const { accounting, options } = await finalOf(after, 'q');
  t.match(accounting, { counted: 1, rejected: { 'not-open': 1 } });
  t.match(options, [{ count: 1 }, { count: 0 }, { count: 0 }]);
  t.equal((await after.call('GET', '/ready')).status, 200);
  t.match((await after.call('GET', '/metrics')).body, /^pollcast_rounds_without_key 0$/m);
  t.equal((await step(after, 'q', 'reopen')).status, 200);
  await (await after.device('clicker-three')).vote('vote/q', 'c');
  t.match(await after.resultAfter('q', 1), { ballots: 1 });
});
