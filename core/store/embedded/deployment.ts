import { randomUUID } from 'node:crypto';
import type { Database, RootDatabase } from 'lmdb';
import { awaitWrite } from './await-write.ts';

type Facts = { readonly id: string; readonly partitions: number };

/** What a deployment is known by; both files have its id. Written at the first start. */
export class Deployment {
  private readonly table: Database<string | number, keyof Facts>;

  constructor(root: RootDatabase) {
    this.table = root.openDB({ name: 'deployment', encoding: 'json' });
  }

  /** Absent in files of earlier versions, and in new ones. */
  get id(): string | undefined {
    return this.table.get('id') as string | undefined;
  }

  /** How many partitions the log has; absent in the state, and in a new log. */
  get partitions(): number | undefined {
    return this.table.get('partitions') as number | undefined;
  }

  async put<K extends keyof Facts>(fact: K, value: Facts[K]): Promise<void> {
    await awaitWrite(this.table.put(fact, value));
  }
}

/** The vote log and the state of a data directory. */
export interface Pair {
  readonly directory: string;
  readonly log: RootDatabase;
  readonly state: RootDatabase;
}

/** @throws Error with a message for the operator if the log is not new, because then its state must be there */
export function demandNewLog(log: RootDatabase, directory: string): void {
  if (new Deployment(log).id !== undefined || hasEntries(log)) throw stateLost(directory);
}

/**
 * Makes sure that log and state belong together. A new deployment gets an id, which is written to the state first.
 *
 * @throws Error with a message for the operator if one of them was lost or replaced
 */
export async function demandOneDeployment({ directory, log, state }: Pair): Promise<void> {
  const [ofLog, ofState] = [new Deployment(log), new Deployment(state)];
  const [logId, stateId] = [ofLog.id, ofState.id];
  if (isNew(state) && stateId === undefined) demandNewLog(log, directory);
  if (!isNew(state) && logId === undefined && ofLog.partitions === undefined && !hasEntries(log))
    throw logLost(directory);
  if (logId !== undefined && stateId !== undefined && logId !== stateId) {
    throw new Error(
      `log.lmdb and state.lmdb in ${directory} belong to different deployments; restore both from the same backup`,
    );
  }
  const id = logId ?? stateId ?? randomUUID();
  if (stateId === undefined) await ofState.put('id', id);
  if (logId === undefined) await ofLog.put('id', id);
}

/** @throws Error if the deployment was created with another number of partitions */
export async function demandPartitions({ directory, log }: Pair, wanted: number): Promise<void> {
  const deployment = new Deployment(log);
  const existing = deployment.partitions;
  if (existing === undefined) return deployment.put('partitions', wanted);
  if (existing === wanted) return;
  throw new Error(
    `${directory} holds a deployment with ${existing} partitions, but ${wanted} are configured; set POLLCAST_PARTITIONS=${existing} (the number is fixed at the first start)`,
  );
}

function stateLost(directory: string): Error {
  return new Error(
    `state.lmdb is missing from ${directory}, or is empty, but log.lmdb is there; it has every vote, but not the registered devices. Restore state.lmdb from a backup, or run "pollcast repair --data-dir ${directory}", which rebuilds polls and counts from the log`,
  );
}

function logLost(directory: string): Error {
  return new Error(
    `log.lmdb is missing from ${directory}, or is empty, but state.lmdb is there; the log was lost or replaced: restore it from the same backup as state.lmdb. To start without the old votes, choose another directory with POLLCAST_DATA_DIR`,
  );
}

/** True for a state in which nothing was ever stored. */
function isNew(state: RootDatabase): boolean {
  return isEmpty(state, 'registry') && isEmpty(state, 'positions');
}

function hasEntries(log: RootDatabase): boolean {
  return !isEmpty(log, 'log');
}

function isEmpty(root: RootDatabase, name: string): boolean {
  return root.openDB({ name, encoding: 'json' }).getKeysCount({ limit: 1 }) === 0;
}
