import type { Log } from '../../core/runtime/log.ts';
import { type Offset, START } from '../../core/store/offset.ts';
import type { Commit, CountStore } from '../../core/store/store.ts';
import { bytesOf } from '../../core/store/stored-ballots.ts';
import type { FoldChanges } from '../../core/voting/count/fold.ts';
import { turn } from '../../core/waiting/turn.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import type { Attempts } from './attempts.ts';
import type { Progress, ProgressBook } from './progress-book.ts';
import type { Foldable, Unreadable } from './unreadable.ts';

/** Maximum number of slices cached in memory per partition. The least recently used slices are evicted first. */
const MAX_SLICES = 256;
/**
 * The most bytes of ballots that are committed together. More of them would be written in one go, while everything else waits; but
 * when a round opens or closes, all partitions store a few, and should wait for the disk once.
 */
const MAX_TOGETHER_BYTES = 256 * 1024;

type Checkpoint = NonNullable<Commit['checkpoint']>;

/** What is committed. */
export interface Changes extends FoldChanges {
  readonly offset: Offset;
  readonly entries: number;
  readonly votes: number;
}

/** Entries that have been counted in memory, and are to be committed. */
export interface Counted {
  readonly partition: number;
  readonly progress: Progress;
  readonly changes: Changes;
  readonly logged: readonly Foldable[];
  /** True if the ballots are stored as well. */
  readonly isDue: boolean;
}

interface Ready extends Counted {
  readonly checkpoint?: Checkpoint;
}

interface CommitsParts {
  readonly counts: CountStore;
  readonly book: ProgressBook;
  readonly attempts: Attempts;
  readonly unreadable: Unreadable;
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
}

/** Commits what has been counted of the partitions that this process counts. */
export class Commits {
  private readonly parts: CommitsParts;

  constructor(parts: CommitsParts) {
    this.parts = parts;
  }

  /**
   * Commits what was counted in a step: first, together, what stores no ballots, so that the embedded store writes it in one
   * transaction and waits for the disk once. Then what stores ballots, each encoded in a turn of its own, and together only if there
   * are few. No commit is under way any more when this returns: a late answer would concern the next step.
   *
   * @param held how many partitions this process counts
   */
  async all(counted: readonly Counted[], held: number): Promise<void> {
    await this.together(
      counted.filter(({ isDue }) => !isDue),
      held,
    );
    let waiting: Ready[] = [];
    let bytes = 0;
    for (const one of counted.filter(({ isDue }) => isDue)) {
      await turn();
      const checkpoint = checkpointOf(one.progress);
      const size = bytesOf(checkpoint.rounds);
      if (bytes + size > MAX_TOGETHER_BYTES) {
        await this.together(waiting, held);
        waiting = [];
        bytes = 0;
      }
      waiting.push({ ...one, checkpoint });
      bytes += size;
    }
    await this.together(waiting, held);
  }

  /** Stores the ballots of a partition without new entries, if that is due. @param held how many partitions this process counts */
  async checkpoint(partition: number, held: number): Promise<void> {
    const progress = this.parts.book.get(partition);
    if (!progress?.rounds.isDue(held) || progress.offset === START) return;
    const changes = { offset: progress.offset, slices: [], producers: [], entries: 0, votes: 0 };
    await this.commit({ partition, progress, changes, checkpoint: checkpointOf(progress) }, held);
  }

  private async together(some: readonly Ready[], held: number): Promise<void> {
    await Promise.all(some.map((one) => this.parts.attempts.of(one.partition, () => this.finish(one, held))));
  }

  private async finish(ready: Ready, held: number): Promise<void> {
    if (!(await this.commit(ready, held))) return;
    this.parts.unreadable.report(ready.partition, ready.logged);
    ready.progress.slices.trim(MAX_SLICES);
  }

  /** @returns whether nobody else was faster */
  private async commit(
    { partition, progress, changes, checkpoint }: Pick<Ready, 'partition' | 'progress' | 'changes' | 'checkpoint'>,
    held: number,
  ): Promise<boolean> {
    const { counts, book, metrics, log } = this.parts;
    const { offset: expected, refused, rounds, slices } = progress;
    const { votes, ...changed } = changes;
    const startMs = performance.now();
    const base = { partition, expected, expectedCheckpoint: rounds.checkpointed };
    const done = await counts.commit({ ...base, ...changed, refused, ...(checkpoint ? { checkpoint } : {}) });
    metrics.commits.inc({ outcome: done ? 'done' : 'lost' });
    metrics.commitSeconds.observe((performance.now() - startMs) / 1000);
    if (!done) {
      log.warn(
        { partition, offset: changed.offset },
        'another processor committed first, or a failover lost a commit; continuing from what is stored',
      );
      book.forget(partition);
      return false;
    }
    progress.offset = changed.offset;
    if (checkpoint) rounds.stored(changed.offset, slices, held);
    if (changed.entries > 0) metrics.commitVotes.observe(votes);
    return true;
  }
}

/** What a checkpoint of a partition stores. It counts as stored: if its commit fails, the partition must be taken over again. */
function checkpointOf({ rounds, slices, producers }: Progress): Checkpoint {
  return rounds.checkpoint(slices, producers);
}
