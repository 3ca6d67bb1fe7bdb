/** The emitter that prefixes its topics, which is missing from the package’s own types. */
declare module 'mqemitter-redis' {
  import type { EventEmitter } from 'node:events';
  import type { Redis } from 'ioredis';

  export class MQEmitterRedisPrefix {
    close: (done: () => void) => void;
    readonly state: EventEmitter<{ error: [Error] }>;
    constructor(
      prefix: string,
      options: {
        pubConn: Redis;
        subConn: Redis;
        matchEmptyLevels: boolean;
        separator: string;
        wildcardOne: string;
        wildcardSome: string;
      },
    );
  }
}
