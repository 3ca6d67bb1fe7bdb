import { Registry } from 'prom-client';
import t from 'tap';
import { APPEND_LIMIT_MS, Appender, MAX_ENTRY_ITEMS } from '../../../broker/intake/appender.ts';
import { WritePace } from '../../../broker/intake/write-pace.ts';
import { brokerMetrics } from '../../../broker/metrics.ts';
import type { Receipt } from '../../../broker/outbound/receipts.ts';
import type { VoteLog } from '../../../core/store/store.ts';
import { decodeEntry, encodeEntry } from '../../../core/voting/count/entries/codec.ts';
import type { VoteEntry } from '../../../core/voting/count/entry.ts';

/** A fake log whose appends a test can delay or cause to fail. */
function slowLog(append: (entry: VoteEntry) => Promise<void>) {
  const entries: VoteEntry[] = [];
  const log: VoteLog = {
    partitions: 1,
    append: async (_partition, entry) => {
      // Written at once, like a real log does, because the memory of the entry is used again.
      const written = decodeEntry(encodeEntry(entry)) as VoteEntry;
      entries.push(written);
      await append(written);
      return `${entries.length}-0`;
    },
    read: async () => new Map(),
    appended: async () => entries.length,
    trim: async () => 0,
  };
  return { log, entries };
}
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const always = { untilMs: Number.POSITIVE_INFINITY, term: 1 };
const metrics = brokerMetrics(new Registry());
const receipt = { poll: 'q' };
type Settle = (error?: Error) => void;
const sender = (settle: Settle) => ({ settled: (_pending: number, _receipt: Receipt, error?: Error) => settle(error) });
const vote = (appender: Appender, settle: Settle) =>
  appender.take('q', 1, sender(settle), 0, receipt).addVote({ device: 'd', choice: 'a' });
const reject = (appender: Appender, settle: Settle) =>
  appender.rejection({ poll: 'q', round: 1 }, 'empty', sender(settle), 0, receipt);

t.test(
  'votes that arrive while an entry is being written are batched, and are acknowledged in the order of arrival',
  async (t) => {
    let write = () => {};
    const { log, entries } = slowLog(() => new Promise((resolve) => (write = resolve)));
    const appender = new Appender({
      log,
      partition: 0,
      producer: 'run',
      lease: always,
      metrics,
      pace: new WritePace(),
    });
    const settled: number[] = [];
    for (let i = 0; i < 3; i++) vote(appender, () => settled.push(i));
    while (entries.length === 0) await sleep(1);
    for (let i = 3; i < MAX_ENTRY_ITEMS + 10; i++) {
      if (i % 2) reject(appender, () => settled.push(i));
      else vote(appender, () => settled.push(i));
    }
    t.same(settled, [], 'nothing is acknowledged before it is written');
    const drained = appender.drained();
    for (let written = 0; written < 3; written++) {
      while (entries.length <= written) await sleep(1);
      write();
    }
    await drained;
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
    t.same(entries.map(items), [3, MAX_ENTRY_ITEMS, 7], 'the size of an entry is limited');
  },
);

t.test('draining waits for votes that arrived before it, but not for later votes', async (t) => {
  const { log } = slowLog(() => sleep(10));
  const appender = new Appender({ log, partition: 0, producer: 'run', lease: always, metrics, pace: new WritePace() });
  let open = 0;
  const stream = setInterval(() => {
    open++;
    vote(appender, () => open--);
  }, 1);
  t.teardown(() => clearInterval(stream));
  await sleep(50);
  let isSettled = false;
  vote(appender, () => (isSettled = true));
  const startMs = performance.now();
  await appender.drained();
  t.ok(isSettled);
  t.ok(performance.now() - startMs < 1_000, `draining took ${Math.round(performance.now() - startMs)} ms`);
  t.ok(open > 0, 'later votes are still waiting to be stored');
});

t.test('if the log fails or does not answer, each vote gets an error and the next entry is stored', async (t) => {
  let isBroken = true;
  const { log, entries } = slowLog(() => (isBroken ? Promise.reject(new Error('disk gone')) : Promise.resolve()));
  const appender = new Appender({ log, partition: 0, producer: 'run', lease: always, metrics, pace: new WritePace() });
  const outcome = () => new Promise<Error | undefined>((resolve) => vote(appender, resolve));
  t.match(await outcome(), { message: 'disk gone' });
  isBroken = false;
  t.equal(await outcome(), undefined);
  t.same(
    entries.map(({ sequence }) => sequence),
    [0, 1],
    'the entry after a failed entry has a new sequence number',
  );

  const silent = new Appender({
    log: slowLog(() => new Promise(() => {})).log,
    partition: 0,
    producer: 'run',
    lease: always,
    metrics,
    pace: new WritePace(),
  });
  const startMs = Date.now();
  const error = await new Promise<Error | undefined>((resolve) => vote(silent, resolve));
  t.match(error?.message, /did not answer within 5000 ms/);
  t.ok(Date.now() - startMs >= APPEND_LIMIT_MS - 10);
});

t.test('nothing is stored without a lease, not even votes that were checked before the lease ran out', async (t) => {
  let write = () => {};
  const { log, entries } = slowLog(() => new Promise((resolve) => (write = resolve)));
  const lease = { untilMs: Number.POSITIVE_INFINITY, term: 1 };
  const appender = new Appender({ log, partition: 0, producer: 'run', lease: lease, metrics, pace: new WritePace() });
  const outcome = () => new Promise<Error | undefined>((resolve) => vote(appender, resolve));
  const first = outcome();
  while (entries.length === 0) await sleep(1);
  const second = outcome();
  // The lease runs out and is renewed while the second vote waits until the first vote's entry is written.
  lease.term = 2;
  write();
  t.equal(await first, undefined, 'the first vote is stored, because its entry was sent before the lease ran out');
  t.match((await second)?.message, /was cut off/);
  const third = outcome();
  while (entries.length === 1) await sleep(1);
  write();
  t.equal(await third, undefined, 'a vote checked in the new term is stored');

  lease.untilMs = performance.now() - 1;
  const held = outcome();
  await sleep(60);
  lease.untilMs = Number.POSITIVE_INFINITY;
  lease.term = 3;
  t.match((await held)?.message, /has no lease/);
  t.equal(entries.length, 2);
});
