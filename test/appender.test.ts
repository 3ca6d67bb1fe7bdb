import t from 'tap';
import { APPEND_LIMIT_MS, Appender, MAX_ENTRY_ITEMS } from '../broker/appender.ts';
import type { VoteLog } from '../core/store/store.ts';
import type { VoteEntry } from '../core/voting/entry.ts';

/** A log whose disk is as slow, or as broken, as a test needs: the real one cannot be told to be. */
function slowLog(append: (entry: VoteEntry) => Promise<void>) {
  const entries: VoteEntry[] = [];
  const log: VoteLog = {
    partitions: 1,
    append: async (_partition, entry) => {
      entries.push(entry as VoteEntry);
      await append(entry as VoteEntry);
      return `${entries.length}-0`;
    },
    read: async () => new Map(),
  };
  return { log, entries };
}
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const vote = { device: 'd', choice: 'a' };

t.test('votes gather while an entry is written, and settle in the order they came', async (t) => {
  const { log, entries } = slowLog(() => sleep(20));
  const appender = new Appender(log, 0, 'run');
  const settled: number[] = [];
  for (let i = 0; i < 3; i++) appender.vote('q', 1, vote, () => settled.push(i));
  await sleep(5);
  for (let i = 3; i < MAX_ENTRY_ITEMS + 10; i++) {
    if (i % 2) appender.rejection({ poll: 'q', round: 1 }, 'empty', () => settled.push(i));
    else appender.vote('q', 1, vote, () => settled.push(i));
  }
  t.same(settled, [], 'nothing is acknowledged before it is written');
  await appender.drained();
  t.same(
    settled,
    Array.from({ length: MAX_ENTRY_ITEMS + 10 }, (_, i) => i),
  );
  t.same(
    entries.map(({ sequence }) => sequence),
    [0, 1, 2],
  );
  const items = ({ rounds }: VoteEntry) =>
    rounds.reduce((sum, { votes, rejected }) => sum + votes.length + (rejected.empty ?? 0), 0);
  t.same(entries.map(items), [3, MAX_ENTRY_ITEMS, 7], 'an entry is bounded');
});

t.test('draining waits for what came before it, not for what comes after', async (t) => {
  const { log } = slowLog(() => sleep(10));
  const appender = new Appender(log, 0, 'run');
  let open = 0;
  const stream = setInterval(() => {
    open++;
    appender.vote('q', 1, vote, () => open--);
  }, 1);
  t.teardown(() => clearInterval(stream));
  await sleep(50);
  let isSettled = false;
  appender.vote('q', 1, vote, () => (isSettled = true));
  const startMs = performance.now();
  await appender.drained();
  t.ok(isSettled);
  t.ok(performance.now() - startMs < 1_000, `${Math.round(performance.now() - startMs)} ms`);
  t.ok(open > 0, 'votes still come in');
});

t.test('a log that fails or does not answer: an error for each vote, and the next entry goes on', async (t) => {
  let isBroken = true;
  const { log, entries } = slowLog(() => (isBroken ? Promise.reject(new Error('disk gone')) : Promise.resolve()));
  const appender = new Appender(log, 0, 'run');
  const outcome = () => new Promise<Error | undefined>((resolve) => appender.vote('q', 1, vote, resolve));
  t.match(await outcome(), { message: 'disk gone' });
  isBroken = false;
  t.equal(await outcome(), undefined);
  t.same(
    entries.map(({ sequence }) => sequence),
    [0, 1],
    'a new entry has a new sequence',
  );

  const silent = new Appender(slowLog(() => new Promise(() => {})).log, 0, 'run');
  const startMs = Date.now();
  const error = await new Promise<Error | undefined>((resolve) => silent.vote('q', 1, vote, resolve));
  t.match(error?.message, /did not answer within 5000 ms/);
  t.ok(Date.now() - startMs >= APPEND_LIMIT_MS - 10);
});
