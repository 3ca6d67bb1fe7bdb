/** Ballots of a checkpoint that is sent ahead of its commit, in parts, and what may become of them meanwhile. */
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { START } from '../../../core/store/offset.ts';
import { RedisKeys } from '../../../core/store/redis/connection/keys.ts';
import { RedisCounts } from '../../../core/store/redis/counts.ts';
import { redisServer } from '../../support/servers.ts';
import { commitOf } from '../samples.ts';

const ROUNDS = [1, 2, 3];
const PAGES = 512;

t.test('pages that were sent first are kept until the last ones are there', async (t) => {
  const { client, counts, commit, staged, beforeCalls } = await scene(t);
  const left: number[] = [];
  beforeCalls(async () => {
    for (const key of await staged()) {
      left.push(await client.pttl(key));
      // As if nearly all of their time had passed.
      await client.pexpire(key, 5_000);
    }
  });
  t.equal(await counts.commit(commit), true);
  t.ok(left.length > ROUNDS.length, 'several parts were sent');
  t.ok(Math.min(...left) > 5_000, 'each part renews what was sent before');
  for (const round of ROUNDS) t.equal((await counts.stored(0, 'q', round)).pages.size, PAGES);
  t.same(await staged(), []);
});

for (const when of ['between two parts', 'before the commit'] as const) {
  t.test(`the loss of pages that were sent is not taken for another processor: ${when}`, async (t) => {
    const { client, counts, commit, staged, beforeCalls } = await scene(t);
    let isLost = false;
    beforeCalls(async () => {
      const [first, ...others] = await staged();
      const isLast = others.length === ROUNDS.length - 1;
      if (isLost || !first || (when === 'before the commit' && !(isLast && (await isComplete(others))))) return;
      isLost = true;
      await client.del(first);
    });
    const isComplete = async (keys: readonly string[]) => {
      const sizes = await Promise.all(keys.map((key) => client.hlen(key)));
      return sizes.every((size) => size >= PAGES + 2);
    };
    const gone = { name: 'StoreError', message: /ballots of partition 0 that were sent ahead .* gone from Redis/ };
    await t.rejects(counts.commit(commit), gone);
    t.equal(isLost, true);
    t.same(await staged(), []);
    t.equal((await counts.position(0)).offset, START, 'nothing is committed');
    t.equal(await counts.commit(commit), true, 'the next attempt succeeds');
  });
}

t.test('of several partitions, one is sent at a time', async (t) => {
  const { counts, commit, staged, beforeCalls } = await scene(t);
  let most = 0;
  beforeCalls(async () => {
    const partitions = new Set((await staged()).map((key) => key.split('}')[0]));
    most = Math.max(most, partitions.size);
  });
  t.same(await Promise.all([0, 1, 2].map((partition) => counts.commit({ ...commit, partition }))), [true, true, true]);
  t.equal(most, 1);
});

/** Counts in a Redis of their own, and a checkpoint of three rounds that is too large for one command. */
async function scene(t: Test) {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const client = new Redis(server.url);
  const sending = new Redis(server.url);
  t.teardown(() => [client, sending].map((one) => one.disconnect()));
  const pages = new Map(Array.from({ length: PAGES }, (_, page) => [page, Buffer.alloc(4_000, page)]));
  const rounds = ROUNDS.map((round) => ({ poll: 'q', round, count: PAGES, pages, replacesRows: false }));
  const checkpoint = { producers: new Map(), rounds };
  return {
    client,
    counts: new RedisCounts(sending, new RedisKeys('staging')),
    // Without entries, so that none need be in the log.
    commit: { ...commitOf(0, START, START), entries: 0, checkpoint },
    staged: async () => (await client.keys('*:staged:*')).sort(),
    /** Does something before each part, and before the commit. */
    beforeCalls: (work: () => Promise<void>) => {
      const call = sending.call.bind(sending) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(sending, {
        call: async (...args: unknown[]) => {
          await work();
          return call(...args);
        },
      });
    },
  };
}
