/** Ballots of real elections and published examples, counted from files of every format. */
import t from 'tap';
import { CountError, countFile } from '../../../core/ballot-files/count.ts';
import { keyOf } from '../../../core/ballot-files/formats/ballot-file.ts';
import type { CountSettings } from '../../../core/ballot-files/settings.ts';
import type { Tally } from '../../../core/voting/count/tally.ts';
import { profile } from '../../support/kind.ts';
import { BURLINGTON, STEERING_COMMITTEE } from '../voting/kinds/rankings/profiles.ts';
import { outcome, read } from './files.ts';

/** Burlington 2009, in the order of the city’s file. */
const KISS = ['Bob Kiss', 'Andy Montroll', 'Kurt Wright', 'Dan Smith', 'James Simpson', 'Write-in'];
const LETTERS = ['K', 'M', 'W', 'S', 'J', 'X'];

/** Every format, from ballots with letters for candidates. */
const formats: Record<string, (ballots: Tally, letters: string[], names: string[]) => string> = {
  '.blt': (ballots, letters, names) =>
    [
      `${names.length} 1`,
      ...lines(ballots, (heads, ranks) => `${heads} ${ranks.map((rank) => letters.indexOf(rank) + 1).join(' ')} 0`),
      '0',
      ...names.map((name) => `"${name}"`),
      '"Mayor"',
    ].join('\n'),
  '.soi': (ballots, letters, names) =>
    [
      '# TITLE: Mayor',
      ...names.map((name, i) => `# ALTERNATIVE NAME ${i + 1}: ${name}`),
      ...lines(ballots, (heads, ranks) => `${heads}: ${ranks.map((rank) => letters.indexOf(rank) + 1).join(',')}`),
    ].join('\n'),
  '.csv': (ballots, letters, names) =>
    [
      `id,${letters.map((_, i) => `Rank ${i + 1}`).join(',')}`,
      ...lines(ballots, (heads, ranks) =>
        Array.from(
          { length: heads },
          (_, i) => `${i},${ranks.map((rank) => names[letters.indexOf(rank)]).join(',')}`,
        ).join('\n'),
      ),
    ].join('\n'),
};

function lines(ballots: Tally, line: (heads: number, ranks: string[]) => string): string[] {
  return [...ballots].map(([choice, heads]) => line(heads, choice.split('>')));
}

/** The figures of a round by name. */
const votes = (line: readonly { name: string; count: number }[]) =>
  Object.fromEntries(line.map(({ name, count }) => [name, count]));

t.test('count: mayor of Burlington 2009, from every format, by every method', async (t) => {
  for (const [ending, format] of Object.entries(formats)) {
    const content = format(profile(BURLINGTON), LETTERS, KISS);
    const irv = await outcome(`burlington${ending}`, content);
    t.match(irv, { method: 'irv', winners: ['Bob Kiss'], unresolved: [], ballots: 8976, blank: 0 }, ending);
    const [first] = irv.figures.rounds as [{ counts: [] }];
    t.match(votes(first.counts), { 'Kurt Wright': 2951, 'Bob Kiss': 2585, 'Andy Montroll': 2063, 'Dan Smith': 1306 });
    const winner = async (settings: CountSettings) => (await outcome(`burlington${ending}`, content, settings)).winners;
    t.same(await winner({ method: 'condorcet' }), ['Andy Montroll'], 'the Condorcet winner came third');
    t.same(await winner({ method: 'plurality' }), ['Kurt Wright']);
    t.same(await winner({ withdrawn: ['Kurt Wright'] }), ['Andy Montroll'], 'Wright was a spoiler');
    t.same(await winner({ method: 'stv' }), ['Bob Kiss'], 'STV for one seat');
  }
});

t.test('count: Green Party steering committee 2005, four seats, one candidate withdrawn', async (t) => {
  const keys = Array.from({ length: 13 }, (_, i) => keyOf(i));
  const content = formats['.blt']?.(profile(STEERING_COMMITTEE), keys, keys) ?? '';
  const counted = await outcome('sc.blt', content.replace('13 1', '13 4'), { tieBreak: 'order' });
  t.match(counted, { method: 'stv', seats: 4, ballots: 94, figures: { quota: '19' } });
  t.equal(counted.winners.length, 4);
  const without = await outcome('sc.blt', content.replace('13 1', '13 4\n-1'), { tieBreak: 'order' });
  t.match(without, { withdrawn: ['c1'], seats: 4 });
  t.notOk(without.candidates.includes('c1'));
});

t.test('count: names are those of the file, even if they look like keys or votes', async (t) => {
  const { winners, figures } = await outcome('a.blt', '3 1\n2 1 0\n1 2 0\n0\n"c2"\n"2"\n"irv"\n"Title"\n');
  t.same(winners, ['c2']);
  t.match(figures.rounds, [
    {
      counts: [
        { name: 'c2', count: 2 },
        { name: '2', count: 1 },
        { name: 'irv', count: 0 },
      ],
    },
  ]);
});

t.test('count: level candidates are unresolved, and never winners', async (t) => {
  const tie = '3 1\n2 1 0\n2 2 0\n1 3 0\n0\n"A"\n"B"\n"C"\n';
  for (const method of ['irv', 'plurality', 'borda', 'condorcet', 'approval']) {
    const open = await outcome('a.blt', tie, { method });
    t.same([open.winners, open.unresolved], [[], ['A', 'B']], method);
    t.same((await outcome('a.blt', tie, { method, tieBreak: 'order' })).winners, ['A'], `${method}, by order`);
    const lot = await outcome('a.blt', tie, { method, tieBreak: 'lot', lot: ['C', 'B', 'A'] });
    t.same([lot.winners, lot.unresolved], [['B'], []], `${method}, by lot`);
    const seeded = await outcome('a.blt', tie, { method, tieBreak: 'lot', seed: '7' });
    t.equal(seeded.winners.length, 1);
    t.same(
      await outcome('a.blt', tie, { method, tieBreak: 'lot', seed: '7' }),
      seeded,
      'a seed always gives the same lot',
    );
  }
  const seats = await outcome('a.blt', '3 2\n4 1 0\n1 2 0\n1 3 0\n0\n"A"\n"B"\n"C"\n');
  t.same([seats.winners, seats.unresolved], [['A'], ['B', 'C']], 'STV: the second seat is undecided');
});

t.test('count: a lot that was drawn decides between those who were level', async (t) => {
  const tie = '4 2\n4 1 0\n1 2 0\n1 3 0\n1 4 0\n0\n"A"\n"B"\n"C"\n"D"\n';
  t.match(await outcome('a.blt', tie), { winners: ['A'], unresolved: ['B', 'C', 'D'] });
  t.match(
    await outcome('a.blt', tie, { draws: [['C', 'D']] }),
    { winners: ['A'] },
    'a lot between others says nothing',
  );
  t.match(await outcome('a.blt', tie, { draws: [['C', 'D', 'B']] }), { winners: ['A', 'C'], unresolved: [] });
  t.match(await outcome('a.blt', '2 1\n1 1 0\n1 2 0\n0\n"A"\n"B"\n', { draws: [['B', 'A']] }), {
    winners: ['B'],
    figures: { tieBrokenBy: 'lot' },
  });
});

t.test('count: the rules of STV', async (t) => {
  // Published example of OpenSTV and OpaVote, "Pollux and Helen should tie"; and Droop, test/blt/513.blt.
  const content = '3 2\n5 1 2 0\n1 2 0\n3 3 0\n0\n"A"\n"B"\n"C"\n';
  for (const rules of ['scottish', 'wigm', 'meek']) {
    t.match(await outcome('a.blt', content, { rules }), { method: 'stv', rules, winners: ['A', 'C'] }, rules);
  }
  t.match(await outcome('a.blt', content), { rules: 'scottish' });
  t.match(await outcome('a.blt', content, { rules: 'wigm', quota: 'hare', decimals: 2 }), {
    figures: { quota: '4.5' },
  });
});

t.test('count: equal ranks', async (t) => {
  const content = '3 1\n3 1=2 0\n2 2 3 0\n2 1 0\n1 3=1 2 0\n0\n"A"\n"B"\n"C"\n';
  t.match(await outcome('a.blt', content, { method: 'condorcet' }), {
    winners: ['A'],
    figures: {
      matrix: [
        [null, 3, 5],
        [2, null, 5],
        [2, 1, null],
      ],
    },
  });
  t.match(await outcome('a.blt', content, { method: 'condorcet', completion: 'schulze' }), { winners: ['A'] });
  t.match(await outcome('a.blt', content, { method: 'approval' }), { winners: [], unresolved: ['A', 'B'] });
  t.match(await outcome('a.blt', content, { method: 'approval', seats: 2 }), { winners: ['A', 'B'], seats: 2 });
  t.match(await outcome('a.blt', content, { method: 'plurality' }), { ballots: 4, blank: 4, unresolved: ['A', 'B'] });
});

t.test('count: blank ballots, and ballots only for candidates who withdrew, do not count', async (t) => {
  const content = '3 1\n-1\n5 1 0\n2 0\n2 1 2 0\n1 3 2 0\n0\n"A"\n"B"\n"C"\n';
  t.match(await outcome('a.blt', content), { ballots: 3, blank: 7, winners: ['B'], withdrawn: ['A'] });
  t.match(await outcome('a.blt', content, { withdrawn: ['B'] }), { ballots: 1, blank: 9, winners: ['C'] });
  const none = await outcome('a.blt', '2 1\n3 0\n0\n"A"\n"B"\n');
  t.match(none, { ballots: 0, blank: 3, winners: [], unresolved: [] });
  t.match(await outcome('a.csv', 'A,B\n5,0\n', { withdrawn: ['A'] }, { holdsGrades: true }), {
    winners: [],
    ballots: 1,
  });
});

t.test('count: spaces around names do not matter where names are given', async (t) => {
  const content = '2 1\n1 1 0\n1 2 0\n0\n"Ann "\n"Ben"\n';
  t.match(await outcome('a.blt', content, { withdrawn: ['Ben '] }), { winners: ['Ann '], withdrawn: ['Ben'] });
  t.match(await outcome('a.blt', content, { tieBreak: 'lot', lot: ['Ann', 'Ben'] }), { winners: ['Ann '] });
});

t.test('count: decimal weights are exact', async (t) => {
  const content = '2 1\n0.1 1 0\n0.2 1 0\n0.3 2 0\n0.000001 2 0\n0\n"A"\n"B"\n';
  t.match(await outcome('a.blt', content), { winners: ['B'], ballots: 4, weight: '0.600001' });
  t.match(await outcome('a.blt', content, { method: 'stv' }), { winners: ['B'] });
});

t.test('count: grades by STAR, score and approval', async (t) => {
  // Score: A 14, B 13; three of five voters prefer B.
  const content = 'A,B,C\n5,0,1\n5,1,0\n2,4,0\n1,4,0\n1,4,0\n';
  const of = (settings: CountSettings) => outcome('a.csv', content, settings, { holdsGrades: true });
  t.match(await of({}), { method: 'star', winners: ['B'] });
  t.match(await of({ method: 'score' }), { winners: ['A'] });
  t.match(await of({ method: 'approval' }), {
    winners: ['A'],
    figures: {
      options: [
        { name: 'A', count: 5 },
        { name: 'B', count: 4 },
      ],
    },
  });
});

t.test('count: a file may have more candidates than a poll', async (t) => {
  const names = Array.from({ length: 200 }, (_, i) => `"${'long name '.repeat(30)}${i + 1}"`);
  const ranks = names.map((_, i) => i + 1);
  const content = `200 3\n5 ${ranks.join(' ')} 0\n3 ${ranks.toReversed().join(' ')} 0\n0\n${names.join('\n')}\n`;
  const counted = await outcome('a.blt', content, { tieBreak: 'order' });
  t.equal(counted.winners.length, 3);
  t.match(await outcome('a.blt', content, { method: 'condorcet' }), { winners: [/ 1$/] });
});

t.test('count: settings that do not fit are refused', async (t) => {
  const blt = await read('a.blt', '3 2\n2 1 2 0\n0\n"A"\n"B"\n"C"\n');
  const scores = await read('a.csv', 'A,B\n5,1\n', { holdsGrades: true });
  const level = await read('a.blt', '2 1\n2 1=2 0\n0\n"A"\n"B"\n');
  const cases: [typeof blt, CountSettings, RegExp][] = [
    [blt, { seats: 4 }, /^4 seats for 3 candidates; expected a number of seats from 1 to 3/],
    [blt, { withdrawn: ['A', 'B'] }, /^2 seats for 1 candidate/],
    [blt, { withdrawn: ['D'] }, /^withdraw: "D" is not a candidate; expected one of A, B, C/],
    [blt, { method: 'bucklin' }, /^method: there is no method "bucklin"; expected one of irv, stv/],
    [blt, { method: 'star' }, /^method: star counts grades, but the file holds ranks; expected one of irv, stv/],
    [
      scores,
      { method: 'irv' },
      /^method: irv counts ranks, but the file holds grades; expected one of approval, star, score/,
    ],
    [blt, { method: 'irv', seats: 2 }, /^seats: irv does not have this setting/],
    [blt, { method: 'irv', rules: 'meek' }, /^rules: irv does not have this setting/],
    [
      blt,
      { method: 'borda', variant: 'x' },
      /^variant: "x" is not known; expected one of standard, modified, averaged, dowdall/,
    ],
    [blt, { tieBreak: 'lot' }, /^tieBreak: a lot needs a seed/],
    [blt, { draws: [['A', 'D']] }, /^lot: "D" is not a candidate; expected one of A, B, C/],
    [blt, { method: 'irv', until: 'x' }, /^until: "x" is not known; expected one of majority, two/],
    [blt, { rules: 'x' }, /^rules: "x" is not known; expected one of scottish, wigm, meek/],
    [blt, { rules: 'meek', quota: 'hare' }, /^quota: only allowed with rules wigm/],
    [blt, { rules: 'wigm', decimals: 9 }, /^decimals: must be from 0 to 6, not 9/],
    [scores, { max: 101 }, /^min, max: must be from 0 to 100/],
    [level, { method: 'irv' }, /^the file ranks candidates equally, and irv cannot count that.*use --method condorcet/],
  ];
  for (const [file, settings, message] of cases) {
    t.throws(() => countFile(file, settings), { name: CountError.name, message }, JSON.stringify(settings));
  }
});
