/** Properties that hold for every kind of poll and any input. */
import fc from 'fast-check';
import t from 'tap';
import { bundlesOf, castOf, readCast } from '../../../../core/voting/count/cast.ts';
import { decodeEntry, encodeEntry } from '../../../../core/voting/count/entries/codec.ts';
import { VoteColumns } from '../../../../core/voting/count/entries/columns.ts';
import type { Entry } from '../../../../core/voting/count/entry.ts';
import { type FoldState, fold } from '../../../../core/voting/count/fold.ts';
import { roundKey } from '../../../../core/voting/count/slice.ts';
import type { Tally } from '../../../../core/voting/count/tally.ts';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { KIND_NAMES, kindOf } from '../../../../core/voting/kinds/index.ts';
import { randomChoice } from '../../../../devices-sim/kinds.ts';
import { seeded } from '../../../../devices-sim/random.ts';
import { define, resultOf } from '../../../support/kind.ts';

const KEYS = ['a', 'b', 'c', 'd'];
const ITEMS = ['food', 'music'].map((key) => ({ key, label: key }));
const quiz = { correct: ['a', 'c'] };

/** Polls of every kind, with the main variants of each kind. */
const POLLS: Readonly<Record<string, Definition>> = {
  single: define('single', KEYS),
  'single with none': define('single', KEYS, { none: true }),
  motion: define('motion'),
  multiple: define('multiple', KEYS, { max: 3 }),
  'multiple, two seats': define('multiple', KEYS, { seats: 2, none: true, candidateMajority: '> 1/2' }),
  'multiple of selections': define('multiple', KEYS, { none: true, shareOf: 'selections' }),
  rating: define('rating', [], { min: 0, max: 10 }),
  'rating of items': define('rating', [], { items: ITEMS }),
  numeric: define('numeric', [], { min: -5, max: 5, decimals: 1, answer: 1.5, tolerance: 0.2 }),
  points: define('points', KEYS, { budget: 7 }),
  'cumulative voting': define('points', KEYS, { budget: 5, max: 2, seats: 2, spend: 'all' }),
  irv: define('ranking', KEYS),
  'irv down to two': define('ranking', KEYS, { until: 'two' }),
  stv: define('ranking', KEYS, { method: 'stv', seats: 2 }),
  'stv by wigm': define('ranking', KEYS, { method: 'stv', seats: 2, rules: 'wigm' }),
  'stv by Meek': define('ranking', KEYS, { method: 'stv', seats: 2, rules: 'meek' }),
  borda: define('ranking', KEYS, { method: 'borda', variant: 'averaged' }),
  dowdall: define('ranking', KEYS, { method: 'borda', variant: 'dowdall' }),
  condorcet: define('ranking', KEYS, { method: 'condorcet' }),
  schulze: define('ranking', KEYS, { method: 'condorcet', completion: 'schulze' }),
  score: define('score', KEYS),
  star: define('score', KEYS, { method: 'star' }),
  quiz: define('quiz', KEYS, { correct: ['b'] }),
  'quiz, several': define('quiz', KEYS, { question: 'multiple', credit: 'balanced', ...quiz }),
  'quiz, order': define('quiz', KEYS, { question: 'ordering', correct: ['d', 'b', 'a', 'c'], credit: 'per-option' }),
  'quiz, short': define('quiz', [], { question: 'short', accept: ['Fun', 'LUNCH'] }),
  text: define('text', [], { stop: ['tired'], moderation: { hide: ['long'], merge: { great: 'fun' } } }),
  pulse: define('pulse', KEYS),
};

/** How many choices are drawn to find out whether the simulator can draw a valid choice. */
const DRAWS = 100;

/** Generates valid choices for a poll. @throws Error if the simulator draws none, because `filter` would then never end */
function choiceOf(definition: Definition) {
  const draw = (seed: number) => randomChoice(definition, seeded(seed));
  const isValid = (choice: string | undefined) =>
    choice !== undefined && kindOf(definition).parse(choice, definition) === choice;
  if (!Array.from({ length: DRAWS }, (_, seed) => draw(seed)).some(isValid)) {
    throw new Error(`devices-sim/kinds.ts has no canonical choice for a poll of kind ${definition.kind}`);
  }
  return fc.integer().map(draw).filter(isValid);
}
const tallyOf = (definition: Definition, most = 30) =>
  fc.array(fc.tuple(choiceOf(definition), fc.integer({ min: 1, max: 9 })), { maxLength: most }).map((ballots) => {
    const tally: Tally = new Map();
    for (const [choice, heads] of ballots) tally.set(choice, (tally.get(choice) ?? 0) + heads);
    return tally;
  });

t.test('POLLS contains every kind', async (t) => {
  t.same([...new Set(Object.values(POLLS).map(({ kind }) => kind))].sort(), [...KIND_NAMES].sort());
});

for (const [name, definition] of Object.entries(POLLS)) {
  const kind = kindOf(definition);
  t.test(name, async (t) => {
    await t.test(
      'any text parses to a choice or a reason, a choice parses to itself, and a cast keeps the choice and its attributes',
      async () => {
        const text = fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: 'grapheme' }),
          fc.stringMatching(/^[abcd,:>=0-9.|+-]{0,14}$/),
          fc.stringMatching(/^(food|music|yes|none|，|；|ﬁ|İ|ß|Σ|[a-d0-9,:;\n ])*$/),
          choiceOf(definition),
        );
        fc.assert(
          fc.property(text, (input) => {
            const choice = kind.parse(input, definition);
            if (typeof choice !== 'string') return typeof choice.rejected === 'string';
            const attributes = { weight: '12.5', group: 'north', late: true, second: 7 };
            const read = readCast(castOf(choice, attributes));
            const isKept =
              read.choice === choice && read.weight === '12.5' && read.group === 'north' && read.late === true;
            return kind.parse(choice, definition) === choice && choice !== '' && isKept;
          }),
          { numRuns: 500 },
        );
      },
    );

    await t.test(
      'the last vote of each device counts, however the log is split and even if parts of it are repeated',
      async () => {
        const votes = fc.array(fc.tuple(fc.nat(6), choiceOf(definition)), { maxLength: 25 });
        fc.assert(
          fc.property(votes, fc.infiniteStream(fc.nat(3)), (votes, cuts) => {
            const must = new Map(votes.map(([device, choice]) => [`d${device}`, choice]));
            const tally: Tally = new Map();
            for (const choice of must.values()) tally.set(choice, (tally.get(choice) ?? 0) + 1);
            const counted = countOf(definition, votes, () => cuts.next().value as number);
            const entries = (of: Tally) => JSON.stringify([...of].sort());
            return entries(counted) === entries(tally);
          }),
          { numRuns: 60 },
        );
      },
    );

    await t.test('anonymity: the order of the ballots does not change the result', async () => {
      fc.assert(
        fc.property(tallyOf(definition), fc.integer(), (tally, seed) => {
          const random = seeded(seed);
          const shuffled = new Map(
            [...tally]
              .map((one) => ({ one, at: random() }))
              .sort((a, b) => a.at - b.at)
              .map(({ one }) => one),
          );
          return isSame(resultOf(definition, tally), resultOf(definition, shuffled));
        }),
        { numRuns: 60 },
      );
    });

    await t.test('multiplying all weights by 12.5 changes no share and no winner', async () => {
      const weighted = { ...definition, weighted: true };
      fc.assert(
        fc.property(tallyOf(definition), (tally) => {
          const heavy = new Map([...tally].map(([choice, heads]) => [castOf(choice, { weight: '12.5' }), heads]));
          const [light, scaled] = [resultOf(weighted, tally), resultOf(weighted, heavy)];
          const shares = ({ options }: { options: { key: string; share: number }[] }) =>
            options.map(({ key, share }) => [key, share.toFixed(9)]);
          // An STV quota is rounded up to a step that does not scale with the weights, so STV winners are not compared.
          const winners = isTransferable(definition) ? [] : [light.winners, light.tied, light.unresolved];
          const scaledWinners = isTransferable(definition) ? [] : [scaled.winners, scaled.tied, scaled.unresolved];
          return isSame([shares(light), ...winners], [shares(scaled), ...scaledWinners]);
        }),
        { numRuns: 60 },
      );
    });

    await t.test('without ballots, nothing is counted and nobody wins', async () => {
      const result = resultOf(definition, new Map());
      if (result.options.some(({ count, share }: { count: number; share: number }) => count !== 0 || share !== 0)) {
        throw new Error(JSON.stringify(result));
      }
      if ((result.winners ?? []).length > 0) throw new Error(JSON.stringify(result.winners));
    });
  });

  if (definition.options.length > 0 && !['rating', 'motion'].includes(definition.kind)) {
    t.test(`${name}, neutrality: renaming and reordering the options only renames the result`, async () => {
      const names = new Map(KEYS.map((key, i) => [key, ['delta', 'alpha', 'charlie', 'bravo'][i] as string]));
      const rename = (text: string) => text.replace(/\b[abcd]\b/g, (key) => names.get(key) as string);
      const renamed = {
        ...definition,
        options: definition.options.map(({ key, label }) => ({ key: names.get(key) ?? key, label })).reverse(),
        ...('correct' in definition && definition.correct ? { correct: definition.correct.map(rename) } : {}),
      };
      fc.assert(
        fc.property(tallyOf(definition), (tally) => {
          const other: Tally = new Map();
          for (const [choice, heads] of tally) {
            const parsed = kindOf(renamed).parse(rename(choice), renamed) as string;
            other.set(parsed, (other.get(parsed) ?? 0) + heads);
          }
          const [one, two] = [resultOf(definition, tally), resultOf(renamed, other)];
          const figures = ({ options }: { options: { key: string; count: number }[] }, of = (key: string) => key) =>
            options.map(({ key, count }) => `${of(key)} ${count}`).sort();
          const leaders = (found: Record<string, string[] | undefined>, of = (key: string) => key) =>
            ['winners', 'tied', 'unresolved'].map((field) => found[field]?.map((key) => of(key)).sort());
          return isSame([figures(one, rename), leaders(one, rename)], [figures(two), leaders(two)]);
        }),
        { numRuns: 100 },
      );
    });
  }
}

t.test('a bundle has the total weight of its ballots', async (t) => {
  const tally = new Map([
    ['a|w0.1', 3],
    ['a|w0.2|gx', 1],
    ['b', 2],
  ]);
  t.same(
    bundlesOf(tally).map(({ choice, heads, weight, group }) => [choice, heads, weight, group]),
    [
      ['a', 3, 300_000n, undefined],
      ['a', 1, 200_000n, 'x'],
      ['b', 2, 2_000_000n, undefined],
    ],
  );
});

/** The tally of votes logged in entries of random size, some of them repeated, and folded in batches of random size. */
function countOf(definition: Definition, votes: readonly (readonly [number, string])[], next: () => number): Tally {
  const state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(), refused: {} };
  const entries: Entry[] = [{ type: 'open', poll: 'q', round: 1, atMs: 1, definition }];
  const sent = votes.map(([device, choice], n) => ({ device: `d${device}`, choice, n }));
  for (let at = 0, sequence = 0; at < sent.length; sequence++) {
    const some = sent.slice(at, at + 1 + next());
    at += some.length;
    const again = next() === 0 ? some.map((vote) => ({ ...vote, dup: true })) : [];
    const entry: Entry = {
      type: 'votes',
      producer: 'run',
      sequence,
      atMs: 2,
      rounds: [{ poll: 'q', round: 1, votes: VoteColumns.of([...some, ...again]), rejected: {} }],
      refused: {},
    };
    entries.push(entry, ...(next() === 0 ? [entry] : []));
  }
  const logged = entries.map((entry) => decodeEntry(encodeEntry(entry)));
  for (let at = 0; at < logged.length; ) {
    const batch = logged.slice(at, at + 1 + next());
    fold(state, batch);
    at += batch.length;
  }
  return state.slices.get(roundKey('q', 1))?.tally ?? new Map();
}

const isTransferable = (definition: Definition): boolean => 'method' in definition && definition.method === 'stv';

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
