import type { Offset } from '../offset.ts';
import type { ChangeFeed, CountChange, ReadOptions } from '../store.ts';
import type { Bells } from './connection/bells.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { readOrWait } from './reading.ts';

/** The change feed as one Redis Stream per partition, written by the commit script. Entry ids are commit offsets. */
export class RedisChanges implements ChangeFeed {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;
  private readonly bells: Bells;

  constructor(connection: RedisConnection, keys: RedisKeys, bells: Bells) {
    this.connection = connection;
    this.keys = keys;
    this.bells = bells;
  }

  async read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions) {
    const found = await this.readOrWait(cursors, options);
    const changes: CountChange[] = [];
    const gaps: number[] = [];
    for (const [partition, entries] of found) {
      const [, [, , , before = ''] = []] = entries[0] ?? [];
      // Each change names its predecessor. If the predecessor is not the reader’s cursor, changes in between were trimmed, or
      // the server has lost changes that the reader has already seen.
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
          await replyOf(this.connection.xrange(key, `(${offset}`, '+', 'COUNT', options.limit)),
        ] as const;
      });
      return (await Promise.all(reads)).filter(([, entries]) => entries.length > 0);
    });
  }
}
