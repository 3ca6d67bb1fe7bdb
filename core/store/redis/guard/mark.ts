import { randomUUID } from 'node:crypto';
import { StoreError } from '../../error.ts';
import { type RedisConnection, replyOf } from '../connection/connection.ts';
import type { RedisKeys } from '../connection/keys.ts';

/**
 * Which store this is: an id that the first start chose, and an epoch that rises whenever an operator accepts the store after it
 * has lost data. Stored with the deployment, and in the slot of each partition and of the registry, so that it vanishes with
 * their data. As text: `<id>.<epoch>`.
 */
export interface Mark {
  readonly id: string;
  /** 0, or when it was accepted last, in ms since 1970. */
  readonly epoch: number;
}

/** What an operator can do when data is gone, for the end of a message. */
export const WHAT_HELPS =
  'restore Redis from its files or a backup, or run "pollcast store accept" to go on with what is there (docs/OPERATIONS.md, "When Redis has lost data")';

export function markText({ id, epoch }: Mark): string {
  return `${id}.${epoch}`;
}

/** The mark in the deployment’s hash; undefined if it has none. */
export async function readMark(connection: RedisConnection, keys: RedisKeys): Promise<Mark | undefined> {
  const [id, epoch] = await replyOf(connection.hmget(keys.deployment, 'store', 'epoch'));
  return id ? { id, epoch: Number(epoch ?? 0) } : undefined;
}

/** A deployment as a process finds it when it starts. */
export interface Deployment {
  readonly partitions: number;
  readonly mark: Mark;
  /** True if this start has created it. */
  readonly isNew: boolean;
}

/**
 * Agrees with the other processes on the number of partitions and on the mark, which the first of them sets. A deployment of an
 * earlier version gets its marks now. @throws StoreError if the number differs, or a mark is missing
 */
export async function agreeDeployment(
  connection: RedisConnection,
  keys: RedisKeys,
  wanted: number,
  prefix: string,
): Promise<Deployment> {
  const isNew = (await replyOf(connection.hsetnx(keys.deployment, 'partitions', wanted))) === 1;
  // If this is lost, versions of documents are larger than they need be.
  if (isNew) await replyOf(connection.hset(keys.retired, 'complete', 1));
  const existing = Number(await replyOf(connection.hget(keys.deployment, 'partitions')));
  if (existing !== wanted) {
    throw new StoreError(
      `the deployment "${prefix}" in this Redis has ${existing} partitions, but ${wanted} are configured; set POLLCAST_PARTITIONS=${existing} (the number is fixed at the first start), or choose another POLLCAST_REDIS_PREFIX`,
    );
  }
  await replyOf(connection.hsetnx(keys.deployment, 'store', randomUUID()));
  const mark = (await readMark(connection, keys)) as Mark;
  const isMarked = await replyOf(connection.hget(keys.deployment, 'marked'));
  const text = markText(mark);
  const copies = markKeys(keys, existing);
  if (isMarked === null) {
    await replyOf(Promise.all(copies.map(([, key]) => connection.setnx(key, text))));
  }
  const found = await replyOf(Promise.all(copies.map(([, key]) => connection.get(key))));
  const gone = copies.filter((_, i) => found[i] !== text).map(([name]) => name);
  if (gone.length > 0) {
    throw new StoreError(`Redis has lost data of the deployment "${prefix}": ${gone.join(', ')}; ${WHAT_HELPS}`);
  }
  if (isMarked === null) await replyOf(connection.hset(keys.deployment, 'marked', 1));
  return { partitions: existing, mark, isNew };
}

/** The keys that hold a copy of the mark, with the names of what they stand for. */
export function markKeys(keys: RedisKeys, partitions: number): (readonly [name: string, key: string])[] {
  const logs = Array.from({ length: partitions }, (_, p) => [`partition ${p}`, keys.mark(p)] as const);
  return [['polls and devices', keys.registryMark], ...logs];
}

/** What is wrong with the marks that were found, as a clause; undefined if all are `mine`. */
export function markProblem(
  mine: Mark,
  { here, registryMark, logMarks }: { here: Mark | undefined; registryMark: string; logMarks: readonly string[] },
): string | undefined {
  const text = markText(mine);
  if (here === undefined) {
    const isEmpty = [registryMark, ...logMarks].every((mark) => mark === '');
    return isEmpty ? 'it is empty: all data of this deployment is gone' : 'the key of this deployment is gone';
  }
  if (markText(here) !== text) return `it is another store (${markText(here)} instead of ${text})`;
  if (registryMark !== text) return 'the polls and devices are gone';
  const lost = logMarks.flatMap((mark, p) => (mark === text ? [] : [p]));
  return lost.length === 0 ? undefined : `partition ${lost.join(', ')} is gone`;
}
