import type { Ballot } from '../../voting/count/ballot.ts';
import { pageOfVoter } from '../../voting/count/ballots/pages.ts';
import { BallotTable } from '../../voting/count/ballots/table.ts';
import type { Revote } from '../../voting/rules/settings.ts';
import { StoreError } from '../error.ts';
import { scanLog } from '../log-scan.ts';
import { compareOffsets, type Offset } from '../offset.ts';
import type { Ballots, CountStore, Position, VoteLog } from '../store.ts';
import { type RoundTail, Tail, type TailVote, votesAfter } from './tail.ts';

/** Time limit in ms for reading the votes behind a checkpoint. The next reading goes on where this one ended. */
const MAX_TAIL_MS = 10_000;

interface Parts {
  readonly log: VoteLog;
  readonly counts: CountStore;
  /** Called with a message for operators if the ballots of open rounds lack something. */
  readonly report?: ((message: string) => void) | undefined;
}

interface Rules {
  readonly isOpen: boolean;
  readonly revote: Revote;
}

/** The newest reading of a partition’s tail, and the next one, which begins when that has ended. */
interface Reading {
  tail: Tail | undefined;
  last: Promise<unknown>;
  next: Promise<Tail> | undefined;
}

/**
 * Ballots as of the last commit: what is stored of them, and the votes that were counted since, applied to it by the same rules.
 * Keeps these votes between reads, so that each entry is read once. Reads that come together share that work.
 */
export class BallotReader implements Ballots {
  private readonly parts: Parts;
  private readonly maxTailMs: number;
  private readonly readings = new Map<number, Reading>();

  /** @param maxTailMs how long the votes behind a checkpoint may be read; a test may set less */
  constructor(parts: Parts, maxTailMs = MAX_TAIL_MS) {
    this.parts = parts;
    this.maxTailMs = maxTailMs;
  }

  async of(partition: number, poll: string, round: number, voters: readonly string[]): Promise<(Ballot | undefined)[]> {
    if (voters.length === 0) return [];
    const later = (await this.tailOf(partition)).of(poll, round, voters);
    const rules = await this.rulesOf(partition, poll, round, later);
    const { checkpoint, count, pages, rows } = await this.parts.counts.stored(partition, poll, round, voters);
    const ballots = new BallotTable(rules.revote);
    ballots.load(pages.values(), count);
    for (const [voter, ballot] of rows) ballots.add(voter, ballot);
    apply(rules, ballots, later, checkpoint);
    return voters.map((voter) => ballots.ballotOf(voter));
  }

  async *all(partition: number, poll: string, round: number): AsyncGenerator<readonly [voter: string, ballot: Ballot]> {
    const later = (await this.tailOf(partition)).of(poll, round);
    const rules = await this.rulesOf(partition, poll, round, later);
    const { checkpoint, count, pages, rows } = await this.parts.counts.stored(partition, poll, round);
    const laterOf = new Map<number, Map<string, readonly TailVote[]>>();
    for (const [voter, votes] of later) {
      const page = count === 0 ? 0 : pageOfVoter(voter, count);
      const known = laterOf.get(page);
      if (known) known.set(voter, votes);
      else laterOf.set(page, new Map([[voter, votes]]));
    }
    for (const page of new Set([...pages.keys(), ...(rows.length > 0 ? [0] : []), ...laterOf.keys()])) {
      const ballots = new BallotTable(rules.revote);
      const stored = pages.get(page);
      if (stored) ballots.load([stored], 1);
      for (const [voter, ballot] of rows) ballots.add(voter, ballot);
      apply(rules, ballots, laterOf.get(page) ?? new Map(), checkpoint);
      yield* ballots;
    }
  }

  /** The rules of a round. They matter only if there are votes to be applied. */
  private async rulesOf(partition: number, poll: string, round: number, later: RoundTail): Promise<Rules> {
    const slice = later.size > 0 ? await this.parts.counts.sliceState(partition, poll, round) : undefined;
    return { isOpen: slice?.open === true, revote: slice?.revote ?? 'last' };
  }

  /** The votes that were counted since the checkpoint, as of a moment after this call. */
  private tailOf(partition: number): Promise<Tail> {
    const known = this.readings.get(partition);
    const reading = known ?? { tail: undefined, last: Promise.resolve(), next: undefined };
    if (!known) this.readings.set(partition, reading);
    if (reading.next) return reading.next;
    const next = reading.last.then(() => {
      reading.next = undefined;
      return this.read(partition, reading);
    });
    reading.next = next;
    reading.last = next.catch(() => {});
    return next;
  }

  missing(partition: number): number {
    return this.readings.get(partition)?.tail?.missing ?? 0;
  }

  /**
   * @param isAgain whether the log was found to differ from what had been counted
   * @throws StoreError if that takes longer than `maxTailMs`
   */
  private async read(
    partition: number,
    reading: Reading,
    untilMs = performance.now() + this.maxTailMs,
    isAgain = false,
  ): Promise<Tail> {
    const { counts } = this.parts;
    const position = await counts.position(partition);
    const checkpoint = position.checkpoint ?? position;
    let { tail } = reading;
    // A failover may have put the checkpoint back, to before where this tail begins.
    const isUsable =
      tail &&
      compareOffsets(tail.from, checkpoint.offset) <= 0 &&
      isBetween(checkpoint.offset, tail.to, position.offset);
    const isNew = !tail || !isUsable;
    if (!tail || isNew) tail = new Tail(checkpoint, entriesAt(position));
    reading.tail = undefined;
    tail.forgetUntil(checkpoint.offset);
    for await (const { offset, entry } of scanLog(this.parts, partition, tail.to, position.offset, untilMs)) {
      tail.add(offset, entry);
    }
    if (performance.now() > untilMs && tail.to !== position.offset) {
      reading.tail = tail;
      throw new StoreError(
        `the votes of partition ${partition} that are not stored as ballots yet could not be read within ${this.maxTailMs / 1_000} s; try again`,
      );
    }
    // A failover may have lost entries that this tail has, and others may have taken their place.
    const isOther = tail.entries !== undefined && tail.entries !== position.entries;
    if (isOther && !(isNew && isAgain)) return this.read(partition, reading, untilMs, isNew);
    // The log itself lacks them.
    if (isOther) tail.lacks(Math.abs(position.entries - (tail.entries ?? 0)));
    tail.entries = position.entries;
    reading.tail = tail;
    if (tail.missing > tail.reported) {
      tail.reported = tail.missing;
      this.parts.report?.(
        `${tail.missing} entries of partition ${partition} that were counted are damaged or gone from the log, and their ballots are not stored yet; until they are, answers about who has voted in open rounds may lack these`,
      );
    }
    return tail;
  }
}

/** How many entries had been counted at the checkpoint; undefined if that is not stored. */
function entriesAt({ entries, behind, checkpoint }: Position): number | undefined {
  if (!checkpoint) return entries;
  return behind === undefined ? undefined : entries - behind;
}

function isBetween(first: Offset, offset: Offset, last: Offset): boolean {
  return compareOffsets(first, offset) <= 0 && compareOffsets(offset, last) <= 0;
}

/** Applies votes that are not in the stored ballots yet. No marker comes after the checkpoint, so the round did not open or close. */
function apply({ isOpen }: Rules, ballots: BallotTable, later: RoundTail, checkpoint: Offset): void {
  if (!isOpen) return;
  for (const some of later.values()) {
    for (const { votes, i, atMs } of votesAfter(some, checkpoint)) ballots.takeOne(votes, i, atMs);
  }
}
