/**
 * The promise-based persistence that Aedes 1.x requires. The package’s main entry point exports the callback-based persistence.
 */
declare module 'aedes-persistence-level/asyncPersistence.js' {
  import type { Readable } from 'node:stream';

  export default class AsyncLevelPersistence {
    constructor(db: unknown);
    setup(broker: unknown): Promise<void>;
    addSubscriptions(client: { readonly id: string }, filters: readonly { readonly topic: string }[]): Promise<void>;
    storeRetained(packet: { readonly topic: string; readonly payload: Buffer | string }): Promise<void>;
    createRetainedStream(filter: string): Readable;
    createRetainedStreamCombi(filters: readonly string[]): Readable;
    destroy(): Promise<void>;
  }
}
