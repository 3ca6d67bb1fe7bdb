import { randomUUID } from 'node:crypto';
import type { Log } from '../../../runtime/log.ts';
import { parseAddress, type SentinelCredentials } from '../../redis-address.ts';
import { awaitReady, connect, replyOf } from '../connection/connection.ts';
import { RedisKeys } from '../connection/keys.ts';
import { script } from '../scripts/script.ts';
import { markKeys, markText, readMark } from './mark.ts';

const acceptPartition = script<'markKey' | 'voteLog' | 'position', 'mark'>('accept');

/** Which deployment in which Redis. */
export interface StorePlace extends SentinelCredentials {
  readonly url: string;
  readonly prefix: string;
  /** Used if the deployment has lost its own number of partitions. */
  readonly partitions: number;
}

/** What is left of a deployment in Redis. */
export interface StoreState {
  /** Its id and epoch; undefined if Redis has neither. */
  readonly mark: string | undefined;
  readonly polls: number;
  readonly devices: number;
  /** The parts that are gone, such as `partition 2`. */
  readonly gone: readonly string[];
}

/** Reads what is left of a deployment. */
export function storeState(place: StorePlace, log: Log): Promise<StoreState> {
  return connected(place, log, async (connection, keys, partitions) => {
    const mark = await readMark(connection, keys);
    const copies = markKeys(keys, partitions);
    const found = await replyOf(Promise.all(copies.map(([, key]) => connection.get(key))));
    const text = mark && markText(mark);
    return {
      mark: text,
      polls: await replyOf(connection.hlen(keys.registry('polls'))),
      devices: await replyOf(connection.hlen(keys.registry('devices'))),
      gone: copies.filter((_, i) => text === undefined || found[i] !== text).map(([name]) => name),
    };
  });
}

/**
 * Accepts a store as it is: gives it a new epoch, which running processes adopt, and continues each log after its last counted
 * entry. Nothing is removed. @returns the partitions whose logs had lost entries
 */
export function acceptStore(place: StorePlace, log: Log): Promise<number[]> {
  return connected(place, log, async (connection, keys, partitions) => {
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

async function connected<T>(
  { url, prefix, partitions, ...sentinels }: StorePlace,
  log: Log,
  work: (connection: ReturnType<typeof connect>, keys: RedisKeys, partitions: number) => Promise<T>,
): Promise<T> {
  const address = parseAddress(url, sentinels);
  const keys = new RedisKeys(prefix);
  const connection = connect(address, { name: 'store' }, log);
  try {
    await awaitReady(connection, address);
    const kept = await replyOf(connection.hget(keys.deployment, 'partitions'));
    return await work(connection, keys, kept === null ? partitions : Number(kept));
  } finally {
    connection.disconnect();
  }
}
