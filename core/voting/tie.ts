import type { Definition } from './poll.ts';

/** Declared before anybody voted: whom a tie favours. */
export interface TieBreaker {
  readonly by: 'order' | 'lot';
  /** The place of an option: of those that are tied, the one with the lowest is favoured. */
  place(key: string): number;
}

/** The poll's tie-breaker; undefined where ties stay ties. @param lot the options' keys as the lot drew them */
export function tieBreakerOf(
  { tieBreak, options }: Definition,
  lot: readonly string[] | undefined,
): TieBreaker | undefined {
  if (tieBreak === 'order')
    return inOrder(
      'order',
      options.map(({ key }) => key),
    );
  if (tieBreak === 'lot' && lot) return inOrder('lot', lot);
  return undefined;
}

function inOrder(by: TieBreaker['by'], keys: readonly string[]): TieBreaker {
  const places = new Map(keys.map((key, place) => [key, place]));
  return { by, place: (key) => places.get(key) ?? keys.length };
}

/** Who leads. */
export interface Leaders {
  /** One, or all that are tied where nothing breaks the tie; none where nobody has anything. */
  readonly winners: readonly string[];
  /** Those that had the same, when there was a tie. */
  readonly tied?: readonly string[];
  readonly tieBrokenBy?: TieBreaker['by'];
}

/** The options with the highest value. Values that are not above zero lead nothing. */
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

/** Of keys that are tied, the one the tie-breaker favours. */
export function favoured(keys: readonly string[], { place }: TieBreaker): string {
  return keys.reduce((best, key) => (place(key) < place(best) ? key : best));
}
