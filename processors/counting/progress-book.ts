import type { Log } from '../../core/runtime/log.ts';
import { LruMap } from '../../core/runtime/lru-map.ts';
import type { Offset } from '../../core/store/offset.ts';
import type { Store } from '../../core/store/store.ts';
import type { RejectionCounts } from '../../core/voting/count/accounting.ts';
import { type FoldedEntry, type FoldState, touchedBy } from '../../core/voting/count/fold.ts';
import { roundKey, type Slice } from '../../core/voting/count/slice.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import { BALLOT_LIMITS, type BallotLimits, OpenRounds } from './open-rounds.ts';
import type { Unreadable } from './unreadable.ts';

/** The state of a partition’s count, as this process last read or committed it. */
export interface Progress {
  offset: Offset;
  readonly producers: Map<string, number>;
  readonly refused: RejectionCounts;
  readonly slices: LruMap<string, Slice>;
  readonly rounds: OpenRounds;
}

interface BookParts {
  readonly store: Store;
  readonly unreadable: Unreadable;
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
  readonly limits?: BallotLimits | undefined;
}

/** How far this process has counted each of its partitions, and what it has in memory of them. */
export class ProgressBook {
  private readonly parts: BookParts;
  private readonly known = new Map<number, Progress>();

  constructor(parts: BookParts) {
    this.parts = parts;
  }

  /** The state of a partition; undefined if it has to be taken over first. */
  get(partition: number): Progress | undefined {
    return this.known.get(partition);
  }

  /** Forgets a partition, which is then taken over again. */
  forget(partition: number): void {
    this.known.delete(partition);
  }

  forgetAll(): void {
    this.known.clear();
  }

  /** The state of a partition, which is taken over if it is not known. */
  async of(partition: number): Promise<Progress> {
    const known = this.known.get(partition);
    if (known) return known;
    const { store, limits = BALLOT_LIMITS } = this.parts;
    const position = await store.counts.position(partition);
    const rounds = await OpenRounds.takeOver(store, partition, position, limits);
    if (rounds.isIncomplete) {
      this.parts.metrics.incomplete.inc();
      await this.parts.unreadable.setAsideCounted(partition, rounds.damaged);
      this.parts.log.error(
        {
          partition,
          checkpoint: position.checkpoint?.offset,
          counted: position.offset,
          damaged: rounds.damaged.length,
        },
        'the vote log lacks counted entries whose ballots were not stored yet, or they are damaged; further votes of these voters may count again, and open rounds will not be final',
      );
    }
    const progress = { ...position, slices: new LruMap<string, Slice>(), rounds };
    this.known.set(partition, progress);
    return progress;
  }

  /** Loads the slices and ballots of a partition that entries may affect. */
  async load(partition: number, progress: Progress, entries: readonly FoldedEntry[]): Promise<FoldState> {
    const { counts } = this.parts.store;
    const { slices, producers, refused, rounds } = progress;
    if (rounds.isIncomplete || entries.some(({ type }) => type === 'unreadable')) {
      for (const slice of await this.parts.unreadable.openSlices(partition)) {
        const key = roundKey(slice.poll, slice.round);
        if (!slices.has(key)) slices.put(key, slice);
      }
    }
    const marked = markedIn(entries);
    for (const [key, { poll, round }] of touchedBy(entries)) {
      const slice = slices.get(key) ?? (await counts.slice(partition, poll, round));
      if (!slice) continue;
      slices.put(key, slice);
      // Votes in closed rounds are refused, whatever the ballots are. A marker may continue the round.
      if (slice.open || marked.has(key)) await rounds.load(slice);
    }
    return { slices, ballots: rounds.tables, producers, refused };
  }
}

/** The rounds that entries open or close, by `roundKey`. */
export function markedIn(entries: readonly FoldedEntry[]): Set<string> {
  const marked = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'open' || entry.type === 'close') marked.add(roundKey(entry.poll, entry.round));
  }
  return marked;
}
