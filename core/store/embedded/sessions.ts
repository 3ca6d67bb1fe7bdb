import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import { type Database, open } from 'lmdb';
import { written } from './written.ts';

interface Range {
  readonly gte: string;
  readonly lt: string;
}
type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/**
 * MQTT sessions and retained messages that survive a restart: aedes-persistence-level over LMDB. Counting never
 * rests on it. One embedded database instead of two is worth the forty lines of LevelDB's interface below.
 *
 * @param directory where `sessions.lmdb` lives; created when missing
 */
export async function openSessions(
  directory: string,
): Promise<{ persistence: LevelPersistence; close(): Promise<void> }> {
  await mkdir(directory, { recursive: true });
  // Sessions may lose their last moments in a power cut (a device subscribes again); votes may not.
  const file = open<Buffer, string>({
    path: join(directory, 'sessions.lmdb'),
    noSubdir: true,
    encoding: 'binary',
  });
  const persistence = new LevelPersistence(new LevelFace(file));
  return { persistence, close: () => persistence.destroy() };
}

/** The part of abstract-level that aedes-persistence-level calls. Keys longer than LMDB takes do not exist. */
class LevelFace {
  private readonly db: Database<Buffer, string>;

  constructor(db: Database<Buffer, string>) {
    this.db = db;
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.db.get(key);
  }

  async put(key: string, value: Buffer): Promise<void> {
    await written(this.db.put(key, value));
  }

  async del(key: string): Promise<void> {
    await written(this.db.remove(key));
  }

  async clear({ gte, lt }: Range): Promise<void> {
    const keys = [...this.db.getKeys({ start: gte, end: lt })];
    await Promise.all(keys.map((key) => written(this.db.remove(key))));
  }

  async *values({ gte, lt }: Range): AsyncGenerator<Buffer> {
    for (const { value } of this.db.getRange({ start: gte, end: lt })) yield value;
  }

  /** With operations: writes them at once. Without: collects them until `write`. */
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
    await written(
      db.childTransaction(() => {
        for (const operation of operations) {
          if (operation.type === 'put') db.putSync(operation.key, operation.value);
          else db.removeSync(operation.key);
        }
      }),
    );
  }
}
