import { parse } from 'csv-parse/sync';
import t from 'tap';
import { newSlice } from '../../../core/voting/count/slice.ts';
import type { Tally } from '../../../core/voting/count/tally.ts';
import type { Definition } from '../../../core/voting/kinds/definition.ts';
import { KIND_NAMES } from '../../../core/voting/kinds/index.ts';
import { type Result, resultOf } from '../../../core/voting/result/result.ts';
import { visibleResult } from '../../../core/voting/result/visibility.ts';
import type { RoundRecord } from '../../../core/voting/rules/record.ts';
import { resultTable } from '../../../dashboards/exports/result-table.ts';
import { define, pollOf, profile, roll } from '../../support/kind.ts';

const KEYS = ['a', 'b', 'c'];
const ITEMS = [
  { key: 'food', label: 'Food' },
  { key: 'music', label: 'Music' },
];

/** The final result of a poll in which these ballots were cast, such as `3 a; 1 b`. */
function resultFor(definition: Definition, ballots: string, record: RoundRecord = {}): Result {
  const tally: Tally = profile(ballots);
  const cast = [...tally.values()].reduce((sum, heads) => sum + heads, 0);
  const accounting = { received: cast + 1, counted: cast, replaced: 0, redelivered: 0, rejected: { closed: 1 } };
  const slice = { ...newSlice('q', 1, 'last', 0), open: false, tally, accounting };
  return resultOf(pollOf(definition, record), [slice], 0);
}

/** The rows of the exported table, by column. */
const rowsOf = (...results: Result[]): Record<string, string>[] => {
  return parse(resultTable(results), { bom: true, columns: true, relax_column_count: false });
};

/** The rows of one table as `option item step against figure=value`, without what is empty. */
const tableOf = (rows: readonly Record<string, string>[], table: string, group = ''): string[] =>
  rows
    .filter((row) => row.table === table && row.group === group)
    .map(({ option, item, step, against, figure, value }) => {
      return [item, step, option, against, `${figure}=${value}`].filter((part) => part !== '').join(' ');
    });

/** Polls of every kind with ballots, and rows that must be in each of their tables. */
const CASES: Record<string, [Definition, string, Record<string, string[]>]> = {
  single: [
    define('single', KEYS, { majority: 'simple', tieBreak: 'order' }),
    '2 a; 2 b; 1 c',
    {
      winners: ['1 a winners=a'],
      tied: ['1 a tied=a', '2 b tied=b'],
      figures: ['kind=single', 'tieBrokenBy=order'],
      verdict: ['adopted=false', 'a option=a', '1 majority share=> 1/2', '1 majority part=2', '1 majority met=false'],
      turnout: ['voted=5', 'entitled=', 'share='],
      accounting: ['received=6', 'counted=5', 'rejected closed=1'],
    },
  ],
  motion: [
    define('motion', [], { majority: 'two-thirds', quorum: { number: 3, count: 'cast' } }),
    '3 yes; 1 no; 1 abstain',
    { verdict: ['adopted=true', 'yes option=yes', '1 majority share=>= 2/3', '1 quorum number=3', 'quorate=true'] },
  ],
  multiple: [
    define('multiple', KEYS),
    '2 a,b; 1 c',
    { winners: ['1 a winners=a', '2 b winners=b'], figures: ['selections=5'] },
  ],
  rating: [
    define('rating', [], { min: 0, max: 10 }),
    '2 9; 1 6',
    { figures: ['n=3', 'mean=8', 'median=9', 'netPromoterScore=33.333333333333336'] },
  ],
  'rating of items': [
    define('rating', [], { items: ITEMS }),
    '1 food:5,music:1; 1 food:4,music:2',
    { items: ['food label=Food', 'music label=Music'], figures: ['food n=2', 'food mean=4.5', 'music mean=1.5'] },
  ],
  numeric: [
    define('numeric', [], { min: 0, max: 10, answer: 4, tolerance: 1 }),
    '1 2; 2 4; 1 9',
    {
      figures: ['n=4', 'mean=4.75', 'least=2', 'most=9', 'answer=4'],
      quantiles: ['p25=3.5', 'p50=4'],
      correct: ['count=2', 'share=0.5'],
      nearest: ['numbers=4', 'count=2'],
    },
  ],
  points: [
    define('points', KEYS, { budget: 10 }),
    '1 a:7,b:3; 1 a:1',
    { figures: ['points=11'], 'per option': ['a voters=2', 'b voters=1', 'c voters=0'] },
  ],
  irv: [
    define('ranking', KEYS),
    '4 a; 3 b>a; 2 c>b',
    {
      figures: ['method=irv'],
      winners: ['1 b winners=b'],
      rounds: ['1 a count=4', '1 b count=3', '1 c count=2', '1 exhausted count=0', '1 c eliminated=c', '2 b count=5'],
    },
  ],
  stv: [
    define('ranking', KEYS, { method: 'stv', seats: 2 }),
    '5 a>b; 2 b; 2 c',
    {
      figures: ['method=stv', 'seats=2', 'quota=4'],
      winners: ['1 a winners=a', '2 b winners=b'],
      stages: ['1 what=first preferences', '1 a votes=5', '1 a elected=a', '2 what=surplus', '2 a of=a'],
    },
  ],
  borda: [
    define('ranking', KEYS, { method: 'borda' }),
    '2 a>b>c; 1 c>b>a',
    { figures: ['method=borda', 'variant=standard'], points: ['1 a points=4', '2 b points=3', '3 c points=2'] },
  ],
  condorcet: [
    define('ranking', KEYS, { method: 'condorcet' }),
    '3 a>b>c; 2 b>c>a; 2 c>a>b',
    {
      figures: ['condorcetWinner=', 'completed=true'],
      matrix: ['a b preferred=5', 'b a preferred=2', 'c b preferred=2'],
      locked: ['1 a b votes=5', '2 b c votes=5'],
    },
  ],
  schulze: [
    define('ranking', KEYS, { method: 'condorcet', completion: 'schulze' }),
    '3 a>b>c; 2 b>c>a; 2 c>a>b',
    {
      figures: ['completion=schulze'],
      paths: ['a b strength=5', 'b a strength=4', 'c a strength=4', 'c b strength=4'],
    },
  ],
  score: [define('score', KEYS), '1 a:5,b:4,c:0; 1 a:3,b:0,c:1', { 'per option': ['a mean=4', 'b mean=2'] }],
  star: [
    define('score', KEYS, { method: 'star' }),
    '2 a:5,b:4,c:0; 3 a:0,b:1,c:0',
    {
      figures: ['method=star'],
      finalists: ['1 b finalists=b', '2 a finalists=a'],
      runoff: ['1 b preferredBy=3', '2 a preferredBy=2'],
      winners: ['1 b winners=b'],
    },
  ],
  quiz: [
    define('quiz', KEYS, { correct: ['b'] }),
    '3 b; 1 a',
    {
      figures: ['question=single', 'meanCredit=0.75'],
      answer: ['1 b answer=b'],
      correct: ['count=3', 'share=0.75'],
      'per option': ['b correct=true', 'a correct=false'],
    },
  ],
  text: [define('text'), '2 fun; 1 long', { figures: ['phrases=2'] }],
  pulse: [define('pulse', KEYS, { windowMs: 60_000 }), '2 a|s1; 1 b|s1', { figures: ['kind=pulse', 'windowMs=60000'] }],
};

for (const [name, [definition, ballots, expected]] of Object.entries(CASES)) {
  t.test(`result.csv of a poll: ${name}`, async (t) => {
    const result = resultFor(definition, ballots);
    const rows = rowsOf(result);
    for (const [table, lines] of Object.entries(expected)) {
      const found = tableOf(rows, table);
      for (const line of lines) t.ok(found.includes(line), `${table}: ${line}; found ${found.join(', ')}`);
    }
    const options = rows.filter(({ table, item, group }) => table === 'options' && item === '' && group === '');
    t.same(
      options.map(({ option, label, count }) => [option, label, count]),
      result.options.map(({ key, label, count }) => [key, label, String(count)]),
      'one row per option',
    );
    t.ok(rows.every(({ value }) => value !== '[object Object]'));
  });
}

t.test('result.csv: the cases cover every kind', async (t) => {
  t.same([...new Set(Object.values(CASES).map(([{ kind }]) => kind))].sort(), [...KIND_NAMES].sort());
});

t.test('result.csv: items, groups, lots, weights and interruptions have rows of their own', async (t) => {
  const items = rowsOf(resultFor(define('rating', [], { items: ITEMS }), '1 food:5,music:1'));
  const graded = items.filter(({ table, option, count }) => table === 'options' && option === '5' && count === '1');
  t.same(
    graded.map(({ item }) => item),
    ['', 'food'],
    'the overview, and the item that got the grade',
  );

  const weighted = define('single', KEYS, { weighted: true, byGroup: true, eligible: 'registered', tieBreak: 'lot' });
  const interruptions = [{ closedAtMs: 1_000, continuedAtMs: 2_000 }];
  const record = { electorate: roll(4, '5'), seed: 's', lot: ['c', 'a', 'b'], interruptions };
  const rows = rowsOf({
    ...resultFor(weighted, '1 a|w2.5|gnorth; 1 b|gsouth', record),
    recount: { agrees: true, at: 'x' },
  });
  t.same(
    rows
      .filter(({ table, option }) => table === 'options' && option === 'a')
      .map(({ group, weight, ballots }) => [group, weight, ballots]),
    [
      ['', '2.5', '2'],
      ['north', '2.5', '1'],
      ['south', '0', '1'],
    ],
  );
  t.same(tableOf(rows, 'turnout'), [
    'voted=2',
    'entitled=4',
    'share=0.5',
    'weight voted=3.5',
    'weight entitled=5',
    'weight share=0.7',
  ]);
  t.same(tableOf(rows, 'lot'), ['1 c lot=c', '2 a lot=a', '3 b lot=b']);
  t.same(tableOf(rows, 'interruptions'), [
    '1 closedAt=1970-01-01T00:00:01.000Z',
    '1 continuedAt=1970-01-01T00:00:02.000Z',
  ]);
  t.same(tableOf(rows, 'recount'), ['agrees=true', 'at=x']);

  const definition = define('single', KEYS, { visibility: 'closed' });
  const open = { ...pollOf(definition), status: 'open' } as const;
  const hidden = visibleResult({ ...resultFor(definition, '1 a'), final: false, status: 'open' }, open, 'public');
  t.same(tableOf(rowsOf(hidden), 'winners'), []);
  t.match(rowsOf(hidden)[0], { option: 'a', count: '', status: 'open' });
  const [header] = resultTable([]).trim().split('\r\n');
  t.match(header, /^\ufeff?poll,round,status,group,option,label,count,weight,share,ballots,at,table,/);
});
