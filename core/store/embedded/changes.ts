import type { Database, RootDatabase } from 'lmdb';
import { Bell } from '../bell.ts';
import type { Offset } from '../offset.ts';
import type { Change, ChangeFeed, ReadOptions } from '../store.ts';

/** How many changes a partition keeps; a reader that is further behind loads the slices again. */
export const KEPT_CHANGES = 2048;

type Key = [partition: number, sequence: number];
const sequenceOf = (offset: Offset): number => Number.parseInt(offset, 10);

/** The change feed in LMDB, written in the same transaction as the commit it tells of. */
export class EmbeddedChanges implements ChangeFeed {
  private readonly table: Database<Change, Key>;
  private readonly bell = new Bell();
  /** The sequences committed and kept, oldest first, by partition. */
  private readonly kept: Map<number, number[]> = new Map();
  /** The newest sequence ever trimmed, by partition. */
  private readonly trimmed: Database<number, number>;

  constructor(root: RootDatabase) {
    this.table = root.openDB({ name: 'changes', encoding: 'json' });
    this.trimmed = root.openDB({ name: 'trimmed', encoding: 'json' });
    for (const [partition, sequence] of this.table.getKeys()) this.keep(partition, sequence);
  }

  async read(cursors: ReadonlyMap<number, Offset>, { limit, waitMs, signal }: ReadOptions) {
    const isNews = () => [...cursors].some(([p, offset]) => sequenceOf(offset) < (this.kept.get(p)?.at(-1) ?? 0));
    if (!isNews()) await this.bell.wait(waitMs, signal);
    const changes: Change[] = [];
    const gaps: number[] = [];
    for (const [partition, offset] of cursors) {
      const after = sequenceOf(offset);
      if (after < (this.trimmed.get(partition) ?? 0)) {
        gaps.push(partition);
        continue;
      }
      const range = { start: [partition, after + 1], end: [partition, Number.MAX_SAFE_INTEGER], limit };
      for (const { value } of this.table.getRange(range as { start: Key; end: Key; limit: number })) {
        changes.push(value);
      }
    }
    return { changes, gaps };
  }

  /** Writes a change. Call inside the commit's transaction. */
  add(change: Change): void {
    const { partition, offset } = change;
    this.table.putSync([partition, sequenceOf(offset)], change);
    const kept = this.kept.get(partition) ?? [];
    const [oldest] = kept;
    if (oldest === undefined || kept.length < KEPT_CHANGES) return;
    this.table.removeSync([partition, oldest]);
    this.trimmed.putSync(partition, oldest);
  }

  /**
   * Makes a change known and wakes the readers. Call once the transaction is committed and not before: whoever is
   * told of a change that cannot be read yet asks again and again.
   */
  announce(partition: number, offset: Offset): void {
    const kept = this.keep(partition, sequenceOf(offset));
    if (kept.length > KEPT_CHANGES) kept.shift();
    this.bell.ring();
  }

  private keep(partition: number, sequence: number): number[] {
    const kept = this.kept.get(partition) ?? [];
    this.kept.set(partition, kept);
    kept.push(sequence);
    return kept;
  }
}
