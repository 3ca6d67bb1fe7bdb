import { START } from '../../core/store/offset.ts';
import { accounting, commitOf, cursor, marker, read, votes } from './samples.ts';
import type { ContractTest } from './subject.ts';

/** Every commit that changed a slice is in the change feed once and in order. A reader too far behind sees a gap. */
export function changesContract(test: ContractTest): void {
  test('changes: of the commits after the cursor, a read returns each that changed a slice, once and in order', async (t, {
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

  test('changes: a read that starts during a commit waits for the commit', async (t, { counts, log, changes }) => {
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
    // A reader reads again immediately after an empty result, so empty results would cause a busy loop.
    t.same(early, []);
  });

  test('changes: a read whose cursor is older than the retained changes reports a gap', async (t, {
    counts,
    log,
    changes,
  }) => {
    const slice = { poll: 'q', round: 1, revote: 'last' as const, open: true, accounting, atMs: 5 };
    let at = START;
    let gaps: readonly number[] = [];
    for (let i = 0; i < 20_000 && gaps.length === 0; i++) {
      const offset = await log.append(0, marker('q'));
      await counts.commit(commitOf(0, at, offset, { slices: [{ ...slice, weights: [] }] }));
      at = offset;
      if (i % 256 === 0) ({ gaps } = await changes.read(cursor(0), { ...read, limit: 1 }));
    }
    t.same(gaps, [0], 'old changes are dropped from the feed');
    t.same((await changes.read(cursor(0, at), read)).gaps, []);
  });
}
