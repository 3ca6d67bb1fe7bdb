/**
 * The promise-based persistence that Aedes 1.x requires. The package’s main entry point exports the callback-based persistence.
 */
declare module 'aedes-persistence-level/asyncPersistence.js' {
  import type { Readable } from 'node:stream';

  interface Filter {
    readonly topic: string;
    readonly qos: number;
  }

  export default class AsyncLevelPersistence {
    constructor(db: unknown);
    setup(broker: unknown): Promise<void>;
    addSubscriptions(client: { readonly id: string }, filters: readonly Filter[]): Promise<void>;
    removeSubscriptions(client: { readonly id: string }, topics: readonly string[]): Promise<void>;
    subscriptionsByClient(client: { readonly id: string }): Promise<Filter[]>;
    cleanSubscriptions(client: { readonly id: string }): Promise<void>;
    cleanIncoming(client: { readonly id: string }): Promise<void>;
    storeRetained(packet: { readonly topic: string; readonly payload: Buffer | string }): Promise<void>;
    createRetainedStream(filter: string): Readable;
    createRetainedStreamCombi(filters: readonly string[]): Readable;
    outgoingEnqueue(filter: unknown, packet: unknown): Promise<void>;
    outgoingEnqueueCombi(filters: readonly unknown[], packet: unknown): Promise<void>;
    outgoingUpdate(client: { readonly id: string }, packet: object): Promise<void>;
    outgoingClearMessageId(client: { readonly id: string }, packet: { readonly messageId?: number }): Promise<unknown>;
    outgoingStream(client: { readonly id: string }): AsyncIterable<unknown>;
    destroy(): Promise<void>;
  }
}
