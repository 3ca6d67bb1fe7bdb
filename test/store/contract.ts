import type { Test } from 'tap';
import { compareOffsets, START } from '../../core/store/offset.ts';
import type { Commit, Store } from '../../core/store/store.ts';
import type { Entry } from '../../core/voting/entry.ts';

/** What the suite needs of an implementation. */
export interface StoreUnderTest {
  /** A store on the same data as before, not started. The first call of a test gets empty data. */
  open(): Store;
}

const PARTITIONS = 3;

export { PARTITIONS as CONTRACT_PARTITIONS };

const definition = {
  poll: 'q',
  title: 'Q',
  kind: 'single' as const,
  options: [],
  revote: 'last' as const,
  visibility: 'live' as const,
};
const marker = (poll: string): Entry => ({
  type: 'open',
  poll,
  round: 1,
  atMs: 1,
  definition: { ...definition, poll },
});
const votes = (sequence: number, device = 'd'): Entry => ({
  type: 'votes',
  producer: 'run',
  sequence,
  atMs: 2,
  rounds: [
    { poll: 'q', round: 1, votes: [{ device, choice: 'a', n: undefined, t: undefined, dup: false }], rejected: {} },
  ],
  refused: { empty: 1 },
});
const accounting = { received: 1, counted: 1, replaced: 0, redelivered: 0, rejected: { closed: 2 } };
const commitOf = (partition: number, expected: string, offset: string, fields: Partial<Commit> = {}): Commit => ({
  partition,
  expected,
  offset,
  entries: 1,
  slices: [],
  ballots: [],
  producers: [],
  refused: {},
  ...fields,
});
const read = { limit: 100, waitMs: 0 };
const cursor = (partition: number, offset = START) => new Map([[partition, offset]]);

/**
 * The promises of core/store/store.ts as tests. Every implementation runs them unchanged.
 *
 * @param make called once per test, for fresh data
 */
export function storeContract(t: Test, make: (t: Test) => Promise<StoreUnderTest>): void {
  const test = (name: string, body: (t: Test, store: Store, under: StoreUnderTest) => Promise<void>) =>
    t.test(name, async (t) => {
      const under = await make(t);
      const store = under.open();
      await store.start();
      try {
        await body(t, store, under);
      } finally {
        await store.stop();
      }
    });

  test('log: entries come back as they were, in order, after the cursor', async (t, { log }) => {
    t.equal(log.partitions, PARTITIONS);
    const entries = [
      marker('q'),
      votes(0),
      votes(1, '__proto__'),
      { type: 'close', poll: 'q', round: 1, atMs: 3 } as const,
    ];
    const offsets = await Promise.all(entries.map((entry) => log.append(1, entry)));
    const all = (await log.read(cursor(1), read)).get(1) ?? [];
    t.same(
      all.map(({ entry }) => entry),
      entries,
    );
    t.same(
      all.map(({ offset }) => offset),
      offsets,
      'the order of the calls is the order of the log',
    );
    for (const [i, offset] of offsets.entries())
      t.ok(compareOffsets(offset, offsets[i - 1] ?? START) > 0, 'offsets rise');
    const rest = (await log.read(cursor(1, offsets[1]), read)).get(1) ?? [];
    t.same(
      rest.map(({ entry }) => entry),
      entries.slice(2),
    );
    t.equal((await log.read(cursor(1), { ...read, limit: 1 })).get(1)?.length, 1);
    t.equal((await log.read(cursor(0), read)).size, 0, 'partitions are apart');
  });

  test('log: a read waits for news, from any of its partitions, and can be ended', async (t, { log }) => {
    const both = new Map([
      [0, START],
      [2, START],
    ]);
    const waiting = log.read(both, { limit: 10, waitMs: 10_000 });
    await log.append(2, marker('q'));
    t.same([...(await waiting).keys()], [2]);
    const ended = new AbortController();
    const idle = log.read(cursor(0), { limit: 10, waitMs: 10_000, signal: ended.signal });
    ended.abort();
    t.equal((await idle).size, 0);
    t.equal((await log.read(cursor(0), { limit: 10, waitMs: 20 })).size, 0, 'the wait is bounded');
  });

  test('log: what was appended is there after a restart, and appending goes on behind it', async (t, store, under) => {
    const before = await store.log.append(0, votes(0));
    await store.stop();
    const again = under.open();
    await again.start();
    const after = await again.log.append(0, votes(1));
    t.ok(compareOffsets(after, before) > 0);
    t.equal((await again.log.read(cursor(0), read)).get(0)?.length, 2);
    await again.stop();
  });

  test('log: an append whose time is up stores nothing', async (t, { log }) => {
    await t.rejects(log.append(0, votes(0), performance.now() - 1), { name: 'StoreError' });
    t.equal((await log.read(cursor(0), read)).size, 0);
    await log.append(0, votes(1), performance.now() + 5_000);
    t.equal((await log.read(cursor(0), read)).get(0)?.length, 1);
  });

  test('log: connections have rising numbers, or none at all', async (t, { log }) => {
    const numbers = await Promise.all(Array.from({ length: 50 }, () => log.nextConnection()));
    const rise = numbers.every((number, i) => i === 0 || (number ?? 0) > (numbers[i - 1] ?? 0));
    t.ok(rise || numbers.every((number) => number === undefined));
  });

  test('log: what is old and counted can be removed, nothing else', async (t, { log, counts }) => {
    t.equal(await log.appended(0), 0);
    const offsets: string[] = [];
    for (let i = 0; i < 400; i++) offsets.push(await log.append(0, { ...votes(i), atMs: Date.now() } as Entry));
    t.equal(await log.appended(0), 400);
    const later = Date.now() + 60_000;
    t.equal(await log.trim(0, later, START), 0, 'nothing is counted');
    t.equal(await log.trim(0, Date.now() - 60_000, offsets[300] as string), 0, 'nothing is old');
    const removed = await log.trim(0, later, offsets[300] as string);
    t.ok(removed >= 150 && removed <= 300, `${removed} removed`);
    const left = (await log.read(cursor(0), { limit: 1000, waitMs: 0 })).get(0) ?? [];
    t.same(
      left.map(({ offset }) => offset),
      offsets.slice(removed),
    );
    t.equal(await log.appended(0), 400, 'ever');
    await counts.commit(commitOf(0, START, offsets[300] as string, { entries: 301 }));
    t.equal((await counts.position(0)).entries, 301);
  });

  test('counts: a new partition stands at the start', async (t, { counts }) => {
    const { offset, producers, refused } = await counts.position(0);
    t.same([offset, producers.size, refused], [START, 0, {}]);
    t.equal(await counts.slice(0, 'q', 1), undefined);
    t.same(await counts.ballots(0, 'q', 1, ['d']), [undefined]);
  });

  test('counts: a commit is all there, and nobody else’s', async (t, { counts, log }) => {
    const offset = await log.append(1, votes(0));
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    const done = await counts.commit(
      commitOf(1, START, offset, {
        slices: [
          {
            ...slice,
            weights: [
              ['a', 1],
              ['b,c', 2],
              ['__proto__', 3],
            ],
          },
        ],
        ballots: [
          ['q', 1, 'd', { choice: 'a', atMs: 2 }],
          ['q', 1, '__proto__', { choice: 'b,c', n: 4, atMs: 3 }],
          ['q', 1, 'numbered', { choice: 'a', connection: 12, atMs: 4 }],
        ],
        producers: [
          ['run-1', 7],
          ['run-2', 0],
        ],
        refused: { empty: 3 },
      }),
    );
    t.equal(done, true);
    const position = await counts.position(1);
    t.equal(position.offset, offset);
    t.same(
      [...position.producers],
      [
        ['run-1', 7],
        ['run-2', 0],
      ],
    );
    t.same(position.refused, { empty: 3 });
    const kept = await counts.slice(1, 'q', 1);
    t.match(kept, slice);
    t.same(
      [...(kept?.tally ?? [])].sort(),
      [
        ['__proto__', 3],
        ['a', 1],
        ['b,c', 2],
      ].sort(),
    );
    const ballots = await counts.ballots(1, 'q', 1, ['nobody', '__proto__', 'd', 'numbered']);
    t.match(ballots, [
      undefined,
      { choice: 'b,c', n: 4, atMs: 3, connection: undefined },
      { choice: 'a', atMs: 2, n: undefined },
      { choice: 'a', atMs: 4, n: undefined, connection: 12 },
    ]);
    for (const [partition, poll, round] of [
      [0, 'q', 1],
      [1, 'q', 2],
      [1, 'q1', 1],
      [1, 'other', 1],
    ] as const) {
      t.equal(await counts.slice(partition, poll, round), undefined, `${partition} ${poll} ${round}`);
      t.same(await counts.ballots(partition, poll, round, ['d']), [undefined]);
    }
    const scanned: string[] = [];
    for await (const [device] of counts.scanBallots(1, 'q', 1)) scanned.push(device);
    t.same(scanned.sort(), ['__proto__', 'd', 'numbered']);
  });

  test('counts: a commit replaces, removes at weight 0 and keeps the order in which producers were heard', async (t, {
    counts,
    log,
  }) => {
    const [first, second] = [await log.append(0, votes(0)), await log.append(0, votes(1))];
    const slice = { poll: 'q', round: 1, revote: 'first' as const, open: true, accounting, atMs: 5 };
    await counts.commit(
      commitOf(0, START, first, {
        slices: [
          {
            ...slice,
            weights: [
              ['a', 2],
              ['b', 1],
            ],
          },
        ],
        ballots: [['q', 1, 'd', { choice: 'a', n: 1, atMs: 2 }]],
        producers: [
          ['x', 1],
          ['y', 1],
          ['z', 1],
        ],
      }),
    );
    await counts.commit(
      commitOf(0, first, second, {
        slices: [
          {
            ...slice,
            open: false,
            weights: [
              ['a', 0],
              ['b', 9],
            ],
          },
        ],
        ballots: [['q', 1, 'd', { choice: 'b', atMs: 4 }]],
        producers: [
          ['x', 2],
          ['y', null],
        ],
      }),
    );
    const kept = await counts.slice(0, 'q', 1);
    t.same([...(kept?.tally ?? [])], [['b', 9]]);
    t.equal(kept?.open, false);
    t.match(await counts.ballots(0, 'q', 1, ['d']), [{ choice: 'b', atMs: 4, n: undefined }]);
    t.same(
      [...(await counts.position(0)).producers],
      [
        ['z', 1],
        ['x', 2],
      ],
    );
  });

  test('counts: of two commits from the same offset one wins, the other changes nothing', async (t, {
    counts,
    log,
    changes,
  }) => {
    const [first, second] = [await log.append(0, votes(0)), await log.append(0, votes(1))];
    const ballot = (choice: string) => [['q', 1, 'd', { choice, atMs: 2 }]] as const;
    const outcomes = await Promise.all([
      counts.commit(commitOf(0, START, first, { ballots: ballot('a') })),
      counts.commit(commitOf(0, START, second, { ballots: ballot('b') })),
    ]);
    t.same(outcomes.filter(Boolean).length, 1);
    const winner = outcomes[0] ? 'a' : 'b';
    t.match(await counts.ballots(0, 'q', 1, ['d']), [{ choice: winner }]);
    t.equal(await counts.commit(commitOf(0, START, second, { ballots: ballot('z') })), false, 'a stale twin fails');
    t.match(await counts.ballots(0, 'q', 1, ['d']), [{ choice: winner }]);
    t.same((await changes.read(cursor(0), read)).changes, [], 'nor does it reach the feed');
  });

  test('counts: a commit that cannot be written leaves nothing behind', async (t, { counts, log }) => {
    const offset = await log.append(0, votes(0));
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const broken = commitOf(0, START, offset, {
      ballots: [
        ['q', 1, 'good', { choice: 'a', atMs: 1 }],
        ['q', 1, 'bad', { choice: circular as unknown as string, atMs: 1 }],
      ],
    });
    await t.rejects(counts.commit(broken));
    t.same(await counts.ballots(0, 'q', 1, ['good']), [undefined]);
    t.equal((await counts.position(0)).offset, START);
  });

  test('counts: commits survive a restart', async (t, store, under) => {
    const offset = await store.log.append(0, votes(0));
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    await store.counts.commit(commitOf(0, START, offset, { slices: [{ ...slice, weights: [['a', 1]] }] }));
    await store.stop();
    const again = under.open();
    await again.start();
    t.equal((await again.counts.position(0)).offset, offset);
    t.same([...((await again.counts.slice(0, 'q', 1))?.tally ?? [])], [['a', 1]]);
    t.equal((await again.changes.read(cursor(0), read)).changes.length, 1, 'so does the feed');
    await again.stop();
  });

  test('changes: each commit that moved a slice is told once, in order, after the cursor', async (t, {
    counts,
    log,
    changes,
  }) => {
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    const waiting = changes.read(cursor(0), { limit: 10, waitMs: 10_000 });
    let at = START;
    const offsets: string[] = [];
    for (const weight of [1, 2, 3]) {
      const offset = await log.append(0, votes(weight));
      await counts.commit(commitOf(0, at, offset, { slices: [{ ...slice, weights: [['a', weight]] }] }));
      offsets.push(offset);
      at = offset;
    }
    t.match((await waiting).changes[0], { partition: 0, offset: offsets[0] });
    const { changes: all, gaps } = await changes.read(cursor(0), read);
    t.same(
      all.map(({ offset }) => offset),
      offsets,
    );
    t.same(
      all.map(({ slices }) => slices[0]?.weights),
      [[['a', 1]], [['a', 2]], [['a', 3]]],
    );
    t.same(gaps, []);
    t.same(
      (await changes.read(cursor(0, offsets[1]), read)).changes.map(({ offset }) => offset),
      offsets.slice(2),
    );
  });

  test('changes: a read that comes while a commit is under way waits for it', async (t, { counts, log, changes }) => {
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    const early: number[] = [];
    let at = START;
    for (let i = 0; i < 60; i++) {
      const offset = await log.append(0, votes(i));
      let isCommitted = false;
      const commit = counts.commit(commitOf(0, at, offset, { slices: [{ ...slice, weights: [['a', i]] }] }));
      void commit.then(() => (isCommitted = true));
      const reads: Promise<void>[] = [];
      while (!isCommitted) {
        const startMs = performance.now();
        const read = changes.read(cursor(0, at), { limit: 10, waitMs: 10_000 });
        reads.push(
          read.then(({ changes: found }) => void (found.length === 0 && early.push(performance.now() - startMs))),
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(reads);
      at = offset;
    }
    // A reader that is answered with nothing asks again at once: that would be an endless loop.
    t.same(early, []);
  });

  test('changes: a reader that fell behind what is kept is told so', async (t, { counts, log, changes }) => {
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    let at = START;
    let gaps: readonly number[] = [];
    for (let i = 0; i < 20_000 && gaps.length === 0; i++) {
      const offset = await log.append(0, marker('q'));
      await counts.commit(commitOf(0, at, offset, { slices: [{ ...slice, weights: [] }] }));
      at = offset;
      if (i % 256 === 0) ({ gaps } = await changes.read(cursor(0), { ...read, limit: 1 }));
    }
    t.same(gaps, [0], 'the feed is bounded');
    t.same((await changes.read(cursor(0, at), read)).gaps, []);
  });

  test('registry: documents have versions, and writing compares them', async (t, { registry }) => {
    const told: string[] = [];
    const unwatch = registry.watch((collection, id) => told.push(`${collection} ${id}`));
    t.equal(await registry.get('polls', 'x'), undefined);
    t.equal(await registry.put('polls', 'x', { a: 1 }, 0), 1);
    t.equal(await registry.put('polls', 'x', { a: 2 }, 0), undefined, 'it exists already');
    t.equal(await registry.put('polls', 'x', { a: 3 }, 1), 2);
    t.equal(await registry.put('polls', 'x', { a: 4 }), 3, 'without comparing');
    t.same(await registry.get('polls', 'x'), { value: { a: 4 }, version: 3 });
    const race = await Promise.all([1, 2, 3].map((a) => registry.put('polls', 'x', { a }, 3)));
    t.equal(race.filter((version) => version === 4).length, 1, 'one of three wins');
    await registry.put('polls', '__proto__', { b: 1 }, 0);
    await registry.put('devices', 'y', { c: 1 }, 0);
    t.same((await registry.list('polls')).map(({ id }) => id).sort(), ['__proto__', 'x']);
    await registry.remove('polls', 'x');
    await registry.caughtUp();
    t.equal(await registry.get('polls', 'x'), undefined);
    for (const write of ['polls x', 'polls __proto__', 'devices y']) t.ok(told.includes(write), write);
    unwatch();
    await registry.put('polls', 'z', { d: 1 });
    await registry.caughtUp();
    t.notOk(told.includes('polls z'), 'nobody listens any more');
    const heard: string[] = [];
    registry.watch((collection, id) => heard.push(`${collection} ${id}`));
    await Promise.all(Array.from({ length: 300 }, (_, i) => registry.put('devices', `d${i}`, i)));
    await registry.caughtUp();
    t.equal(new Set(heard).size, 300, 'who has caught up knows of every write');
  });

  test('presence: who is there, until it leaves or falls silent', async (t, { presence }) => {
    await presence.announce('broker', 'a', { n: 1 }, 10_000);
    await presence.announce('broker', 'b', { n: 2 }, 30);
    await presence.announce('counter', 'c', {}, 10_000);
    t.same(await presence.list('broker'), [
      { id: 'a', facts: { n: 1 } },
      { id: 'b', facts: { n: 2 } },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    t.same(
      (await presence.list('broker')).map(({ id }) => id),
      ['a'],
    );
    await presence.withdraw('broker', 'a');
    t.same(await presence.list('broker'), []);
  });
}
