import type { TieBreaker } from '../../tie.ts';
import { formatWeight, ONE, type Weight } from '../../weight.ts';
import type { Election } from './ballots.ts';

/** Values of transferred ballots are cut off after five decimal places: this many millionths. */
const PLACE = 10n;

/** Ballots that rank the same and are worth the same now. */
interface Parcel {
  readonly ranks: readonly number[];
  readonly heads: bigint;
  /** Of each. */
  readonly value: Weight;
}

interface Stage {
  readonly what: 'first preferences' | 'surplus' | 'exclusion' | 'last places';
  /** Whose ballots moved. */
  readonly of?: string;
  /** What each option has after it. */
  readonly votes: readonly { readonly key: string; readonly votes: string }[];
  /** On ballots that name nobody who could take them, and what was cut off. */
  readonly nonTransferable: string;
  readonly elected: readonly string[];
  readonly excluded: readonly string[];
  /** Those that were level, where it mattered. */
  readonly tied?: readonly string[];
}

/**
 * The single transferable vote with the Droop quota and the weighted inclusive Gregory method: a surplus is passed on by all
 * ballots of the one elected, each at surplus × its value ÷ votes, to five decimal places, the rest cut off; as the Scottish
 * Local Government Elections Order 2011 (Schedule 1) has it. Level options are told apart by the latest
 * earlier stage at which they were not; then by the tie-breaker. Where none was declared and the tie is about who goes,
 * the count ends there: `unresolved` names them.
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
  /** Elected with more than the quota, which was not passed on yet. */
  private readonly surpluses = new Set<number>();
  private readonly stages: Stage[] = [];
  private unresolved: number[] = [];

  constructor({ keys, rankings, definition }: Election, breaker: TieBreaker | undefined) {
    this.keys = keys;
    this.breaker = breaker;
    this.seats = definition.seats ?? 1;
    this.total = rankings.reduce((sum, { weight }) => sum + weight, 0n);
    // More than a share that as many as seats + 1 could have; with weights the least more that is counted.
    const step = definition.weighted ? PLACE : ONE;
    this.quota = (this.total / (BigInt(this.seats + 1) * step) + 1n) * step;
    this.piles = keys.map(() => []);
    this.votes = keys.map(() => 0n);
    this.continuing = new Set(keys.keys());
    for (const { ranks, heads, weight } of rankings) {
      this.give({ ranks, heads: BigInt(heads), value: weight / BigInt(heads) });
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
    if (this.surpluses.size > 0) return this.passSurplus();
    this.exclude();
  }

  /** As many are left as there are places: all of them are elected. */
  private fill(): void {
    const rest = [...this.continuing].sort((a, b) => compare(this.has(b), this.has(a)));
    for (const option of rest) this.elect(option);
    this.stages.push(this.stage('last places', undefined, rest, []));
  }

  private passSurplus(): void {
    const { one, tied } = this.pick([...this.surpluses], 'most', true);
    const [option] = one;
    if (option === undefined) return;
    this.surpluses.delete(option);
    const had = this.has(option);
    const surplus = had - this.quota;
    const pile = this.piles[option] ?? [];
    this.piles[option] = [];
    this.votes[option] = this.quota;
    for (const { ranks, heads, value } of pile) {
      this.give({ ranks, heads, value: ((surplus * value) / had / PLACE) * PLACE });
    }
    this.settle('surplus', option, [], tied);
  }

  private exclude(): void {
    const { one, tied } = this.pick([...this.continuing], 'least', false);
    if (one.length === 0 && this.mayGoTogether(tied)) return this.excludeAll(tied);
    const [option] = one;
    if (option === undefined) {
      this.unresolved = tied;
      this.stages.push(this.stage('exclusion', undefined, [], [], tied));
      return;
    }
    this.excludeAll([option], tied);
  }

  /** Level options whose order changes nothing: together they have less than the next one, and enough others are left. */
  private mayGoTogether(level: readonly number[]): boolean {
    const others = [...this.continuing].filter((option) => !level.includes(option));
    const together = level.reduce((sum, option) => sum + this.has(option), 0n);
    return others.length >= this.seats - this.elected.length && others.every((option) => this.has(option) > together);
  }

  private excludeAll(options: number[], tied: number[] = []): void {
    for (const option of options) this.continuing.delete(option);
    const parcels = options.flatMap((option) => this.piles[option] ?? []);
    for (const option of options) {
      this.piles[option] = [];
      this.votes[option] = 0n;
    }
    for (const parcel of parcels) this.give(parcel);
    this.settle('exclusion', options[0], options, tied);
  }

  /** Ends a stage: whoever has the quota is elected, most votes first. */
  private settle(what: Stage['what'], of: number | undefined, excluded: number[], tied: number[] = []): void {
    this.history.push([...this.votes]);
    const reached = [...this.continuing].filter((option) => this.has(option) >= this.quota);
    reached.sort((a, b) => compare(this.has(b), this.has(a)));
    for (const option of reached) {
      this.elect(option);
      if (this.has(option) > this.quota) this.surpluses.add(option);
    }
    this.stages.push(this.stage(what, of, reached, excluded, tied));
  }

  private elect(option: number): void {
    this.continuing.delete(option);
    this.elected.push(option);
  }

  private give(parcel: Parcel): void {
    const next = parcel.ranks.find((option) => this.continuing.has(option));
    if (next === undefined || parcel.value === 0n) return;
    this.piles[next]?.push(parcel);
    this.votes[next] = this.has(next) + parcel.heads * parcel.value;
  }

  /** The option with most or least votes; where several are level, as told above. */
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
    what: Stage['what'],
    of: number | undefined,
    elected: number[],
    excluded: number[],
    tied: number[] = [],
  ): Stage {
    const held = this.votes.reduce((sum, votes) => sum + votes, 0n);
    return {
      what,
      ...(of === undefined ? {} : { of: this.keys[of] as string }),
      votes: this.keys.map((key, option) => ({ key, votes: formatWeight(this.has(option)) })),
      nonTransferable: formatWeight(this.total - held),
      elected: this.named(elected),
      excluded: this.named(excluded),
      ...(tied.length > 1 ? { tied: this.named(tied) } : {}),
    };
  }

  private has(option: number): Weight {
    return this.votes[option] ?? 0n;
  }

  private named(options: readonly number[]): string[] {
    return options.map((option) => this.keys[option] as string);
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
