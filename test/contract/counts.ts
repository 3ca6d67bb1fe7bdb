import { START } from '../../core/store/offset.ts';
import { accounting, commitOf, cursor, pagesOf, read, votes } from './samples.ts';
import type { ContractTest } from './subject.ts';

/** A commit is atomic, and of two commits from the same offset only one succeeds. */
export function countsContract(test: ContractTest): void {
  test('counts: in a new partition, nothing has been counted', async (t, { counts }) => {
    const { offset, producers, refused } = await counts.position(0);
    t.same([offset, producers.size, refused], [START, 0, {}]);
    t.equal(await counts.slice(0, 'q', 1), undefined);
    t.same(await counts.stored(0, 'q', 1, ['d']), { checkpoint: START, count: 0, pages: new Map(), rows: [] });
  });

  test('counts: a commit is stored completely, and only under its partition, poll and round', async (t, {
    counts,
    ballots,
    log,
  }) => {
    const offset = await log.append(1, votes(0));
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, interruptions: 2, accounting, atMs: 5 };
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
        checkpoint: {
          producers: new Map([['run-1', 6]]),
          rounds: [
            pagesOf([
              ['d', { choice: 'a', atMs: 2 }],
              ['__proto__', { choice: 'b,c', n: 4, atMs: 3 }],
              ['numbered', { choice: 'a', connection: 12, atMs: 4 }],
            ]),
          ],
        },
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
    t.same(position.checkpoint, { offset, producers: new Map([['run-1', 6]]) });
    const kept = await counts.slice(1, 'q', 1);
    t.match(kept, slice);
    const { poll: _, round: __, ...state } = slice;
    t.same(await counts.sliceState(1, 'q', 1), state);
    t.same(
      [...(kept?.tally ?? [])].sort(),
      [
        ['__proto__', 3],
        ['a', 1],
        ['b,c', 2],
      ].sort(),
    );
    const voters = ['nobody', '__proto__', 'd', 'numbered'];
    t.match(await ballots.of(1, 'q', 1, voters), [
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
      t.equal(await counts.sliceState(partition, poll, round), undefined);
      t.same(await ballots.of(partition, poll, round, ['d']), [undefined]);
    }
    const scanned: string[] = [];
    for await (const [device] of ballots.all(1, 'q', 1)) scanned.push(device);
    t.same(scanned.sort(), ['__proto__', 'd', 'numbered']);
  });

  test('counts: a commit of thousands of ballots and choices is stored completely', async (t, {
    counts,
    ballots,
    log,
  }) => {
    const offset = await log.append(0, votes(0));
    const many = Array.from({ length: 7_000 }, (_, i) => i);
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, interruptions: 2, accounting, atMs: 5 };
    const done = await counts.commit(
      commitOf(0, START, offset, {
        slices: [
          { ...slice, weights: many.map((i) => [`choice-${i}`, 1]) },
          // A batch may also affect many rounds, each of which has hashes of its own.
          ...many.map((i) => ({ ...slice, round: i + 2, weights: [['a', 1]] as const })),
        ],
        checkpoint: {
          producers: new Map(many.map((i) => [`run-${i}`, i])),
          rounds: [
            pagesOf(many.map((i) => [`d${i}`, { choice: `choice-${i}`, atMs: 2 }])),
            ...many.map((i) => pagesOf([['d', { choice: 'a', atMs: 2 }]], { poll: 'q', round: i + 2 })),
          ],
        },
        producers: many.map((i) => [`run-${i}`, i]),
      }),
    );
    t.equal(done, true);
    t.equal((await counts.position(0)).producers.size, many.length);
    const kept = await counts.slice(0, 'q', 1);
    t.equal(kept?.tally.size, many.length);
    t.match(await counts.slice(0, 'q', many.length + 1), { round: many.length + 1 });
    const voters = many.map((i) => `d${i}`);
    const found = await ballots.of(0, 'q', 1, voters);
    t.equal(found.filter((ballot, i) => ballot?.choice === `choice-${i}`).length, many.length);
    const { count, pages } = await counts.stored(0, 'q', 1);
    t.ok(count > 100 && pages.size > 100, 'they are spread over many pages');
    t.equal((await counts.stored(0, 'q', 1, ['d0'])).pages.size, 1, 'one voter needs one of them');
    t.match(await ballots.of(0, 'q', many.length + 1, ['d']), [{ choice: 'a' }]);
  });

  test('counts: a commit replaces values, removes weights of 0 and orders producers by their last entry', async (t, {
    counts,
    ballots,
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
        checkpoint: { producers: new Map(), rounds: [pagesOf([['d', { choice: 'a', n: 1, atMs: 2 }]])] },
        producers: [
          ['x', 1],
          ['y', 1],
          ['z', 1],
        ],
      }),
    );
    await counts.commit(
      commitOf(0, first, second, {
        expectedCheckpoint: first,
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
        checkpoint: { producers: new Map(), rounds: [pagesOf([['d', { choice: 'b', atMs: 4 }]])] },
        producers: [
          ['x', 2],
          ['y', null],
        ],
      }),
    );
    const kept = await counts.slice(0, 'q', 1);
    t.same([...(kept?.tally ?? [])], [['b', 9]]);
    t.equal(kept?.open, false);
    t.match(await ballots.of(0, 'q', 1, ['d']), [{ choice: 'b', atMs: 4, n: undefined }]);
    t.same(
      [...(await counts.position(0)).producers],
      [
        ['z', 1],
        ['x', 2],
      ],
    );
  });

  test('counts: of two commits from the same offset one succeeds and the other changes nothing', async (t, {
    counts,
    ballots,
    log,
    changes,
  }) => {
    const [first, second] = [await log.append(0, votes(0)), await log.append(0, votes(1))];
    const checkpoint = (choice: string) => ({
      checkpoint: { producers: new Map(), rounds: [pagesOf([['d', { choice, atMs: 2 }]])] },
    });
    const outcomes = await Promise.all([
      counts.commit(commitOf(0, START, first, checkpoint('a'))),
      counts.commit(commitOf(0, START, second, checkpoint('b'))),
    ]);
    t.same(outcomes.filter(Boolean).length, 1);
    const winner = outcomes[0] ? 'a' : 'b';
    t.match(await ballots.of(0, 'q', 1, ['d']), [{ choice: winner }]);
    t.equal(
      await counts.commit(commitOf(0, START, second, checkpoint('z'))),
      false,
      'a commit from a stale offset fails',
    );
    t.match(await ballots.of(0, 'q', 1, ['d']), [{ choice: winner }]);
    t.same((await changes.read(cursor(0), read)).changes, [], 'a failed commit does not appear in the change feed');
  });

  test('counts: a commit that cannot be encoded stores nothing', async (t, { counts, ballots, log }) => {
    const offset = await log.append(0, votes(0));
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    const broken = commitOf(0, START, offset, {
      checkpoint: { producers: new Map(), rounds: [pagesOf([['good', { choice: 'a', atMs: 1 }]])] },
      slices: [{ ...slice, revote: circular as never, weights: [['a', 1]] }],
    });
    await t.rejects(counts.commit(broken));
    t.same(await ballots.of(0, 'q', 1, ['good']), [undefined]);
    t.equal((await counts.position(0)).offset, START);
  });

  test('counts: a commit between checkpoints leaves the ballots, the checkpoint and its producers as they are', async (t, {
    counts,
    log,
  }) => {
    const offsets = [
      await log.append(0, votes(0)),
      await log.append(0, votes(1)),
      await log.append(0, votes(2)),
    ] as const;
    const checkpoint = { producers: new Map([['run', 0]]), rounds: [pagesOf([['d', { choice: 'a', atMs: 2 }]])] };
    await counts.commit(commitOf(0, START, offsets[0], { checkpoint }));
    await counts.commit(
      commitOf(0, offsets[0], offsets[1], { expectedCheckpoint: offsets[0], producers: [['run', 1]] }),
    );
    const position = await counts.position(0);
    t.equal(position.offset, offsets[1]);
    t.same(position.checkpoint, { offset: offsets[0], producers: new Map([['run', 0]]) });
    t.match(await counts.stored(0, 'q', 1), { checkpoint: offsets[0], count: 1 });
    const idle = {
      entries: 0,
      expectedCheckpoint: offsets[0],
      checkpoint: { producers: new Map([['run', 1]]), rounds: [] },
    };
    t.equal(await counts.commit(commitOf(0, offsets[1], offsets[1], idle)), true, 'a checkpoint needs no new entries');
    t.same((await counts.position(0)).checkpoint, { offset: offsets[1], producers: new Map([['run', 1]]) });
    t.match(await counts.stored(0, 'q', 1), { checkpoint: offsets[1], count: 1 });
    const stale = { expectedCheckpoint: offsets[1] };
    t.equal(await counts.commit(commitOf(0, offsets[0], offsets[2], stale)), false);
  });

  test('counts: commits survive a restart', async (t, store, under) => {
    const offset = await store.log.append(0, votes(0));
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, interruptions: 2, accounting, atMs: 5 };
    await store.counts.commit(commitOf(0, START, offset, { slices: [{ ...slice, weights: [['a', 1]] }] }));
    await store.close();
    const again = await under.open();
    t.equal((await again.counts.position(0)).offset, offset);
    t.same([...((await again.counts.slice(0, 'q', 1))?.tally ?? [])], [['a', 1]]);
    t.equal((await again.changes.read(cursor(0), read)).changes.length, 1, 'the change feed also survives a restart');
    await again.close();
  });
}
