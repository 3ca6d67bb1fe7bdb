import { START } from '../../core/store/offset.ts';
import { accounting, commitOf, cursor, read, votes } from './samples.ts';
import type { ContractTest } from './subject.ts';

/** A commit is atomic, and of two commits from the same offset only one succeeds. */
export function countsContract(test: ContractTest): void {
  test('counts: in a new partition, nothing has been counted', async (t, { counts }) => {
    const { offset, producers, refused } = await counts.position(0);
    t.same([offset, producers.size, refused], [START, 0, {}]);
    t.equal(await counts.slice(0, 'q', 1), undefined);
    t.same(await counts.ballots(0, 'q', 1, ['d']), [undefined]);
  });

  test('counts: a commit is stored completely, and only under its partition, poll and round', async (t, {
    counts,
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

  test('counts: a commit of thousands of ballots and choices is stored completely', async (t, { counts, log }) => {
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
        ballots: many.map((i) => ['q', 1, `d${i}`, { choice: `choice-${i}`, atMs: 2 }]),
        producers: many.map((i) => [`run-${i}`, i]),
      }),
    );
    t.equal(done, true);
    t.equal((await counts.position(0)).producers.size, many.length);
    const kept = await counts.slice(0, 'q', 1);
    t.equal(kept?.tally.size, many.length);
    t.match(await counts.slice(0, 'q', many.length + 1), { round: many.length + 1 });
    const ballots = await counts.ballots(
      0,
      'q',
      1,
      many.map((i) => `d${i}`),
    );
    t.equal(ballots.filter((ballot, i) => ballot?.choice === `choice-${i}`).length, many.length);
  });

  test('counts: a commit replaces values, removes weights of 0 and orders producers by their last entry', async (t, {
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

  test('counts: of two commits from the same offset one succeeds and the other changes nothing', async (t, {
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
    t.equal(
      await counts.commit(commitOf(0, START, second, { ballots: ballot('z') })),
      false,
      'a commit from a stale offset fails',
    );
    t.match(await counts.ballots(0, 'q', 1, ['d']), [{ choice: winner }]);
    t.same((await changes.read(cursor(0), read)).changes, [], 'a failed commit does not appear in the change feed');
  });

  test('counts: a commit that cannot be encoded stores nothing', async (t, { counts, log }) => {
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
