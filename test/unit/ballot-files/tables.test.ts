import t from 'tap';
import { ballots, read, refusal } from './files.ts';

const RANKS = 'Voter ID,Precinct,Rank 1,Rank 2,Rank 3\n';

t.test('cvr: columns for ranks, cells with names', async (t) => {
  const file = await read(
    'a.csv',
    `${RANKS}1,P1,"Lee, Ann",Ben,Zoë\n2,P1,Ben,,\n3,P2,"Lee, Ann",Ben,Zoë\n4,P2,undervote,Undervote,\n5,P1,"Al ""Bo""",,\n`,
  );
  t.same(file.candidates, ['Lee, Ann', 'Ben', 'Zoë', 'Al "Bo"']);
  t.same(ballots(file), { 'Lee, Ann>Ben>Zoë': 2, Ben: 1, 'Al "Bo"': 1 });
  t.equal(file.blank, 1);
  const other = await read('a.tsv', 'Nr\tMayor 1st choice\tMayor 2nd choice\n1\tAnn\tBen\n2\tBen\n');
  t.same(ballots(other), { 'Ann>Ben': 1, Ben: 1 }, 'tabs, and a short row');
  t.same(ballots(await read('a.csv', 'id;a;b\r\n1;Ann;Ben\r\n', { columns: '2-3', cells: 'names' })), { 'Ann>Ben': 1 });
});

t.test('cvr: columns for candidates, cells with ranks', async (t) => {
  const file = await read('a.csv', 'Response ID,precinct_id,Ann,Ben,Zoë\nR1,p1,,2,1\nR2,p1,1,2,3\nR3,,1,2,3\nR4,,,,\n');
  t.same(ballots(file), { 'Zoë>Ben': 1, 'Ann>Ben>Zoë': 2 });
  t.equal(file.blank, 1);
  const some = await read('a.csv', 'x,Ann,Ben,Zoë\n9,1,2,3\n', { columns: 'Zoë, 2' });
  t.same([some.candidates, ballots(some)], [['Zoë', 'Ann'], { 'Ann>Zoë': 1 }]);
  const listed = await read('a.csv', 'Ann,Ben\n2,1\n', { candidates: ['Ben', 'Ann'] });
  t.same([listed.candidates, ballots(listed)], [['Ben', 'Ann'], { 'Ben>Ann': 1 }]);
});

t.test('cvr: overvotes, skipped ranks and repeated candidates as RCTab treats them', async (t) => {
  const of = async (row: string, options = {}) =>
    Object.keys(ballots(await read('a.csv', `1st,2nd,3rd,4th\n${row}\n`, options)))[0] ?? 'blank';
  t.equal(await of('A,overvote,B,C'), 'A', 'a ballot ends at an overvote');
  t.equal(await of('A,overvote,B,C', { overvotes: 'skip' }), 'A>B>C');
  t.equal(await of('A,B/C,D,', { delimiter: '/' }), 'A');
  t.equal(await of('A,B/C,D,', { delimiter: '/', overvotes: 'skip' }), 'A>D');
  t.equal(await of('A,B/C,D,', { delimiter: '/', overvotes: 'equal' }), 'A>B=C>D');
  t.equal(await of('overvote,A,,'), 'blank');
  t.equal(await of(',A,,B'), 'A>B', 'one rank may be skipped');
  t.equal(await of('A,,,B'), 'A', 'two may not');
  t.equal(await of(',A,B,'), 'A>B');
  t.equal(await of(',,A,B'), 'blank');
  t.equal(await of(',,A,B', { maxSkipped: Number.POSITIVE_INFINITY }), 'A>B');
  t.equal(await of('A,,B,', { maxSkipped: 0 }), 'A');
  t.equal(await of('A,A,B,A'), 'A>B', 'a second rank of the same candidate has no effect');
  t.equal(await of('A,B,A,C', { repeats: 'exhaust' }), 'A>B');
  t.equal(await of('A,none,B,too many', { skippedLabel: 'none', overvoteLabel: 'too many' }), 'A>B');
  const ranks = async (row: string, options = {}) =>
    Object.keys(ballots(await read('a.csv', `A,B,C,D\n${row}\n`, options)))[0] ?? 'blank';
  t.equal(await ranks('1,2,2,3'), 'A', 'two candidates with the same rank are an overvote');
  t.equal(await ranks('1,2,2,3', { overvotes: 'equal' }), 'A>B=C>D');
  t.equal(await ranks('1,3,,4'), 'A>B>D');
  t.equal(await ranks('1,4,,'), 'A');
  t.match((await read('a.csv', '1st,2nd,3rd\nA,overvote,B\n,,B\nA,,\n')).notes, [
    /^1 ballot counted only up to an overvote/,
    /^1 ballot counted only up to more than 1 skipped rank/,
  ]);
});

t.test('scores: a column for each candidate, cells with grades', async (t) => {
  const file = await read('a.csv', 'voterID,Ann,Ben\nx,5,0\ny,5,0\nz,,3\nu,,\n', { holdsGrades: true });
  t.match(file, { form: 'grades', candidates: ['Ann', 'Ben'], blank: 1 });
  t.same(Object.fromEntries(file.tally), { 'c1:5,c2:0': 2, 'c2:3': 1 });
  t.match(await read('a.csv', 'A,B\n10,7\n', { given: 'scores', maxGrade: 10 }), {
    tally: new Map([['c1:10,c2:7', 1]]),
  });
});

t.test('tables: malformed files are refused, with the place and what is expected', async (t) => {
  const cases: [string, RegExp, object?][] = [
    ['', /^1:1: the file is empty; expected a header, then a row for each ballot/],
    ['', /^1:1: the file is empty; expected a header with names/, { holdsGrades: true }],
    [`${RANKS}1,P1,"Ann,Ben\n2,P1,A,B,C\n`, /^2:6: the quotation mark is not closed/],
    [`${RANKS}1,P1,A"n"n,Ben,\n`, /^2:7: a quotation mark is out of place/],
    ['id,Ann,Ben\n1,1,x\n', /^2:5: "x"; expected a rank such as 1, or nothing. If cells hold names, say --cells names/],
    ['id,Ann,Ben\n1,1,0\n', /^2:5: "0"; expected a rank/],
    ['id,Ann,Ben\n"a\nb",1,x\n', /^3:6: "x"; expected a rank/],
    ['id,"Ann, B",Ben\n1,1,x\n', /^2:5: "x"/],
    ['id,Ann,\n1,1,2\n', /^1:8: the header is empty/, { columns: '2-3' }],
    [
      'id,Ann,Ben\n',
      /^1:1: there is no column "Zoë"; the file has 3 columns: 1 "id", 2 "Ann", 3 "Ben"/,
      { columns: 'Zoë' },
    ],
    ['id,Ann,Ben\n', /^1:1: there is no column "2-9"/, { columns: '2-9' }],
    ['id,precinct\n1,2\n', /^1:1: no column holds votes; name them with --columns/],
    ['1st,2nd\nA,D\n', /^2:3: "D" is not a candidate; expected one of A, B/, { candidates: ['A', 'B'] }],
    ['A,D\n1,2\n', /^1:3: "D" is not a candidate/, { candidates: ['A', 'B'] }],
    ['1st,2nd\nA/,B\n', /^2:1: "A\/"; expected names of candidates separated by "\/"/, { delimiter: '/' }],
    ['A,B\n5,6\n', /^2:3: the grade is "6"; expected a whole number from 0 to 5/, { holdsGrades: true }],
    ['A,B\n5,2.5\n', /^2:3: the grade is "2.5"/, { holdsGrades: true }],
    ['A,B\n-1,2\n', /^2:1: the grade is "-1"/, { holdsGrades: true }],
  ];
  for (const [content, expected, options] of cases) {
    t.match(await refusal('a.csv', content, options), expected, JSON.stringify(content));
  }
  t.match(
    await refusal('a.dat', 'hello\n'),
    /^1:1: the format is not recognised; say which it is with --format blt\|preflib/,
  );
  t.match(await refusal('a.jsonl', '{"x":1}\n'), /^1:1: .*expected the header of an audit bundle/);
});
