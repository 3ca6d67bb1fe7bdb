/** Packets that are sent again, with and without DUP, are counted once; real votes that look alike are all counted. */
import t from 'tap';
import { unpackBallot } from '../../../../core/voting/count/ballot.ts';
import { decodeEntry, encodeEntry } from '../../../../core/voting/count/entries/codec.ts';
import { fold } from '../../../../core/voting/count/fold.ts';
import { MAX_PACKETS, packetOf, partsOf } from '../../../../core/voting/count/packet.ts';
import type { Vote } from '../../../../core/voting/count/vote.ts';
import type { Revote } from '../../../../core/voting/rules/settings.ts';
import { questionWith } from '../question.ts';
import { emptyState, opening, sliceOf, storeAndLoad, votesOf } from './logs.ts';

/** A vote with the packet id `id`, over `connection`; `again` if the connection before was lost. */
const vote = (choice: string, id: number, connection: number, again: 'again' | 'dup' | '' = ''): Vote => ({
  device: 'd',
  choice,
  connection,
  packet: packetOf(id, choice.charCodeAt(0)),
  mayRepeat: again === 'again',
  dup: again === 'dup',
});

/** Counts votes after they have gone through the log, and ballots through the form in which stores keep them. */
function count(revote: Revote, votes: readonly Vote[]) {
  const state = emptyState();
  fold(state, [opening(questionWith({ revote }))]);
  for (const each of votes) {
    fold(state, [decodeEntry(encodeEntry(votesOf([each])))]);
    storeAndLoad(state);
  }
  const { tally, accounting } = sliceOf(state);
  return { ballot: [...tally.keys()].join(), ...accounting };
}

t.test('a packet that is sent again over the next connection is a redelivery, even without DUP', async (t) => {
  t.match(
    count('max 2', [vote('a', 1, 10), vote('a', 1, 20, 'again'), vote('b', 2, 20)]),
    { ballot: 'b', counted: 1, replaced: 1, redelivered: 1, rejected: {} },
    'and does not use up a vote',
  );
  t.match(count('first', [vote('a', 1, 10), vote('a', 1, 20, 'again')]), { ballot: 'a', redelivered: 1, rejected: {} });
  t.match(
    count('last', [vote('a', 1, 10), vote('b', 2, 10), vote('a', 1, 20, 'again')]),
    { ballot: 'b', redelivered: 1 },
    'and does not replace a newer vote',
  );
  t.match(
    count('last', [vote('a', 1, 10), vote('b', 2, 10), vote('a', 1, 20, 'again'), vote('b', 2, 20, 'again')]),
    { ballot: 'b', redelivered: 2, replaced: 1 },
    'as is each of several',
  );
  t.match(
    count('max 2', [vote('a', 1, 10), vote('a', 1, 20, 'again'), vote('a', 1, 30, 'again')]),
    { ballot: 'a', redelivered: 2 },
    'and over the connection after that',
  );
  t.match(
    count('last', [vote('a', 1, 10), vote('b', 2, 10), vote('a', 1, 10, 'dup')]),
    { ballot: 'b', redelivered: 1 },
    'and, with DUP, over the same connection',
  );
});

t.test('a vote that only looks like an earlier one counts', async (t) => {
  t.match(
    count('last', [vote('a', 1, 10), vote('b', 2, 10), vote('a', 1, 20)]),
    { ballot: 'a', redelivered: 0 },
    'if the device had left, or the packet is not among the first of the connection',
  );
  t.match(count('last', [vote('a', 1, 10), vote('a', 2, 20, 'again')]), { redelivered: 0, replaced: 1 }, 'another id');
  t.match(count('last', [vote('a', 1, 10), vote('b', 1, 20, 'again')]), { ballot: 'b', replaced: 1 }, 'another choice');
  t.match(
    count('last', [vote('a', 1, 10), vote('b', 1, 20, 'again'), vote('a', 1, 30, 'again')]),
    { ballot: 'a', replaced: 2 },
    'an older vote than those of the last connection',
  );
  t.match(
    count('last', [vote('a', 1, 10), vote('b', 1, 10), vote('a', 1, 20, 'again')]),
    { ballot: 'a', redelivered: 0 },
    'its packet id was used again, so its packet had been acknowledged',
  );
  t.match(count('last', [vote('a', 1, 10), vote('a', 1, 10, 'again')]), { redelivered: 0, replaced: 1 }, 'same line');
});

t.test('in a poll whose votes expire, each press of a clicker that starts anew renews its vote', async (t) => {
  const at = (second: number, connection: number): Vote => ({
    ...vote('a', 1, connection, 'again'),
    choice: `a|s${second}`,
  });
  t.match(count('last', [at(1, 10), at(9, 20)]), { ballot: 'a|s9', replaced: 1 });
  t.match(count('last', [at(1, 10), { ...at(9, 20), dup: true }]), { ballot: 'a|s1', redelivered: 1 });
});

t.test('the number of packets in a ballot is limited', async (t) => {
  const votes = Array.from({ length: MAX_PACKETS + 9 }, (_, i) => vote('a', i + 1, 10));
  const again = (id: number) => vote('a', id, 20, 'again');
  t.match(count('last', [...votes, again(MAX_PACKETS + 9)]), { redelivered: 1 });
  t.match(count('last', [...votes, again(10)]), { redelivered: 1 });
  t.match(count('last', [...votes, again(9)]), { redelivered: 0 });
  t.same(partsOf(packetOf(0xffff, 0xffffffff)), { id: 0xffff, hash: 0xffffffff });
  t.ok(Number.isSafeInteger(packetOf(0xffff, 0xffffffff)));
});

t.test('logs of earlier versions count as before', async (t) => {
  const entry = (sequence: number, connection: number, choice: string, flag = '') =>
    `{"type":"votes","producer":"p","sequence":${sequence},"atMs":5,"rounds":[{"poll":"q","round":1,"votes":[["d","${choice}",${connection}${flag}]],"rejected":{}}],"refused":{},"wire":2}`;
  const state = emptyState();
  fold(state, [opening(questionWith({ revote: 'max 2' }))]);
  fold(
    state,
    [entry(0, 10, 'a'), entry(1, 20, 'a'), entry(2, 20, 'a', ',null,null,1'), entry(3, 20, 'b')].map(decodeEntry),
  );
  t.match(sliceOf(state).accounting, {
    received: 4,
    counted: 1,
    replaced: 1,
    redelivered: 1,
    rejected: { 'too-many-votes': 1 },
  });
  t.same(unpackBallot(['a', 5, null, 7, 2]), { choice: 'a', atMs: 5, n: undefined, connection: 7, votes: 2 });
});
