import type { LiveResults } from '../../core/live/results.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { firstRound, type Poll, pollInRound } from '../../core/voting/poll/poll.ts';

/** Finds the round that a request is about. */

/** The poll as it was in a round, by default the current one. @throws Refusal not-opened, no-such-round */
export function openedRound(poll: Poll, round: number | undefined): Poll {
  if (poll.round > 0) return knownRound(poll, round ?? poll.round);
  throw new Refusal('not-opened', `poll ${poll.definition.poll} was never opened, so there is nothing to count`);
}

/** The poll as it was in a round. @throws Refusal no-such-round */
export function knownRound(poll: Poll, round: number): Poll {
  const first = firstRound(poll);
  const found = round >= first ? pollInRound(poll, round) : undefined;
  if (found) return found;
  const { poll: id } = poll.definition;
  throw new Refusal('no-such-round', `poll ${id} has rounds ${first} to ${poll.round}, not ${round}`);
}

/** @throws Refusal not-final */
export async function demandFinal(results: LiveResults, poll: Poll): Promise<void> {
  if ((await results.result(poll)).final) return;
  const { poll: id } = poll.definition;
  throw new Refusal(
    'not-final',
    `round ${poll.round} of poll ${id} is not final yet; close the poll and try again in a moment`,
  );
}

/**
 * Demands that the log of a round does not grow any more. A round that lacks a part never becomes final, but its log must be open
 * to inspection all the more. @throws Refusal not-final
 */
export async function demandSettled(results: LiveResults, poll: Poll): Promise<void> {
  const { missing } = await results.result(poll);
  if (!missing || poll.status !== 'closed') await demandFinal(results, poll);
}
