/** Ballots are the same after they were stored in pages, however often and in whatever parts. */
import fc from 'fast-check';
import t from 'tap';
import type { Ballot } from '../../../../core/voting/count/ballot.ts';
import { pageOfVoter } from '../../../../core/voting/count/ballots/pages.ts';
import { BallotTable } from '../../../../core/voting/count/ballots/table.ts';
import { MAX_PACKETS } from '../../../../core/voting/count/packet.ts';

const aNumber = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constant(1.5));
const orNone = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const aBallot: fc.Arbitrary<Ballot> = fc.record({
  choice: fc.oneof(fc.constantFrom('', 'a', 'b|late', 'c|s5'), fc.string({ unit: 'binary' })),
  atMs: fc.oneof(aNumber, fc.constant(-3), fc.constant(1_700_000_000_000)),
  n: orNone(aNumber),
  connection: orNone(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  votes: orNone(fc.integer({ min: 1, max: 999 })),
  packets: orNone(fc.uniqueArray(fc.nat(2 ** 48 - 1), { minLength: 1, maxLength: MAX_PACKETS })),
});
const someBallots = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), aBallot), {
  selector: ([voter]) => voter,
  maxLength: 20,
});

/** What a store keeps of a round. */
class Stored {
  pages = new Map<number, Uint8Array>();
  count = 1;

  take(table: BallotTable): number {
    const changed = table.changedPages();
    for (const [page, bytes] of changed) this.pages.set(page, bytes);
    this.count = table.pages;
    return changed.size;
  }

  loaded(): BallotTable {
    const table = new BallotTable('last');
    table.load(this.pages.values(), this.count);
    return table;
  }
}

const sorted = (table: Iterable<readonly [string, Ballot]>) => [...table].sort(([a], [b]) => (a < b ? -1 : 1));

t.test('every ballot is read as it was written', async (t) => {
  fc.assert(
    fc.property(someBallots, (ballots) => {
      const [table, stored] = [new BallotTable('last'), new Stored()];
      for (const [voter, ballot] of ballots) table.add(voter, ballot);
      stored.take(table);
      t.same(sorted(stored.loaded()), sorted(ballots));
    }),
  );
});

t.test('a round that grows is spread over more pages, and only pages with changes are written', async (t) => {
  const stored = new Stored();
  let table = new BallotTable('last');
  const all = new Map<string, Ballot>();
  const add = (i: number, choice: string) => {
    const ballot = { choice, atMs: i, n: undefined, connection: undefined, votes: undefined, packets: undefined };
    all.set(`d${i}`, ballot);
    table.add(`d${i}`, ballot);
  };
  for (let i = 0; i < 3_000; i++) {
    add(i, 'a');
    // Not always at the same number of ballots, and now and then by another process.
    if (i % 37 === 0 || i % 500 === 0) stored.take(table);
    if (i % 500 === 0) table = stored.loaded();
    if (i % 500 === 0) add(i, 'b');
  }
  stored.take(table);
  t.equal(stored.count, 64);
  t.same(sorted(stored.loaded()), sorted(all));
  for (const [page, bytes] of stored.pages) {
    const one = new BallotTable('last');
    one.load([bytes], 1);
    for (const [voter] of one) if (pageOfVoter(voter, stored.count) !== page) t.fail(`${voter} is in page ${page}`);
  }
  t.equal(stored.take(table), 0, 'nothing has changed');
  add(7, 'c');
  t.equal(stored.take(table), 1);
  t.match(stored.loaded().ballotOf('d7'), { choice: 'c' });
});

t.test('a page in another format, or cut off, is not taken for ballots', async (t) => {
  const [table, stored] = [new BallotTable('last'), new Stored()];
  table.add('d', { choice: 'a', atMs: 1 });
  stored.take(table);
  const bytes = stored.pages.get(0) as Uint8Array;
  t.throws(() => table.load([Buffer.from([2, ...bytes.subarray(1)])], 1), /format 2/);
  for (let end = 0; end < bytes.length; end++) t.throws(() => table.load([bytes.subarray(0, end)], 1), /cut off/);
});
