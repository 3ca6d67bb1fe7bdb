import { AsyncLocalStorage } from 'node:async_hooks';
import type { Collection, Registry, Versioned, WriteListener } from '../../../core/store/store.ts';

/** Whether an action has written anything. */
export interface Writes {
  hasWritten: boolean;
}

const current = new AsyncLocalStorage<Writes>();

/** Runs an action, and whatever it goes on to call later. A `NotedRegistry` notes what it writes. */
export function followWrites(writes: Writes, action: () => void): void {
  current.run(writes, action);
}

/** A registry that notes which actions have written something, so that records can say what has certainly not been done. */
export class NotedRegistry implements Registry {
  private readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined> {
    return this.registry.get(collection, id);
  }

  list<T>(collection: Collection): Promise<(Versioned<T> & { readonly id: string })[]> {
    return this.registry.list(collection);
  }

  async put<T>(collection: Collection, id: string, value: T, expected?: number): Promise<number | undefined> {
    const version = await this.registry.put(collection, id, value, expected);
    if (version !== undefined) note();
    return version;
  }

  async remove(collection: Collection, id: string, expected?: number): Promise<boolean> {
    const isRemoved = await this.registry.remove(collection, id, expected);
    if (isRemoved) note();
    return isRemoved;
  }

  watch(listener: WriteListener): () => void {
    return this.registry.watch(listener);
  }

  caughtUp(): Promise<void> {
    return this.registry.caughtUp();
  }
}

function note(): void {
  const writes = current.getStore();
  if (writes) writes.hasWritten = true;
}
