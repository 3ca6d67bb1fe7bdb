import t from 'tap';
import { MAX_BLIND_SEQUENCE } from '../../../core/devices/pseudonym.ts';
import {
  isExpected,
  joined,
  nextNumber,
  type Outbox,
  type OwnVote,
  undelivered,
  withOutcome,
  withVote,
} from '../../../dashboards/pages/vote/booth/outbox.ts';

const guest = (device: string, room = 'hall') => ({ device, room });
const vote = (more: Partial<OwnVote> = {}): OwnVote => ({
  ...{ poll: 'q', round: 1, room: 'hall', choice: 'a', n: 1, t: 0, state: 'queued' },
  ...more,
});
const sentBy = (device: string, more: Partial<OwnVote> = {}) => vote({ device, wasSent: true, state: 'sent', ...more });
const memoryOf = (device: string, ...votes: OwnVote[]): Outbox => ({ credentials: guest(device), n: 1, votes });
const polls = (votes: readonly OwnVote[]) => votes.map(({ poll }) => poll);

t.test('a vote that was sent as one guest is never sent as another', async (t) => {
  for (const state of ['queued', 'sent'] as const) {
    const before = memoryOf('guest-1', sentBy('guest-1', { state }), vote({ poll: 'unsent', n: 2 }));
    t.same(polls(undelivered(before, 'hall')), ['q', 'unsent'], 'as the same guest, it is sent again');
    t.same(polls(undelivered({ ...before, credentials: guest('guest-2') }, 'hall')), ['unsent']);
    t.same(polls(undelivered({ ...before, credentials: undefined }, 'hall')), ['unsent']);
    const after = joined(before, guest('guest-2'));
    t.match(after, { credentials: { device: 'guest-2' }, votes: [{ state: 'unclear' }, { state: 'queued' }] });
    t.equal(isExpected(after, sentBy('guest-1')), false, 'a late answer does not bring it back');
    t.match(
      joined(before, guest('guest-1')).votes,
      [{ state }, { state: 'queued' }],
      'a join code gives the same guest',
    );
  }
  const done = memoryOf('guest-1', sentBy('guest-1', { state: 'accepted' }));
  t.match(joined(done, guest('guest-2')).votes, [{ state: 'accepted' }]);
});

t.test('a vote is sent only in its room', async (t) => {
  const hall = memoryOf('guest-1', vote(), sentBy('guest-1', { poll: 'sent', n: 2 }));
  const bar = joined(hall, guest('guest-2', 'bar'));
  t.same(undelivered(bar, 'bar'), []);
  t.same(
    polls(undelivered({ ...bar, credentials: guest('guest-1') }, 'hall')),
    ['q', 'sent'],
    'they are sent once the phone is back',
  );
  const old = memoryOf('guest-1', vote({ room: undefined }));
  t.same(polls(undelivered(old, 'hall')), ['q'], 'an earlier version did not store the room');
});

t.test('numbers are in order over all phones of a guest, however often each of them voted', async (t) => {
  const atMs = Date.UTC(2026, 10, 28);
  let busy: Outbox = { n: 0, votes: [] };
  for (let i = 0; i < 50; i++) busy = withVote(busy, vote({ n: nextNumber(busy, atMs + i * 200) }));
  const fresh = nextNumber({ n: 0, votes: [] }, atMs + 11_000);
  t.ok(fresh > busy.n, 'the vote on the other phone is newer');
  t.ok(nextNumber(busy, atMs + 12_000) > fresh);
  t.equal(nextNumber(busy, 0), busy.n + 1, 'the clock was set back');
  t.equal(nextNumber(busy, atMs), busy.n + 1, 'two votes at once');
  const far = nextNumber(busy, Date.UTC(2126, 0, 1));
  t.ok(
    Number.isSafeInteger(far) && far < MAX_BLIND_SEQUENCE && far < 2 ** 40 / 10,
    'small compared with what is added',
  );
});

t.test('only a vote that may have been counted before is unclear when it comes too late', async (t) => {
  t.match(withOutcome(vote(), 'rejected', 'closed'), { state: 'rejected', reason: 'closed' });
  t.match(withOutcome(sentBy('guest-1'), 'rejected', 'closed'), { state: 'unclear', reason: 'closed' });
  t.match(withOutcome(sentBy('guest-1'), 'rejected', 'bad-choice'), { state: 'rejected' });
});
