import t from 'tap';
import { demandContinuable } from '../../../../core/rounds/continuation.ts';
import { sumAccounting, totalRejected } from '../../../../core/voting/count/accounting.ts';
import { currentInRoom, type Poll, pollInRound } from '../../../../core/voting/poll/poll.ts';
import { neededFrom, withPastRound } from '../../../../core/voting/poll/retention.ts';
import { begunAtMs, interruptedMs, isInterruptedAt } from '../../../../core/voting/rules/record.ts';
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
  const continued = { ...poll('a', 'closed', 1), interruptions: [{ closedAtMs: 2, continuedAtMs: 4 }] };
  t.equal(at(continued, poll('b', 'closed', 3)), 'a', 'a poll that was continued later comes first');
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

t.test('interruptions: time that was not voting time is known', async (t) => {
  const record = {
    openedAtMs: 0,
    interruptions: [{ stoppedAtMs: 10, closedAtMs: 12, continuedAtMs: 20 }, { closedAtMs: 30 }],
  };
  t.same(
    [5, 10, 15, 20, 25, 40].map((ms) => interruptedMs(record, ms)),
    [0, 0, 5, 10, 10, 20],
  );
  t.same(
    [5, 11, 19, 20, 31].map((ms) => isInterruptedAt(record, ms)),
    [false, true, true, false, true],
  );
  t.equal(begunAtMs(record), 20);
});

t.test('a round can be continued while its log is kept, if its voters are still known', async (t) => {
  const day = 86_400_000;
  const poll = { ...pollOf(define('single', ['a', 'b'])), closedAtMs: 100 * day };
  const at = (closed: Poll, retentionDays: number, nowMs: number) => () =>
    demandContinuable(closed, retentionDays, nowMs);
  t.doesNotThrow(at(poll, 90, 189 * day));
  t.throws(at(poll, 90, 190 * day), { code: 'log-removed', message: /kept for 90 days/ });
  t.doesNotThrow(at(poll, 0, 10_000 * day), 'the log is kept for ever');
  const secret = define('single', ['a', 'b'], { secrecy: 'secret', visibility: 'closed' });
  t.throws(at({ ...poll, definition: secret }, 0, 100 * day), { code: 'key-destroyed' });
  const interruptions = Array.from({ length: 100 }, () => ({ closedAtMs: 1, continuedAtMs: 2 }));
  t.throws(at({ ...poll, interruptions }, 0, 100 * day), { code: 'too-many-interruptions' });
});

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
