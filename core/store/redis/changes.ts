import type { Offset } from '../offset.ts';
import type { Change, ChangeFeed, ReadOptions } from '../store.ts';
import type { Bells } from './bells.ts';
import { asked, type Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { readOrWait } from './reading.ts';

/** The change feed as one Redis Stream per partition, written by the commit script; entries have the commit's offset. */
export class RedisChanges implements ChangeFeed {
  private readonly connection: Connection;
  private readonly keys: Keys;
  private readonly bells: Bells;

  constructor(connection: Connection, keys: Keys, bells: Bells) {
    this.connection = connection;
    this.keys = keys;
    this.bells = bells;
  }

  async read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions) {
    const found = await this.readOrWait(cursors, options);
    const changes: Change[] = [];
    const gaps: number[] = [];
    for (const [partition, entries] of found) {
      const [, [, , , before = ''] = []] = entries[0] ?? [];
      // Each change names the one before it: if that is not where the reader stands, some in between were trimmed, or
      // the server came back without what the reader has seen.
      if (before !== cursors.get(partition)) gaps.push(partition);
      else for (const [offset, [, text = '']] of entries) changes.push({ partition, offset, slices: JSON.parse(text) });
    }
    return { changes, gaps };
  }

  private readOrWait(cursors: ReadonlyMap<number, Offset>, options: ReadOptions) {
    return readOrWait(this.bells.of('changes'), options, async () => {
      const reads = [...cursors].map(async ([partition, offset]) => {
        const key = this.keys.changes(partition);
        return [
          partition,
          await asked(this.connection.xrange(key, `(${offset}`, '+', 'COUNT', options.limit)),
        ] as const;
      });
      return (await Promise.all(reads)).filter(([, entries]) => entries.length > 0);
    });
  }
}
