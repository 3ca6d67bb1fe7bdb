import type { Database, RootDatabase } from 'lmdb';
import { Bell } from '../../waiting/bell.ts';
import type { Offset } from '../offset.ts';
import { type ChangeFeed, type CountChange, KEPT_CHANGES, type ReadOptions } from '../store.ts';
import { sequenceOf } from './sequence.ts';

type Key = [partition: number, sequence: number];

/** The change feed in LMDB. Each change is written in the transaction of its commit. */
export class EmbeddedChanges implements ChangeFeed {
  private readonly table: Database<CountChange, Key>;
  private readonly bell = new Bell();
  /** The sequences of the changes that are committed and kept, oldest first, by partition. */
  private readonly kept: Map<number, number[]> = new Map();
  /** The highest sequence that was trimmed, by partition. */
  private readonly trimmed: Database<number, number>;

  constructor(root: RootDatabase) {
    this.table = root.openDB({ name: 'changes', encoding: 'json' });
    this.trimmed = root.openDB({ name: 'trimmed', encoding: 'json' });
    for (const [partition, sequence] of this.table.getKeys()) this.keep(partition, sequence);
  }

  async read(cursors: ReadonlyMap<number, Offset>, { limit, waitMs, signal }: ReadOptions) {
    const hasNews = () => [...cursors].some(([p, offset]) => sequenceOf(offset) < (this.kept.get(p)?.at(-1) ?? 0));
    if (!hasNews()) await this.bell.wait(waitMs, signal);
    const changes: CountChange[] = [];
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

  /** Writes a change. Must be called inside the commit’s transaction. */
  add(change: CountChange): void {
    const { partition, offset } = change;
    this.table.putSync([partition, sequenceOf(offset)], change);
    const kept = this.kept.get(partition) ?? [];
    const [oldest] = kept;
    if (oldest === undefined || kept.length < KEPT_CHANGES) return;
    this.table.removeSync([partition, oldest]);
    this.trimmed.putSync(partition, oldest);
  }

  /**
   * Announces a change and wakes the readers. Must only be called once the transaction has committed: a reader that is woken
   * for a change it cannot read yet would poll in a busy loop.
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
