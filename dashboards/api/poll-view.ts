import type { PollAnswer, RoundAnswer } from '../../client/answers.ts';
import { publicDefinition } from '../../core/voting/poll/definition.ts';
import { firstRound, type Poll, pollInRound, versionOf } from '../../core/voting/poll/poll.ts';
import { interruptionsOf } from '../../core/voting/result/result.ts';

/**
 * A poll as the API returns it. Times are in UTC; the right answers are for operators only.
 *
 * @param screenKey the key of the poll’s screens, if the view is for an operator
 */
export function pollView(poll: Poll, screenKey?: string): PollAnswer {
  const { definition, status, round, createdAtMs, openedAtMs, closesAtMs, stoppedAtMs, closedAtMs } = poll;
  const { electorate, presentAtOpen, presentAtClose, draft, curtain } = poll;
  return {
    ...(screenKey === undefined
      ? publicDefinition(definition)
      : { ...definition, version: versionOf(poll), electorate, presentAtOpen, presentAtClose, draft, screenKey }),
    status,
    curtain,
    round,
    createdAt: new Date(createdAtMs).toISOString(),
    openedAt: time(openedAtMs),
    closingAt: time(closesAtMs),
    stoppedAt: time(stoppedAtMs),
    closedAt: time(closedAtMs),
    rounds: roundsOf(poll),
    ...interruptionsOf(poll),
  };
}

/** The rounds whose results are kept, oldest first. */
function roundsOf(poll: Poll): RoundAnswer[] {
  const rounds: RoundAnswer[] = [];
  for (let round = firstRound(poll); round <= poll.round; round++) {
    const then = pollInRound(poll, round);
    if (then) rounds.push({ round, openedAt: time(then.openedAtMs), closedAt: time(then.closedAtMs) });
  }
  return rounds;
}

const time = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
