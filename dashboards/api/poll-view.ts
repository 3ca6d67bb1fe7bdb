import type { FastifyRequest } from 'fastify';
import type { PollAnswer, RoundAnswer } from '../../client/answers.ts';
import { publicDefinition } from '../../core/voting/poll/definition.ts';
import { firstRound, type Poll, pollInRound, versionOf } from '../../core/voting/poll/poll.ts';
import { interruptionsOf } from '../../core/voting/result/result.ts';
import type { Operators } from './operators.ts';
import { mayDo, PERMISSIONS, type Rule } from './permissions/table.ts';

/**
 * A poll as the API returns it. Times are in UTC. Its settings and right answers are for operators of its room, and the key of its
 * screens for those of them who may hide and show figures.
 */
export function pollView(operators: Operators, request: FastifyRequest, poll: Poll): PollAnswer {
  const isForOperators = operators.seesSettings(request, poll.definition.room);
  const mayHide = mayDo(PERMISSIONS['POST /api/polls/:poll/hide'] as Rule, operators.signedIn(request)?.role);
  const screenKey = isForOperators && mayHide ? operators.screenKey(poll) : undefined;
  const { definition, status, round, createdAtMs, openedAtMs, closesAtMs, stoppedAtMs, closedAtMs } = poll;
  const { electorate, presentAtOpen, presentAtClose, draft, curtain } = poll;
  return {
    ...(!isForOperators
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
