import type { Cluster } from 'ioredis';
import type { Connection } from './connection.ts';

/** How long replicas may take to have a write, ms; then it is tried again or fails. */
const REPLICAS_LIMIT_MS = 1_000;

/** When a write counts as stored: Redis has answered, or so many replicas have it too. */
export interface Durability {
  readonly replicas: number;
}

/** Runs a script and waits for replicas. @throws Error when too few of them have its writes in time */
export async function evalAndWait(
  connection: Connection,
  [script, keys, ...args]: [script: string, keys: number, ...args: (string | number)[]],
  replicas: number,
): Promise<unknown> {
  // In one pipeline, so that both run on the same connection: WAIT tells of that connection's writes only.
  const pipeline = (connection as Cluster).pipeline();
  pipeline.eval(script, keys, ...args);
  pipeline.call('WAIT', replicas, REPLICAS_LIMIT_MS);
  const [[failure, reply] = [], [waitFailure, copies] = []] = (await pipeline.exec()) ?? [];
  if (failure || waitFailure) throw failure ?? waitFailure;
  // WAIT returns a count and never an error.
  if ((copies as number) < replicas) throw new Error(`${copies} of ${replicas} replicas have it`);
  return reply;
}
