import { Redis } from 'ioredis';
import t from 'tap';
import { PollBook } from '../../core/live/poll-book.ts';
import { LiveResults } from '../../core/live/results.ts';
import { createLog } from '../../core/runtime/log.ts';
import { START } from '../../core/store/offset.ts';
import { RedisStore } from '../../core/store/redis/store.ts';
import { eventually } from '../support/eventually.ts';
import { define, pollOf } from '../support/kind.ts';
import { redisServer } from '../support/servers.ts';
import { accounting, commitOf, marker, votes } from './samples.ts';

t.test(
  'what a failover took back and a processor commits again is in a round that was loaded in between',
  async (t) => {
    const server = await redisServer(t.testdir());
    t.teardown(() => server.program.end());
    const log = createLog('silent');
    const options = { url: server.url, prefix: 'back', partitions: 1, durability: 'append', replicas: 1 } as const;
    const store = await RedisStore.open(options, log);
    const redis = new Redis(server.url);
    await store.registry.put('polls', 'q', { ...pollOf(define('single', ['a', 'b'])), status: 'open' });
    const polls = await PollBook.open(store.registry, log);
    const results = await LiveResults.open(store, polls, log);
    t.teardown(async () => {
      await results.close();
      await polls.close();
      await store.close();
      redis.disconnect();
    });
    let followed = 0;
    results.on('change', () => followed++);
    const opened = await store.log.append(0, marker('q'));
    const voted = await store.log.append(0, votes(1));
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    const open = commitOf(0, START, opened, { slices: [{ ...slice, weights: [] }] });
    const vote = commitOf(0, opened, voted, { slices: [{ ...slice, weights: [['a', 1]] }] });
    const isFollowed = (times: number) => eventually('the change', async () => followed >= times || undefined);

    t.ok(await store.counts.commit(open));
    await isFollowed(1);
    const kept = await dump(redis);
    const before = followed;
    t.ok(await store.counts.commit(vote));
    await isFollowed(before + 1);
    await restore(redis, kept);

    const poll = polls.get('q');
    if (!poll) throw new Error('the poll is gone');
    const countOfA = async () => (await results.result(poll)).options[0]?.count;
    t.equal(await countOfA(), 0, 'the store has lost the vote');
    t.ok(await store.counts.commit(vote), 'but the log has it');
    await eventually('the vote', async () => (await countOfA()) === 1 || undefined);
  },
);

type Dump = ReadonlyMap<string, Buffer>;

/** Everything but the vote log, which has been copied to replicas when an append is answered. */
async function dump(redis: Redis): Promise<Dump> {
  const keys = (await redis.keys('*')).filter((key) => !key.endsWith(':log'));
  return new Map(await Promise.all(keys.map(async (key) => [key, (await redis.dumpBuffer(key)) as Buffer] as const)));
}

async function restore(redis: Redis, kept: Dump): Promise<void> {
  for (const [key, value] of kept) await redis.restore(key, 0, value, 'REPLACE');
}
