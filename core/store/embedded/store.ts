import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { MAX_PARTITIONS } from '../../voting/count/partition.ts';
import { compareOffsets } from '../offset.ts';
import type { Condition, Store } from '../store.ts';
import { EmbeddedChanges } from './changes.ts';
import { EmbeddedCounts } from './counts.ts';
import { EmbeddedLines } from './lines.ts';
import { DirectoryLock } from './lock.ts';
import { EmbeddedLog } from './log.ts';
import { EmbeddedPresence } from './presence.ts';
import { EmbeddedRegistry } from './registry.ts';
import { FreeSpace } from './space.ts';
import { EmbeddedTrails } from './trails.ts';

export interface EmbeddedOptions {
  /** Where the files are stored; created if missing. */
  readonly directory: string;
  /** The number of partitions. An existing deployment must have been created with the same number. */
  readonly partitions: number;
  /** Bytes of disk space to keep free, instead of the default. */
  readonly reserveBytes?: number | undefined;
}

/**
 * A store for a single process, on LMDB. The log and the state derived from it are separate files, so that syncing a commit
 * never delays syncing the log, which devices wait for.
 */
export class EmbeddedStore implements Store {
  readonly log: EmbeddedLog;
  readonly counts: EmbeddedCounts;
  readonly changes: EmbeddedChanges;
  readonly registry: EmbeddedRegistry;
  readonly presence = new EmbeddedPresence();
  readonly trails = new EmbeddedTrails();
  readonly lines: EmbeddedLines;
  private readonly lock: DirectoryLock;
  private readonly space: FreeSpace;
  private readonly files: readonly RootDatabase[];
  private closing: Promise<void> | undefined;

  private constructor(
    lock: DirectoryLock,
    space: FreeSpace,
    logFile: RootDatabase,
    stateFile: RootDatabase,
    partitions: number,
  ) {
    this.lock = lock;
    this.space = space;
    this.files = [logFile, stateFile];
    const log = new EmbeddedLog(logFile, partitions, space);
    this.log = log;
    this.lines = new EmbeddedLines(() => log.nextConnection());
    this.changes = new EmbeddedChanges(stateFile);
    this.counts = new EmbeddedCounts(stateFile, this.changes, space);
    this.registry = new EmbeddedRegistry(stateFile, space);
  }

  /** Opens the files of a data directory. Rejects with a message for the operator if that is impossible. */
  static async open(options: EmbeddedOptions): Promise<EmbeddedStore> {
    const { partitions, reserveBytes } = options;
    if (!(partitions >= 1 && partitions <= MAX_PARTITIONS)) throw new RangeError(`partitions: ${partitions}`);
    const directory = resolve(options.directory);
    await mkdir(directory, { recursive: true });
    const undo = [];
    try {
      const lock = await DirectoryLock.take(directory);
      undo.push(() => lock.release());
      const space = await FreeSpace.watch(directory, reserveBytes);
      undo.push(() => space.close());
      const logFile = openFile(directory, 'log.lmdb');
      undo.push(() => logFile.close());
      const stateFile = openFile(directory, 'state.lmdb');
      undo.push(() => stateFile.close());
      const store = new EmbeddedStore(lock, space, logFile, stateFile, partitions);
      await store.demandPartitions(directory);
      await store.demandLog(directory);
      return store;
    } catch (error) {
      for (const release of undo.reverse()) await release();
      throw error;
    }
  }

  condition(): Condition {
    const reason = this.space.shortage;
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  close(): Promise<void> {
    this.closing ??= this.closeFiles();
    return this.closing;
  }

  private async closeFiles(): Promise<void> {
    this.space.close();
    await Promise.all(this.files.map((file) => file.close()));
    await this.lock.release();
  }

  private async demandPartitions(directory: string): Promise<void> {
    const { partitions } = this.log;
    const [logFile] = this.files as [RootDatabase];
    const deployment = logFile.openDB<number, string>({ name: 'deployment', encoding: 'json' });
    const existing = deployment.get('partitions');
    if (existing === undefined) await deployment.put('partitions', partitions);
    else if (existing !== partitions) {
      throw new Error(
        `${directory} holds a deployment with ${existing} partitions, but ${partitions} are configured; set POLLCAST_PARTITIONS=${existing} (the number is fixed at the first start)`,
      );
    }
  }

  /** Rejects a log that ends before the last counted entry, because it is not the log that was counted. */
  private async demandLog(directory: string): Promise<void> {
    for (let partition = 0; partition < this.log.partitions; partition++) {
      const { offset } = await this.counts.position(partition);
      const end = this.log.end(partition);
      if (compareOffsets(offset, end) <= 0) continue;
      throw new Error(
        `the vote log in ${directory} ends before the last counted entry (partition ${partition}: ${end} is before ${offset}); log.lmdb was lost or replaced: restore it from the same backup as state.lmdb`,
      );
    }
  }
}

function openFile(directory: string, name: string): RootDatabase {
  // Without overlappingSync, a write resolves only after its fsync, so everything acknowledged is on disk.
  return open({ path: join(directory, name), noSubdir: true, overlappingSync: false, maxDbs: 16 });
}
