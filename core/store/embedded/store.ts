import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { MAX_PARTITIONS } from '../../voting/partition.ts';
import { compareOffsets } from '../offset.ts';
import type { Store } from '../store.ts';
import { EmbeddedChanges } from './changes.ts';
import { EmbeddedCounts } from './counts.ts';
import { DirectoryLock } from './lock.ts';
import { EmbeddedLog } from './log.ts';
import { EmbeddedPresence } from './presence.ts';
import { EmbeddedRegistry } from './registry.ts';
import { FreeSpace } from './space.ts';

export interface EmbeddedOptions {
  /** Where the files live; created when missing. */
  readonly directory: string;
  /** Partitions of a new deployment; an existing one must have been made with the same number. */
  readonly partitions: number;
  /** Bytes of the disk to leave free, if not the usual. */
  readonly reserveBytes?: number | undefined;
}

/**
 * The store of a single process, on LMDB. The log and what is derived from it are two files, so that the
 * sync of a commit never delays the sync that devices wait for.
 */
export class EmbeddedStore implements Store {
  private readonly directory: string;
  private readonly wanted: number;
  private readonly lock: DirectoryLock;
  private readonly space: FreeSpace;
  private files: RootDatabase[] = [];
  private parts: Omit<Store, 'start' | 'stop'> | undefined;

  constructor({ directory, partitions, reserveBytes }: EmbeddedOptions) {
    if (!(partitions >= 1 && partitions <= MAX_PARTITIONS)) throw new RangeError(`partitions: ${partitions}`);
    this.directory = resolve(directory);
    this.wanted = partitions;
    this.lock = new DirectoryLock(this.directory);
    this.space = new FreeSpace(this.directory, reserveBytes);
  }

  async start(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await this.lock.take();
    await this.space.start();
    const logFile = this.openFile('log.lmdb');
    const stateFile = this.openFile('state.lmdb');
    const log = new EmbeddedLog(logFile, await this.partitions(logFile), this.space);
    const changes = new EmbeddedChanges(stateFile);
    const counts = new EmbeddedCounts(stateFile, changes, this.space);
    const registry = new EmbeddedRegistry(stateFile, this.space);
    this.parts = { log, changes, counts, registry, presence: new EmbeddedPresence() };
    for (let partition = 0; partition < log.partitions; partition++) {
      const { offset } = await counts.position(partition);
      if (compareOffsets(offset, log.end(partition)) <= 0) continue;
      throw new Error(
        `the vote log in ${this.directory} ends before what was counted from it (partition ${partition}: ${log.end(partition)} before ${offset}); log.lmdb was lost or replaced: restore it from the backup that belongs to state.lmdb`,
      );
    }
  }

  async stop(): Promise<void> {
    this.space.stop();
    const files = this.files;
    this.files = [];
    await Promise.all(files.map((file) => file.close()));
    await this.lock.release();
  }

  get log() {
    return this.started.log;
  }
  get counts() {
    return this.started.counts;
  }
  get changes() {
    return this.started.changes;
  }
  get registry() {
    return this.started.registry;
  }
  get presence() {
    return this.started.presence;
  }

  private get started() {
    if (!this.parts) throw new Error('the store is not started');
    return this.parts;
  }

  private openFile(name: string): RootDatabase {
    // Without overlappingSync a write resolves only after its fsync: what is acknowledged is on the disk.
    const file = open({ path: join(this.directory, name), noSubdir: true, overlappingSync: false, maxDbs: 16 });
    this.files.push(file);
    return file;
  }

  private async partitions(logFile: RootDatabase): Promise<number> {
    const deployment = logFile.openDB<number, string>({ name: 'deployment', encoding: 'json' });
    const existing = deployment.get('partitions');
    if (existing === undefined) await deployment.put('partitions', this.wanted);
    else if (existing !== this.wanted) {
      throw new Error(
        `${this.directory} holds a deployment of ${existing} partitions, and ${this.wanted} are configured; set POLLCAST_PARTITIONS=${existing} (the number is fixed at the first start)`,
      );
    }
    return this.wanted;
  }
}
