import { compareOffsets, START } from '../../core/store/offset.ts';
import type { Entry } from '../../core/voting/count/entry.ts';
import { plain } from '../support/plain-entry.ts';
import { commitOf, cursor, marker, read, votes } from './samples.ts';
import { CONTRACT_PARTITIONS, type ContractTest } from './subject.ts';

/** Entries keep their content and order. They are removed only when they are both old and counted. */
export function logContract(test: ContractTest): void {
  test('log: a read returns the entries after the cursor, unchanged and in order', async (t, { log }) => {
    t.equal(log.partitions, CONTRACT_PARTITIONS);
    const entries = [
      marker('q'),
      votes(0),
      votes(1, '__proto__'),
      { type: 'close', poll: 'q', round: 1, atMs: 3 } as const,
    ];
    const offsets = await Promise.all(entries.map((entry) => log.append(1, entry)));
    const all = (await log.read(cursor(1), read)).get(1) ?? [];
    t.same(
      all.map(({ entry }) => plain(entry)),
      entries.map(plain),
    );
    t.same(
      all.map(({ offset }) => offset),
      offsets,
      'entries are in the order of the calls',
    );
    for (const [i, offset] of offsets.entries())
      t.ok(compareOffsets(offset, offsets[i - 1] ?? START) > 0, 'each offset is higher than the one before');
    const rest = (await log.read(cursor(1, offsets[1]), read)).get(1) ?? [];
    t.same(
      rest.map(({ entry }) => plain(entry)),
      entries.slice(2).map(plain),
    );
    t.equal((await log.read(cursor(1), { ...read, limit: 1 })).get(1)?.length, 1);
    t.equal((await log.read(cursor(0), read)).size, 0, 'an entry is only in the partition to which it was appended');
  });

  test('log: a read waits for new entries in any of its partitions and can be aborted', async (t, { log }) => {
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
    t.equal(
      (await log.read(cursor(0), { limit: 10, waitMs: 20 })).size,
      0,
      'without new entries, a read returns after waitMs',
    );
  });

  test('log: entries survive a restart, and new entries are appended after them', async (t, store, under) => {
    const before = await store.log.append(0, votes(0));
    await store.close();
    const again = await under.open();
    const after = await again.log.append(0, votes(1));
    t.ok(compareOffsets(after, before) > 0);
    t.equal((await again.log.read(cursor(0), read)).get(0)?.length, 2);
    await again.close();
  });

  test('log: an append whose deadline has passed stores nothing', async (t, { log }) => {
    await t.rejects(log.append(0, votes(0), performance.now() - 1), { name: 'StoreError' });
    t.equal((await log.read(cursor(0), read)).size, 0);
    await log.append(0, votes(1), performance.now() + 5_000);
    t.equal((await log.read(cursor(0), read)).get(0)?.length, 1);
  });

  test('log: a store that has stored an entry says that it takes entries', async (t, store) => {
    t.same(store.condition(), { ok: true });
    await store.log.append(0, votes(0));
    t.same(store.condition(), { ok: true });
  });

  test('log: only entries that are both old and counted are removed', async (t, { log, counts }) => {
    t.equal(await log.appended(0), 0);
    const offsets: string[] = [];
    for (let i = 0; i < 400; i++) offsets.push(await log.append(0, { ...votes(i), atMs: Date.now() } as Entry));
    t.equal(await log.appended(0), 400);
    const later = Date.now() + 60_000;
    t.equal(await log.trim(0, later, START), 0, 'entries that have not been counted are kept');
    await counts.commit(commitOf(0, START, offsets[300] as string, { entries: 301 }));
    t.equal((await counts.position(0)).entries, 301);
    t.equal(await log.trim(0, Date.now() - 60_000, offsets[300] as string), 0, 'entries that are not old are kept');
    // The last step, because a store may soon take the removal of entries as young as these for a loss.
    const removed = await log.trim(0, later, offsets[300] as string);
    t.ok(removed >= 150 && removed <= 300, `${removed} entries were removed`);
    const left = (await log.read(cursor(0), { limit: 1000, waitMs: 0 })).get(0) ?? [];
    t.same(
      left.map(({ offset }) => offset),
      offsets.slice(removed),
    );
    t.equal(await log.appended(0), 400, 'removed entries still count as appended');
  });
}
