import fc from 'fast-check';
import t from 'tap';
import { balances } from '../../../../core/voting/count/accounting.ts';
import { decodeEntry, encodeEntry, readEntry } from '../../../../core/voting/count/entries/codec.ts';
import { jsonOf } from '../../../../core/voting/count/entries/json.ts';
import type { UnreadableEntry } from '../../../../core/voting/count/entry.ts';
import { fold } from '../../../../core/voting/count/fold.ts';
import { partitionOf } from '../../../../core/voting/count/partition.ts';
import { differences, Replay } from '../../../../core/voting/count/replay.ts';
import { applyChange } from '../../../../core/voting/count/slice.ts';
import { plain } from '../../../support/plain-entry.ts';
import { questionWith } from '../question.ts';
import { aLog, closing, emptyState, opening, sliceOf, votesOf } from './logs.ts';

t.test('entries: encoding loses nothing, and malformed entries are refused', async (t) => {
  fc.assert(
    fc.property(
      aLog,
      (log) => JSON.stringify(log.map((e) => plain(decodeEntry(encodeEntry(e))))) === JSON.stringify(log.map(plain)),
    ),
  );
  const numbered = votesOf([
    { device: 'd', choice: 'a', n: undefined, t: undefined, dup: false, connection: 12 },
    { device: 'e', choice: 'b', n: 3, t: 4, dup: true, connection: undefined },
  ]);
  t.same(plain(decodeEntry(encodeEntry(numbered))), plain(numbered));
  t.throws(() => decodeEntry('{"type":"x"}'), SyntaxError);
  t.throws(() => decodeEntry('{'), SyntaxError);
  const votes = Array.from({ length: 500 }, (_, i) => ({ device: `clicker-${i}`, choice: 'b' }));
  t.ok(encodeEntry(votesOf(votes)).length / 500 < 14, 'a vote takes little more than the id of its device');
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

t.test('no text makes reading or folding throw, and what is damaged is said without its content', async (t) => {
  const good = jsonOf(votesOf([{ device: 'd', choice: 'a', connection: 1, packet: 7 }]));
  const isHarmless = (text: string) => {
    const entry = readEntry(text);
    if (entry.type === 'newer') return true;
    const state = emptyState();
    fold(state, [opening(questionWith({})), entry, closing()]);
    return balances(sliceOf(state).accounting);
  };
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.constant('')), isHarmless));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.constantFrom('', '0', '"', '[', 'null', '{}'), (at, by) =>
      isHarmless(good.slice(0, at) + by + good.slice(at + 1)),
    ),
    { numRuns: 1_000 },
  );
  const secret = readEntry('{"type":"votes","voter":"anna"} trailing');
  t.match(secret, { type: 'unreadable', why: 'not JSON' });
  for (const text of ['{"v":2}', '{"v":7,"type":"votes"}', '{"type":"votes","wire":4,"rounds":[]}']) {
    t.match(readEntry(text), { type: 'newer' }, text);
  }
  for (const text of ['null', '7', '{}', '{"v":0,"type":"open"}', '{"v":"2"}', '{"type":"later"}', '{"type":"open"}']) {
    t.match(readEntry(text), { type: 'unreadable' }, text);
  }
});

t.test('an unreadable entry marks the rounds that are open at its place, however the log is split', async (t) => {
  const damaged = readEntry('?') as UnreadableEntry;
  const log = [
    damaged,
    opening(questionWith({})),
    votesOf([{ device: 'd', choice: 'a' }]),
    damaged,
    damaged,
    closing(),
  ];
  const whole = emptyState();
  fold(whole, [...log, damaged]);
  t.match(sliceOf(whole), { missing: 2, open: false });
  const split = emptyState();
  for (const entry of [...log, damaged]) fold(split, [entry]);
  t.same(differences(sliceOf(whole), sliceOf(split)), []);
  const replay = new Replay('q', 1);
  replay.add([...log, damaged]);
  t.same(differences(sliceOf(whole), replay.slice), []);
});
