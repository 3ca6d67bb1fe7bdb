import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { MAX_PARTITIONS } from '../../voting/count/partition.ts';
import { BallotReader } from '../ballots/reader.ts';
import { compareOffsets } from '../offset.ts';
import type { Ballots, Condition, Store } from '../store.ts';
import { EmbeddedChanges } from './changes.ts';
import { EmbeddedCounts } from './counts.ts';
import { demandNewLog, demandOneDeployment, demandPartitions } from './deployment.ts';
import { ownDirectory, syncDirectory } from './files/directory.ts';
import { Guard } from './files/guard.ts';
import { KeptFiles } from './files/kept-files.ts';
import { DirectoryLock } from './files/lock.ts';
import { RoundKeys } from './files/round-keys.ts';
import { CORE_FILES, demandSound, isThere } from './files/soundness.ts';
import { FreeSpace } from './files/space.ts';
import { forgetStop, recordStop, wasStopped } from './files/stop-record.ts';
import { EmbeddedLines } from './lines.ts';
import { EmbeddedLog } from './log.ts';
import { EmbeddedPresence } from './presence.ts';
import { EmbeddedRegistry } from './registry.ts';
import { EmbeddedTrails } from './trails.ts';
import { Writer } from './writer.ts';

export interface EmbeddedOptions {
  /** Where the files are stored; created if missing. */
  readonly directory: string;
  /** The number of partitions. An existing deployment must have been created with the same number. */
  readonly partitions: number;
  /** Bytes of disk space to keep free, instead of the default. */
  readonly reserveBytes?: number | undefined;
  /** Called with the reason when the store begins to refuse writes, and with undefined when it takes them again. */
  readonly onChange?: ((reason: string | undefined) => void) | undefined;
  /** Called once if another process takes over the directory. This process can only stop then. */
  readonly onTakenOver?: ((reason: string) => void) | undefined;
  /** Called with what an operator should know: that other accounts could read the directory, or that a key could not be destroyed. */
  readonly report?: ((message: string) => void) | undefined;
}

interface Opened {
  readonly directory: string;
  readonly lock: DirectoryLock;
  readonly guard: Guard;
  readonly writer: Writer;
  readonly logFile: RootDatabase;
  readonly stateFile: RootDatabase;
  readonly keys: RoundKeys;
  readonly report: EmbeddedOptions['report'];
}

/**
 * A store for a single process, on LMDB. The log and the state derived from it are separate files, so that syncing a commit
 * never delays syncing the log, which devices wait for.
 */
export class EmbeddedStore implements Store {
  readonly log: EmbeddedLog;
  readonly counts: EmbeddedCounts;
  readonly ballots: Ballots;
  readonly changes: EmbeddedChanges;
  readonly registry: EmbeddedRegistry;
  readonly presence = new EmbeddedPresence();
  readonly trails = new EmbeddedTrails();
  readonly lines: EmbeddedLines;
  private readonly directory: string;
  private readonly lock: DirectoryLock;
  private readonly guard: Guard;
  private readonly files: readonly RootDatabase[];
  private closing: Promise<void> | undefined;

  private constructor(
    { directory, lock, guard, writer, logFile, stateFile, keys, report }: Opened,
    partitions: number,
  ) {
    this.directory = directory;
    this.lock = lock;
    this.guard = guard;
    this.files = [logFile, stateFile];
    const log = new EmbeddedLog(logFile, partitions, writer, guard);
    this.log = log;
    this.lines = new EmbeddedLines(() => log.nextConnection());
    this.changes = new EmbeddedChanges(stateFile);
    this.counts = new EmbeddedCounts(stateFile, this.changes, guard);
    this.ballots = new BallotReader({ log, counts: this.counts, report });
    this.registry = new EmbeddedRegistry(stateFile, guard, keys);
  }

  /** Opens the files of a data directory. Rejects with a message for the operator if that is impossible. */
  static async open(options: EmbeddedOptions): Promise<EmbeddedStore> {
    const { partitions, reserveBytes, onChange = () => {}, onTakenOver = () => {}, report } = options;
    if (!(partitions >= 1 && partitions <= MAX_PARTITIONS)) throw new RangeError(`partitions: ${partitions}`);
    const directory = await ownDirectory(options.directory, report);
    const undo = [];
    try {
      const lock = await DirectoryLock.take(directory);
      undo.push(() => lock.release());
      demandSound(directory, (await wasStopped(directory, CORE_FILES)) ? 'quick' : 'full');
      await forgetStop(directory);
      const isStateThere = isThere(join(directory, 'state.lmdb'));
      const logFile = openFile(directory, 'log.lmdb');
      undo.push(() => logFile.close());
      if (!isStateThere) demandNewLog(logFile, directory);
      const stateFile = openFile(directory, 'state.lmdb');
      undo.push(() => stateFile.close());
      await syncDirectory(directory);
      const pair = { directory, log: logFile, state: stateFile };
      await demandOneDeployment(pair);
      await demandPartitions(pair, partitions);
      const writer = await Writer.take(logFile);
      const guard = new Guard(directory, {
        space: await FreeSpace.of(directory, reserveBytes),
        files: new KeptFiles(CORE_FILES.map((name) => join(directory, name))),
        isOurs: () => writer.isCurrent(),
        probe: () => writer.probe(),
        onChange,
        onTakenOver,
      });
      undo.push(() => guard.close());
      const keys = new RoundKeys(directory, report);
      const store = new EmbeddedStore({ directory, lock, guard, writer, logFile, stateFile, keys, report }, partitions);
      await store.demandLog(directory);
      return store;
    } catch (error) {
      for (const release of undo.reverse()) await release();
      throw error;
    }
  }

  condition(): Condition {
    return this.guard.condition();
  }

  close(): Promise<void> {
    this.closing ??= this.closeFiles();
    return this.closing;
  }

  private async closeFiles(): Promise<void> {
    await this.guard.close();
    await Promise.all(this.files.map((file) => file.close()));
    // A directory that is gone or full takes no record: the next start examines every page.
    await recordStop(this.directory, CORE_FILES).catch(() => {});
    await this.lock.release();
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
