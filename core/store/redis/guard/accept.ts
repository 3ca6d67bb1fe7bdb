import { randomUUID } from 'node:crypto';
import type { Log } from '../../../runtime/log.ts';
import { MAX_PARTITIONS } from '../../../voting/count/partition.ts';
import { StoreError } from '../../error.ts';
import { parseAddress, type SentinelCredentials } from '../../redis-address.ts';
import { awaitReady, connect, type RedisConnection, replyOf } from '../connection/connection.ts';
import { RedisKeys } from '../connection/keys.ts';
import { storedIn } from '../reading.ts';
import { script } from '../scripts/script.ts';
import { markKeys, markText, readMark } from './mark.ts';

const acceptPartition = script<'markKey' | 'voteLog' | 'position', 'mark'>('log/accept');

/** Which deployment in which Redis. */
export interface StorePlace extends SentinelCredentials {
  readonly url: string;
  readonly prefix: string;
  /** Used instead of the number that the deployment has; needed if it has lost that. */
  readonly partitions: number | undefined;
}

/** What is left of a deployment in Redis. */
export interface StoreState {
  /** Its id and epoch; undefined if Redis has neither. */
  readonly mark: string | undefined;
  /** Undefined if the number is lost, and was not given. */
  readonly partitions: number | undefined;
  readonly polls: number;
  readonly devices: number;
  /** The parts that are gone, such as `partition 2`. */
  readonly gone: readonly string[];
}

/** How many entries of a log are read at a time. */
const READ_TOGETHER = 64;

/** Shows the entries of the vote logs one by one: partition by partition, in order. @param see returns false to stop */
export function seeEntries(
  place: StorePlace,
  log: Log,
  see: (partition: number, offset: string, entry: Buffer) => boolean,
): Promise<void> {
  return connected(place, log, async (connection, keys) => {
    const partitions = await demandPartitions(connection, keys, place);
    for (let p = 0; p < partitions; p++) {
      for (let after = '-'; ; ) {
        const entries = await replyOf(connection.xrangeBuffer(keys.log(p), after, '+', 'COUNT', READ_TOGETHER));
        for (const [offset, fields] of entries) if (!see(p, offset.toString(), storedIn(fields))) return;
        if (entries.length < READ_TOGETHER) break;
        after = `(${entries.at(-1)?.[0]}`;
      }
    }
  });
}

/** Reads what is left of a deployment. */
export function storeState(place: StorePlace, log: Log): Promise<StoreState> {
  return connected(place, log, async (connection, keys) => {
    const mark = await readMark(connection, keys);
    const kept = await keptPartitions(connection, keys);
    const partitions = place.partitions ?? kept;
    const copies = markKeys(keys, Math.max(partitions ?? 0, await leastPartitions(connection, keys)));
    const found = await replyOf(Promise.all(copies.map(([, key]) => connection.get(key))));
    const text = mark && markText(mark);
    return {
      mark: text,
      partitions,
      polls: await replyOf(connection.hlen(keys.registry('polls'))),
      devices: await replyOf(connection.hlen(keys.registry('devices'))),
      gone: [
        ...(kept === undefined ? ['number of partitions'] : []),
        ...copies.filter((_, i) => text === undefined || found[i] !== text).map(([name]) => name),
      ],
    };
  });
}

/**
 * Accepts a store as it is: gives it a new epoch, which running processes adopt, and continues each log after its last counted
 * entry. Nothing is removed. @returns the partitions whose logs had lost entries @throws StoreError if the number of partitions
 * is not known, or less than what is there
 */
export function acceptStore(place: StorePlace, log: Log): Promise<number[]> {
  return connected(place, log, async (connection, keys) => {
    const partitions = await demandPartitions(connection, keys, place);
    const before = await readMark(connection, keys);
    const epoch = Math.max(Date.now(), (before?.epoch ?? 0) + 1);
    const mark = { id: before?.id ?? randomUUID(), epoch };
    const text = markText(mark);
    const shortened: number[] = [];
    for (let p = 0; p < partitions; p++) {
      const at = { markKey: keys.mark(p), voteLog: keys.log(p), position: keys.position(p) };
      if ((await replyOf(connection.eval(...acceptPartition(at, { mark: text })))) === 1) shortened.push(p);
    }
    await replyOf(connection.set(keys.registryMark, text));
    // Last, because processes adopt the mark that they find here.
    const facts = { partitions, store: mark.id, epoch, marked: 1 };
    await replyOf(connection.hset(keys.deployment, facts));
    return shortened;
  });
}

/** The number to accept. A wrong one would send devices to other partitions than before, where they could vote again. */
async function demandPartitions(connection: RedisConnection, keys: RedisKeys, place: StorePlace): Promise<number> {
  const partitions = place.partitions ?? (await keptPartitions(connection, keys));
  const least = await leastPartitions(connection, keys);
  const help = 'the number with which it was created, which is POLLCAST_PARTITIONS of its processes, with --partitions';
  if (partitions === undefined) {
    const what = `the deployment "${place.prefix}" in this Redis has lost its number of partitions`;
    const hint = least === 0 ? '' : `, at least ${least}`;
    throw new StoreError(`${what}; say ${help}${hint}`);
  }
  if (partitions < least) {
    const what = `the deployment "${place.prefix}" cannot have ${partitions} partitions`;
    throw new StoreError(`${what}, because Redis has data of its partition ${least - 1}; say ${help}`);
  }
  return partitions;
}

async function keptPartitions(connection: RedisConnection, keys: RedisKeys): Promise<number | undefined> {
  const kept = await replyOf(connection.hget(keys.deployment, 'partitions'));
  return kept === null ? undefined : Number(kept);
}

/** The lowest number of partitions that includes every partition of which there is anything. */
async function leastPartitions(connection: RedisConnection, keys: RedisKeys): Promise<number> {
  const isThere = Array.from({ length: MAX_PARTITIONS }, async (_, p) => {
    const parts = [keys.mark(p), keys.log(p), keys.position(p)];
    return (await replyOf(connection.exists(...parts))) > 0;
  });
  return (await Promise.all(isThere)).lastIndexOf(true) + 1;
}

async function connected<T>(
  { url, prefix, partitions: _, ...sentinels }: StorePlace,
  log: Log,
  work: (connection: RedisConnection, keys: RedisKeys) => Promise<T>,
): Promise<T> {
  const address = parseAddress(url, sentinels);
  const keys = new RedisKeys(prefix);
  const connection = connect(address, { name: 'store' }, log);
  try {
    await awaitReady(connection, address);
    return await work(connection, keys);
  } finally {
    connection.disconnect();
  }
}
