import { formatDecimal } from '../../../rules/weight.ts';
import type { Election } from '../ballots.ts';
import type { Tie } from '../course.ts';
import { compareVotes } from '../standing.ts';
import { TransferableCount } from './count.ts';

/** 1 with nine decimal places, the precision of keep factors and of the quota. */
const KEEP_ALL = 10n ** 9n;
/** The unit of the ninth decimal place of votes, which are kept with 15 decimal places: those of weights and of keep factors. */
const NANO = 10n ** 6n;
/** The iteration ends once the total surplus is below a millionth of a vote. */
const OMEGA = 10n ** 9n;

/** Ballots that pass through the same elected options and end at the same continuing option. */
interface Pile {
  readonly path: readonly number[];
  readonly weight: bigint;
}

/**
 * The single transferable vote by Meek’s method, as in the Proportional Representation Foundation’s Reference Meek Rule (2010;
 * after Hill, Wichmann and Woodall, "Algorithm 123", 1987): every elected option keeps a fraction of each vote it receives (its
 * keep factor) and passes on the rest, so that preferences for options that are already elected still count. The factors are
 * adjusted until the elected options hold the quota, which falls as ballots are exhausted.
 */
export class MeekCount extends TransferableCount<MeekCount> {
  private readonly keep: bigint[];
  private piles: readonly Pile[];
  private quota = 0n;

  constructor(election: Election, from?: MeekCount) {
    super(election, from, KEEP_ALL);
    this.keep = [...(from?.keep ?? election.keys.map((_, option) => (this.continuing.has(option) ? KEEP_ALL : 0n)))];
    this.piles = from ? from.piles : this.sorted();
    this.quota = from?.quota ?? 0n;
    if (from || this.total === 0n) return;
    this.distribute();
    this.rank();
    this.record({ what: 'first preferences', quota: this.quota });
  }

  fork(): MeekCount {
    return new MeekCount(this.election, this).unrecorded();
  }

  protected override currentQuota(): bigint {
    return this.quota;
  }

  protected override text(votes: bigint): string {
    return formatDecimal(votes / NANO, 9);
  }

  protected override step(): Tie | undefined {
    let surplus = this.total;
    for (;;) {
      this.distribute();
      const reached = [...this.continuing].filter((option) => this.votesOf(option) >= this.quota);
      if (reached.length > 0) return this.electAll(reached);
      const before = surplus;
      surplus = this.elected.reduce((sum, option) => sum + this.votesOf(option) - this.quota, 0n);
      if (surplus < OMEGA || surplus >= before) break;
      for (const option of this.elected) {
        const part = dividedUp((this.keep[option] as bigint) * this.quota, KEEP_ALL * NANO);
        this.keep[option] = dividedUp(part * KEEP_ALL * NANO, this.votesOf(option));
      }
    }
    const { level, last } = this.endOf([...this.continuing], 'least', surplus > 0n ? surplus : 0n);
    return this.pick({ options: last, pick: 'least' }, level);
  }

  protected override pickOne(option: number, tied: readonly number[]): void {
    this.continuing.delete(option);
    this.keep[option] = 0n;
    this.piles = this.sorted();
    this.distribute();
    this.rank();
    this.record({ what: 'exclusion', of: option, excluded: [option], tied, quota: this.quota });
  }

  private electAll(options: number[]): undefined {
    options.sort((a, b) => compareVotes(this.votesOf(b), this.votesOf(a)));
    for (const option of options) this.elect(option);
    this.piles = this.sorted();
    this.rank();
    this.record({ what: 'surplus', elected: options, quota: this.quota });
  }

  private distribute(): void {
    this.votes.fill(0n);
    this.work += this.piles.length;
    for (const { path, weight } of this.piles) {
      let rest = KEEP_ALL;
      for (const option of path) {
        const kept = dividedUp(rest * (this.keep[option] as bigint), KEEP_ALL);
        this.votes[option] = this.votesOf(option) + kept * weight;
        rest -= kept;
        if (rest <= 0n) break;
      }
    }
    const sum = this.votes.reduce((all, votes) => all + votes, 0n);
    this.quota = (sum / (BigInt(this.seats + 1) * NANO) + 1n) * NANO;
  }

  /** The ballots by the options that matter on them: the elected ones up to and including the first continuing one. */
  private sorted(): Pile[] {
    interface Node {
      weight: bigint;
      readonly path: readonly number[];
      readonly next: Map<number, Node>;
    }
    const root: Node = { weight: 0n, path: [], next: new Map() };
    const nodes: Node[] = [];
    const elected = new Set(this.elected);
    this.work += this.election.rankings.length;
    for (const { ranks, weight } of this.election.rankings) {
      let node = root;
      for (const option of ranks) {
        const isContinuing = this.continuing.has(option);
        if (!isContinuing && !elected.has(option)) continue;
        let next = node.next.get(option);
        if (!next) {
          next = { weight: 0n, path: [...node.path, option], next: new Map() };
          node.next.set(option, next);
          nodes.push(next);
        }
        node = next;
        if (isContinuing) break;
      }
      node.weight += weight;
    }
    return nodes.filter(({ weight }) => weight > 0n);
  }
}

/** The quotient, rounded up. */
function dividedUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
