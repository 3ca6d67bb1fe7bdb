import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import { type Database, open } from 'lmdb';
import { awaitWrite } from './await-write.ts';

interface Range {
  readonly gte: string;
  readonly lt: string;
}
type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/**
 * Stores MQTT sessions and retained messages, so that they survive a restart. Counting does not depend on them. Uses
 * aedes-persistence-level on LMDB: the small LevelDB adapter below makes a second embedded database unnecessary.
 *
 * @param directory where `sessions.lmdb` is stored; created if missing
 */
export async function openEmbeddedSessions(
  directory: string,
): Promise<{ persistence: LevelPersistence; close(): Promise<void> }> {
  await mkdir(directory, { recursive: true });
  // Unlike votes, sessions may lose their latest changes in a power cut, because devices subscribe again.
  const file = open<Buffer, string>({
    path: join(directory, 'sessions.lmdb'),
    noSubdir: true,
    encoding: 'binary',
  });
  const persistence = new LevelPersistence(new LevelAdapter(file));
  return { persistence, close: () => persistence.destroy() };
}

/**
 * The part of abstract-level that aedes-persistence-level uses. The broker restricts client ids and topics, so keys stay below
 * LMDB’s length limit.
 */
class LevelAdapter {
  private readonly db: Database<Buffer, string>;

  constructor(db: Database<Buffer, string>) {
    this.db = db;
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.db.get(key);
  }

  async put(key: string, value: Buffer): Promise<void> {
    await awaitWrite(this.db.put(key, value));
  }

  async del(key: string): Promise<void> {
    await awaitWrite(this.db.remove(key));
  }

  async clear({ gte, lt }: Range): Promise<void> {
    const keys = [...this.db.getKeys({ start: gte, end: lt })];
    await Promise.all(keys.map((key) => awaitWrite(this.db.remove(key))));
  }

  async *values({ gte, lt }: Range): AsyncGenerator<Buffer> {
    for (const { value } of this.db.getRange({ start: gte, end: lt })) yield value;
  }

  /** Writes `operations` immediately. Without `operations`, returns a batch that collects them until `write` is called. */
  batch(operations?: readonly Operation[]): Promise<void> | { del(key: string): void; write(): Promise<void> } {
    if (operations) return this.write(operations);
    const collected: Operation[] = [];
    return {
      del: (key: string) => void collected.push({ type: 'del', key }),
      write: () => this.write(collected),
    };
  }

  async close(): Promise<void> {
    await this.db.close();
  }

  private async write(operations: readonly Operation[]): Promise<void> {
    const { db } = this;
    await awaitWrite(
      db.childTransaction(() => {
        for (const operation of operations) {
          if (operation.type === 'put') db.putSync(operation.key, operation.value);
          else db.removeSync(operation.key);
        }
      }),
    );
  }
}
