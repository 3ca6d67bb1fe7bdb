import { roundKey } from '../../../voting/count/slice.ts';

/** What readers can be woken for. */
export type BellTopic = 'log' | 'changes' | 'writes';

/**
 * The names of all keys. All keys of a partition share a hash tag and therefore a Redis Cluster slot, so that one script can
 * change them atomically, and a failover reverts them together.
 */
export class RedisKeys {
  private readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Hash: the number of partitions, and the identity of the store (see `Mark`). */
  get deployment(): string {
    return `${this.prefix}:deployment`;
  }

  /** Number: the last number that was assigned to a connection of a device. */
  get connections(): string {
    return `${this.prefix}:connections`;
  }

  /** Hash: the newest connection of each client id. The hash tag puts it into the slot of `connections`. */
  get lines(): string {
    return `{${this.connections}}:lines`;
  }

  /** Channel on which brokers tell each other about the connections of a client id. */
  get lineNotices(): string {
    return `${this.prefix}:lines`;
  }

  /** Channel on which processes ask each other for the keys of secret rounds, which are never stored. */
  get roundKeys(): string {
    return `${this.prefix}:round-keys`;
  }

  /** Text: the store’s mark, a copy in the slot of a partition. If it is missing, so is the partition. */
  mark(partition: number): string {
    return `${this.tag(partition)}:mark`;
  }

  /** Text: the store’s mark, a copy in the slot of the registry. */
  get registryMark(): string {
    return this.registry('mark');
  }

  /** Text: written to find out whether the server that holds a partition accepts writes. Expires. */
  probe(partition: number): string {
    return `${this.tag(partition)}:probe`;
  }

  /** Stream: the vote log of a partition. */
  log(partition: number): string {
    return `${this.tag(partition)}:log`;
  }

  /**
   * Hash: `counted`, the offset of the last counted entry (`offset` is sealed, see counts.ts); `checkpoint`, the offset up to
   * which ballots are stored, `heard`, the producers there, and `stored`, that offset again and the number of entries counted
   * there; the number of counted entries, rejections outside of any round, and the offset of the last change.
   */
  position(partition: number): string {
    return `${this.tag(partition)}:position`;
  }

  /** Hash: the last sequence of each producer. */
  producers(partition: number): string {
    return `${this.tag(partition)}:producers`;
  }

  /** Stream: the change feed of a partition. */
  changes(partition: number): string {
    return `${this.tag(partition)}:changes`;
  }

  /** Hash: a slice, including its tally. */
  slice(partition: number, poll: string, round: number): string {
    return `${this.tag(partition)}:slice:${roundKey(poll, round)}`;
  }

  /** Hash: the ballots of a round, in pages. */
  pages(partition: number, poll: string, round: number): string {
    return `${this.tag(partition)}:ballots:${roundKey(poll, round)}`;
  }

  /** Hash: a copy of a round with pages that wait for their commit. Expires. @param name of the checkpoint */
  staged(partition: number, name: string, place: number): string {
    return `${this.tag(partition)}:staged:${name}:${place}`;
  }

  /** Hashes: the ballots of a round as earlier versions stored them, by bucket. */
  rows(partition: number, poll: string, round: number, buckets: number): string[] {
    return Array.from({ length: buckets }, (_, bucket) => `${this.pages(partition, poll, round)}:${bucket}`);
  }

  /** Hash: the documents of a collection. */
  registry(collection: string): string {
    return `{${this.prefix}:registry}:${collection}`;
  }

  /** Hash: the highest version that a removed document had, by collection; `complete` in deployments that have noted it from the beginning. */
  get retired(): string {
    return this.registry('retired');
  }

  /** Stream: a notice for each write of a watched document. */
  get writes(): string {
    return `{${this.prefix}:registry}:writes`;
  }

  /** Hash: the processes that are present in a role. */
  presence(role: string): string {
    return `${this.prefix}:presence:${role}`;
  }

  /** Sorted set: the devices that have a trail, by when it was last written. */
  get trails(): string {
    return `{${this.prefix}:trails}`;
  }

  /** List: the last events of a device, oldest first. Expires. */
  trail(device: string): string {
    return `${this.trails}:${device}`;
  }

  /** Text: the last connection of a device. */
  lastLine(device: string): string {
    return `${this.prefix}:line:${device}`;
  }

  /** Channel that wakes readers of the vote log, the change feed or the registry. */
  bell(of: BellTopic): string {
    return `${this.prefix}:bell:${of}`;
  }

  private tag(partition: number): string {
    return `{${this.prefix}:${partition}}`;
  }
}
