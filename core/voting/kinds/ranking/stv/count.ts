import type { TieBreaker } from '../../../rules/tie.ts';
import { formatWeight } from '../../../rules/weight.ts';
import type { Election } from '../ballots.ts';
import type { Course, Tie } from '../course.ts';
import type { TransferStage } from '../figures.ts';
import { compareVotes, lastOf, nextStanding, noStanding, type Standing } from '../standing.ts';

interface Stage {
  readonly what: TransferStage['what'];
  readonly of?: number | undefined;
  readonly elected?: readonly number[];
  readonly excluded?: readonly number[];
  readonly tied?: readonly number[];
  /** If it differs from stage to stage. */
  readonly quota?: bigint;
}

/** What all counts of the single transferable vote share: seats, elected and continuing options, ties and stages. */
export abstract class TransferableCount<Self> implements Course<Self> {
  readonly stages: TransferStage[] = [];
  readonly elected: number[];
  work = 0;
  protected readonly election: Election;
  readonly seats: number;
  /** The weight of all ballots that rank a candidate, in the same unit as `votes`. */
  protected readonly total: bigint;
  protected readonly continuing: Set<number>;
  protected readonly votes: bigint[];
  private standing: Standing;
  private isRecorded = true;
  private tied: readonly number[] = [];
  private tieBrokenBy: TransferStage['tieBrokenBy'];

  /** @param from the count to copy; @param scale how many units of `votes` make a unit of weight */
  constructor(election: Election, from?: TransferableCount<Self>, scale = 1n) {
    this.election = election;
    this.seats = election.definition.seats ?? 1;
    this.total = from?.total ?? scale * weightOf(election.rankings.filter(({ ranks }) => ranks.length > 0));
    this.elected = [...(from?.elected ?? [])];
    this.continuing = new Set(from?.continuing ?? election.candidates);
    this.votes = [...(from?.votes ?? election.keys.map(() => 0n))];
    this.standing = from?.standing ?? noStanding(election.keys.length);
    this.tied = from?.tied ?? [];
  }

  abstract fork(): Self;
  /** The votes that elect an option at this stage. */
  protected abstract currentQuota(): bigint;
  /** Counts one stage, or returns the tie that prevents it. */
  protected abstract step(): Tie | undefined;
  /** Transfers the surplus of an option or excludes it, depending on what the latest step was about. */
  protected abstract pickOne(option: number, tied: readonly number[]): void;

  get outcome(): string {
    return this.elected.toSorted((a, b) => a - b).join(' ');
  }

  get quotaText(): string {
    return this.text(this.currentQuota());
  }

  advance(): Tie | undefined {
    while (this.total > 0n && this.elected.length < this.seats && this.continuing.size > 0) {
      if (this.continuing.size <= this.seats - this.elected.length) this.fill();
      else {
        const tie = this.step();
        if (tie) return tie;
      }
    }
    return undefined;
  }

  decide(option: number, by?: TieBreaker['by']): void {
    this.tieBrokenBy = by;
    this.pickOne(option, this.tied);
  }

  /** Records where the count stopped. */
  recordOpenTie(tied: readonly number[]): void {
    this.record({ what: 'exclusion', tied });
  }

  protected unrecorded(): this {
    this.isRecorded = false;
    return this;
  }

  /**
   * All options with the most or fewest votes, and those of them that the earlier stages leave level.
   *
   * @param tolerance how many more votes than the fewest count as level
   */
  protected endOf(options: readonly number[], which: Tie['pick'], tolerance = 0n): { level: number[]; last: number[] } {
    const sorted = options.toSorted((a, b) => compareVotes(this.votesOf(a), this.votesOf(b)));
    const end = this.votesOf((which === 'most' ? sorted.at(-1) : sorted[0]) ?? 0);
    const level = options.filter((option) =>
      which === 'most' ? this.votesOf(option) === end : this.votesOf(option) <= end + tolerance,
    );
    return { level, last: lastOf(level, this.standing, which) };
  }

  /** Picks the option if it is the only one; otherwise, the count stops at the tie. */
  protected pick(tie: Tie, level: readonly number[]): Tie | undefined {
    const [one, ...others] = tie.options;
    if (others.length > 0 || one === undefined) {
      this.tied = tie.options;
      return tie;
    }
    this.tieBrokenBy = level.length > 1 ? 'earlier rounds' : undefined;
    this.pickOne(one, level);
    return undefined;
  }

  protected elect(option: number): void {
    this.continuing.delete(option);
    this.elected.push(option);
  }

  /**
   * Updates the standing at the end of a stage.
   *
   * @param before the votes before this stage, if it stands for several stages whose order was left open. Level options whose
   * votes changed then stay level, because it is unknown which of them was ahead in between.
   */
  protected rank(before: readonly bigint[] = this.votes): void {
    this.work += this.votes.length;
    const isOpen = (option: number) =>
      this.votes.some((votes, other) => votes === this.votes[option] && votes !== before[other]);
    const known = before === this.votes ? this.standing : this.standing.map((place, i) => (isOpen(i) ? 0 : place));
    this.standing = nextStanding(known, this.votes);
  }

  protected record({ what, of, elected = [], excluded = [], tied = [], quota }: Stage): void {
    const by = this.tieBrokenBy;
    this.tieBrokenBy = undefined;
    if (!this.isRecorded) return;
    const { keys } = this.election;
    const held = this.votes.reduce((sum, votes) => sum + votes, 0n);
    this.stages.push({
      what,
      ...(of === undefined ? {} : { of: keys[of] as string }),
      votes: keys.map((key, option) => ({ key, votes: this.text(this.votesOf(option)) })),
      nonTransferable: this.text(this.total - held),
      elected: this.named(elected),
      excluded: this.named(excluded),
      ...(tied.length > 1 ? { tied: this.named(tied) } : {}),
      ...(tied.length > 1 && by ? { tieBrokenBy: by } : {}),
      ...(quota === undefined ? {} : { quota: this.text(quota) }),
    });
  }

  protected votesOf(option: number): bigint {
    return this.votes[option] ?? 0n;
  }

  /** Elects all remaining options, because there are no more of them than vacant seats. */
  private fill(): void {
    const rest = [...this.continuing].sort((a, b) => compareVotes(this.votesOf(b), this.votesOf(a)));
    for (const option of rest) this.elect(option);
    this.record({ what: 'last places', elected: rest });
  }

  /** Votes as text. */
  protected text(votes: bigint): string {
    return formatWeight(votes);
  }

  private named(options: readonly number[]): string[] {
    return options.map((option) => this.election.keys[option] as string);
  }
}

function weightOf(rankings: Election['rankings']): bigint {
  return rankings.reduce((sum, { weight }) => sum + weight, 0n);
}
