import type { Cluster } from 'ioredis';
import type { RedisConnection } from './connection/connection.ts';
import type { Call } from './scripts/script.ts';

/** How long in ms to wait until replicas have a write. After that, the write is tried again or fails. */
const REPLICAS_LIMIT_MS = 1_000;

/** When a write counts as stored: once the primary and `replicas` of its replicas have it. */
export interface Durability {
  readonly replicas: number;
}

/** The primary has a write, but too few replicas have. */
export class TooFewReplicas extends Error {
  /** What the script returned. */
  readonly reply: unknown;

  constructor(message: string, reply: unknown) {
    super(message);
    this.reply = reply;
  }
}

/** Runs a script and waits for replicas. @throws TooFewReplicas if its writes do not reach them in time */
export async function evalAndWait(
  connection: RedisConnection,
  [script, keys, ...args]: Call,
  replicas: number,
): Promise<unknown> {
  // Both commands are in one pipeline, so that they use the same connection: WAIT only covers writes of its own connection.
  const pipeline = (connection as Cluster).pipeline();
  pipeline.eval(script, keys, ...args);
  pipeline.call('WAIT', replicas, REPLICAS_LIMIT_MS);
  const [[failure, reply] = [], [waitFailure, copies] = []] = (await pipeline.exec()) ?? [];
  if (failure || waitFailure) throw failure ?? waitFailure;
  // If too few replicas have the write, WAIT does not fail, but returns their number.
  if ((copies as number) < replicas) {
    throw new TooFewReplicas(`only ${copies} of ${replicas} replicas have the write`, reply);
  }
  return reply;
}
