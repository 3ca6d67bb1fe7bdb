import { roundKey } from '../../voting/slice.ts';

/** What bells are rung for. */
export type Rung = 'log' | 'changes' | 'writes';

/**
 * The names of all keys. Everything of a partition shares a hash tag and so a slot of Redis Cluster: one script can
 * change it in one step, and a failover takes it back together.
 */
export class Keys {
  private readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Hash: how many partitions there are. */
  get deployment(): string {
    return `${this.prefix}:deployment`;
  }

  /** Number: the newest connection of a device. */
  get connections(): string {
    return `${this.prefix}:connections`;
  }

  /** Stream: the vote log of a partition. */
  log(partition: number): string {
    return `${this.tag(partition)}:log`;
  }

  /** Hash: the offset and number of entries that are counted, what no round accounts for, the newest change. */
  position(partition: number): string {
    return `${this.tag(partition)}:position`;
  }

  /** Hash: the newest sequence of each producer. */
  producers(partition: number): string {
    return `${this.tag(partition)}:producers`;
  }

  /** Stream: the change feed of a partition. */
  changes(partition: number): string {
    return `${this.tag(partition)}:changes`;
  }

  /** Hash: a slice, its tally by choice. */
  slice(partition: number, poll: string, round: number): string {
    return `${this.tag(partition)}:slice:${roundKey(poll, round)}`;
  }

  /** Hash: the ballots of the devices in one bucket. */
  ballots(partition: number, poll: string, round: number, bucket: number): string {
    return `${this.tag(partition)}:ballots:${roundKey(poll, round)}:${bucket}`;
  }

  /** Hash: the documents of a collection. */
  registry(collection: string): string {
    return `{${this.prefix}:registry}:${collection}`;
  }

  /** Stream: which documents were written. */
  get writes(): string {
    return `{${this.prefix}:registry}:writes`;
  }

  /** Hash: who is there in a role. */
  presence(role: string): string {
    return `${this.prefix}:presence:${role}`;
  }

  /** Channel that wakes readers of the vote log, the change feed or the registry. */
  bell(of: Rung): string {
    return `${this.prefix}:bell:${of}`;
  }

  private tag(partition: number): string {
    return `{${this.prefix}:${partition}}`;
  }
}
