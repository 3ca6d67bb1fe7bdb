/** MQTT sessions and retained messages in Redis. */
declare module 'aedes-persistence-redis' {
  import type { Readable } from 'node:stream';

  interface RedisPersistence {
    addSubscriptions(client: { readonly id: string }, filters: readonly { readonly topic: string }[]): Promise<void>;
    createRetainedStreamCombi(filters: readonly string[]): Readable;
  }

  export default function redisPersistence(options: {
    /** An ioredis connection; `cluster` tells whether it is one to a cluster. */
    conn: unknown;
    cluster: boolean;
    /** How long a message for a session that is away is kept, seconds; 0: for ever. */
    packetTTL: (packet: unknown) => number;
  }): RedisPersistence;
}
