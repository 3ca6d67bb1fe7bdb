import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import { type Database, open } from 'lmdb';
import { awaitWrite } from '../await-write.ts';
import { setAsideIfDamaged } from '../files/spare.ts';
import { EmbeddedSessionLedger } from './ledger.ts';
import { EmbeddedWills } from './wills.ts';

interface Range {
  readonly gte: string;
  readonly lt: string;
}
interface RetainedPacket {
  readonly topic: string;
  readonly payload: Buffer | string;
}
type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/**
 * Stores MQTT sessions and retained messages, so that they survive a restart. Counting does not depend on them. Uses
 * aedes-persistence-level on LMDB: the small LevelDB adapter below makes a second embedded database unnecessary.
 *
 * @param directory where `sessions.lmdb` is stored; created if missing
 * @param report called with what was done if the file was damaged, which is no reason not to start
 */
export async function openEmbeddedSessions(
  directory: string,
  report: (message: string) => void = () => {},
): Promise<{
  persistence: LevelPersistence;
  ledger: EmbeddedSessionLedger;
  wills: EmbeddedWills;
  close(): Promise<void>;
}> {
  await mkdir(directory, { recursive: true });
  const loss = 'Clients that keep a session must subscribe again.';
  setAsideIfDamaged({ directory, name: 'sessions.lmdb', loss, report });
  // Unlike votes, sessions may lose their latest changes in a power cut, because devices subscribe again.
  const file = open<Buffer, string>({
    path: join(directory, 'sessions.lmdb'),
    noSubdir: true,
    encoding: 'binary',
  });
  const ledger = new EmbeddedSessionLedger(file);
  await ledger.adopt(Date.now());
  const persistence = new IndexedPersistence(new LevelAdapter(file));
  return { persistence, ledger, wills: new EmbeddedWills(file), close: () => persistence.destroy() };
}

/** The prefix of the keys of retained messages, before the topic: part of what aedes-persistence-level stores. */
const RETAINED = 'retained:';

/**
 * Reads only the retained messages that a SUBSCRIBE packet asks for. The package reads and decodes every retained message for
 * each filter, so that 34 KiB of SUBSCRIBE packets stopped all voting for 16 s while there were 70 polls.
 */
class IndexedPersistence extends LevelPersistence {
  private readonly adapter: LevelAdapter;
  /** The topics that have a retained message. */
  private readonly topics: Set<string>;

  constructor(adapter: LevelAdapter) {
    super(adapter);
    this.adapter = adapter;
    this.topics = new Set(adapter.keysAfter(RETAINED));
  }

  override async storeRetained(packet: RetainedPacket): Promise<void> {
    await super.storeRetained(packet);
    if (packet.payload.length === 0) this.topics.delete(packet.topic);
    else this.topics.add(packet.topic);
  }

  override createRetainedStreamCombi(filters: readonly string[]): Readable {
    const { adapter, topics } = this;
    const wanted = new Set(filters.flatMap((filter) => matching(filter, topics)));
    // The package decodes what it reads from this view, which contains nothing else.
    const view = {
      async *values() {
        for (const topic of wanted) {
          const value = await adapter.get(`${RETAINED}${topic}`);
          if (value) yield value;
        }
      },
    };
    return wanted.size === 0 ? Readable.from([]) : new LevelPersistence(view).createRetainedStream('#');
  }

  override createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter]);
  }
}

/** The topics that match a filter [MQTT-4.7]; without wildcards, this is a single lookup. */
function matching(filter: string, topics: ReadonlySet<string>): string[] {
  if (!/[+#]/.test(filter)) return topics.has(filter) ? [filter] : [];
  const levels = filter.split('/');
  const isOpen = levels.at(-1) === '#';
  const fixed = isOpen ? levels.slice(0, -1) : levels;
  return [...topics].filter((topic) => {
    const parts = topic.split('/');
    if (/^[+#]/.test(filter) && topic.startsWith('$')) return false;
    if (isOpen ? parts.length < fixed.length : parts.length !== fixed.length) return false;
    return fixed.every((level, i) => level === '+' || level === parts[i]);
  });
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

  /** What follows `prefix` in every key that begins with it. */
  keysAfter(prefix: string): string[] {
    // All of Unicode sorts before this bound, because keys are compared as UTF-8.
    const keys = this.db.getKeys({ start: prefix, end: `${prefix.slice(0, -1)};` });
    return [...keys].map((key) => key.slice(prefix.length));
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
