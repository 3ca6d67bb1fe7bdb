import { LruMap } from '../../core/runtime/lru-map.ts';
import { DeadEntries } from '../../core/store/dead-entries.ts';
import { StoreError } from '../../core/store/error.ts';
import { scanLog } from '../../core/store/log-scan.ts';
import type { Offset } from '../../core/store/offset.ts';
import type { Commit, Position, Store, StoredPages } from '../../core/store/store.ts';
import { BallotTable } from '../../core/voting/count/ballots/table.ts';
import type { UnreadableEntry } from '../../core/voting/count/entry.ts';
import { takeSequence, votesIn } from '../../core/voting/count/fold.ts';
import { roundKey, type Slice, type StoredSlice } from '../../core/voting/count/slice.ts';

export interface BallotLimits {
  /**
   * A partition’s ballots are stored after so many votes, and so long (ms) after the first of them. They limit what has to be
   * read again when another process takes the partition over. An entry counts as one more vote.
   */
  readonly votes: number;
  readonly ms: number;
  /** The most ballots that a process keeps in memory, at about 150 bytes each, shared equally by its partitions. */
  readonly inMemory: number;
}

/** The limits unless a test sets others. */
export const BALLOT_LIMITS: BallotLimits = { votes: 100_000, ms: 10_000, inMemory: 2_000_000 };

/** An entry that was counted, and cannot be read any more. */
export interface DamagedEntry {
  readonly offset: Offset;
  readonly entry: UnreadableEntry;
}

/** A round whose ballots are in memory. */
interface Held {
  readonly poll: string;
  readonly round: number;
  /** True until its ballots are in pages: they are new, or come from an earlier version. */
  isNew: boolean;
  hasRows: boolean;
}

/**
 * The ballots of the open rounds of one partition, in memory. Ballots that have changed since the checkpoint are always here, so
 * what is not here is as it is stored.
 */
export class OpenRounds {
  /** By `roundKey`. Folding adds rounds that are opened. */
  readonly tables = new LruMap<string, BallotTable>();
  private readonly held = new Map<string, Held>();
  private readonly store: Store;
  private readonly partition: number;
  /** Votes and entries since the checkpoint. */
  private behind = 0;
  /** When the first of them was counted, by `performance.now()`. */
  private behindSinceMs = 0;
  private readonly limits: BallotLimits;
  /**
   * True if ballots are missing, because entries behind the checkpoint are gone from the log (it was lost, and the rest accepted),
   * or have been damaged since they were counted.
   */
  isIncomplete = false;
  /** The damaged ones among them. */
  damaged: readonly DamagedEntry[] = [];
  /** The offset of the checkpoint as of which the stored ballots are; undefined if the partition has none yet. */
  checkpointed: Offset | undefined;
  /** The offset up to which ballots are stored in a partition without a checkpoint. */
  private readonly takenOverAt: Offset;

  private constructor(store: Store, partition: number, limits: BallotLimits, { checkpoint, offset }: Position) {
    this.store = store;
    this.limits = limits;
    this.partition = partition;
    this.checkpointed = checkpoint?.offset;
    this.takenOverAt = offset;
  }

  /**
   * Brings the ballots of a partition up to date, from what is stored and the entries behind it.
   *
   * @param position where the partition is counted
   */
  static async takeOver(
    store: Store,
    partition: number,
    position: Position,
    limits: BallotLimits,
  ): Promise<OpenRounds> {
    const { checkpoint = position, offset, behind } = position;
    const rounds = new OpenRounds(store, partition, limits, position);
    const producers = new Map(checkpoint.producers);
    const slices = new Map<string, StoredSlice | undefined>();
    const unreadable: DamagedEntry[] = [];
    let [at, found] = [checkpoint.offset, 0];
    for await (const { offset: last, entry } of scanLog(store, partition, checkpoint.offset, offset)) {
      at = last;
      found++;
      if (entry.type === 'unreadable') unreadable.push({ offset: last, entry });
      if (entry.type === 'newer') {
        throw new StoreError(`an entry behind the checkpoint has format ${entry.format}; update this process`);
      }
      if (entry.type !== 'votes' || !takeSequence(producers, entry)) continue;
      for (const { poll, round, votes } of entry.rounds) {
        const key = roundKey(poll, round);
        if (!slices.has(key)) slices.set(key, await store.counts.sliceState(partition, poll, round));
        const slice = slices.get(key);
        // No marker comes after the checkpoint, so the round was open there if it is open now.
        if (!slice?.open) continue;
        await rounds.load({ poll, round, revote: slice.revote });
        rounds.tables.get(key)?.take(votes, entry.atMs);
      }
      rounds.counted(votesIn(entry));
    }
    for (const table of rounds.tables.values()) table.settle();
    const known = unreadable.length > 0 ? await new DeadEntries(store.registry).knownIn(partition) : new Set();
    rounds.damaged = unreadable.filter((one) => !known.has(one.offset));
    rounds.isIncomplete = at !== offset || found !== (behind ?? found) || rounds.damaged.length > 0;
    return rounds;
  }

  /** Makes sure that the ballots of a round are in memory. @throws StoreError if what is stored is as of another checkpoint */
  async load({ poll, round, revote }: Pick<Slice, 'poll' | 'round' | 'revote'>): Promise<void> {
    const key = roundKey(poll, round);
    if (this.tables.use(key)) return;
    const { checkpoint, pages, count, rows } = await this.store.counts.stored(this.partition, poll, round);
    const expected = this.checkpointed ?? this.takenOverAt;
    if (checkpoint !== expected) {
      throw new StoreError(
        `the ballots of partition ${this.partition} are stored as of ${checkpoint} instead of ${expected}: another processor stored them meanwhile, or a failover lost the last checkpoint`,
      );
    }
    const table = new BallotTable(revote);
    table.load(pages.values(), count);
    for (const [voter, ballot] of rows) table.add(voter, ballot);
    this.tables.put(key, table);
    this.held.set(key, { poll, round, isNew: count === 0, hasRows: rows.length > 0 });
  }

  /** Adds rounds that entries have opened, so that they are stored from the beginning, even without ballots. */
  opened(keys: Iterable<string>, slices: ReadonlyMap<string, Slice>): void {
    for (const key of keys) {
      const slice = slices.get(key);
      if (slice?.open && !this.tables.has(key)) this.tables.put(key, new BallotTable(slice.revote));
    }
  }

  /** Notes that entries with so many votes were counted. */
  counted(votes: number): void {
    if (this.behind === 0) this.behindSinceMs = performance.now();
    this.behind += votes + 1;
  }

  /** True if the next commit must be a checkpoint. @param partitions how many this process counts */
  isDue(partitions: number): boolean {
    if (this.checkpointed === undefined) return true;
    // The next entry says in every open round that ballots are missing; a checkpoint would hide it.
    if (this.behind === 0 || this.isIncomplete) return false;
    const isLong = performance.now() - this.behindSinceMs >= this.limits.ms;
    const isFull = this.tables.size > 1 && this.ballots() > this.limits.inMemory / partitions;
    return isLong || isFull || this.behind >= this.limits.votes;
  }

  /** What a checkpoint stores. It counts as stored: if the commit fails, the partition must be taken over again. */
  checkpoint(
    slices: ReadonlyMap<string, Slice>,
    producers: ReadonlyMap<string, number>,
  ): NonNullable<Commit['checkpoint']> {
    const rounds: StoredPages[] = [];
    for (const [key, table] of this.tables) {
      const slice = slices.get(key);
      const held = this.held.get(key) ?? (slice && { ...slice, isNew: true, hasRows: false });
      if (!held) continue;
      const pages = table.changedPages();
      const { poll, round, isNew, hasRows } = held;
      if (pages.size > 0 || isNew) rounds.push({ poll, round, count: table.pages, pages, replacesRows: hasRows });
      this.held.set(key, { poll, round, isNew: false, hasRows: false });
    }
    return { producers: new Map(producers), rounds };
  }

  /** Notes that a checkpoint was committed at an offset, and drops the ballots that need not be in memory any more. */
  stored(offset: Offset, slices: ReadonlyMap<string, Slice>, partitions: number): void {
    this.behind = 0;
    this.isIncomplete = false;
    this.damaged = [];
    this.checkpointed = offset;
    for (const key of this.tables.keys()) if (slices.get(key)?.open === false) this.drop(key);
    let ballots = this.ballots();
    for (const [key, table] of this.tables) {
      // The one used last is needed again at once, however large it is.
      if (ballots <= this.limits.inMemory / partitions || this.tables.size === 1) break;
      ballots -= table.size;
      this.drop(key);
    }
  }

  private drop(key: string): void {
    this.tables.delete(key);
    this.held.delete(key);
  }

  private ballots(): number {
    let ballots = 0;
    for (const { size } of this.tables.values()) ballots += size;
    return ballots;
  }
}
