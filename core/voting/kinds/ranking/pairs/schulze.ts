import type { Weight } from '../../../rules/weight.ts';
import type { Election } from '../ballots.ts';
import { compareVotes } from '../standing.ts';
import { majoritiesOf } from './matrix.ts';

/**
 * The Schulze method (Schulze, "A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner
 * election method", 2011), with winning votes: a path is a chain of majorities from one option to another, and is as strong as
 * the weakest of them. An option wins if no other has a stronger path to it than it has to the other.
 */
export function schulze({ keys, candidates }: Election, votes: readonly (readonly Weight[])[]) {
  const paths = keys.map(() => keys.map(() => 0n));
  const strength = (from: number, to: number): Weight => paths[from]?.[to] ?? 0n;
  for (const { over, under, votes: own } of majoritiesOf(candidates, votes)) (paths[over] as Weight[])[under] = own;
  // The Floyd–Warshall algorithm, for widest paths.
  for (const by of candidates) {
    for (const from of candidates) {
      if (from === by || strength(from, by) === 0n) continue;
      for (const to of candidates) {
        if (to === from || to === by) continue;
        const [weaker = 0n] = [strength(from, by), strength(by, to)].sort(compareVotes);
        if (weaker > strength(from, to)) (paths[from] as Weight[])[to] = weaker;
      }
    }
  }
  const winning = candidates.filter((one) => candidates.every((other) => strength(one, other) >= strength(other, one)));
  return { paths, winning };
}
