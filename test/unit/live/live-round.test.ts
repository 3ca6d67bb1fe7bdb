import t, { type Test } from 'tap';
import { Calculator, CopyLost } from '../../../core/live/calculator/calculator.ts';
import { LiveRound } from '../../../core/live/live-round.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { applyChange, newSlice, type Slice, type SliceChange, storedSlice } from '../../../core/voting/count/slice.ts';
import type { Definition } from '../../../core/voting/kinds/definition.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { resultOf } from '../../../core/voting/result/result.ts';
import { randomChoice } from '../../../devices-sim/kinds.ts';
import { seeded } from '../../../devices-sim/random.ts';
import { define, pollOf } from '../../support/kind.ts';

const log = createLog('silent');
const KEYS = [...'abcdefgh'];
const ranking = define('ranking', KEYS, { method: 'irv', tieBreak: 'order' });
const PARTITIONS = 3;

const openPoll = (definition: Definition): Poll => ({ ...pollOf(definition), status: 'open' });

/** Slices with many different ballots; one partition has none. */
function slicesOf(definition: Definition, ballots: number): (Slice | undefined)[] {
  const random = seeded(1);
  const slices = [newSlice('q', 1, 'last', 1), undefined, newSlice('q', 1, 'last', 2)];
  for (let i = 0; i < ballots; i++) {
    const slice = slices[(i % 2) * 2] as Slice;
    const choice = `${randomChoice(definition, random)}|w${1 + (i % 50)}`;
    slice.tally.set(choice, (slice.tally.get(choice) ?? 0) + 1);
    slice.accounting.received++;
    slice.accounting.counted++;
  }
  return slices;
}

const copyOf = (slices: readonly (Slice | undefined)[]) =>
  slices.map((slice) => slice && { ...slice, accounting: { ...slice.accounting }, tally: new Map(slice.tally) });

function changeOf(slice: Slice | undefined, weights: readonly (readonly [string, number])[]): SliceChange {
  const base = slice ?? newSlice('q', 1, 'last', 3);
  return { poll: 'q', round: 1, ...storedSlice({ ...base, atMs: base.atMs + 1 }), weights };
}

function calculator(t: Test): Calculator {
  const opened = new Calculator(log);
  t.teardown(() => opened.close());
  return opened;
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

t.test('a large round is computed in another thread, with the same result, also while it changes', async (t) => {
  const slices = slicesOf(ranking, 6_000);
  const expected = copyOf(slices);
  const poll = openPoll(ranking);
  const round = new LiveRound('q/1', slices, calculator(t));
  const apply = (partition: number, weights: readonly (readonly [string, number])[]) => {
    const change = changeOf(expected[partition], weights);
    expected[partition] = applyChange(expected[partition], change);
    round.apply(partition, change);
  };
  const some = [...(expected[0]?.tally.keys() ?? [])];
  const first = round.result(poll);
  t.ok(round.isCopied, 'the round is being handed over');
  // While it is handed over: choices that were sent or not, removed and new ones, and a partition without a slice.
  apply(0, [
    [some[0] as string, 0],
    [some.at(-1) as string, 0],
  ]);
  apply(1, [['h>g', 500]]);
  await new Promise((resolve) => setImmediate(resolve));
  apply(0, [
    ['a', 7],
    [some[1] as string, 9],
  ]);
  apply(2, [['b>a|w3', 2]]);
  await first;
  t.same(plain(await round.result(poll)), plain(resultOf(poll, expected, Date.now())));
  apply(0, [['c', 10_000]]);
  const last = await round.result(poll);
  t.same(plain(last), plain(resultOf(poll, expected, Date.now())));
  t.equal(await round.result(poll), last, 'as long as nothing changes, it is the same object');
  const changed: Partial<Poll>[] = [
    { status: 'closed' },
    { definition: { ...ranking, title: 'Another?' } },
    { withdrawals: [{ option: 'c', atMs: 1 }] },
    { draws: [{ order: ['a', 'b'], atMs: 1 }] },
    { interruptions: [{ closedAtMs: 1 }] },
  ];
  for (const change of changed) {
    const other = { ...poll, ...change };
    const result = await round.result(other);
    t.same(plain(result), plain(resultOf(other, expected, Date.now())), `with another ${Object.keys(change)}`);
  }
});

t.test('those who ask while a result is computed share it, and none gets an older one', async (t) => {
  for (const ballots of [10, 3_000]) {
    const round = new LiveRound('q/1', slicesOf(ranking, ballots), calculator(t));
    const poll = openPoll(ranking);
    const before = await Promise.all([round.result(poll), round.result(poll), round.result(poll)]);
    t.equal(new Set(before).size, 1, `${ballots} ballots`);
    const early = round.result({ ...poll });
    const change = { ...changeOf(undefined, [['d', 4_000]]), atMs: 99_000 };
    round.apply(1, change);
    const late = await Promise.all([
      round.result(poll),
      round.result({ ...poll, status: 'closed' }),
      round.result(poll),
    ]);
    for (const result of late) t.equal(result.at, new Date(99_000).toISOString(), 'nothing older than the question');
    await early;
  }
});

t.test('results with different states of the poll do not hinder each other', async (t) => {
  const round = new LiveRound('q/1', slicesOf(ranking, 2_000), calculator(t));
  const polls = Array.from({ length: 20 }, (_, i) => ({ ...openPoll({ ...ranking, title: `Title ${i}` }) }));
  const results = await Promise.all(polls.map((poll) => round.result(poll)));
  t.same(
    results.map(({ title }) => title),
    polls.map(({ definition }) => definition.title),
  );
});

t.test('without a calculator, or with few different ballots, a result is computed here', async (t) => {
  const large = new LiveRound('q/1', slicesOf(ranking, 3_000), undefined);
  t.same(plain(await large.result(openPoll(ranking))), plain(resultOf(openPoll(ranking), slicesOf(ranking, 3_000), 0)));
  const small = new LiveRound('q/1', slicesOf(ranking, 10), calculator(t));
  await small.result(openPoll(ranking));
  t.notOk(large.isCopied || small.isCopied);
});

t.test('a pulse is computed again when a press expires, and not before', async (t) => {
  const pulse = define('pulse', ['a', 'b'], { windowMs: 10_000 });
  const poll = openPoll(pulse);
  const second = Math.floor(Date.now() / 1_000);
  const slice = newSlice('q', 1, 'last', 1);
  slice.tally.set(`a|s${second}`, 2).set(`a|s${second - 3_600}`, 5);
  const round = new LiveRound(
    'q/1',
    Array.from({ length: PARTITIONS }, (_, p) => (p === 1 ? slice : undefined)),
    undefined,
  );
  const result = await round.result(poll);
  t.match(result.options[0], { key: 'a', count: 2 });
  t.equal(await round.result(poll), result, 'the same object until then');
  t.notOk(round.hasChanged((second + 10) * 1_000 - 1));
  t.ok(round.hasChanged((second + 10) * 1_000), 'the press has expired');
  t.ok(round.hasChanged(0), 'the clock was set back');
  round.apply(1, changeOf(slice, [[`b|s${second}`, 1]]));
  t.ok(round.hasChanged(second * 1_000));
});

t.test('a large pulse that expires while it is computed is not computed once per caller', async (t) => {
  const pulse = define('pulse', ['a', 'b'], { windowMs: 10_000 });
  const started = calculator(t);
  const round = new LiveRound('q/1', slicesOf(ranking, 3_000), started);
  let computed = 0;
  const compute = started.compute.bind(started);
  started.compute = async (...args) => {
    computed++;
    const { result } = await compute(...args);
    // It has expired by the time it arrives.
    return { result, untilMs: 0 };
  };
  const poll = openPoll(pulse);
  await Promise.all(Array.from({ length: 50 }, () => round.result(poll)));
  t.ok(computed <= 2, `computed ${computed} times`);
});

t.test('an object that was dropped leaves the copy of the one that replaces it alone', async (t) => {
  const shared = calculator(t);
  const old = new LiveRound('q/1', slicesOf(ranking, 6_000), shared);
  const asked = old.result(openPoll(ranking));
  old.drop();
  const next = new LiveRound('q/1', slicesOf(ranking, 3_000), shared);
  await t.rejects(asked, CopyLost);
  t.match(await next.result(openPoll(ranking)), { ballots: 3_000 });
  old.drop();
  next.apply(1, changeOf(undefined, [['d', 500]]));
  t.match(await next.result(openPoll(ranking)), { ballots: 3_000 }, 'the copy is still there');
  shared.drop('q/1');
  next.apply(1, changeOf(undefined, [['d', 600]]));
  await t.rejects(next.result(openPoll(ranking)), CopyLost, 'a copy that is not there must be made again');
});

t.test('a thread that cannot be started is like one that was lost', async (t) => {
  let losses = 0;
  const broken = new Calculator(log, () => losses++, new URL('http://127.0.0.1/'));
  const round = new LiveRound('q/1', slicesOf(ranking, 3_000), broken);
  for (let i = 0; i < 2; i++) t.match(await round.result(openPoll(ranking)), { ballots: 3_000 }, 'computed here');
  t.same([losses, broken.isAvailable], [1, false]);
});

t.test('a round whose copy is dropped or whose thread ends must be loaded again', async (t) => {
  const dropped = new LiveRound('q/1', slicesOf(ranking, 3_000), calculator(t));
  const asked = dropped.result(openPoll(ranking));
  dropped.drop();
  await t.rejects(asked, CopyLost);
  let losses = 0;
  const broken = new Calculator(log, () => losses++, new URL('data:text/javascript,throw new Error("broken")'));
  t.teardown(() => broken.close());
  let heard = 0;
  broken.on('lost', () => heard++);
  const round = new LiveRound('q/1', slicesOf(ranking, 3_000), broken);
  await t.rejects(round.result(openPoll(ranking)), CopyLost);
  t.same([losses, heard, broken.isAvailable], [1, 1, false], 'it is counted, told and left alone for a while');
  const again = new LiveRound('q/1', slicesOf(ranking, 3_000), broken);
  t.match(await again.result(openPoll(ranking)), { ballots: 3_000 }, 'meanwhile, results are computed here');
  await broken.close();
  t.equal(broken.isAvailable, false);
});
