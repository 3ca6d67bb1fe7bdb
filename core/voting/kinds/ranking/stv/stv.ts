import type { TieBreaker } from '../../../rules/tie.ts';
import type { Election } from '../ballots.ts';
import { runCourse, SEARCH_LIMIT } from '../course.ts';
import type { TransferableCount } from './count.ts';
import { GregoryCount } from './gregory.ts';
import { MeekCount } from './meek.ts';

/**
 * The single transferable vote by the poll’s `rules`. Ties are broken by the latest earlier stage at which the options were not
 * tied, then as described for `runCourse`. If a tie stays open, `winners` are those elected before it, and `unresolved` names
 * the tied options.
 */
export function singleTransferableVote(election: Election, breaker: TieBreaker | undefined, isFinal: boolean) {
  return election.definition.rules === 'meek'
    ? counted(new MeekCount(election), election, breaker, isFinal)
    : counted(new GregoryCount(election), election, breaker, isFinal);
}

function counted<C extends TransferableCount<C>>(
  count: C,
  { keys }: Election,
  breaker: TieBreaker | undefined,
  isFinal: boolean,
) {
  const name = (options: readonly number[]) => options.map((option) => keys[option] as string);
  const open = runCourse(count, keys, breaker, SEARCH_LIMIT[isFinal ? 'final' : 'live']);
  if (open) count.recordOpenTie(open);
  const decided = count.stages.findLast(({ tieBrokenBy }) => breaker && tieBrokenBy === breaker.by);
  return {
    seats: count.seats,
    quota: count.quotaText,
    stages: count.stages,
    winners: name(count.elected),
    ...(open ? { unresolved: name(open) } : {}),
    ...(!open && breaker && decided?.tied ? { tied: decided.tied, tieBrokenBy: breaker.by } : {}),
  };
}
