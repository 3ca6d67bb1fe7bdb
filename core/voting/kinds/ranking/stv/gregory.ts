import { ONE, type Weight } from '../../../rules/weight.ts';
import type { Election } from '../ballots.ts';
import type { Tie } from '../course.ts';
import { compareVotes } from '../standing.ts';
import { TransferableCount } from './count.ts';

/** Ballots with the same ranking and the same current value. */
interface Parcel {
  readonly ranks: readonly number[];
  readonly heads: bigint;
  /** The value of each ballot. */
  readonly value: Weight;
}

/** How many decimal places transfer values have, if the poll does not say. */
const DECIMALS = { scottish: 5, wigm: 4 } as const;

/**
 * The single transferable vote with the weighted inclusive Gregory method: all ballots of an elected option are transferred,
 * each with the value surplus × its value ÷ votes of the option, truncated to a number of decimal places.
 *
 * `scottish` follows the Scottish Local Government Elections Order 2011 (Schedule 1): five decimal places, and the Droop quota
 * in whole votes. `wigm` follows the Proportional Representation Foundation’s Reference WIGM Rule (2010): four decimal places,
 * and the Droop quota to as many places; the quota may be Hare’s, and the poll chooses the number of decimal places.
 */
export class GregoryCount extends TransferableCount<GregoryCount> {
  private readonly place: Weight;
  private quota: Weight;
  private readonly piles: (readonly Parcel[])[];
  /** Elected options whose surplus has not been transferred yet. */
  private surpluses: Set<number>;
  private pending: Tie['pick'] = 'least';

  constructor(election: Election, from?: GregoryCount) {
    super(election, from);
    const { definition, rankings } = election;
    const rules = definition.rules === 'wigm' ? 'wigm' : 'scottish';
    this.place = ONE / 10n ** BigInt(definition.decimals ?? DECIMALS[rules]);
    this.quota = from?.quota ?? this.initialQuota(rules);
    this.piles = from ? [...from.piles] : election.keys.map(() => []);
    this.surpluses = new Set(from?.surpluses);
    if (from) return;
    this.assign(
      rankings.map(({ ranks, heads, weight }) => ({ ranks, heads: BigInt(heads), value: weight / BigInt(heads) })),
    );
    if (this.total > 0n) this.settle('first preferences', undefined, [], []);
  }

  fork(): GregoryCount {
    return new GregoryCount(this.election, this).unrecorded();
  }

  protected override currentQuota(): Weight {
    return this.quota;
  }

  protected override step(): Tie | undefined {
    const isSurplus = this.surpluses.size > 0;
    const options = isSurplus ? [...this.surpluses] : [...this.continuing];
    this.pending = isSurplus ? 'most' : 'least';
    const { level, last } = this.endOf(options, this.pending);
    if (last.length > 1 && !isSurplus && this.canExcludeTogether(level)) return this.excludeAll(level, []);
    return this.pick({ options: last, pick: this.pending }, level);
  }

  protected override pickOne(option: number, tied: readonly number[]): void {
    if (this.pending === 'most') this.transferSurplus(option, tied);
    else this.excludeAll([option], tied);
  }

  private initialQuota(rules: 'scottish' | 'wigm'): Weight {
    const { definition } = this.election;
    const seats = BigInt(this.seats);
    // Weighted polls count in finer steps than whole votes.
    const step = rules === 'wigm' || definition.weighted ? this.place : ONE;
    if (definition.quota === 'hare') return (this.total / (seats * step)) * step || step;
    // The smallest number of votes that at most `seats` options can reach.
    return (this.total / ((seats + 1n) * step) + 1n) * step;
  }

  private transferSurplus(option: number, tied: readonly number[]): void {
    this.surpluses.delete(option);
    const had = this.votesOf(option);
    const surplus = had - this.quota;
    const pile = this.piles[option] ?? [];
    this.piles[option] = [];
    this.votes[option] = this.quota;
    const truncated = (value: Weight) => ((surplus * value) / had / this.place) * this.place;
    this.assign(pile.map((parcel) => ({ ...parcel, value: truncated(parcel.value) })));
    this.settle('surplus', option, [], tied);
  }

  /**
   * True when level options can be excluded in any order: nobody is elected by their votes, nobody else falls to last place
   * meanwhile, and enough others are left for the seats.
   */
  private canExcludeTogether(level: readonly number[]): boolean {
    const others = [...this.continuing].filter((option) => !level.includes(option));
    const together = level.reduce((sum, option) => sum + this.votesOf(option), 0n);
    return (
      others.length >= this.seats - this.elected.length &&
      others.every((option) => this.votesOf(option) > together && this.votesOf(option) + together < this.quota)
    );
  }

  private excludeAll(options: readonly number[], tied: readonly number[]): undefined {
    const before = [...this.votes];
    for (const option of options) this.continuing.delete(option);
    const parcels = options.flatMap((option) => this.piles[option] ?? []);
    for (const option of options) {
      this.piles[option] = [];
      this.votes[option] = 0n;
    }
    this.assign(parcels);
    this.settle('exclusion', options[0], options, tied, options.length > 1 ? before : undefined);
  }

  /** Ends a stage: options that have reached the quota are elected, most votes first. */
  private settle(
    what: 'first preferences' | 'surplus' | 'exclusion',
    of: number | undefined,
    excluded: readonly number[],
    tied: readonly number[],
    before?: readonly Weight[],
  ): void {
    const reached = [...this.continuing].filter((option) => this.votesOf(option) >= this.quota);
    reached.sort((a, b) => compareVotes(this.votesOf(b), this.votesOf(a)));
    for (const option of reached) {
      this.elect(option);
      if (this.votesOf(option) > this.quota) this.surpluses.add(option);
    }
    this.rank(before);
    this.record({ what, of, elected: reached, excluded, tied });
  }

  /** Gives each parcel to its next preference. Piles are replaced, not changed, because copies of the count share them. */
  private assign(parcels: readonly Parcel[]): void {
    const isContinuing = this.votes.map((_, option) => this.continuing.has(option));
    const added: Parcel[][] = isContinuing.map(() => []);
    this.work += parcels.length;
    for (const parcel of parcels) {
      const next = parcel.ranks.find((option) => isContinuing[option]);
      if (next === undefined || parcel.value === 0n) continue;
      added[next]?.push(parcel);
      this.votes[next] = this.votesOf(next) + parcel.heads * parcel.value;
    }
    for (const [option, own] of added.entries()) {
      if (own.length > 0) this.piles[option] = (this.piles[option] ?? []).concat(own);
    }
  }
}
