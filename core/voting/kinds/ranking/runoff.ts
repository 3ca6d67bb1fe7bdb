import type { TieBreaker } from '../../rules/tie.ts';
import type { Weight } from '../../rules/weight.ts';
import { ballotSumOf, type Election, type Ranking } from './ballots.ts';
import { type Course, runCourse, SEARCH_LIMIT, type Tie } from './course.ts';
import type { RunoffRound } from './figures.ts';
import { lastOf, nextStanding, noStanding, type Standing } from './standing.ts';

/**
 * Instant-runoff voting (alternative vote). Until an option has more than half of the ballots that are not exhausted, the
 * option with the fewest ballots is eliminated, and its ballots go to their next preferences. With `until: two`, elimination
 * goes on until two options are left. Options tied for last place are eliminated together if they have fewer ballots together
 * than any other option, because the order then does not matter. Other ties are broken by the latest earlier round in which
 * the options were not tied, then as described for `runCourse`. If a tie stays open, `winners` is empty, and `unresolved` names
 * the tied options.
 */
export function instantRunoff(election: Election, breaker: TieBreaker | undefined, isFinal: boolean) {
  const { keys } = election;
  const count = new Runoff(election);
  const open = runCourse(count, keys, breaker, SEARCH_LIMIT[isFinal ? 'final' : 'live']);
  const name = (options: readonly number[]) => options.map((option) => keys[option] as string);
  if (open)
    return { rounds: [...count.rounds, count.round([], open)], winners: [] as string[], unresolved: name(open) };
  const decided = count.rounds.findLast(({ tieBrokenBy }) => breaker && tieBrokenBy === breaker.by);
  return {
    rounds: count.rounds,
    winners: name(count.winner === undefined ? [] : [count.winner]),
    ...(breaker && decided?.tied ? { tied: decided.tied, tieBrokenBy: breaker.by } : {}),
  };
}

class Runoff implements Course<Runoff> {
  readonly rounds: RunoffRound[] = [];
  winner: number | undefined;
  work = 0;
  private readonly election: Election;
  private left: Set<number>;
  private piles: readonly (readonly Ranking[])[];
  private votes: readonly Weight[];
  private heads: readonly number[];
  private standing: Standing;
  private spent = { heads: 0, weight: 0n };
  private tied: readonly number[] = [];
  private isRecorded = true;

  constructor(election: Election, from?: Runoff) {
    this.election = election;
    this.left = new Set(from ? from.left : election.candidates);
    this.piles = from ? from.piles : election.keys.map(() => []);
    this.votes = from ? from.votes : election.keys.map(() => 0n);
    this.heads = from ? from.heads : election.keys.map(() => 0);
    this.standing = from ? from.standing : noStanding(election.keys.length);
    this.tied = from ? from.tied : [];
    if (!from) {
      this.deal(election.rankings);
      this.rank();
    }
  }

  fork(): Runoff {
    const fork = new Runoff(this.election, this);
    fork.isRecorded = false;
    return fork;
  }

  get outcome(): string {
    return String(this.winner);
  }

  get signature(): string {
    return [...this.left].map((option) => `${option}:${this.standing[option]}`).join(' ');
  }

  advance(): Tie | undefined {
    for (;;) {
      const left = [...this.left];
      const total = left.reduce((sum, option) => sum + this.votesOf(option), 0n);
      if (total === 0n) return this.finish(undefined);
      const best = left.reduce((a, b) => (this.votesOf(b) > this.votesOf(a) ? b : a));
      const goesOn = this.election.definition.until === 'two' && left.length > 2;
      if (!goesOn && 2n * this.votesOf(best) > total) return this.finish(best);
      const level = left.filter((option) => left.every((other) => this.votesOf(option) <= this.votesOf(other)));
      const last = lastOf(left, this.standing, 'least');
      if (level.length > 1 && this.canEliminateTogether(level)) this.eliminate(level, []);
      else if (last.length > 1) {
        this.tied = last;
        return { options: last, pick: 'least' };
      } else this.eliminate(last, level, level.length > 1 ? 'earlier rounds' : undefined);
    }
  }

  decide(option: number, by?: TieBreaker['by']): void {
    this.eliminate([option], this.tied, by);
  }

  /** The record of the current round. */
  round(eliminated: readonly number[], tied: readonly number[], by?: RunoffRound['tieBrokenBy']): RunoffRound {
    const { keys, definition } = this.election;
    const name = (options: readonly number[]) => options.map((option) => keys[option] as string);
    return {
      counts: [...this.left].map((option) => ({
        key: keys[option] as string,
        ...ballotSumOf(this.heads[option] ?? 0, this.votesOf(option), definition),
      })),
      exhausted: ballotSumOf(this.spent.heads, this.spent.weight, definition),
      eliminated: name(eliminated),
      ...(tied.length > 1 ? { tied: name(tied) } : {}),
      ...(by ? { tieBrokenBy: by } : {}),
    };
  }

  private finish(winner: number | undefined): undefined {
    this.winner = winner;
    if (this.isRecorded) this.rounds.push(this.round([], []));
  }

  private eliminate(options: readonly number[], tied: readonly number[], by?: RunoffRound['tieBrokenBy']): void {
    if (this.isRecorded) this.rounds.push(this.round(options, tied, by));
    for (const option of options) this.left.delete(option);
    const loose = options.flatMap((option) => this.piles[option] ?? []);
    this.piles = this.piles.map((pile, option) => (this.left.has(option) ? pile : []));
    this.deal(loose);
    this.rank();
  }

  private deal(ballots: readonly Ranking[]): void {
    const isLeft = this.votes.map((_, option) => this.left.has(option));
    const added: Ranking[][] = isLeft.map(() => []);
    const votes = this.votes.map((sum, option) => (isLeft[option] ? sum : 0n));
    const heads = [...this.heads];
    const spent = { ...this.spent };
    this.work += ballots.length + votes.length;
    for (const ballot of ballots) {
      const next = ballot.ranks.find((option) => isLeft[option]);
      if (next === undefined) {
        spent.heads += ballot.heads;
        spent.weight += ballot.weight;
        continue;
      }
      votes[next] = (votes[next] as Weight) + ballot.weight;
      heads[next] = (heads[next] as number) + ballot.heads;
      added[next]?.push(ballot);
    }
    this.piles = this.piles.map((pile, option) => pile.concat(added[option] ?? []));
    this.votes = votes;
    this.heads = heads;
    this.spent = spent;
  }

  private rank(): void {
    this.standing = nextStanding(this.standing, this.votes);
  }

  /**
   * True when the options in last place together have fewer votes than any other option. Eliminating them in any order then has
   * the same outcome.
   */
  private canEliminateTogether(level: readonly number[]): boolean {
    const others = [...this.left].filter((option) => !level.includes(option));
    const together = level.reduce((sum, option) => sum + this.votesOf(option), 0n);
    const needed = this.election.definition.until === 'two' ? 2 : 1;
    return others.length >= needed && others.every((option) => this.votesOf(option) > together);
  }

  private votesOf(option: number): Weight {
    return this.votes[option] ?? 0n;
  }
}
