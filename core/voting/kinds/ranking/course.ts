import type { TieBreaker } from '../../rules/tie.ts';

/** Level options, one of which must be picked: the most favoured one, or the least favoured one. */
export interface Tie {
  readonly options: readonly number[];
  readonly pick: 'most' | 'least';
}

/** A count in progress that stops at each tie, so that every way of breaking it can be tried. */
export interface Course<Self> {
  /** Counts on. Returns the next tie that earlier rounds do not break, or undefined at the end of the count. */
  advance(): Tie | undefined;
  /** Picks one option at the tie where the count stopped. @param by what decided, if the tie matters */
  decide(option: number, by?: TieBreaker['by']): void;
  /** An independent copy at the same point of the count, without the record of what happened so far. */
  fork(): Self;
  /** The options that win, sorted, as text. Only valid at the end of the count. */
  readonly outcome: string;
  /** Equal for counts that will end the same way if ties are broken the same way; undefined if that is not known. */
  readonly signature?: string | undefined;
  /** The number of ballots (or piles of equal ballots) examined so far by this copy. */
  readonly work: number;
}

/**
 * How many ballots (or piles of equal ballots) the search through all ways of breaking ties may examine for a final result,
 * and for a live one, which is computed many times a second. A search that reaches the limit treats the tie as one that matters.
 */
export const SEARCH_LIMIT = { final: 300_000, live: 20_000 } as const;

/**
 * Runs a count to its end. At a tie that earlier rounds do not break, every way of breaking it is tried: if all of them
 * lead to the same winners, the count goes on; otherwise, the tie-breaker decides. Without one, the count stops there.
 *
 * @param limit the most ballots that the search may examine
 * @returns the tied options where the count stopped; undefined if it was completed
 */
export function runCourse<C extends Course<C>>(
  course: C,
  keys: readonly string[],
  breaker: TieBreaker | undefined,
  limit: number,
): readonly number[] | undefined {
  let isSettled = false;
  const search = { left: limit };
  for (;;) {
    const tie = course.advance();
    if (!tie) return undefined;
    isSettled ||= soleOutcome(course, tie, search, new Map()) !== undefined;
    const end = tie.pick === 'most' ? 0 : -1;
    const order = breaker?.order(tie.options.map((option) => keys[option] as string));
    const favoured = order?.at(end);
    if (isSettled) course.decide(favoured === undefined ? (tie.options.at(end) as number) : keys.indexOf(favoured));
    else if (breaker && favoured !== undefined) course.decide(keys.indexOf(favoured), breaker.by);
    else return tie.options;
  }
}

/** The outcome that every way of breaking the ties leads to; undefined if there are several, or if the search was given up. */
function soleOutcome<C extends Course<C>>(
  course: C,
  { options }: Tie,
  search: { left: number },
  known: Map<string, string>,
): string | undefined {
  const { signature } = course;
  const before = signature === undefined ? undefined : known.get(signature);
  if (before !== undefined) return before;
  let sole: string | undefined;
  for (const option of options) {
    const way = course.fork();
    way.decide(option);
    const next = way.advance();
    search.left -= way.work;
    if (search.left < 0) return undefined;
    const outcome = next ? soleOutcome(way, next, search, known) : way.outcome;
    if (outcome === undefined || (sole !== undefined && outcome !== sole)) return undefined;
    sole = outcome;
  }
  if (signature !== undefined && sole !== undefined) known.set(signature, sole);
  return sole;
}
