import { EventEmitter } from 'node:events';
import type { Database, RootDatabase } from 'lmdb';
import type { Collection, Registry, Versioned, Watched, WriteListener } from '../store.ts';
import { awaitWrite } from './await-write.ts';
import type { Guard } from './files/guard.ts';

type Key = [collection: Collection, id: string];

/** Documents in LMDB. */
export class EmbeddedRegistry implements Registry {
  private readonly table: Database<Versioned<unknown>, Key>;
  private readonly guard: Guard;
  private readonly writes = new EventEmitter().setMaxListeners(0);

  constructor(root: RootDatabase, guard: Guard) {
    this.guard = guard;
    this.table = root.openDB({ name: 'registry', encoding: 'json' });
  }

  async get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined> {
    return this.table.get([collection, id]) as Versioned<T> | undefined;
  }

  async list<T>(collection: Collection): Promise<(Versioned<T> & { id: string })[]> {
    const range = this.table.getRange({ start: [collection, ''], end: [`${collection}~` as Collection, ''] });
    return [...range].map(({ key, value }) => ({ ...(value as Versioned<T>), id: key[1] }));
  }

  async put<T>(collection: Collection, id: string, value: T, expected?: number): Promise<number | undefined> {
    this.guard.demand();
    const key: Key = [collection, id];
    const write = this.table.childTransaction(() => {
      const now = this.table.get(key)?.version ?? 0;
      if (expected !== undefined && expected !== now) return undefined;
      this.table.putSync(key, { value, version: now + 1 });
      return now + 1;
    });
    const version = await awaitWrite(write);
    if (version !== undefined) this.writes.emit('write', collection, id);
    return version;
  }

  async remove(collection: Collection, id: string): Promise<void> {
    await awaitWrite(this.table.remove([collection, id]));
    this.writes.emit('write', collection, id);
  }

  watch(listener: WriteListener): () => void {
    const notify = (collection: Collection, id: string) => {
      if (isWatched(collection)) listener(collection, id);
    };
    this.writes.on('write', notify);
    return () => this.writes.off('write', notify);
  }

  /** Resolves immediately, because listeners are called as part of each write. */
  async caughtUp(): Promise<void> {}
}

function isWatched(collection: Collection): collection is Watched {
  return collection === 'polls' || collection === 'devices';
}
