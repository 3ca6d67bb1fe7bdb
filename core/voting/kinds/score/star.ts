import type { Bundle } from '../../count/cast.ts';
import { type Contest, leadersOf } from '../../rules/tie.ts';
import { formatWeight, ONE, type Weight } from '../../rules/weight.ts';
import type { Definition } from '../definition.ts';
import type { Count } from '../figures/count.ts';
import type { ScoreFigures } from './figures.ts';

type Graded = Bundle & { readonly grades: ReadonlyMap<string, number> };

/** With more tied options than this, it is not investigated whether the tie matters. */
const MAX_SEARCHED = 20;

/**
 * The runoff of STAR voting. Ties are broken by the Equal Vote Coalition's official protocol: a tie for a place in the runoff
 * by the number of head-to-head wins against the other tied options, then by the number of highest grades; a tie in the runoff
 * by the higher sum of grades, then by the number of highest grades. If a tie for a place remains, it is left to the poll's
 * tie-breaker; without one, every way of breaking it is tried, to find out whether it matters.
 */
export function automaticRunoff(
  definition: Definition<'score'>,
  ballots: readonly Graded[],
  count: Count,
  contest: Contest,
): Omit<ScoreFigures, 'options' | 'method'> {
  if (count.total.weight === 0n) return { winners: [] };
  const star = new Star(definition, ballots, count, contest);
  const { finalists, open } = star.select([]);
  if (open.length === 0) return { finalists, ...star.runoff(finalists) };
  const winner = star.soleWinner(finalists, open);
  if (winner !== undefined) return { finalists, level: open, winners: [winner] };
  return { finalists, winners: [], unresolved: open };
}

class Star {
  private readonly definition: Definition<'score'>;
  private readonly ballots: readonly Graded[];
  private readonly count: Count;
  private readonly contest: Contest;
  private readonly keys: readonly string[];
  private readonly preferences = new Map<string, Weight>();
  private readonly tops = new Map<string, Weight>();

  constructor(definition: Definition<'score'>, ballots: readonly Graded[], count: Count, contest: Contest) {
    this.definition = definition;
    this.ballots = ballots;
    this.count = count;
    this.contest = contest;
    this.keys = definition.options.map(({ key }) => key).filter((key) => !contest.withdrawn?.has(key));
  }

  /** Fills the two places of the runoff. `open` lists the options tied for a place, if nothing decides between them. */
  select(chosen: readonly string[]): { finalists: readonly string[]; open: readonly string[] } {
    const finalists = [...chosen];
    const places = Math.min(2, this.keys.length);
    while (finalists.length < places) {
      const rest = this.keys.filter((key) => !finalists.includes(key));
      const level = highest(rest, (key) => this.count.weight(key));
      const vacant = places - finalists.length;
      if (level.length <= vacant) {
        finalists.push(...level);
        continue;
      }
      const mostWins = highest(level, (key) =>
        BigInt(level.filter((other) => this.prefer(key, other) > this.prefer(other, key)).length),
      );
      const best = mostWins.length <= vacant ? mostWins : highest(mostWins, (key) => this.top(key));
      const drawn = best.length <= vacant ? best : this.contest.breaker?.order(best)?.slice(0, 1);
      if (!drawn) return { finalists, open: best };
      finalists.push(...drawn);
    }
    return { finalists, open: [] };
  }

  /** The runoff between two finalists. */
  runoff(finalists: readonly string[]) {
    const votes = (key: string) =>
      finalists.reduce((sum, other) => (other === key ? sum : sum + this.prefer(key, other)), 0n);
    const figure = (weight: Weight) => (this.definition.weighted ? formatWeight(weight) : Number(weight / ONE));
    const ahead = highest(finalists, votes);
    const better = ahead.length > 1 ? highest(ahead, (key) => this.count.weight(key)) : ahead;
    const best = better.length > 1 ? highest(better, (key) => this.top(key)) : better;
    return {
      runoff: finalists.map((key) => ({ key, preferredBy: figure(votes(key)) })),
      ...leadersOf(
        best.map((key) => [key, 1n] as const),
        this.contest.breaker,
      ),
    };
  }

  /** The option that wins whichever of the tied options gets the place; undefined if that depends, or is not known. */
  soleWinner(finalists: readonly string[], open: readonly string[]): string | undefined {
    if (open.length > MAX_SEARCHED) return undefined;
    let sole: string | undefined;
    for (const key of open) {
      const way = this.select([...finalists, key]);
      const winners =
        way.open.length > 0 ? [this.soleWinner(way.finalists, way.open)] : this.runoff(way.finalists).winners;
      const [winner] = winners;
      if (winners.length !== 1 || winner === undefined || (sole !== undefined && sole !== winner)) return undefined;
      sole = winner;
    }
    return sole;
  }

  /** The votes that grade one option higher than another. */
  private prefer(one: string, other: string): Weight {
    const pair = `${one} ${other}`;
    const known = this.preferences.get(pair);
    if (known !== undefined) return known;
    const { min = 0 } = this.definition;
    let sum = 0n;
    for (const { grades, weight } of this.ballots) {
      if ((grades.get(one) ?? min) > (grades.get(other) ?? min)) sum += weight;
    }
    this.preferences.set(pair, sum);
    return sum;
  }

  /** The votes that give an option the highest grade. */
  private top(key: string): Weight {
    const known = this.tops.get(key);
    if (known !== undefined) return known;
    const { max = 5 } = this.definition;
    const sum = this.ballots.reduce((all, { grades, weight }) => (grades.get(key) === max ? all + weight : all), 0n);
    this.tops.set(key, sum);
    return sum;
  }
}

/** The keys with the highest value. */
function highest(keys: readonly string[], worth: (key: string) => bigint): string[] {
  let best: bigint | undefined;
  let found: string[] = [];
  for (const key of keys) {
    const value = worth(key);
    if (best === undefined || value > best) {
      best = value;
      found = [];
    }
    if (value === best) found.push(key);
  }
  return found;
}
