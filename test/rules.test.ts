/** Rules that are pure functions: majorities, quorums, groups, who may vote, what is visible, what is refused. */
import fc from 'fast-check';
import t from 'tap';
import { drawLot } from '../core/audit/lot.ts';
import { MAX_BLIND_SEQUENCE, underPseudonym } from '../core/devices/pseudonym.ts';
import { castOf } from '../core/voting/cast.ts';
import { checkDefinition, publicDefinition } from '../core/voting/definition.ts';
import { electorateOf, standingOf, votersOf } from '../core/voting/electorate.ts';
import type { Entry } from '../core/voting/entry.ts';
import { type FoldState, fold } from '../core/voting/fold.ts';
import { leaderboardOf, pointsOf } from '../core/voting/leaderboard.ts';
import { type Definition, inRound, type Poll, type RoundRecord } from '../core/voting/poll.ts';
import { figuresOf, type Result, resultOf } from '../core/voting/result.ts';
import { rollOf, sumRolls } from '../core/voting/roll.ts';
import { parseShare, reaches } from '../core/voting/rules.ts';
import { newSlice, roundKey } from '../core/voting/slice.ts';
import type { Tally } from '../core/voting/tally.ts';
import { type Audience, visibleResult } from '../core/voting/visibility.ts';
import type { Vote } from '../core/voting/vote.ts';
import { formatWeight, parseWeight } from '../core/voting/weight.ts';
import { define, parse } from './kinds/kind.ts';

const pollOf = (definition: Definition, record: RoundRecord = {}): Poll => ({
  definition,
  status: 'closed',
  round: 1,
  createdAtMs: 0,
  ...record,
});
const verdictOf = (settings: Partial<Definition>, tally: Record<string, number>, record: RoundRecord = {}) =>
  figuresOf(pollOf(define('motion', [], settings), record), new Map(Object.entries(tally)), true, 0).verdict;
const roll = (heads: number, weight = String(heads)) => ({ heads, weight, groups: {} });

t.test('weights: exact to the last digit, refused when they are none', async (t) => {
  for (const text of ['1', '12.5', '0.000001', '999999999999.999999', '0.1'])
    t.equal(formatWeight(parseWeight(text) ?? 0n), text);
  t.equal(formatWeight(parseWeight('1.50') ?? 0n), '1.5');
  t.equal(formatWeight(0n), '0');
  for (const text of ['0', '-1', '1e3', '.5', '5.', '01', '0.0000001', '1,5', '١', '', '1000000000000'])
    t.equal(parseWeight(text), undefined, text);
  t.equal(formatWeight((parseWeight('0.1') ?? 0n) + (parseWeight('0.2') ?? 0n)), '0.3', 'as floating point does not');
});

t.test('majorities: named ones, and each side of each line', async (t) => {
  t.match(verdictOf({ majority: 'simple' }, { yes: 5, no: 5, abstain: 90 }), { adopted: false });
  t.match(verdictOf({ majority: 'simple' }, { yes: 6, no: 5, abstain: 90 }), {
    adopted: true,
    option: 'yes',
    majority: [{ share: '> 1/2', of: 'yes+no', by: 'heads', part: '6', whole: '11', met: true }],
  });
  const registered = { eligible: 'registered' } as const;
  t.match(verdictOf({ majority: 'absolute', ...registered }, { yes: 50 }, { electorate: roll(100) }), {
    adopted: false,
  });
  t.match(verdictOf({ majority: 'absolute', ...registered }, { yes: 51 }, { electorate: roll(100) }), {
    adopted: true,
  });
  t.match(verdictOf({ majority: 'two-thirds' }, { yes: 2, no: 1 }), { adopted: true }, 'exactly two thirds is enough');
  t.match(verdictOf({ majority: 'two-thirds' }, { yes: 666_666, no: 333_334 }), { adopted: false });
  t.match(verdictOf({ majority: [{ share: '> 2/3', of: 'yes+no' }] }, { yes: 2, no: 1 }), { adopted: false });
  t.match(verdictOf({ majority: 'three-quarters' }, { yes: 3, no: 1 }), { adopted: true });
  t.match(verdictOf({ majority: 'unanimous' }, { yes: 3, abstain: 4 }), { adopted: true }, 'to abstain is not against');
  t.match(verdictOf({ majority: 'unanimous' }, { yes: 3, no: 1 }), { adopted: false });
  t.match(verdictOf({ majority: 'unanimous' }, { abstain: 4 }), { adopted: false }, 'nobody is for it');
  t.match(verdictOf({ majority: [{ share: '> 1/2', of: 'cast' }] }, { yes: 5, no: 1, abstain: 4 }), { adopted: false });
  t.match(verdictOf({ majority: [{ share: '> 1/2', of: 'valid' }] }, { yes: 5, no: 1, abstain: 4 }), { adopted: true });
  const present = { majority: [{ share: '> 1/2', of: 'present' }] } as const;
  t.match(verdictOf(present, { yes: 5 }, { presentAtClose: roll(10) }), { adopted: false });
  t.match(verdictOf(present, { yes: 5 }), { adopted: null }, 'not known is not no');
  t.equal(verdictOf({}, { yes: 1 }), undefined);
});

t.test('majorities: double, by weight and heads, by groups; of a single choice', async (t) => {
  const double: Partial<Definition> = {
    weighted: true,
    majority: [
      { share: '>= 3/4', of: 'yes+no', by: 'weight' },
      { share: '> 1/2', of: 'yes+no', by: 'heads' },
    ],
  };
  t.match(verdictOf(double, { 'yes|w90': 1, no: 2, 'no|w0.5': 1 }), {
    adopted: false,
    majority: [{ met: true }, { met: false }],
  });
  t.match(verdictOf(double, { 'yes|w90': 1, yes: 2, no: 2 }), { adopted: true });
  const chambers: Partial<Definition> = {
    byGroup: true,
    majority: [
      { share: '> 1/2', of: 'yes+no' },
      { share: '> 1/2', of: 'valid', by: 'groups' },
    ],
  };
  t.match(verdictOf(chambers, { 'yes|gbig': 9, 'no|gsmall': 1, 'no|gtiny': 1 }), {
    adopted: false,
    majority: [{ met: true }, { part: '1', whole: '3', met: false }],
  });
  const single = define('single', ['a', 'b'], { majority: [{ share: '> 1/2', of: 'valid' }], none: true });
  const of = (tally: Record<string, number>) =>
    figuresOf(pollOf(single), new Map(Object.entries(tally)), true, 0).verdict;
  t.match(
    of({ a: 3, b: 2, none: 9 }),
    { adopted: true, option: 'a' },
    'none of the above is no valid vote for anybody',
  );
  t.match(of({ a: 2, b: 2 }), { adopted: false, option: null }, 'a tie has no leader');
  const own = define('single', ['a', 'abstain'], { majority: [{ share: '> 1/2', of: 'valid' }] });
  const tally = new Map([
    ['abstain', 5],
    ['a', 4],
  ]);
  const { verdict } = figuresOf(pollOf(own), tally, true, 0);
  t.match(verdict, { majority: [{ part: '5', whole: '9' }] }, 'an option by that name is an option');
});

t.test('quorum: marks the result, never erases it', async (t) => {
  const settings: Partial<Definition> = {
    eligible: 'registered',
    majority: 'simple',
    quorum: { share: '>= 1/2', at: 'both' },
  };
  const record = { electorate: roll(10), presentAtOpen: roll(5), presentAtClose: roll(4) };
  const figures = figuresOf(pollOf(define('motion', [], settings), record), new Map([['yes', 3]]), true, 0);
  t.match(figures.verdict, {
    adopted: false,
    quorate: false,
    majority: [{ met: true }],
    quorum: [
      { when: 'open', part: '5', whole: '10', met: true },
      { when: 'close', part: '4', met: false },
    ],
  });
  t.match(figures.options[0], { key: 'yes', count: 3 }, 'the figures stand');
  t.match(verdictOf({ majority: 'simple', quorum: { number: 3, count: 'cast' } }, { yes: 2, no: 1 }), {
    quorate: true,
    adopted: true,
    quorum: [{ number: 3, part: '3', whole: null, met: true }],
  });
  t.match(verdictOf({ quorum: { number: 4, count: 'cast' } }, { yes: 2, no: 1 }), { quorate: false });
  const stated = { entitled: { heads: 7 }, quorum: { share: '> 1/2', count: 'cast' } } as const;
  t.match(verdictOf(stated, { yes: 3 }), { quorate: false });
  t.match(verdictOf(stated, { yes: 4 }), { quorate: true });
});

t.test('shares are compared exactly', async (t) => {
  const third = parseShare('>= 1/3');
  if (!third) throw new Error('no share');
  t.equal(reaches(1n, 3n, third), true);
  t.equal(reaches(10n ** 20n - 1n, 3n * 10n ** 20n, third), false);
  t.equal(reaches(0n, 0n, third), false, 'of nothing nothing is reached');
  for (const text of ['1/2', '> 0.5', '> 3/2', '> 1/0', '=> 1/2', '> -1/2', ''])
    t.equal(parseShare(text), undefined, text);
});

t.test('groups: told apart, but in secret polls not the small ones', async (t) => {
  const tally: Tally = new Map([
    ['a|gred', 3],
    ['b|gred', 4],
    ['a|gblue', 2],
    ['b|ggreen', 6],
    ['a', 1],
  ]);
  const groupsOf = (settings: Partial<Definition>, of = tally) =>
    figuresOf(pollOf(define('single', ['a', 'b'], { byGroup: true, ...settings })), of, true, 0).groups?.map(
      ({ group, ballots }) => [group, ballots],
    );
  t.same(groupsOf({}), [
    ['blue', 2],
    ['green', 6],
    ['red', 7],
    [null, 1],
  ]);
  const secret = { secrecy: 'secret', visibility: 'closed', minGroup: 5, eligible: 'registered' } as const;
  t.same(
    groupsOf(secret),
    [
      ['red', 7],
      [null, 9],
    ],
    'blue and the one without a group are too few together, so green goes with them',
  );
  t.same(
    groupsOf(
      secret,
      new Map([
        ['a|gred', 9],
        ['b|gblue', 2],
      ]),
    ),
    [[null, 11]],
    'or red would tell what blue is',
  );
  t.same(groupsOf(secret, new Map([['a|gred', 3]])), []);
});

t.test('groups decide alike, shown or not; who has none is no group', async (t) => {
  const tally = { 'yes|gx': 3, 'yes|gy': 3, 'no|gz': 9, no: 1 };
  const settings: Partial<Definition> = {
    byGroup: true,
    eligible: 'registered',
    majority: [{ share: '>= 2/3', of: 'valid', by: 'groups' }],
  };
  const expected = { adopted: true, majority: [{ part: '2', whole: '3', met: true }] };
  t.match(verdictOf(settings, tally), expected);
  t.match(verdictOf({ ...settings, secrecy: 'secret', visibility: 'closed' }, tally), expected);
});

t.test('a vote’s numbers are moved, each by a distance of its own', async (t) => {
  const moved = (voter: string, n: number, connection: number) =>
    underPseudonym('key', { device: voter, choice: 'a', n, connection, t: 5, dup: true });
  const [one, two] = [moved('d', 1, 1_000), moved('d', 2, 1_005)];
  t.same([one.device, one.t, one.dup], [two.device, undefined, true]);
  t.equal((two.n ?? 0) - (one.n ?? 0), 1, 'their order stays');
  t.equal((two.connection ?? 0) - (one.connection ?? 0), 5);
  t.not((one.n ?? 0) - (one.connection ?? 0), 1 - 1_000, 'or their difference would tell the connection');
  t.not(moved('e', 1, 1_000).n, one.n);
  t.ok(Number.isSafeInteger(moved('d', MAX_BLIND_SEQUENCE, 1).n));
});

t.test('in secret polls a small group is not even cast', async (t) => {
  const definition = define('motion', [], {
    secrecy: 'secret',
    visibility: 'closed',
    byGroup: true,
    eligible: 'registered',
  });
  const groups = { few: { heads: 4, weight: '4' }, many: { heads: 5, weight: '5' } };
  const poll = pollOf(definition, { electorate: { heads: 9, weight: '9', groups } });
  const groupOf = (group: string) => standingOf({ voter: 'v', group }, poll).group;
  t.same(['few', 'many', 'new', '__proto__'].map(groupOf), [undefined, 'many', undefined, undefined]);
});

t.test('who may vote: guests, registered devices, groups, mandates', async (t) => {
  const device = {
    device: 'd',
    isRegistered: true,
    isGuest: false,
    weight: '2.5',
    group: 'north',
    mandates: [
      { mandate: 'ann', weight: '7' },
      { mandate: 'bob', group: 'south' },
    ],
  };
  const names = (eligible: Definition['eligible'], elector = device) =>
    votersOf(elector, define('motion', [], { eligible })).map(({ voter }) => voter);
  t.same(names('anyone'), ['d', 'd/ann', 'd/bob']);
  t.same(names('guests'), []);
  t.same(names(['south']), ['d/bob']);
  t.same(names(['north', 'south']), ['d', 'd/bob']);
  t.same(names('registered', { ...device, weight: '0' }), ['d/ann', 'd/bob'], 'who only carries mandates');
  t.same(names('registered', { ...device, isRegistered: false }), []);
  t.same(electorateOf(define('motion', [], { eligible: 'registered' }), [device]), {
    heads: 3,
    weight: '10.5',
    groups: { north: { heads: 1, weight: '2.5' }, south: { heads: 1, weight: '1' } },
  });
  t.equal(electorateOf(define('motion'), [device]), undefined, 'nobody knows how many anyone is');
  const one = rollOf([{ voter: 'a', weight: '0.1', group: 'x' }]);
  const two = rollOf([{ voter: 'b', weight: '0.2', group: 'x' }]);
  t.same(sumRolls([one, two]), { heads: 2, weight: '0.3', groups: { x: { heads: 2, weight: '0.3' } } });
  t.same(sumRolls([]), { heads: 0, weight: '0', groups: {} });
});

const count = (definition: Definition, votes: readonly Vote[]) => {
  const state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(), refused: {} };
  const entries: Entry[] = [
    { type: 'open', poll: 'q', round: 1, atMs: 1, definition },
    {
      type: 'votes',
      producer: 'p',
      sequence: 0,
      atMs: 2,
      rounds: [{ poll: 'q', round: 1, votes, rejected: {} }],
      refused: {},
    },
  ];
  fold(state, entries);
  const slice = state.slices.get(roundKey('q', 1));
  return { tally: Object.fromEntries(slice?.tally ?? []), ...slice?.accounting };
};

t.test('revotes: the last of at most n; taking a ballot back', async (t) => {
  const vote = (choice: string, n?: number): Vote => ({ device: 'd', choice, n });
  const most = define('single', ['a', 'b'], { revote: 'max 2', withdraw: true });
  t.match(count(most, [vote('a'), vote('b'), vote('a')]), {
    tally: { b: 1 },
    received: 3,
    counted: 1,
    replaced: 1,
    rejected: { 'too-many-votes': 1 },
  });
  const free = define('single', ['a', 'b'], { withdraw: true });
  t.match(count(free, [vote('a'), vote('')]), { tally: {}, received: 2, counted: 0, replaced: 2, rejected: {} });
  t.match(count(free, [vote('a', 1), vote('', 2), vote('a', 1)]), {
    tally: {},
    counted: 0,
    replaced: 2,
    redelivered: 1,
  });
  t.match(count(free, [vote('a'), vote(''), vote('b')]), { tally: { b: 1 }, received: 3, counted: 1, replaced: 2 });
  t.match(count(free, [vote('')]), { received: 1, counted: 0, rejected: { 'nothing-to-withdraw': 1 } });
  t.match(count(most, [vote('a'), vote(''), vote('b')]), { tally: {}, rejected: { 'too-many-votes': 1 } });
  t.match(
    count(most, [vote('a'), vote('b'), vote('')]),
    { tally: {}, counted: 0, replaced: 3 },
    'taking back is always possible',
  );
});

t.test('the accounting identity holds whatever is voted, taken back, repeated or late', async () => {
  const revotes = fc.constantFrom('last', 'first', 'max 2', 'max 3');
  const votes = fc.array(
    fc.record({
      device: fc.constantFrom('d1', 'd2', 'd3'),
      choice: fc.constantFrom('a', 'b', 'a|late', 'b|w2', ''),
      n: fc.option(fc.nat(4), { nil: undefined }),
      dup: fc.boolean(),
      connection: fc.option(fc.nat(3), { nil: undefined }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(revotes, votes, (revote, votes) => {
      const definition = { ...define('single', ['a', 'b']), revote: revote as Definition['revote'] };
      const {
        tally,
        received = 0,
        counted = 0,
        replaced = 0,
        redelivered = 0,
        rejected = {},
      } = count(definition, votes);
      const refused = Object.values(rejected).reduce((a, b) => a + b, 0);
      const held = Object.values(tally).reduce((a, b) => a + b, 0);
      return received === votes.length && received === counted + replaced + redelivered + refused && held === counted;
    }),
    { numRuns: 500 },
  );
});

t.test('visibility: what each audience sees, open and final', async (t) => {
  const seen = (settings: Partial<Definition>, audience: Audience, status: Poll['status'] = 'open') => {
    const poll = { ...pollOf(define('single', ['a', 'b'], settings)), status };
    const slice = { ...newSlice('q', 1, 'last', 1), open: status === 'open' };
    slice.tally.set('b', 2);
    Object.assign(slice.accounting, { received: 2, counted: 2 });
    const result: Result = visibleResult(resultOf(poll, [slice], 0), poll, audience);
    return `${result.options[1]?.count ?? '-'} ${result.ballots ?? '-'} ${JSON.stringify(result).includes('winners')}`;
  };
  const [all, turnout, nothing] = ['2 2 true', '- 2 false', '- - false'];
  t.equal(seen({}, 'public'), all);
  t.equal(seen({ visibility: 'turnout' }, 'public'), turnout);
  t.equal(seen({ visibility: 'turnout' }, 'public', 'closed'), turnout);
  t.equal(seen({ visibility: 'turnout' }, 'operator'), all);
  t.equal(seen({ visibility: 'voted' }, 'public'), turnout);
  t.equal(seen({ visibility: 'voted' }, 'voter'), all);
  t.equal(seen({ visibility: 'voted' }, 'public', 'closed'), all);
  t.equal(seen({ visibility: 'closed' }, 'voter'), turnout);
  t.equal(seen({ visibility: 'closed' }, 'public', 'closed'), all);
  t.equal(seen({ visibility: 'operator' }, 'public', 'closed'), nothing);
  t.equal(seen({ visibility: 'operator' }, 'operator'), all);
  const secret = { secrecy: 'secret' } as const;
  t.equal(seen({ ...secret, visibility: 'closed' }, 'operator'), turnout, 'not even operators before it is final');
  t.equal(seen({ ...secret, visibility: 'operator' }, 'operator'), turnout);
  t.equal(seen({ ...secret, visibility: 'operator' }, 'public'), nothing);
  t.equal(seen({ ...secret, visibility: 'closed' }, 'public', 'closed'), all);
});

t.test('right answers are told once the round is final, and never in the definition', async (t) => {
  const definition = define('quiz', ['a', 'b'], { correct: ['b'] });
  const figures = (isFinal: boolean) => JSON.stringify(figuresOf(pollOf(definition), new Map([['a', 1]]), isFinal, 0));
  t.notMatch(figures(false), /correct|answer/);
  t.match(figures(true), /"correct":true/);
  const short = define('quiz', [], { question: 'short', accept: ['Shelley'] });
  const estimate = define('numeric', [], { min: 0, max: 300, answer: 206 });
  for (const one of [definition, short, estimate])
    t.notMatch(JSON.stringify(publicDefinition(one)), /correct|accept|answer|shelley|206/);
});

t.test('definitions: each mistake is told, all of them together', async (t) => {
  const problems = (draft: Partial<Definition>) =>
    checkDefinition({
      poll: 'q',
      title: 'Q?',
      kind: 'single',
      options: ['a', 'b'].map((key) => ({ key, label: key })),
      revote: 'last',
      visibility: 'live',
      ...draft,
    }).problems;
  const none: Partial<Definition> = { options: [] };
  const bad: [Partial<Definition>, RegExp][] = [
    [{ poll: 'votes,x=1 y=2' }, /^poll: must be/],
    [
      {
        options: [
          { key: '<script>', label: 'x' },
          { key: 'a b', label: 'x' },
        ],
      },
      /options\[0\].key: must be[\s\S]*options\[1\].key/,
    ],
    [{ title: 'x'.repeat(10_000) }, /title: at most 300/],
    [{ title: 'a\u202eb' }, /text-direction/],
    [
      { seats: 2, budget: 3 },
      /budget: a poll of the kind single has no such setting[\s\S]*seats:|seats:[\s\S]*budget:/,
    ],
    [{ revote: 'max 0' as Definition['revote'] }, /revote: last, first/],
    [{ revote: 'first', withdraw: true }, /withdraw: needs/],
    [{ secrecy: 'secret' }, /visibility: while a secret poll/],
    [{ minGroup: 3 }, /minGroup/],
    [{ seed: 'x' }, /seed: only with/],
    [{ eligible: ['a b'] }, /eligible: "a b" is no group/],
    [{ eligible: [] }, /eligible: from 1/],
    [{ entitled: { heads: 0, weight: '-1' } }, /entitled.heads[\s\S]*entitled.weight/],
    [{ majority: 'most' }, /majority: simple, absolute/],
    [{ majority: 'absolute' }, /majority\[0\].of: nobody knows/],
    [
      { majority: [{ share: '> 0.5', of: 'yes+no', by: 'groups' }] },
      /share: must be[\s\S]*yes\+no is for motions[\s\S]*byGroup/,
    ],
    [{ quorum: {} }, /either a share or a number/],
    [{ quorum: { share: '> 1/2' } }, /quorum.share: nobody knows/],
    [{ quorum: { number: 1, count: 'cast', at: 'both' } }, /ballots can only be counted at the close/],
    [{ opensAt: 'tomorrow', closesAt: '2026-01-01T10:00:00' }, /opensAt: must be an instant[\s\S]*closesAt: must be/],
    [{ opensAt: '2026-01-01T10:00:00Z', closesAt: '2026-01-01T11:00:00+02:00' }, /closesAt: must be after/],
    [{ durationMs: 10, lateGraceMs: -1 }, /durationMs[\s\S]*lateGraceMs/],
    [{ kind: 'motion' }, /a motion has yes, no and abstain and no "a"/],
    [{ kind: 'multiple', min: 3, max: 2 }, /max: must be at least min/],
    [{ kind: 'rating', ...none, top: 9, items: [{ key: 'x', label: 'X' }] }, /top:[\s\S]*items: from 2/],
    [{ kind: 'numeric' }, /options:[\s\S]*min, max: a numeric poll needs both/],
    [
      { kind: 'numeric', ...none, min: 5, max: 1.25, answer: 99, bins: 0, trim: 0.5 },
      /bins[\s\S]*trim[\s\S]*max: must be above[\s\S]*max: at most 0 digits[\s\S]*answer/,
    ],
    [{ kind: 'points', budget: 0 }, /budget: from 1/],
    [{ kind: 'ranking', method: 'star' }, /method: a ranking is counted by irv, stv, borda, condorcet/],
    [{ kind: 'ranking', method: 'stv', seats: 2 }, /seats: from 1 to fewer than the 2/],
    [{ kind: 'ranking', seats: 1, variant: 'dowdall' }, /seats: only[\s\S]*variant: only/],
    [{ kind: 'score', min: 3, max: 2 }, /min, max/],
    [{ kind: 'quiz' }, /correct: exactly one/],
    [
      { kind: 'quiz', correct: ['x'], credit: 'balanced', speed: 1 },
      /no option "x"[\s\S]*credit: for single strict[\s\S]*speed: needs durationMs/,
    ],
    [{ kind: 'quiz', question: 'ordering', correct: ['a', 'a'] }, /a key is there twice/],
    [{ kind: 'quiz', question: 'short', ...none }, /accept: from 1/],
    [{ kind: 'text', maxLength: 0, maxPhrases: 99 }, /options:[\s\S]*maxLength[\s\S]*maxPhrases/],
    [{ kind: 'score', min: 0.5 }, /min: must be a whole number/],
    [{ kind: 'rating', ...none, min: 0.5, max: 3 }, /min: must be a whole number/],
    [
      { kind: 'numeric', ...none, min: 0, max: 9, answer: 1, speed: 7, points: -3 },
      /points: from 0[\s\S]*speed: from 0/,
    ],
    [{ kind: 'numeric', ...none, min: 0, max: 9, decimals: 600_000_000 }, /decimals: from 0 to 6/],
    [{ majority: 'absolute', entitled: {} }, /nobody knows how many/],
    [{ majority: 'absolute', weighted: true, entitled: { heads: 9 } }, /nobody knows how many/],
    [{ secrecy: 'secret', visibility: 'closed', byGroup: true }, /byGroup: in a secret poll/],
    [{ kind: 'pulse', windowMs: 1, revote: 'first', lateGraceMs: 5 }, /windowMs[\s\S]*revote[\s\S]*lateGraceMs/],
  ];
  for (const [draft, expected] of bad) t.match(problems(draft).join('\n'), expected);
  t.same(problems({ title: 'What does <script> do?' }), [], 'text is text, pages show it as such');
});

t.test('choices of every kind: what a clicker sends, what is counted, why it is refused', async (t) => {
  const cases: [Definition, Record<string, string>][] = [
    [define('motion'), { y: 'yes', NO: 'no', a: 'abstain', maybe: 'unknown-option' }],
    [define('motion', [], { abstain: false }), { a: 'unknown-option' }],
    [define('multiple', ['a', 'b'], { none: true }), { none: 'none', 'a,none': 'unknown-option', 'b,a': 'a,b' }],
    [
      define('rating', [], { items: ['x', 'y'].map((key) => ({ key, label: key })) }),
      {
        '4,5': 'x:4,y:5',
        '-,5': 'y:5',
        'y:1,x:2': 'x:2,y:1',
        '-,-': 'too-few-options',
        '4': 'too-few-options',
        'x:9': 'out-of-range',
        'z:1': 'unknown-option',
        'x:1,x:2': 'duplicate-option',
        'x:a': 'not-a-number',
      },
    ],
    [
      define('numeric', [], { min: -1, max: 2, decimals: 2 }),
      {
        '1.50': '1.5',
        '+2': '2',
        '-0.0': '0',
        '-0.5': '-0.5',
        '1.234': 'too-many-digits',
        '2.01': 'out-of-range',
        '1,5': 'not-a-number',
        NaN: 'not-a-number',
        '1e1': 'not-a-number',
      },
    ],
    [
      define('points', ['a', 'b'], { budget: 5, spend: 'all' }),
      {
        '2,3': 'a:2,b:3',
        'b:5': 'b:5',
        '2,2': 'under-budget',
        '3,3': 'over-budget',
        '-1,6': 'out-of-range',
        '0,0': 'under-budget',
      },
    ],
    [define('points', ['a', 'b'], { budget: 5 }), { 'a:1': 'a:1', '0,4': 'b:4', '0,0': 'under-budget' }],
    [
      define('ranking', ['a', 'b', 'c'], { min: 2 }),
      {
        bac: 'b>a>c',
        'b>a': 'b>a',
        'c, a': 'c>a',
        a: 'too-few-options',
        'a>a': 'duplicate-option',
        'a>x': 'unknown-option',
        'a>b>c>a': 'duplicate-option',
      },
    ],
    [define('score', ['a', 'b']), { '5,0': 'a:5,b:0', 'b:3': 'b:3', '6,0': 'out-of-range', '': 'too-few-options' }],
    [
      define('quiz', ['a', 'b', 'c'], { question: 'ordering', correct: ['c', 'b', 'a'] }),
      { cba: 'c>b>a', 'c>b': 'too-few-options', ccc: 'duplicate-option' },
    ],
    [
      define('quiz', [], { question: 'short', accept: ['x'] }),
      { ' Mary  SHELLEY ': 'mary shelley', ﬁne: 'fine', STRAẞE: 'strasse', 'a\u202eb': 'malformed-text' },
    ],
    [
      define('text', [], { stop: ['Damn'], maxLength: 10, maxPhrases: 2 }),
      {
        'Great, GREAT': 'great',
        'Ａ；b': 'a,b',
        Straße: 'strasse',
        DAMN: 'stopped',
        'a,b,c': 'too-many-options',
        elevenchars: 'too-long',
        ' , ': 'empty',
        'x|y': 'x y',
        'zero\u200bwidth': 'malformed-text',
      },
    ],
  ];
  for (const [definition, texts] of cases)
    for (const [text, expected] of Object.entries(texts))
      t.equal(parse(definition, text), expected, `${definition.kind}: ${JSON.stringify(text)}`);
});

t.test('quiz: credit and points; leaderboards with teams and shared places', async (t) => {
  const several = (credit: 'strict' | 'balanced' | 'per-option') =>
    define('quiz', ['a', 'b', 'c', 'd'], { question: 'multiple', correct: ['b', 'd'], credit, points: 100 });
  const points = (definition: Definition, choice: string, tookMs = 0) =>
    pointsOf(definition, { voter: 'v', choice, tookMs });
  t.same(
    ['b,d', 'b', 'a,b,d', 'a'].map((choice) => points(several('strict'), choice)),
    [100, 0, 0, 0],
  );
  t.same(
    ['b,d', 'b', 'a,b,d', 'a,b'].map((choice) => points(several('balanced'), choice)),
    [100, 50, 50, 0],
  );
  t.same(
    ['b,d', 'b', 'a,b,d', 'a,c'].map((choice) => points(several('per-option'), choice)),
    [100, 75, 75, 0],
  );
  const fast = define('quiz', ['a', 'b'], { correct: ['a'], points: 1000, speed: 0.5, durationMs: 10_000 });
  t.same(
    [0, 5_000, 10_000, 99_000, -50].map((tookMs) => points(fast, 'a', tookMs)),
    [1000, 750, 500, 500, 1000],
  );
  const guess = define('numeric', [], { min: 0, max: 300, answer: 206, tolerance: 4 });
  t.same(
    ['202', '210', '211'].map((choice) => points(guess, choice)),
    [1000, 1000, 0],
  );
  const near = define('numeric', [], { min: 0, max: 300, answer: 206, tolerance: 4, proximity: 10, points: 100 });
  t.same(
    ['206', '210', '211', '219', '220', '1'].map((choice) => points(near, choice)),
    [100, 100, 90, 10, 0, 0],
  );
  const answer = (voter: string, choice: string, group?: string) => ({ voter, choice, group, tookMs: 0 });
  const board = leaderboardOf([
    { definition: fast, answers: [answer('ann', 'a', 'red'), answer('bob', 'a', 'blue'), answer('cy', 'b', 'red')] },
    { definition: fast, answers: [answer('ann', 'a', 'red'), answer('bob', 'a', 'blue'), answer('dee', 'a')] },
  ]);
  t.same(
    board.players.map(({ place, name, points }) => [place, name, points]),
    [
      [1, 'ann', 2000],
      [1, 'bob', 2000],
      [3, 'dee', 1000],
      [4, 'cy', 0],
    ],
  );
  t.same(
    board.teams.map(({ place, name, points, players }) => [place, name, points, players]),
    [
      [1, 'blue', 2000, 1],
      [2, 'red', 1000, 2],
    ],
    'the mean: a large team has no advantage',
  );
});

t.test('lots are drawn by the seed alone, and anybody can draw them again', async (t) => {
  t.same(drawLot('2026-05-01', ['a', 'b', 'c', 'd']), drawLot('2026-05-01', ['d', 'c', 'b', 'a']));
  t.same(drawLot('x', ['a', 'b']), ['b', 'a'], 'sha256 of "x b" is 114d…, of "x a" 59b9…');
  const wins = new Map<string, number>();
  for (let seed = 0; seed < 900; seed++) {
    const [first = ''] = drawLot(String(seed), ['a', 'b', 'c']);
    wins.set(first, (wins.get(first) ?? 0) + 1);
  }
  t.ok(
    [...wins.values()].every((times) => times > 230 && times < 370),
    'fair',
  );
});

t.test('a pulse is about the last seconds only', async (t) => {
  const poll = { ...pollOf(define('pulse', ['up', 'down'], { windowMs: 10_000 })), status: 'open' as const };
  const slice = newSlice('q', 1, 'last', 1);
  slice.tally.set(castOf('up', { second: 100 }), 3).set(castOf('down', { second: 106 }), 1);
  const at = (nowMs: number) => resultOf(poll, [slice], nowMs).options.map((option) => option.count);
  t.same(at(107_000), [3, 1]);
  t.same(at(110_000), [0, 1]);
  t.same(at(120_000), [0, 0]);
});

t.test('earlier rounds keep what they went by', async (t) => {
  const poll = pollOf(define('motion'), { openedAtMs: 30, electorate: roll(3) });
  const later: Poll = {
    ...poll,
    round: 3,
    status: 'open',
    pastRounds: [{ openedAtMs: 10, closedAtMs: 11, electorate: roll(1) }, { openedAtMs: 20 }],
  };
  t.match(inRound(later, 1), { round: 1, status: 'closed', openedAtMs: 10, closedAtMs: 11, electorate: { heads: 1 } });
  t.equal(inRound(later, 2)?.electorate, undefined);
  t.equal(inRound(later, 3), later);
  t.equal(inRound(later, 4), undefined);
  t.equal(inRound(later, 0), undefined);
});
