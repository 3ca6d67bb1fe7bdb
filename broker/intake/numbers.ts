import { LruMap } from '../../core/runtime/lru-map.ts';
import type { Ballots } from '../../core/store/store.ts';
import { roundKey } from '../../core/voting/count/slice.ts';
import type { Vote } from '../../core/voting/count/vote.ts';

/** Maximum number of voters and rounds whose highest number is kept in memory. */
const MAX_KEPT = 50_000;

/** Where a vote is logged, and what it is for. */
export interface Place {
  readonly partition: number;
  readonly poll: string;
  readonly round: number;
}

/** The highest sequence number of each voter, so that receipts do not call a vote accepted that is older than the ballot. */
export class Numbers {
  private readonly ballots: Ballots;
  private readonly highest = new LruMap<string, number>();

  constructor(ballots: Ballots) {
    this.ballots = ballots;
  }

  /**
   * Takes note of a vote. Returns whether its number is higher than all before, or the highest again: then it is a copy of the
   * newest vote. If this broker has no earlier number of the voter, it returns a function that looks at the ballot.
   */
  note({ device, n = 0 }: Vote, { partition, poll, round }: Place): boolean | (() => Promise<boolean>) {
    const key = `${roundKey(poll, round)} ${device}`;
    const known = this.highest.get(key);
    this.highest.put(key, Math.max(n, known ?? 0));
    this.highest.trim(MAX_KEPT);
    if (known !== undefined) return n >= known;
    return async () => {
      const [ballot] = await this.ballots.of(partition, poll, round, [device]);
      return n >= (ballot?.n ?? 0);
    };
  }
}
