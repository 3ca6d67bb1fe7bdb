import fc from 'fast-check';
import t from 'tap';
import { decodeEntry, type Entry, encodeEntry } from '../../../../core/voting/count/entry.ts';
import { fold } from '../../../../core/voting/count/fold.ts';
import { partitionOf } from '../../../../core/voting/count/partition.ts';
import { differences } from '../../../../core/voting/count/replay.ts';
import { applyChange } from '../../../../core/voting/count/slice.ts';
import { questionWith } from '../question.ts';
import { aLog, emptyState, opening, sliceOf, votesOf } from './logs.ts';

t.test('entries: encoding loses nothing, and malformed entries are refused', async (t) => {
  fc.assert(
    fc.property(
      aLog,
      (log) => JSON.stringify(log.map((e) => decodeEntry(encodeEntry(e)))) === JSON.stringify(normal(log)),
    ),
  );
  const numbered = votesOf([
    { device: 'd', choice: 'a', n: undefined, t: undefined, dup: false, connection: 12 },
    { device: 'e', choice: 'b', n: 3, t: 4, dup: true, connection: undefined },
  ]);
  t.same(decodeEntry(encodeEntry(numbered)), numbered);
  t.throws(() => decodeEntry('{"type":"x"}'), SyntaxError);
  t.throws(() => decodeEntry('{'), SyntaxError);
  const votes = Array.from({ length: 500 }, (_, i) => ({ device: `clicker-${i}`, choice: 'b' }));
  t.ok(encodeEntry(votesOf(votes)).length / 500 < 25, 'a vote takes less than 25 bytes in the log');
});

t.test('changes: applying a change twice has the same effect as applying it once', async (t) => {
  const state = emptyState();
  fold(state, [opening(questionWith({}))]);
  const { slices } = fold(state, [votesOf([{ device: 'd', choice: 'a' }])]);
  const change = slices[0] as (typeof slices)[0];
  const twice = applyChange(applyChange(undefined, change), change);
  t.same([...twice.tally], [['a', 1]]);
  t.same(differences(twice, sliceOf(state)), []);
});

t.test('devices are spread evenly over the partitions, and the partition of a device never changes', async (t) => {
  const counts = new Array(8).fill(0);
  for (let i = 0; i < 8_000; i++) counts[partitionOf(`clicker-${i}`, 8)]++;
  t.ok(Math.min(...counts) > 800 && Math.max(...counts) < 1200, counts.join(' '));
  t.equal(
    partitionOf('clicker-1', 1024),
    238,
    'the partition of a device must never change, because stored logs depend on it',
  );
});

/** A log from `aLog` as decoding returns it: `dup` is always a boolean, and votes have neither `t` nor `connection`. */
function normal(log: readonly Entry[]): Entry[] {
  return log.map((entry) =>
    entry.type !== 'votes'
      ? entry
      : {
          ...entry,
          rounds: entry.rounds.map((r) => ({
            ...r,
            votes: r.votes.map(({ device, choice, n, dup }) => ({ device, choice, n, dup: dup === true })),
          })),
        },
  );
}
