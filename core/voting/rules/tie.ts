import type { RoundRecord } from './record.ts';
import type { Common } from './settings.ts';

/** Breaks ties by a rule declared before anybody voted, or by lots drawn after the round. */
export interface TieBreaker {
  readonly by: 'order' | 'lot';
  /** The tied options, most favoured first; undefined if neither the rule nor a drawn lot covers all of them. */
  order(tied: readonly string[]): readonly string[] | undefined;
}

/** The poll’s tie-breaker; undefined if ties are not broken, or if no lot has been drawn yet. */
export function tieBreakerOf(
  { tieBreak, options }: Pick<Common, 'tieBreak' | 'options'>,
  { lot, draws = [] }: Pick<RoundRecord, 'lot' | 'draws'>,
): TieBreaker | undefined {
  if (tieBreak === 'order') return byOrders('order', [options.map(({ key }) => key)]);
  if (tieBreak === 'lot') return lot && byOrders('lot', [lot]);
  return draws.length === 0
    ? undefined
    : byOrders(
        'lot',
        draws.map(({ order }) => order),
      );
}

function byOrders(by: TieBreaker['by'], orders: readonly (readonly string[])[]): TieBreaker {
  const all = orders.map((order) => new Map(order.map((key, place) => [key, place])));
  return {
    by,
    order(tied) {
      const places = all.find((known) => tied.every((key) => known.has(key)));
      return places && tied.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
    },
  };
}

/** What may decide who leads, besides the votes. */
export interface Contest {
  readonly breaker?: TieBreaker | undefined;
  /** Keys of options that were withdrawn after voting: they keep their figures, but cannot win. */
  readonly withdrawn?: ReadonlySet<string> | undefined;
}

/** The leading options. */
export interface Leaders {
  /**
   * The winner, or all tied options if nothing breaks the tie; if there are several seats, and with methods that eliminate
   * options, only those that win however ties are broken. Empty if no option has any votes.
   */
  readonly winners: readonly string[];
  /** The tied options, if there was a tie that mattered. */
  readonly tied?: readonly string[];
  readonly tieBrokenBy?: TieBreaker['by'];
  /** The level options between which a lot must decide, if the rules of the poll do not. */
  readonly unresolved?: readonly string[];
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
  const order = breaker?.order(tied);
  if (!breaker || !order) return { winners: tied, tied };
  return { winners: order.slice(0, 1), tied, tieBrokenBy: breaker.by };
}

/**
 * The options that win the seats: those with the highest values above zero, highest first. If options are tied for the last
 * seats and nothing breaks the tie, only the options above them win, and `unresolved` names the tied options.
 */
export function seatsOf(
  values: Iterable<readonly [key: string, value: bigint]>,
  seats: number,
  breaker?: TieBreaker,
): Leaders {
  const ranked = [...values].filter(([, value]) => value > 0n).sort(([, a], [, b]) => (a > b ? -1 : a < b ? 1 : 0));
  const last = ranked[seats - 1]?.[1];
  const keysWhere = (holds: (value: bigint) => boolean) =>
    ranked.filter(([, value]) => holds(value)).map(([key]) => key);
  if (last === undefined || ranked[seats]?.[1] !== last) return { winners: ranked.slice(0, seats).map(([key]) => key) };
  const above = keysWhere((value) => value > last);
  const tied = keysWhere((value) => value === last);
  const order = breaker?.order(tied);
  if (!breaker || !order) return { winners: above, unresolved: tied };
  return { winners: [...above, ...order.slice(0, seats - above.length)], tied, tieBrokenBy: breaker.by };
}
