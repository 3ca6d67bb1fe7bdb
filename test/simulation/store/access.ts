import type { Bell } from '../../../core/waiting/bell.ts';

/** What readers wait for. */
export type BellName = 'log' | 'changes' | 'writes';

/** What an operation does to the store: it reads, writes, or writes what may not be lost once it has been answered. */
export type Effect = 'read' | 'write' | 'keep';

/** Where a write goes. Operations on one channel happen in the order of the calls. */
export type Channel = 'appends' | 'rest';

/** How a process reaches a simulated store. */
export interface Access {
  /** Does something at the store. @throws StoreError if it is not known to have been done, or what `work` throws */
  call<T>(channel: Channel, effect: Effect, work: () => T): Promise<T>;
  bell(name: BellName): Bell;
  /** Rings at every process. Call as part of `work`. */
  ring(name: BellName): void;
  /** Hears what other processes publish; what is published while the store cannot be reached is lost. */
  subscribe(listener: (text: string) => void): () => void;
  publish(text: string): void;
  /** The store’s clock, in ms since 1970. */
  clockMs(): number;
  close(): void;
}
