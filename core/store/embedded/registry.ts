import { EventEmitter } from 'node:events';
import type { Database, RootDatabase } from 'lmdb';
import { type Collection, isWatched, type Registry, type Versioned, type WriteListener } from '../store.ts';
import { awaitWrite } from './await-write.ts';
import type { Guard } from './files/guard.ts';
import type { RoundKeys } from './files/round-keys.ts';

type Key = [collection: Collection, id: string];

/** Documents in LMDB. The keys of secret rounds are not in it, but in files of their own. */
export class EmbeddedRegistry implements Registry {
  private readonly table: Database<Versioned<unknown>, Key>;
  /** The highest version that a removed document had, by collection: a new document begins above it. */
  private readonly retired: Database<number, Collection>;
  private readonly guard: Guard;
  private readonly keys: RoundKeys;
  private readonly writes = new EventEmitter().setMaxListeners(0);

  /** @throws Error with a message for the operator if the key of a secret round is missing */
  constructor(root: RootDatabase, guard: Guard, keys: RoundKeys) {
    this.guard = guard;
    this.keys = keys;
    this.table = root.openDB({ name: 'registry', encoding: 'json' });
    this.retired = root.openDB({ name: 'retired', encoding: 'json' });
    const polls = [...this.table.getRange(rangeOf('polls'))].map(({ value }) => value.value);
    for (const poll of polls) keys.opened('polls', poll);
    keys.destroyOthers(polls);
  }

  async get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined> {
    const found = this.table.get([collection, id]);
    return found && this.opened<T>(collection, found);
  }

  async list<T>(collection: Collection): Promise<(Versioned<T> & { id: string })[]> {
    const range = this.table.getRange(rangeOf(collection));
    return [...range].map(({ key, value }) => ({ ...this.opened<T>(collection, value), id: key[1] }));
  }

  async put<T>(collection: Collection, id: string, value: T, expected?: number): Promise<number | undefined> {
    this.guard.demand();
    const key: Key = [collection, id];
    const stored = this.keys.sealed(collection, value);
    let before: unknown;
    const write = this.table.childTransaction(() => {
      const found = this.table.get(key);
      if (expected !== undefined && expected !== (found?.version ?? 0)) return undefined;
      before = found?.value;
      const next = (found?.version ?? this.retired.get(collection) ?? 0) + 1;
      this.table.putSync(key, { value: stored, version: next });
      return next;
    });
    const version = await awaitWrite(write);
    if (version === undefined) this.keys.destroyReplaced(collection, stored, this.table.get(key)?.value);
    else {
      this.keys.destroyReplaced(collection, before, stored);
      this.writes.emit('write', collection, id);
    }
    return version;
  }

  async remove(collection: Collection, id: string, expected?: number): Promise<boolean> {
    const key: Key = [collection, id];
    let before: unknown;
    const write = this.table.childTransaction(() => {
      const found = this.table.get(key);
      if (!found) return true;
      if (expected !== undefined && expected !== found.version) return false;
      before = found.value;
      this.table.removeSync(key);
      if (found.version > (this.retired.get(collection) ?? 0)) this.retired.putSync(collection, found.version);
      return true;
    });
    if (!(await awaitWrite(write))) return false;
    this.keys.destroyReplaced(collection, before, undefined);
    this.writes.emit('write', collection, id);
    return true;
  }

  watch(listener: WriteListener): () => void {
    const notify = (collection: Collection, id: string) => {
      if (isWatched(collection)) listener(collection, id);
    };
    this.writes.on('write', notify);
    return () => this.writes.off('write', notify);
  }

  private opened<T>(collection: Collection, { value, version }: Versioned<unknown>): Versioned<T> {
    return { value: this.keys.opened(collection, value) as T, version };
  }

  /** Resolves immediately, because listeners are called as part of each write. */
  async caughtUp(): Promise<void> {}
}

function rangeOf(collection: Collection): { start: Key; end: Key } {
  return { start: [collection, ''], end: [`${collection}~` as Collection, ''] };
}
