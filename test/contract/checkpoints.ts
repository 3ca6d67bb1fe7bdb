import { START } from '../../core/store/offset.ts';
import { commitOf, pagesOf, votes } from './samples.ts';
import type { ContractTest } from './subject.ts';

/** More than any store takes in one piece. */
const LARGE_PAGES = 1_500;
const LARGE_BYTES = 4_000;

/** A checkpoint can move without the offset, so a commit compares both. */
export function checkpointsContract(test: ContractTest): void {
  test('counts: a commit that only stores ballots does not need the entry at its offset', async (t, { counts }) => {
    const checkpoint = { producers: new Map(), rounds: [pagesOf([['d', { choice: 'a', atMs: 2 }]])] };
    t.equal(await counts.commit(commitOf(0, START, START, { entries: 0, checkpoint })), true);
    t.match(await counts.stored(0, 'q', 1), { checkpoint: START, count: 1 });
  });

  test('counts: a position says how many entries have been counted behind the checkpoint', async (t, {
    counts,
    log,
  }) => {
    t.equal((await counts.position(0)).behind, undefined, 'there is none yet');
    const [first, second, third] = [
      await log.append(0, votes(0)),
      await log.append(0, votes(1)),
      await log.append(0, votes(2)),
    ];
    const checkpoint = { producers: new Map(), rounds: [] };
    await counts.commit(commitOf(0, START, first, { checkpoint }));
    t.equal((await counts.position(0)).behind, 0);
    await counts.commit(commitOf(0, first, third, { expectedCheckpoint: first, entries: 2 }));
    t.match(await counts.position(0), { behind: 2, entries: 3 });
    await counts.commit(commitOf(0, third, third, { expectedCheckpoint: first, entries: 0, checkpoint }));
    t.match(await counts.position(0), { behind: 0, entries: 3 });
    t.not(second, third);
  });

  test('counts: a checkpoint of many megabytes is stored completely, or not at all', async (t, { counts, log }) => {
    const [first, second] = [await log.append(0, votes(0)), await log.append(0, votes(1))];
    const large = (round: number, fill: number) => ({
      ...{ poll: 'q', round, count: 4_096, replacesRows: false },
      pages: new Map(Array.from({ length: LARGE_PAGES }, (_, page) => [page, Buffer.alloc(LARGE_BYTES, fill + page)])),
    });
    const storing = (fill: number) => ({ producers: new Map(), rounds: [large(1, fill), large(2, fill + 1)] });
    t.equal(await counts.commit(commitOf(0, START, first, { checkpoint: storing(0) })), true);
    const stored = async (round: number) => [...(await counts.stored(0, 'q', round)).pages];
    const isAll = async (fill: number) => {
      for (const round of [1, 2]) {
        const pages = await stored(round);
        t.equal(pages.length, LARGE_PAGES);
        t.ok(pages.every(([page, bytes]) => Buffer.alloc(LARGE_BYTES, fill + round - 1 + page).equals(bytes)));
      }
    };
    await isAll(0);
    t.equal(await counts.commit(commitOf(0, START, second, { checkpoint: storing(7) })), false, 'another offset');
    t.equal(await counts.commit(commitOf(0, first, second, { checkpoint: storing(7) })), false, 'another checkpoint');
    await isAll(0);
    const next = { expectedCheckpoint: first, checkpoint: storing(9) };
    t.equal(await counts.commit(commitOf(0, first, second, next)), true);
    await isAll(9);
  });

  test('counts: of two commits from the same offset, one that is based on another checkpoint changes nothing', async (t, {
    counts,
    log,
  }) => {
    const offsets = [
      await log.append(0, votes(0)),
      await log.append(0, votes(1)),
      await log.append(0, votes(2)),
    ] as const;
    const [first, second, third] = offsets;
    const storing = (choice: string) => ({ producers: new Map(), rounds: [pagesOf([['d', { choice, atMs: 2 }]])] });
    const none = { expectedCheckpoint: first };
    t.equal(await counts.commit(commitOf(0, START, first, { ...none, checkpoint: storing('a') })), false);
    t.equal((await counts.position(0)).offset, START, 'a partition without a checkpoint has none');
    await counts.commit(commitOf(0, START, first, { checkpoint: storing('a') }));
    t.equal(await counts.commit(commitOf(0, first, second)), false, 'a partition with a checkpoint has one');
    await counts.commit(commitOf(0, first, second, { expectedCheckpoint: first }));
    const idle = { entries: 0, expectedCheckpoint: first };
    t.equal(await counts.commit(commitOf(0, second, second, { ...idle, checkpoint: storing('b') })), true);
    const before = [await counts.position(0), await counts.stored(0, 'q', 1)];
    for (const checkpoint of [undefined, storing('c')]) {
      const stale = { expectedCheckpoint: first, ...(checkpoint ? { checkpoint } : {}) };
      t.equal(await counts.commit(commitOf(0, second, second, { ...stale, entries: 0 })), false, 'without entries');
      t.equal(await counts.commit(commitOf(0, second, third, stale)), false, 'with entries');
    }
    t.same([await counts.position(0), await counts.stored(0, 'q', 1)], before, 'nothing has changed');
    t.equal(await counts.commit(commitOf(0, second, third, { expectedCheckpoint: second })), true);
  });
}
