import fc from 'fast-check';
import t from 'tap';
import { balances } from '../../../../core/voting/count/accounting.ts';
import { BallotTable } from '../../../../core/voting/count/ballots/table.ts';
import { VoteColumns } from '../../../../core/voting/count/entries/columns.ts';
import type { Entry } from '../../../../core/voting/count/entry.ts';
import { type FoldState, fold, MAX_PRODUCERS, touchedBy } from '../../../../core/voting/count/fold.ts';
import { differences } from '../../../../core/voting/count/replay.ts';
import { applyChange, roundKey, type Slice } from '../../../../core/voting/count/slice.ts';
import { total } from '../../../../core/voting/count/tally.ts';
import type { Vote } from '../../../../core/voting/count/vote.ts';
import type { Revote } from '../../../../core/voting/rules/settings.ts';
import { questionWith } from '../question.ts';
import { aLog, aRevote, closing, countOf, emptyState, opening, sliceOf, votesOf } from './logs.ts';

t.test('fold: revotes, redeliveries, late votes and early votes are counted according to the rules', async (t) => {
  const count = (revote: Revote, votes: readonly Vote[]) => {
    const { tally, accounting } = countOf([opening(questionWith({ revote })), votesOf(votes)]);
    return { tally: [...tally], ...accounting };
  };
  const a = { device: 'd', choice: 'a' };
  const b = { device: 'd', choice: 'b' };
  t.same(count('last', [a, b]).tally, [['b', 1]]);
  t.match(count('last', [a, b]), { received: 2, counted: 1, replaced: 1 });
  t.match(count('last', [a, a]), { counted: 1, replaced: 1, redelivered: 0 }, 'a second press replaces the first vote');
  t.match(
    count('last', [a, { ...a, dup: true }]),
    { counted: 1, redelivered: 1, replaced: 0 },
    'a redelivery is not counted again',
  );
  t.match(
    count('last', [{ ...a, dup: true }]),
    { counted: 1, redelivered: 0 },
    'a redelivery counts if the first copy never arrived',
  );
  t.same(
    count('last', [
      { ...a, n: 1 },
      { ...b, n: 2 },
      { ...a, n: 1, dup: true },
    ]).tally,
    [['b', 1]],
  );
  t.same(
    count('last', [
      { ...a, n: 7 },
      { ...b, n: 3 },
    ]).tally,
    [['a', 1]],
    'a vote with a lower n does not override a vote with a higher n',
  );
  t.same(
    count('last', [{ ...a, n: 7 }, b, { ...a, n: 6 }]).tally,
    [['b', 1]],
    'a vote with a lower n does not count even after a vote without n',
  );
  const by = (connection: number, vote: Vote): Vote => ({ ...vote, connection });
  t.match(
    count('last', [by(1, a), by(2, b), by(1, a)]),
    { tally: [['b', 1]], replaced: 1, redelivered: 1 },
    'a delayed vote from an earlier connection does not override a newer vote',
  );
  t.same(count('last', [by(2, b), by(1, { ...a, n: 9 }), by(2, { ...b, n: 8 })]).tally, [['b', 1]]);
  t.same(
    count('last', [by(2, { ...b, n: 1 }), by(1, { ...a, n: 2 })]).tally,
    [['a', 1]],
    'a vote from an earlier connection overrides a vote with a lower n',
  );
  t.same(
    count('last', [by(2, b), a]).tally,
    [['b', 1]],
    'a vote without a connection number is treated as older than votes with one',
  );
  t.same(count('first', [a, b]).tally, [['a', 1]]);
  t.match(count('first', [a, b]), { counted: 1, rejected: { 'already-voted': 1 } });
  t.match(count('first', [a, { ...a, dup: true }]), { counted: 1, redelivered: 1 });

  const vote = votesOf([{ device: 'e', choice: 'a' }]);
  t.match(countOf([opening(questionWith({})), closing(), vote]).accounting, {
    received: 1,
    counted: 0,
    rejected: { closed: 1 },
  });
  const early = emptyState();
  fold(early, [vote, opening(questionWith({}))]);
  t.match(early.refused, { 'not-open': 1 }, 'a vote before the open marker belongs to no round');
  t.equal(sliceOf(early).accounting.received, 0);
});

t.test('fold: a round goes on after the marker that continues it, and only then', async (t) => {
  const vote = (choice: string) => votesOf([{ device: choice, choice }]);
  const [open, close] = [opening(questionWith({})), closing()];
  const again = { ...open, record: { interruptions: [{ closedAtMs: 1, continuedAtMs: 2 }] } };
  const end = { ...close, record: again.record };
  const state = emptyState();
  fold(state, [open, vote('a'), close, vote('b'), again, vote('c'), open, close, vote('d')]);
  t.equal(sliceOf(state).open, true, 'the markers of the first stretch, written again, do not end the second');
  fold(state, [end, vote('e'), again, vote('f')]);
  t.equal(sliceOf(state).open, false, 'nor does the second open marker continue the round twice');
  t.same([...sliceOf(state).tally.keys()], ['a', 'c', 'd']);
  t.match(sliceOf(state).accounting, { received: 6, counted: 3, rejected: { closed: 3 } });
  const cut = emptyState();
  fold(cut, [again, vote('a')]);
  t.match(
    cut,
    { slices: new Map(), refused: { 'not-open': 1 } },
    'a round whose opening is missing is not counted in part',
  );
});

t.test('fold: repeated markers and resent entries take effect only once', async (t) => {
  const vote = votesOf([{ device: 'd', choice: 'a' }]);
  const state = emptyState();
  fold(state, [opening(questionWith({})), vote, opening(questionWith({})), vote, closing(), closing()]);
  t.equal(sliceOf(state).accounting.received, 1, 'a resent entry is folded once');
  t.equal(sliceOf(state).open, false);
  fold(state, [opening(questionWith({}))]);
  t.equal(sliceOf(state).open, false, 'a repeated open marker does not reopen the round');
  fold(state, [opening(questionWith({}), 2)]);
  t.equal(sliceOf(state, 2).open, true);
  t.equal(sliceOf(state, 2).accounting.received, 0, 'every round has its own tally');

  const many = emptyState();
  const runs = Array.from({ length: MAX_PRODUCERS + 5 }, (_, i) => votesOf([], { producer: `run-${i}`, rounds: [] }));
  const { producers } = fold(many, runs);
  t.equal(many.producers.size, MAX_PRODUCERS, 'the oldest producers are forgotten');
  t.same(
    producers.filter(([, sequence]) => sequence === null).map(([run]) => run),
    ['run-0', 'run-1', 'run-2', 'run-3', 'run-4'],
  );
});

t.test(
  'fold: the count does not depend on the batches, even if each batch loads only the rounds it touches',
  async () => {
    fc.assert(
      fc.property(aLog, aRevote, fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }), (log, revote, cuts) => {
        const entries = [opening(questionWith({ revote })), ...log];
        const whole = countOf(entries);
        const kept = new CommittedCounts();
        for (let at = 0, i = 0; at < entries.length; i++) {
          const size = cuts[i % cuts.length] as number;
          kept.commit(entries.slice(at, at + size));
          at += size;
        }
        return differences(kept.slices.get('q/1'), whole).length === 0;
      }),
    );
  },
);

t.test('fold: the tally adds up to the number of counted ballots, and every vote is accounted for', async () => {
  fc.assert(
    fc.property(aLog, aRevote, fc.nat(50), (log, revote, refused) => {
      const edge = votesOf([], {
        rounds: [{ poll: 'q', round: 1, votes: new VoteColumns(), rejected: { empty: refused } }],
      });
      const { tally, accounting } = countOf([opening(questionWith({ revote })), ...log, edge]);
      return total(tally) === accounting.counted && balances(accounting);
    }),
  );
});

t.test('fold: interleaved devices and redeliveries do not change the tally', async () => {
  const script = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(script, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.nat(1000)),
      aRevote,
      (scripts, chance, revote) => {
        const draw = () => chance.next().value as number;
        const inOrder = scripts.flatMap((choices, i) => choices.map((choice, n) => ({ device: `d${i}`, choice, n })));
        const queues = scripts.map((choices, i) => choices.map((choice, n) => ({ device: `d${i}`, choice, n })));
        const shuffled: Vote[] = [];
        while (queues.some((queue) => queue.length > 0)) {
          const left = queues.filter((queue) => queue.length > 0);
          const vote = (left[draw() % left.length] as Vote[]).shift() as Vote;
          shuffled.push(vote);
          const earlier = shuffled.filter(({ device }) => device === vote.device);
          if (draw() % 3 === 0) shuffled.push({ ...(earlier[draw() % earlier.length] as Vote), dup: true });
        }
        const tally = (votes: Vote[]) => [...countOf([opening(questionWith({ revote })), votesOf(votes)]).tally].sort();
        return JSON.stringify(tally(inOrder)) === JSON.stringify(tally(shuffled));
      },
    ),
  );
});

/** What a processor keeps between commits. A commit writes only changes and reads only what its entries touch. */
class CommittedCounts {
  readonly slices = new Map<string, Slice>();
  private readonly pages = new Map<string, { count: number; pages: Map<number, Uint8Array> }>();
  private readonly producers = new Map<string, number>();

  commit(entries: readonly Entry[]): void {
    const state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(this.producers), refused: {} };
    for (const key of touchedBy(entries).keys()) {
      const slice = this.slices.get(key);
      if (!slice) continue;
      state.slices.set(key, structuredClone(slice));
      const table = new BallotTable(slice.revote);
      const stored = this.pages.get(key);
      table.load(stored?.pages.values() ?? [], stored?.count ?? 1);
      state.ballots.set(key, table);
    }
    const changes = fold(state, entries);
    for (const change of changes.slices) {
      const key = roundKey(change.poll, change.round);
      this.slices.set(key, applyChange(this.slices.get(key), change));
    }
    for (const [key, table] of state.ballots) {
      const pages = new Map([...(this.pages.get(key)?.pages ?? []), ...table.changedPages()]);
      this.pages.set(key, { count: table.pages, pages });
    }
    for (const [run, sequence] of changes.producers) {
      if (sequence === null) this.producers.delete(run);
      else this.producers.set(run, sequence);
    }
  }
}
