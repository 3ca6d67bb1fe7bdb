/** MQTT sessions and retained messages in Redis. */
declare module 'aedes-persistence-redis' {
  import type { Readable } from 'node:stream';

  interface RedisPersistence {
    addSubscriptions(client: { readonly id: string }, filters: readonly { readonly topic: string }[]): Promise<void>;
    createRetainedStreamCombi(filters: readonly string[]): Readable;
  }

  export default function redisPersistence(options: {
    /** An ioredis connection, to a cluster if `cluster` is set. */
    conn: unknown;
    cluster: boolean;
    /** How long in seconds a message for a disconnected session is kept; 0 keeps it for ever. */
    packetTTL: (packet: unknown) => number;
  }): RedisPersistence;
}
