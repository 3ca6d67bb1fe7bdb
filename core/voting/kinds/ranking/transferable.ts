import type { TieBreaker } from '../../rules/tie.ts';
import { formatWeight, ONE, type Weight } from '../../rules/weight.ts';
import type { Election } from './ballots.ts';
import type { TransferStage } from './figures.ts';

/** The fifth decimal place, in millionths. Transfer values are truncated to multiples of this. */
const PLACE = 10n;

/** Ballots with the same ranking and the same current value. */
interface Parcel {
  readonly ranks: readonly number[];
  readonly heads: bigint;
  /** The value of each ballot. */
  readonly value: Weight;
}

/**
 * The single transferable vote with the Droop quota and the weighted inclusive Gregory method, as in the Scottish Local
 * Government Elections Order 2011 (Schedule 1): all ballots of the elected option are transferred, each with the value surplus
 * × its value ÷ votes of the option, truncated to five decimal places. Ties are broken by the latest earlier stage at which the
 * options were not tied, then by the tie-breaker. If no tie-breaker was declared and it matters which option is excluded, the
 * count ends, and `unresolved` names the tied options.
 */
export function singleTransferableVote(election: Election, breaker: TieBreaker | undefined) {
  const count = new TransferableCount(election, breaker);
  return count.run();
}

class TransferableCount {
  private readonly keys: readonly string[];
  private readonly breaker: TieBreaker | undefined;
  private readonly seats: number;
  private readonly quota: Weight;
  private readonly total: Weight;
  private readonly piles: Parcel[][];
  private readonly votes: Weight[];
  /** Votes of every option after each stage so far. */
  private readonly history: Weight[][] = [];
  private readonly continuing: Set<number>;
  private readonly elected: number[] = [];
  /** Elected options whose surplus has not been transferred yet. */
  private readonly surpluses = new Set<number>();
  private readonly stages: TransferStage[] = [];
  private unresolved: number[] = [];

  constructor({ keys, rankings, definition }: Election, breaker: TieBreaker | undefined) {
    this.keys = keys;
    this.breaker = breaker;
    this.seats = definition.seats ?? 1;
    this.total = rankings.reduce((sum, { weight }) => sum + weight, 0n);
    // The Droop quota: the smallest number of votes that at most `seats` options can reach. Weighted polls count in
    // finer steps than whole votes.
    const step = definition.weighted ? PLACE : ONE;
    this.quota = (this.total / (BigInt(this.seats + 1) * step) + 1n) * step;
    this.piles = keys.map(() => []);
    this.votes = keys.map(() => 0n);
    this.continuing = new Set(keys.keys());
    for (const { ranks, heads, weight } of rankings) {
      this.assign({ ranks, heads: BigInt(heads), value: weight / BigInt(heads) });
    }
  }

  run() {
    if (this.total > 0n) {
      this.settle('first preferences', undefined, []);
      while (this.elected.length < this.seats && this.unresolved.length === 0) this.step();
    }
    return {
      seats: this.seats,
      quota: formatWeight(this.quota),
      stages: this.stages,
      winners: this.named(this.elected),
      ...(this.unresolved.length > 0 ? { unresolved: this.named(this.unresolved) } : {}),
    };
  }

  private step(): void {
    if (this.continuing.size <= this.seats - this.elected.length) return this.fill();
    if (this.surpluses.size > 0) return this.transferSurplus();
    this.exclude();
  }

  /** Elects all remaining options, because there are no more of them than vacant seats. */
  private fill(): void {
    const rest = [...this.continuing].sort((a, b) => compare(this.votesOf(b), this.votesOf(a)));
    for (const option of rest) this.elect(option);
    this.stages.push(this.stage('last places', undefined, rest, []));
  }

  private transferSurplus(): void {
    const { one, tied } = this.pick([...this.surpluses], 'most', true);
    const [option] = one;
    if (option === undefined) return;
    this.surpluses.delete(option);
    const had = this.votesOf(option);
    const surplus = had - this.quota;
    const pile = this.piles[option] ?? [];
    this.piles[option] = [];
    this.votes[option] = this.quota;
    for (const { ranks, heads, value } of pile) {
      this.assign({ ranks, heads, value: ((surplus * value) / had / PLACE) * PLACE });
    }
    this.settle('surplus', option, [], tied);
  }

  private exclude(): void {
    const { one, tied } = this.pick([...this.continuing], 'least', false);
    if (one.length === 0 && this.canExcludeTogether(tied)) return this.excludeAll(tied);
    const [option] = one;
    if (option === undefined) {
      this.unresolved = tied;
      this.stages.push(this.stage('exclusion', undefined, [], [], tied));
      return;
    }
    this.excludeAll([option], tied);
  }

  /**
   * True when tied options can be excluded in any order: together they have fewer votes than any other option, and enough other
   * options are left to fill the seats.
   */
  private canExcludeTogether(level: readonly number[]): boolean {
    const others = [...this.continuing].filter((option) => !level.includes(option));
    const together = level.reduce((sum, option) => sum + this.votesOf(option), 0n);
    return (
      others.length >= this.seats - this.elected.length && others.every((option) => this.votesOf(option) > together)
    );
  }

  private excludeAll(options: number[], tied: number[] = []): void {
    for (const option of options) this.continuing.delete(option);
    const parcels = options.flatMap((option) => this.piles[option] ?? []);
    for (const option of options) {
      this.piles[option] = [];
      this.votes[option] = 0n;
    }
    for (const parcel of parcels) this.assign(parcel);
    this.settle('exclusion', options[0], options, tied);
  }

  /** Ends a stage: options that have reached the quota are elected, most votes first. */
  private settle(what: TransferStage['what'], of: number | undefined, excluded: number[], tied: number[] = []): void {
    this.history.push([...this.votes]);
    const reached = [...this.continuing].filter((option) => this.votesOf(option) >= this.quota);
    reached.sort((a, b) => compare(this.votesOf(b), this.votesOf(a)));
    for (const option of reached) {
      this.elect(option);
      if (this.votesOf(option) > this.quota) this.surpluses.add(option);
    }
    this.stages.push(this.stage(what, of, reached, excluded, tied));
  }

  private elect(option: number): void {
    this.continuing.delete(option);
    this.elected.push(option);
  }

  private assign(parcel: Parcel): void {
    const next = parcel.ranks.find((option) => this.continuing.has(option));
    if (next === undefined || parcel.value === 0n) return;
    this.piles[next]?.push(parcel);
    this.votes[next] = this.votesOf(next) + parcel.heads * parcel.value;
  }

  /**
   * The option with the most or fewest votes, with ties broken as described for `singleTransferableVote`. If a tie remains, the
   * option listed first is taken if `mayChoose`; otherwise, `one` is empty.
   */
  private pick(options: number[], which: 'most' | 'least', mayChoose: boolean): { one: number[]; tied: number[] } {
    const level = (of: readonly number[], votes: readonly Weight[]) => {
      const sorted = [...of].sort((a, b) => compare(votes[a] ?? 0n, votes[b] ?? 0n));
      const end = which === 'most' ? sorted.at(-1) : sorted[0];
      return sorted.filter((option) => votes[option] === votes[end ?? 0]);
    };
    let tied = level(options, this.votes);
    for (const votes of this.history.toReversed()) if (tied.length > 1) tied = level(tied, votes);
    if (tied.length === 1) return { one: tied, tied: [] };
    const { breaker } = this;
    if (!breaker) return { one: mayChoose ? tied.toSorted((a, b) => a - b).slice(0, 1) : [], tied };
    const byPlace = tied.toSorted((a, b) => breaker.place(this.keys[a] ?? '') - breaker.place(this.keys[b] ?? ''));
    return { one: which === 'most' ? byPlace.slice(0, 1) : byPlace.slice(-1), tied };
  }

  private stage(
    what: TransferStage['what'],
    of: number | undefined,
    elected: number[],
    excluded: number[],
    tied: number[] = [],
  ): TransferStage {
    const held = this.votes.reduce((sum, votes) => sum + votes, 0n);
    return {
      what,
      ...(of === undefined ? {} : { of: this.keys[of] as string }),
      votes: this.keys.map((key, option) => ({ key, votes: formatWeight(this.votesOf(option)) })),
      nonTransferable: formatWeight(this.total - held),
      elected: this.named(elected),
      excluded: this.named(excluded),
      ...(tied.length > 1 ? { tied: this.named(tied) } : {}),
    };
  }

  private votesOf(option: number): Weight {
    return this.votes[option] ?? 0n;
  }

  private named(options: readonly number[]): string[] {
    return options.map((option) => this.keys[option] as string);
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
