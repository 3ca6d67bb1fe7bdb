import type { PollAnswer } from '../../client/answers.ts';
import { publicDefinition } from '../../core/voting/poll/definition.ts';
import { type Poll, versionOf } from '../../core/voting/poll/poll.ts';
import { interruptionsOf } from '../../core/voting/result/result.ts';

/** A poll as the API returns it. Times are in UTC; the right answers are for operators only. */
export function pollView(poll: Poll, isOperator: boolean): PollAnswer {
  const { definition, status, round, createdAtMs, openedAtMs, closesAtMs, stoppedAtMs, closedAtMs } = poll;
  const { electorate, presentAtOpen, presentAtClose, draft } = poll;
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    ...(isOperator
      ? { ...definition, version: versionOf(poll), electorate, presentAtOpen, presentAtClose, draft }
      : publicDefinition(definition)),
    status,
    round,
    createdAt: new Date(createdAtMs).toISOString(),
    openedAt: time(openedAtMs),
    closingAt: time(closesAtMs),
    stoppedAt: time(stoppedAtMs),
    closedAt: time(closedAtMs),
    ...interruptionsOf(poll),
  };
}
