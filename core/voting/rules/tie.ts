import type { Common } from './settings.ts';

/** Breaks ties by a rule declared before anybody voted. */
export interface TieBreaker {
  readonly by: 'order' | 'lot';
  /** The rank of an option: of several tied options, the one with the lowest rank wins. */
  place(key: string): number;
}

/**
 * The poll’s tie-breaker; undefined if ties are not broken, or if the lot has not been drawn yet.
 *
 * @param lot the option keys in the order drawn
 */
export function tieBreakerOf(
  { tieBreak, options }: Pick<Common, 'tieBreak' | 'options'>,
  lot: readonly string[] | undefined,
): TieBreaker | undefined {
  const keys = options.map(({ key }) => key);
  if (tieBreak === 'order') return inOrder('order', keys);
  if (tieBreak === 'lot' && lot) return inOrder('lot', lot);
  return undefined;
}

function inOrder(by: TieBreaker['by'], keys: readonly string[]): TieBreaker {
  const places = new Map(keys.map((key, place) => [key, place]));
  return { by, place: (key) => places.get(key) ?? keys.length };
}

/** The leading options. */
export interface Leaders {
  /**
   * The winner, or all tied options if nothing breaks the tie; with STV, all elected options. Empty if no option has any votes,
   * or if an unresolved tie stopped a runoff.
   */
  readonly winners: readonly string[];
  /** The tied options, if there was a tie. */
  readonly tied?: readonly string[];
  readonly tieBrokenBy?: TieBreaker['by'];
}

/** The leading options: those with the highest value above zero. If several are tied, the tie-breaker chooses the winner. */
export function leadersOf(values: Iterable<readonly [key: string, value: bigint]>, breaker?: TieBreaker): Leaders {
  let best = 0n;
  let tied: string[] = [];
  for (const [key, value] of values) {
    if (value > best) {
      best = value;
      tied = [];
    }
    if (value === best && value > 0n) tied.push(key);
  }
  if (tied.length < 2) return { winners: tied };
  if (!breaker) return { winners: tied, tied };
  return { winners: [favoured(tied, breaker)], tied, tieBrokenBy: breaker.by };
}

/** The tied key that the tie-breaker favours. */
export function favoured(keys: readonly string[], { place }: TieBreaker): string {
  return keys.reduce((best, key) => (place(key) < place(best) ? key : best));
}
