import t from 'tap';
import { sumAccounting, totalRejected } from '../../../../core/voting/count/accounting.ts';
import { currentInRoom, type Poll, pollInRound } from '../../../../core/voting/poll/poll.ts';
import { neededFrom, withPastRound } from '../../../../core/voting/poll/retention.ts';
import { define, pollOf, roll } from '../../../support/kind.ts';
import { question } from '../question.ts';

t.test('the current poll of a room is the open one, or else the one opened last', async (t) => {
  const poll = (id: string, status: Poll['status'], openedAtMs: number, round = 1): Poll => ({
    definition: { ...question, poll: id, room: 'hall' },
    status,
    round,
    createdAtMs: 0,
    openedAtMs,
  });
  const at = (...polls: Poll[]) => currentInRoom(polls, 'hall')?.definition.poll;
  t.equal(at(poll('a', 'open', 1), poll('b', 'closed', 2)), 'a');
  t.equal(at(poll('a', 'closed', 1), poll('b', 'closed', 2)), 'b');
  t.equal(at(poll('a', 'draft', 0, 0)), undefined);
  t.equal(totalRejected(sumAccounting([]).rejected), 0);
});

t.test(
  'retention: the log is kept from the opening of the earliest round that is open or was closed recently',
  async (t) => {
    const hour = 3_600_000;
    const poll = (times: object) => ({ definition: {}, status: 'closed', round: 1, createdAtMs: 0, ...times }) as Poll;
    const before = 1_000 * hour;
    const from = (...polls: Poll[]) => neededFrom(polls, before) / hour + 1;
    t.equal(from(), 1_000);
    t.equal(from(poll({})), 1_000, 'a draft needs no log entries');
    t.equal(
      from(poll({ openedAtMs: 5 * hour, closedAtMs: 900 * hour })),
      1_000,
      'a round that was closed long ago needs no log entries',
    );
    t.equal(from(poll({ openedAtMs: 5 * hour, closedAtMs: 1_001 * hour })), 5);
    t.equal(from(poll({ openedAtMs: 7 * hour })), 7, 'a round that is still open needs the log from its opening on');
    const pastRounds = [{ openedAtMs: 20 * hour, closedAtMs: 1_002 * hour }];
    t.equal(from(poll({ openedAtMs: 1_003 * hour, closedAtMs: 1_004 * hour, pastRounds })), 20);
    let past: ReturnType<typeof withPastRound> = [];
    for (let i = 0; i < 150; i++) past = withPastRound(past, { openedAtMs: i, closedAtMs: i + 0.5 });
    t.equal(past.length, 100);
    t.same(
      [past[0], past[1]],
      [
        { openedAtMs: 0, closedAtMs: 50.5, isMerged: true },
        { openedAtMs: 51, closedAtMs: 51.5 },
      ],
      'the oldest rounds are merged, not forgotten',
    );
  },
);

t.test('earlier rounds keep their own records', async (t) => {
  const poll = pollOf(define('motion'), { openedAtMs: 30, electorate: roll(3) });
  const later: Poll = {
    ...poll,
    round: 3,
    status: 'open',
    pastRounds: [{ openedAtMs: 10, closedAtMs: 11, electorate: roll(1) }, { openedAtMs: 20 }],
  };
  t.match(pollInRound(later, 1), {
    round: 1,
    status: 'closed',
    openedAtMs: 10,
    closedAtMs: 11,
    electorate: { heads: 1 },
  });
  t.equal(pollInRound(later, 2)?.electorate, undefined);
  t.equal(pollInRound(later, 3), later);
  t.equal(pollInRound(later, 4), undefined);
  t.equal(pollInRound(later, 0), undefined);
});
