/** MQTT sessions and retained messages in Redis. */
declare module 'aedes-persistence-redis' {
  import type { Readable } from 'node:stream';

  interface Filter {
    readonly topic: string;
    readonly qos: number;
  }

  interface RedisPersistence {
    addSubscriptions(client: { readonly id: string }, filters: readonly Filter[]): Promise<void>;
    removeSubscriptions(client: { readonly id: string }, topics: readonly string[]): Promise<void>;
    subscriptionsByClient(client: { readonly id: string }): Promise<Filter[]>;
    cleanSubscriptions(client: { readonly id: string }): Promise<void>;
    cleanIncoming(client: { readonly id: string }): Promise<void>;
    createRetainedStreamCombi(filters: readonly string[]): Readable;
    outgoingEnqueue(filter: unknown, packet: unknown): Promise<void>;
    outgoingEnqueueCombi(filters: readonly unknown[], packet: unknown): Promise<void>;
    outgoingUpdate(client: { readonly id: string }, packet: object): Promise<void>;
    outgoingClearMessageId(client: { readonly id: string }, packet: { readonly messageId?: number }): Promise<unknown>;
    outgoingStream(client: { readonly id: string }): AsyncIterable<unknown>;
  }

  export default function redisPersistence(options: {
    /** An ioredis connection, to a cluster if `cluster` is set. */
    conn: unknown;
    cluster: boolean;
  }): RedisPersistence;
}
