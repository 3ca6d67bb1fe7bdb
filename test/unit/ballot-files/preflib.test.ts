import t from 'tap';
import { ballots, read, refusal } from './files.ts';

const NEW = `# FILE NAME: lunch.toi
# TITLE: Lunch: where?
# DATA TYPE: toi
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 9
# NUMBER UNIQUE ORDERS: 4
# ALTERNATIVE NAME 1: Ann: the first
# ALTERNATIVE NAME 2: Ben, Jr.
# ALTERNATIVE NAME 3: Zoë
4: 1,2,3
3: 3,{1,2}
1: {2, 3}
1: 2
`;

const OLD = `3
1,Ann: the first
2,Ben, Jr.
3,"Zoë"
9,9,4
4,1,2,3
3,3,{1,2}
1,{2,3}
1,2
`;

t.test('preflib: orders of the present and of the older format', async (t) => {
  const file = await read('lunch.toi', NEW);
  t.equal(file.title, 'Lunch: where?');
  t.same(file.candidates, ['Ann: the first', 'Ben, Jr.', 'Zoë']);
  t.same(Object.fromEntries(file.tally), { 'c1>c2>c3': 4, 'c3>c1=c2': 3, 'c2=c3': 1, c2: 1 });
  t.same(await read('lunch.toi', OLD), { ...file, title: undefined });
  t.same(await read('lunch', NEW), file, 'recognised by its first line');
  t.same(await read('lunch', OLD), { ...file, title: undefined });
  t.same(await read('lunch.soi', OLD.replaceAll('\n', '\r\n')), { ...file, title: undefined });
});

t.test('preflib: names may be missing as text, but not as lines', async (t) => {
  const file = await read('a.soc', '# ALTERNATIVE NAME 1:\n# ALTERNATIVE NAME 2: B\n2: 2,1\n');
  t.same(file.candidates, ['Candidate 1', 'B']);
  t.same(ballots(file), { 'B>Candidate 1': 2 });
  t.match(
    await read('a.toc', '2\n1,A\n2,B\n3,3,2\n2,{},1\n1\n'),
    { blank: 1, tally: new Map([['c1', 2]]) },
    'empty braces and ballots without candidates',
  );
});

t.test('preflib: malformed files are refused, with the place and what is expected', async (t) => {
  const head = '# ALTERNATIVE NAME 1: A\n# ALTERNATIVE NAME 2: B\n';
  const old = '2\n1,A\n2,B\n';
  const cases: [string, RegExp][] = [
    ['', /^1:1: the file is empty; expected a PrefLib file/],
    ['x\n', /^1:1: the number of candidates is "x"/],
    ['0\n', /^1:1: the number of candidates is "0"/],
    ['2\n1,A\n3,B\n', /^3:1: "3,B"; expected the name of candidate 2 of 2, such as "2,Adam"/],
    [`${old}5,5\n`, /^4:1: "5,5"; expected the numbers of voters, ballots and different orders/],
    [
      `${old}3,3,1\n2,1,2\n`,
      /^4:1: the file says that it has 3 ballots, but there are 2; it is incomplete or was changed/,
    ],
    [`# NUMBER VOTERS: 3\n${head}2: 1,2\n`, /^1:18: the file says that it has 3 ballots, but there are 2/],
    [`# NUMBER ALTERNATIVES: 3\n${head}2: 1,2\n`, /^4:1: candidate 3 of 3 is not named/],
    [`# NUMBER ALTERNATIVES: 1\n${head}`, /^3:24: the file says that there are 1 candidate, but it names 2/],
    ['# DATA TYPE: wmd\n', /^1:14: the data type is "wmd"; expected soc, soi, toc or toi/],
    ['# TITLE: x\n1: 1\n', /^2:1: no candidate is named/],
    [`${head}x: 1\n`, /^3:1: "x: 1"; expected a ballot, such as "3: 1,2,\{3,4\}"/],
    [`${head}2,1,2\n`, /^3:1: "2,1,2"; expected a ballot/],
    [`${head}2: 1,3\n`, /^3:6: there is no candidate 3; expected a number from 1 to 2/],
    [`${head}2: 1,1\n`, /^3:6: candidate 1 is ranked twice/],
    [`${head}2: {1,2\n`, /^3:8: the brace is not closed/],
    [`${head}2: 1}\n`, /^3:5: "}"; expected numbers of candidates/],
    [`${head}2: 1 2\n`, /^3:6: "2"; expected numbers of candidates separated by commas/],
    [`${head}2: 1,,2\n`, /^3:6: ","/],
    [`${head}2: B\n`, /^3:4: "B"/],
    [`${head}0: 1\n`, /^3:1: the number of ballots is "0"/],
  ];
  for (const [content, expected] of cases) t.match(await refusal('a.soi', content), expected, JSON.stringify(content));
});
